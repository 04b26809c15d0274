package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A text's tokens as models tell them, side by side: windows follow each other by a stride, and
 * each token is told once, in the first window that has it.
 */
final class ToldTokens {
  /** Tokens of a step, whose logits are on the host at once. */
  private static final int STEP = 64;

  private final List<CausalLm> models;
  private final int[] ids;
  private final int window;
  private final int stride;

  /** Gets what models say of one token. */
  interface Told {
    /**
     * One token.
     *
     * @param logits each model's, of all tokens
     * @param next the token that the text has
     */
    void token(float[][] logits, int next);
  }

  /**
   * Windows over a text.
   *
   * @throws IllegalArgumentException for a window or stride out of range, and fewer than two tokens
   */
  ToldTokens(List<CausalLm> models, int[] ids, int window, int stride) {
    this.models = models;
    this.ids = ids;
    this.window = window;
    this.stride = stride;
    for (CausalLm model : models) {
      if (window < 2 || window > model.maxLength()) {
        throw new IllegalArgumentException(
            "window: %d tokens, expected 2 to the model's context of %d"
                .formatted(window, model.maxLength()));
      }
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
  }

  /**
   * Tells all tokens but the first.
   *
   * @param cacheDtypes of keys and values, a model's each
   * @param progress is told the number of tokens told so far
   */
  void tell(List<DType> cacheDtypes, Told told, IntConsumer progress) {
    List<KvCache> caches = new ArrayList<>();
    try {
      for (int m = 0; m < models.size(); m++) {
        CausalLm model = models.get(m);
        KvCache.Shape shape = model.cacheShape().withDtype(cacheDtypes.get(m));
        int length = Math.min(window, ids.length);
        caches.add(KvCache.contiguous(model.device(), shape, 1, length));
      }
      int done = 1;
      for (int begin = 0; done < ids.length; begin += stride) {
        int end = Math.min(begin + window, ids.length);
        window(caches, Arrays.copyOfRange(ids, begin, end), done - begin, told);
        done = end;
        progress.accept(done - 1);
      }
    } finally {
      caches.forEach(KvCache::close);
    }
  }

  /** Tells a window's tokens from {@code first} on. */
  private void window(List<KvCache> caches, int[] part, int first, Told told) {
    List<KvSequence> sequences = new ArrayList<>();
    try {
      caches.forEach(cache -> sequences.add(cache.open(part, 0)));
      // The last token tells none.
      for (int at = 0; at < part.length - 1; at += STEP) {
        int end = Math.min(at + STEP, part.length - 1);
        int wanted = Math.clamp(end - first + 1, 0, end - at);
        float[][] logits = new float[models.size()][];
        for (int m = 0; m < models.size(); m++) {
          logits[m] = step(models.get(m), sequences.get(m), part, at, end, wanted);
        }
        for (int row = 0; row < wanted; row++) {
          float[][] each = new float[models.size()][];
          for (int m = 0; m < models.size(); m++) {
            int size = models.get(m).vocabSize();
            each[m] = Arrays.copyOfRange(logits[m], row * size, (row + 1) * size);
          }
          told.token(each, part[end - wanted + row + 1]);
        }
      }
    } finally {
      sequences.forEach(KvSequence::close);
    }
  }

  private static float[] step(
      CausalLm model, KvSequence sequence, int[] part, int at, int end, int wanted) {
    long[] step = Arrays.stream(part, at, end).asLongStream().toArray();
    try (Scope _ = Scope.open();
        TokenBatch batch = model.batch(List.of(new Chunk(sequence, step, wanted)))) {
      var scores = model.logits(batch);
      return wanted == 0 ? new float[0] : scores.toFloatArray();
    }
  }
}
