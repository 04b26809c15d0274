package dev.gatun.generation;

/**
 * What became of guesses at the next tokens.
 *
 * @param guessed tokens that were guessed and verified
 * @param taken those that were right
 * @param off why there were no guesses at the end; null where there were
 */
public record Speculation(int guessed, int taken, String off) {}
