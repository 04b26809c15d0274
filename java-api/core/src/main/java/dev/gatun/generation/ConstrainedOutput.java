package dev.gatun.generation;

import dev.gatun.generation.constraint.TokenAutomaton;
import dev.gatun.generation.constraint.TokenAutomaton.Position;
import dev.gatun.generation.constraint.TokenMask;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Holds the sequences of a request to its constraint. The place in the constraint follows from a
 * sequence's tokens; that of the last one is kept, since mostly it is asked for again with one
 * token more.
 */
final class ConstrainedOutput implements LogitsProcessor {
  private final TokenAutomaton automaton;
  private final List<Integer> endOfText;
  private final OptionalInt forcedBos;
  private TokenHistory last;
  private int length;
  private Position position;

  ConstrainedOutput(TokenAutomaton automaton, GenerationConfig config) {
    this.automaton = automaton;
    this.endOfText = config.eosTokenId();
    this.forcedBos = config.forcedBosTokenId();
  }

  /** The place behind all tokens of a sequence. */
  Position at(TokenHistory history) {
    if (history != last || length > history.length()) {
      last = history;
      length = history.promptLength();
      position = automaton.start();
    }
    for (; length < history.length(); length++) {
      int id = history.get(length);
      // A token that the settings force, such as a language's, is no part of the text.
      boolean forced = length == 1 && forcedBos.equals(OptionalInt.of(id));
      Position next = forced || endOfText.contains(id) ? position : automaton.advance(position, id);
      if (next == null) {
        throw new IllegalStateException(
            "token %d at position %d is against the constraint".formatted(id, length));
      }
      position = next;
    }
    return position;
  }

  /** Finds what may follow a sequence on another thread, while this one waits for the model. */
  void prepare(TokenHistory history) {
    Position now = at(history);
    Thread.ofVirtual()
        .name("gatun-mask")
        .start(
            () -> {
              try {
                automaton.mask(now);
              } catch (RuntimeException e) {
                // The step that needs the mask meets the same and tells it.
              }
            });
  }

  @Override
  public void apply(float[] scores, TokenHistory history) {
    if (history.length() == 1 && forcedBos.isPresent()) {
      return;
    }
    Position now = at(history);
    TokenMask mask = automaton.mask(now);
    float[] all = scores.clone();
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    boolean[] left = new boolean[1];
    mask.forEach(
        id -> {
          if (id < scores.length) {
            scores[id] = all[id];
            left[0] |= all[id] != Float.NEGATIVE_INFINITY;
          }
        });
    if (now.isComplete()) {
      for (int id : endOfText) {
        scores[id] = all[id];
        left[0] |= all[id] != Float.NEGATIVE_INFINITY;
      }
    }
    if (!left[0]) {
      throw new IllegalStateException(deadEnd(now, mask, history));
    }
  }

  private String deadEnd(Position now, TokenMask mask, TokenHistory history) {
    String where =
        "the constraint is at a dead end behind %d generated tokens: "
            .formatted(history.generated());
    if (mask.count() > 0 || now.isComplete()) {
      return where
          + "it allows %d tokens%s, but other settings forbid them all, or the model gave -infinity"
              .formatted(mask.count(), now.isComplete() ? " and the end of text" : "");
    }
    return where
        + "it goes on with %s, and no token of the vocabulary begins so"
            .formatted(automaton.expected(now));
  }

  /** Whether nothing but the end of text may follow. */
  boolean isOver(TokenHistory history) {
    Position now = at(history);
    return now.isComplete() && !now.continues();
  }
}
