package dev.gatun.generation.constraint;

/**
 * What a {@link Program} reads in one go: a deterministic automaton over bytes. Its states are
 * numbers; it begins in 0. From every state that it reaches it can get to one that accepts.
 */
interface Terminal {
  /** What {@link #step} gives where a byte may not come. */
  int DEAD = -1;

  /** The state behind a byte, of 0 to 255. */
  int step(int state, int value);

  /** Whether what was read may be all. */
  boolean accepts(int state);

  /** Whether more may be read. */
  boolean continues(int state);

  /** The one byte that may come; -1 where there are others, or none. */
  int only(int state);

  /** Whether a {@link PlainText} byte may come first. */
  boolean beginsPlain();

  /** The characters of ASCII that it reads as its whole, a bit each: those below 64. */
  default long asciiLow() {
    return 0;
  }

  /** Those from 64 on. */
  default long asciiHigh() {
    return 0;
  }

  /** Marks the bytes that are told from the one before them. */
  void cuts(boolean[] cuts);
}
