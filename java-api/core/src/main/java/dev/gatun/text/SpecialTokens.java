package dev.gatun.text;

import java.util.OptionalInt;

/**
 * The ids of the tokens with a role; empty where the tokenizer has no such token.
 *
 * @param cls starts a sequence for BERT's family
 * @param sep separates texts
 * @param pad fills a batch
 * @param mask stands for a hidden token
 * @param unk stands for what the vocabulary lacks
 * @param bos starts a sequence
 * @param eos ends a sequence
 */
public record SpecialTokens(
    OptionalInt cls,
    OptionalInt sep,
    OptionalInt pad,
    OptionalInt mask,
    OptionalInt unk,
    OptionalInt bos,
    OptionalInt eos) {}
