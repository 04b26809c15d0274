package dev.gatun.cli;

/**
 * An embedded passage and where it stands.
 *
 * @param file as the user would name it
 * @param kept the passage with its vector
 */
record Located(String file, EmbeddedPassage kept) {}
