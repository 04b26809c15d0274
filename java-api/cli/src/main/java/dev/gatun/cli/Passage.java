package dev.gatun.cli;

/**
 * A piece of a text that is short enough for the model.
 *
 * @param firstLine the line it begins on, from 1
 * @param lastLine the line it ends on
 * @param text its characters, lines separated by {@code \n}
 */
record Passage(int firstLine, int lastLine, String text) {}
