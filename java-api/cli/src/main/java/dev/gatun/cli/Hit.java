package dev.gatun.cli;

/**
 * A passage found.
 *
 * @param score the cosine between its vector and the query's
 * @param file where it stands
 * @param passage what it says
 */
record Hit(float score, String file, Passage passage) {}
