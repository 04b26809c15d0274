package dev.gatun.generation;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntUnaryOperator;

/** Processors that make tokens less likely for having occurred. */
final class Penalties {
  private Penalties() {}

  /**
   * Divides the positive and multiplies the negative scores of all tokens of the sequence, the
   * prompt's too, once each (Keskar et al., CTRL, 2019; Hugging Face's repetition_penalty).
   */
  static LogitsProcessor repetition(float penalty) {
    return (scores, history) -> divide(scores, history.toArray(), penalty);
  }

  /**
   * The opposite for the tokens of the source: by a penalty above 1 they come more likely (Hugging
   * Face's encoder_repetition_penalty).
   *
   * @param source the ids that the encoder read; null for the prompt's where there is no encoder
   */
  static LogitsProcessor encoderRepetition(float penalty, int[] source) {
    float opposite = (float) (1.0 / penalty);
    return (scores, history) -> divide(scores, read(source, history), opposite);
  }

  private static void divide(float[] scores, int[] ids, float penalty) {
    BitSet seen = new BitSet(scores.length);
    for (int id : ids) {
      if (id < scores.length && !seen.get(id)) {
        seen.set(id);
        scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
      }
    }
  }

  private static int[] read(int[] source, TokenHistory history) {
    return source == null ? history.range(0, history.promptLength()) : source;
  }

  /**
   * Subtracts from the scores of generated tokens {@code presence}, and {@code frequency} for each
   * time that they were generated (OpenAI's presence_penalty and frequency_penalty).
   */
  static LogitsProcessor presenceAndFrequency(float presence, float frequency) {
    return (scores, history) -> {
      int[] ids = history.from(history.promptLength());
      Arrays.sort(ids);
      for (int i = 0, end; i < ids.length; i = end) {
        end = i + 1;
        while (end < ids.length && ids[end] == ids[i]) {
          end++;
        }
        scores[ids[i]] -= presence + frequency * (end - i);
      }
    };
  }

  /** Leaves out tokens that would end n tokens that the sequence already has in this order. */
  static LogitsProcessor noRepeatNgram(int n) {
    return (scores, history) -> leaveOutNgrams(n, scores, history, history.length(), history::get);
  }

  /**
   * Leaves out tokens that would end n tokens that the source has in this order.
   *
   * @param source as that of {@link #encoderRepetition}
   */
  static LogitsProcessor encoderNoRepeatNgram(int n, int[] source) {
    return (scores, history) -> {
      int[] ids = read(source, history);
      leaveOutNgrams(n, scores, history, ids.length, i -> ids[i]);
    };
  }

  /** What would end n tokens that {@code length} others have in this order. */
  private static void leaveOutNgrams(
      int n, float[] scores, TokenHistory history, int length, IntUnaryOperator others) {
    int suffix = history.length() + 1 - n;
    for (int start = 0; suffix >= 0 && start + n <= length; start++) {
      int same = 0;
      while (same < n - 1 && others.applyAsInt(start + same) == history.get(suffix + same)) {
        same++;
      }
      int next = others.applyAsInt(start + n - 1);
      if (same == n - 1 && next < scores.length) {
        scores[next] = Float.NEGATIVE_INFINITY;
      }
    }
  }
}
