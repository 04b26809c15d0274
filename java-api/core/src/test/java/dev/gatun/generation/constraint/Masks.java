package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.TokenAutomaton.Position;

/** What tests know of masks that were found. */
public final class Masks {
  private Masks() {}

  /** Whether the tokens that may follow were found, and are kept. */
  public static boolean isKnown(Position position) {
    return position.state().note != null;
  }
}
