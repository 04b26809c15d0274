package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * How well a model tells the tokens of a text.
 *
 * @param loss the sum of the negative natural logarithms of the tokens' probabilities
 * @param tokens how many tokens were told: all but the first
 */
public record Perplexity(double loss, int tokens) {
  /** Tokens of a step, whose logits are on the host at once. */
  private static final int STEP = 64;

  /** e to the mean loss a token. */
  public double value() {
    return Math.exp(loss / tokens);
  }

  /** The mean loss in bits a byte of the text, which does not depend on the tokenizer. */
  public double bitsPerByte(long bytes) {
    return loss / Math.log(2) / bytes;
  }

  /**
   * Tells each token from those before it in a window. Windows follow each other by {@code stride}
   * tokens; of each but the first only the last {@code stride} tokens count, the others are what
   * they are told from.
   *
   * @param window the most tokens that the model sees at once, up to its context
   * @param stride from 1 to the window's length: shorter ones see more, and take longer
   * @param progress is told the number of tokens counted so far
   * @throws IllegalArgumentException for a window or stride out of range, fewer than two tokens,
   *     and ids outside of the vocabulary
   */
  public static Perplexity of(
      CausalLm model, int[] ids, int window, int stride, IntConsumer progress) {
    return of(model, model.cacheShape().dtype(), ids, window, stride, progress);
  }

  /**
   * The same with keys and values kept as another type.
   *
   * @param cacheDtype F32, F16, BF16 or I8
   */
  public static Perplexity of(
      CausalLm model, DType cacheDtype, int[] ids, int window, int stride, IntConsumer progress) {
    if (window < 2 || window > model.maxLength()) {
      throw new IllegalArgumentException(
          "window: %d tokens, expected 2 to the model's context of %d"
              .formatted(window, model.maxLength()));
    }
    if (stride < 1 || stride >= window) {
      throw new IllegalArgumentException(
          "stride: %d tokens, expected 1 to %d, less than the window"
              .formatted(stride, window - 1));
    }
    if (ids.length < 2) {
      throw new IllegalArgumentException(
          "text: it has %d tokens, expected two at least".formatted(ids.length));
    }
    int length = Math.min(window, ids.length);
    double loss = 0;
    int told = 1;
    KvCache.Shape shape = model.cacheShape().withDtype(cacheDtype);
    try (KvCache cache = KvCache.contiguous(model.device(), shape, 1, length)) {
      for (int begin = 0; told < ids.length; begin += stride) {
        int end = Math.min(begin + window, ids.length);
        loss += window(model, cache, Arrays.copyOfRange(ids, begin, end), told - begin);
        told = end;
        progress.accept(told - 1);
      }
    }
    return new Perplexity(loss, ids.length - 1);
  }

  /** The loss of a window's tokens from {@code first} on. */
  private static double window(CausalLm model, KvCache cache, int[] ids, int first) {
    double loss = 0;
    try (KvSequence sequence = cache.open(ids, 0)) {
      // The last token tells none.
      for (int at = 0; at < ids.length - 1; at += STEP) {
        int end = Math.min(at + STEP, ids.length - 1);
        int wanted = Math.clamp(end - first + 1, 0, end - at);
        long[] step = Arrays.stream(ids, at, end).asLongStream().toArray();
        try (Scope _ = Scope.open();
            TokenBatch batch = model.batch(List.of(new Chunk(sequence, step, wanted)))) {
          Tensor scores = model.logits(batch);
          float[] logits = wanted == 0 ? new float[0] : scores.toFloatArray();
          for (int row = 0; row < wanted; row++) {
            int from = row * model.vocabSize();
            float[] each = Arrays.copyOfRange(logits, from, from + model.vocabSize());
            loss += Sampler.logSumExp(each) - each[ids[end - wanted + row + 1]];
          }
        }
      }
    }
    return loss;
  }
}
