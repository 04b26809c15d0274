package dev.gatun.cli;

/**
 * A passage with its vector.
 *
 * @param passage the text
 * @param vector of length one
 */
record EmbeddedPassage(Passage passage, float[] vector) {}
