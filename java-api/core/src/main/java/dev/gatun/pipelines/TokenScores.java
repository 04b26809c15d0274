package dev.gatun.pipelines;

/**
 * What a token classifier says of one token.
 *
 * @param scores a probability a label
 * @param start where the token starts in the text
 * @param end where it ends
 * @param index its place among the tokens, special ones counted
 * @param continues whether it goes on with the word of the token before
 */
record TokenScores(float[] scores, int start, int end, int index, boolean continues) {}
