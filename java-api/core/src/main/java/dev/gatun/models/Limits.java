package dev.gatun.models;

/**
 * What a model can take.
 *
 * @param vocabulary the number of token ids
 * @param types the number of token types, 0 where the model has none
 * @param length the most tokens of a sequence
 * @param positions the rows of the table that positions are looked up in
 * @param hidden the width of the hidden states
 */
record Limits(int vocabulary, int types, int length, int positions, int hidden) {}
