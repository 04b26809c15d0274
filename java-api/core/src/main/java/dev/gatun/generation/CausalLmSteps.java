package dev.gatun.generation;

import dev.gatun.models.CausalLm;
import dev.gatun.models.Chunk;
import dev.gatun.nn.KvCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Steps of a causal language model. */
final class CausalLmSteps implements StepModel {
  private final CausalLm model;
  private final KvCache cache;
  private final RecordedSteps recorded;

  /** Takes the model and the cache over; closing this closes them. */
  CausalLmSteps(CausalLm model, KvCache cache) {
    this.model = model;
    this.cache = cache;
    this.recorded = new RecordedSteps(model, cache);
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
    List<Chunk> chunks = new ArrayList<>();
    // Of each token that something is wanted of; null where its logits are.
    List<Draw> draws = new ArrayList<>();
    for (Work work : works) {
      chunks.add(new Chunk(work.sequence(), work.ids(), work.wanted()));
      for (int i = 0; i < work.wanted(); i++) {
        draws.add(work.draws() == null ? null : work.draws().get(i));
      }
    }
    List<Draw> all = draws.stream().map(d -> d == null ? Draw.GREEDY : d).toList();
    StepRoom room = recorded.find(chunks);
    if (room != null) {
      room.run(chunks, all);
      return results(works, draws, room);
    }
    try (StepRoom once = StepRoom.of(model, chunks, all)) {
      return results(works, draws, once);
    }
  }

  private static List<List<Next>> results(List<Work> works, List<Draw> draws, StepRoom room) {
    boolean chosen = draws.stream().anyMatch(Objects::nonNull);
    long[] ids = chosen ? room.ids(draws.size()) : new long[0];
    List<List<Next>> results = new ArrayList<>();
    int row = 0;
    for (Work work : works) {
      List<Next> all = new ArrayList<>();
      for (int i = 0; i < work.wanted(); i++, row++) {
        // Logits that choose none are given, for what is wrong with them to be told.
        boolean given = draws.get(row) != null && ids[row] >= 0;
        all.add(given ? new Next((int) ids[row], null) : new Next(-1, room.logits(row)));
      }
      results.add(all);
    }
    return results;
  }

  @Override
  public void close() {
    recorded.close();
    cache.close();
    model.close();
  }
}
