package dev.gatun.generation;

import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.KvCache;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Steps of a causal language model. */
final class CausalLmSteps implements StepModel {
  private final CausalLm model;
  private final KvCache cache;

  /** Takes the model and the cache over; closing this closes them. */
  CausalLmSteps(CausalLm model, KvCache cache) {
    this.model = model;
    this.cache = cache;
  }

  @Override
  public KvCache cache() {
    return cache;
  }

  @Override
  public int maxLength() {
    return model.maxLength();
  }

  @Override
  public int vocabSize() {
    return model.vocabSize();
  }

  @Override
  public float[][] step(List<Work> works) {
    List<Chunk> chunks = new ArrayList<>();
    for (Work work : works) {
      int[] ids = work.history().range(work.from(), work.to());
      long[] wide = Arrays.stream(ids).asLongStream().toArray();
      chunks.add(new Chunk(work.sequence(), wide, work.isWanted() ? 1 : 0));
    }
    float[][] logits = new float[works.size()][];
    try (Scope _ = Scope.open();
        TokenBatch batch = model.batch(chunks)) {
      Tensor scores = model.logits(batch);
      float[] all = scores.toFloatArray();
      int vocabulary = model.vocabSize();
      int row = 0;
      for (int i = 0; i < logits.length; i++) {
        if (works.get(i).isWanted()) {
          logits[i] = Arrays.copyOfRange(all, row * vocabulary, (row + 1) * vocabulary);
          row++;
        }
      }
    }
    return logits;
  }

  @Override
  public void close() {
    cache.close();
    model.close();
  }
}
