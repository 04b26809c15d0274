package dev.gatun.cli;

/**
 * A passage that the model has not seen yet.
 *
 * @param passage its text and lines
 * @param inputIds its tokens, special ones included
 */
record TokenizedPassage(Passage passage, long[] inputIds) {}
