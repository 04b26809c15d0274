package dev.gatun.generation;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;

/** Processors that add to scores, forbid tokens or force them. */
final class TokenRules {
  private TokenRules() {}

  /** Adds the bias of each entry whose other tokens are the last of the sequence. */
  static LogitsProcessor bias(String setting, List<TokenBias> biases) {
    int[][] tokens =
        biases.stream()
            .map(bias -> bias.tokens().stream().mapToInt(Integer::intValue).toArray())
            .toArray(int[][]::new);
    return (scores, history) -> {
      // All that is added to a token is summed before, for sums of floats depend on their order.
      float[] added = new float[scores.length];
      for (int i = 0; i < tokens.length; i++) {
        int prefix = tokens[i].length - 1;
        int last = tokens[i][prefix];
        check(setting, last, scores.length);
        if (history.endsWith(tokens[i], prefix)) {
          added[last] += biases.get(i).bias();
        }
      }
      for (int id = 0; id < scores.length; id++) {
        scores[id] += added[id];
      }
    };
  }

  /** Forbids the last token of each entry whose other tokens are the last of the sequence. */
  static LogitsProcessor badWords(List<List<Integer>> words, Collection<Integer> endOfText) {
    List<TokenBias> forbidden =
        words.stream()
            .filter(word -> word.size() != 1 || !endOfText.contains(word.getFirst()))
            .map(word -> new TokenBias(word, Float.NEGATIVE_INFINITY))
            .toList();
    return bias("bad_words_ids", forbidden);
  }

  /** Forbids tokens. */
  static LogitsProcessor suppress(String setting, Collection<Integer> ids) {
    return (scores, history) -> forbid(setting, scores, ids);
  }

  /**
   * Forbids tokens as the first that is generated, or where that is forced as the second.
   *
   * @param forced whether the token behind a prompt of one is
   */
  static LogitsProcessor suppressAtBegin(Collection<Integer> ids, boolean forced) {
    return (scores, history) -> {
      if (history.generated() == (forced && history.promptLength() == 1 ? 1 : 0)) {
        forbid("begin_suppress_tokens", scores, ids);
      }
    };
  }

  /** Forbids the end of text while the sequence has fewer tokens, the prompt's counted or not. */
  static LogitsProcessor minLength(int length, boolean withPrompt, Collection<Integer> endOfText) {
    return (scores, history) -> {
      if ((withPrompt ? history.length() : history.generated()) < length) {
        forbid("eos_token_id", scores, endOfText);
      }
    };
  }

  /** Leaves only these tokens where the sequence has {@code length} tokens. */
  static LogitsProcessor forceAt(String setting, int length, Collection<Integer> ids) {
    return (scores, history) -> {
      if (history.length() == length) {
        Arrays.fill(scores, Float.NEGATIVE_INFINITY);
        for (int id : ids) {
          check(setting, id, scores.length);
          scores[id] = 0;
        }
      }
    };
  }

  /**
   * Makes the end of text more likely, exponentially, from {@code start} generated tokens on
   * (Hugging Face's exponential_decay_length_penalty).
   */
  static LogitsProcessor decay(int start, double factor, Collection<Integer> endOfText) {
    return (scores, history) -> {
      int over = history.generated() - start;
      if (over > 0) {
        float more = (float) (Math.pow(factor, over) - 1);
        for (int id : new HashSet<>(endOfText)) {
          check("eos_token_id", id, scores.length);
          // What is forbidden stays so.
          scores[id] += Float.isInfinite(scores[id]) ? 0 : Math.abs(scores[id]) * more;
        }
      }
    };
  }

  /** Puts 0 for NaN, and the largest finite numbers for infinities. */
  static LogitsProcessor removeInvalid() {
    return (scores, history) -> {
      for (int i = 0; i < scores.length; i++) {
        scores[i] =
            Float.isNaN(scores[i]) ? 0 : Math.clamp(scores[i], -Float.MAX_VALUE, Float.MAX_VALUE);
      }
    };
  }

  private static void forbid(String setting, float[] scores, Collection<Integer> ids) {
    for (int id : ids) {
      check(setting, id, scores.length);
      scores[id] = Float.NEGATIVE_INFINITY;
    }
  }

  private static void check(String setting, int id, int vocabulary) {
    if (id < 0 || id >= vocabulary) {
      throw new IllegalArgumentException(
          "%s has the token %d, the model's vocabulary has %d".formatted(setting, id, vocabulary));
    }
  }
}
