package dev.gatun.pipelines;

import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/**
 * The tokens that are pooled.
 *
 * @param tokens [tokens, features], text by text
 * @param segments where each text begins
 * @param lengths the tokens of each text
 * @param skipped how many of each text's come before them, those of a prompt
 */
record PooledTokens(Tensor tokens, Segments segments, int[] lengths, int skipped) {}
