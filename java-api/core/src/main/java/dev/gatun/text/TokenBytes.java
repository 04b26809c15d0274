package dev.gatun.text;

/**
 * The bytes of UTF-8 that each token of a vocabulary adds to a text.
 *
 * @param bytes by id, not to be changed; null for control and added tokens, and for ids that the
 *     vocabulary lacks
 * @param leavesOutFirstSpace whether the space that a text's first token begins with is no part of
 *     the text
 */
public record TokenBytes(byte[][] bytes, boolean leavesOutFirstSpace) {}
