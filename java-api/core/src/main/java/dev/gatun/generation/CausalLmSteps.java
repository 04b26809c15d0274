package dev.gatun.generation;

import dev.gatun.models.CausalLm;
import dev.gatun.nn.KvCache;
import java.util.List;

/** Steps of a causal language model. */
final class CausalLmSteps implements StepModel {
  private final CausalLm model;
  private final KvCache cache;
  private final RecordedSteps recorded;

  /** Takes the model and the cache over; closing this closes them. */
  CausalLmSteps(CausalLm model, KvCache cache) {
    this.model = model;
    this.cache = cache;
    this.recorded =
        new RecordedSteps(
            model,
            false,
            size ->
                model.batch(
                    cache,
                    size.sequences(),
                    size.tokens(),
                    size.longestChunk(),
                    size.longest(),
                    size.tokens()));
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
  public List<List<Next>> step(List<Work> works) {
    return recorded.step(works);
  }

  @Override
  public void close() {
    recorded.close();
    cache.close();
    model.close();
  }
}
