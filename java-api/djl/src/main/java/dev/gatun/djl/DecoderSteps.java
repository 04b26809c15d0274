package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Calls of a decoder that go on where others ended. What a program hands from call to call in the
 * place of keys and values, [batch, 1, length, 1], are the ids that they belong to, as FLOAT32,
 * which DJL's searches ask of them and which has all whole numbers up to 2^24: keys and values stay
 * in a cache, which finds them by the ids, and what it had to give up is computed again. So
 * whatever a search does to the past by the batch, it stays right: selects, repeats, puts in order.
 */
final class DecoderSteps implements AutoCloseable {
  private static final int PAGE = 16;
  private static final int SEQUENCES = 32;
  private static final long MOST_BYTES = 1L << 30;

  private final CausalLm model;
  private final KvCache cache;

  DecoderSteps(CausalLm model) {
    this.model = model;
    KvCache.Shape shape = model.cacheShape();
    long all = shape.tokenBytes() * Math.max(PAGE, model.maxLength()) * SEQUENCES;
    long one = shape.tokenBytes() * Math.ceilDiv(model.maxLength(), PAGE) * PAGE;
    this.cache =
        KvCache.ofBytes(model.device(), shape, PAGE, Math.max(one, Math.min(all, MOST_BYTES)));
  }

  /** A row of the batch: its tokens without padding, and how many of them are of this call. */
  private record Row(int[] ids, int fresh) {}

  /**
   * One call.
   *
   * @param past ids [batch, past]
   * @param ids of this call [batch, length]
   * @param mask 1 for tokens, 0 for padding [batch, past + length]; or null
   * @return {@code logits} [batch, length, vocab_size], {@code hidden_states} [batch, length,
   *     hidden_size], rows of padding being 0, and the past of the next call
   */
  synchronized NDList forward(GatunNDManager target, long[][] past, long[][] ids, long[][] mask) {
    int batch = ids.length;
    int length = batch == 0 ? 0 : ids[0].length;
    int before = past.length == 0 ? 0 : past[0].length;
    if (past.length != batch
        || mask != null && (mask.length != batch || mask[0].length != before + length)) {
      throw new IllegalArgumentException(
          "forward: input_ids are [%d, %d] and the past has %d tokens of %d sequences, expected an attention_mask of [%d, %d]"
              .formatted(batch, length, before, past.length, batch, before + length));
    }
    List<Row> rows = new ArrayList<>();
    float[] all = new float[batch * (before + length)];
    for (int i = 0; i < batch; i++) {
      long[] whole = Arrays.copyOf(past[i], before + length);
      System.arraycopy(ids[i], 0, whole, before, length);
      for (int k = 0; k < whole.length; k++) {
        all[i * whole.length + k] = whole[k];
      }
      rows.add(row(whole, mask == null ? null : mask[i], before));
    }
    try (Scope _ = Scope.open()) {
      Tensor hidden = Elementwise.cast(states(rows), DType.F32);
      Tensor logits = model.scores(hidden);
      NDList outputs = new NDList();
      try {
        outputs.add(padded(target, "logits", logits, mask, before, batch, length));
        outputs.add(padded(target, "hidden_states", hidden, mask, before, batch, length));
        NDArray next = target.create(all, new Shape(batch, 1, before + length, 1));
        next.setName(DecoderBody.PAST);
        outputs.add(next);
        return outputs;
      } catch (RuntimeException | Error e) {
        outputs.close();
        throw e;
      }
    }
  }

  private Row row(long[] ids, long[] mask, int before) {
    int[] tokens = new int[ids.length];
    int count = 0;
    int fresh = 0;
    for (int i = 0; i < ids.length; i++) {
      if (mask == null || mask[i] != 0) {
        if (ids[i] < 0 || ids[i] >= model.vocabSize()) {
          throw new IllegalArgumentException(
              "forward: input_ids has %d, the vocabulary %d tokens"
                  .formatted(ids[i], model.vocabSize()));
        }
        tokens[count++] = (int) ids[i];
        fresh += i >= before ? 1 : 0;
      }
    }
    return new Row(Arrays.copyOf(tokens, count), fresh);
  }

  /** The states of the tokens of this call, row by row; of half of the rows where room is short. */
  private Tensor states(List<Row> rows) {
    List<KvSequence> sequences = new ArrayList<>();
    try {
      List<Chunk> chunks = new ArrayList<>();
      for (Row row : rows) {
        if (row.fresh() > 0) {
          KvSequence sequence = cache.open(row.ids(), row.ids().length - row.fresh());
          sequences.add(sequence);
          long[] left =
              Arrays.stream(row.ids()).skip(sequence.length()).mapToLong(id -> id).toArray();
          chunks.add(new Chunk(sequence, left, row.fresh()));
        }
      }
      if (chunks.isEmpty()) {
        return Tensor.zeros(model.device(), 0, model.hiddenSize());
      }
      Tensor states;
      try (TokenBatch step = model.batch(chunks)) {
        states = model.hidden(step);
      }
      int at = 0;
      for (Row row : rows) {
        if (row.fresh() > 0) {
          sequences.get(at++).remember(row.ids());
        }
      }
      return states;
    } catch (KvCacheFullException e) {
      if (rows.size() == 1) {
        throw e;
      }
    } finally {
      sequences.forEach(KvSequence::close);
    }
    int half = rows.size() / 2;
    return concat(states(rows.subList(0, half)), states(rows.subList(half, rows.size())));
  }

  private static Tensor concat(Tensor first, Tensor second) {
    Tensor both =
        Tensor.empty(first.device(), first.dtype(), first.size(0) + second.size(0), first.size(1));
    dev.gatun.ops.Layouts.copy(first, both.slice(0, 0, first.size(0)));
    dev.gatun.ops.Layouts.copy(second, both.slice(0, first.size(0), both.size(0)));
    return both;
  }

  /** Rows of tokens at their places, 0 where there is padding. */
  private static NDArray padded(
      GatunNDManager target,
      String name,
      Tensor rows,
      long[][] mask,
      int before,
      int batch,
      int length) {
    int width = Math.toIntExact(rows.size(1));
    float[] given = rows.toFloatArray();
    float[] placed = given;
    if (given.length != batch * length * width) {
      placed = new float[Math.multiplyExact(batch * length, width)];
      int next = 0;
      for (int i = 0; i < batch * length; i++) {
        if (mask[i / length][before + i % length] != 0) {
          System.arraycopy(given, next++ * width, placed, i * width, width);
        }
      }
    }
    NDArray array = target.create(placed, new Shape(batch, length, width));
    array.setName(name);
    return array;
  }

  @Override
  public synchronized void close() {
    cache.close();
  }
}
