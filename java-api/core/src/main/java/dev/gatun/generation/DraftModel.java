package dev.gatun.generation;

import dev.gatun.generation.StepModel.Work;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A small model that guesses what a large one will say (Leviathan et al., arXiv 2211.17192): its
 * most likely tokens. Used by the engine's thread.
 */
final class DraftModel implements AutoCloseable {
  private static final int TOKENS = 4;

  /** Tokens of a prompt in a step. */
  private static final int CHUNK = 512;

  private final StepModel model;

  /** Takes the model over. */
  DraftModel(StepModel model) {
    this.model = model;
  }

  /** Guesses for a sequence. */
  Drafter open() {
    return new Guesses();
  }

  @Override
  public void close() {
    model.close();
  }

  private final class Guesses implements Drafter {
    private KvSequence sequence;
    // What the sequence has, guesses that were wrong included.
    private int[] there = {};

    @Override
    public List<Integer> propose(TokenHistory history, int most) {
      int count = Math.min(Math.min(most, TOKENS), model.maxLength() - history.length());
      List<Integer> guesses = new ArrayList<>();
      try {
        TokenHistory guessed = begin(history);
        while (guesses.size() < count && sequence.canBecome(guessed.length())) {
          int id = next(guessed);
          if (id < 0) {
            break;
          }
          guesses.add(id);
          guessed = guessed.with(id);
        }
        there = Arrays.copyOf(guessed.toArray(), sequence.length());
      } catch (KvCacheFullException e) {
        // Its cache has no room for so long a sequence: no guess then.
        close();
      }
      return guesses;
    }

    /** Takes back what was guessed wrong. */
    private TokenHistory begin(TokenHistory history) {
      int[] ids = history.toArray();
      if (sequence != null && !sequence.canBecome(ids.length)) {
        close();
      }
      if (sequence == null) {
        sequence = model.cache().open(ids, ids.length - 1);
        there = Arrays.copyOf(ids, sequence.length());
      }
      int same = Arrays.mismatch(there, ids);
      sequence.truncate(Math.min(same < 0 ? there.length : same, ids.length - 1));
      return history;
    }

    /** The most likely next token; -1 where the logits have none. */
    private int next(TokenHistory history) {
      int id = -1;
      while (sequence.length() < history.length()) {
        int from = sequence.length();
        int to = Math.min(history.length(), from + CHUNK);
        Work work = new Work(sequence, history, from, to, List.of(), List.of(Draw.GREEDY));
        List<StepModel.Next> next = model.step(List.of(work)).getFirst();
        id = next.isEmpty() ? -1 : next.getFirst().id();
      }
      return id;
    }

    @Override
    public void close() {
      if (sequence != null) {
        sequence.remember(Arrays.copyOf(there, Math.min(there.length, sequence.length())));
        sequence.close();
        sequence = null;
      }
    }
  }
}
