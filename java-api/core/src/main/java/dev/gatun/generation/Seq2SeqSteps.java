package dev.gatun.generation;

import dev.gatun.models.Seq2SeqLm;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import java.util.Arrays;
import java.util.List;

/** Steps of an encoder-decoder: sources are encoded once, targets go on step by step. */
final class Seq2SeqSteps implements StepModel {
  private final Seq2SeqLm model;
  private final KvCache cache;
  private final KvCache sources;
  private final int startTokenId;

  /** Takes the model and its caches over; closing this closes them. */
  Seq2SeqSteps(Seq2SeqLm model, KvCache cache, KvCache sources, int startTokenId) {
    this.model = model;
    this.cache = cache;
    this.sources = sources;
    this.startTokenId = startTokenId;
  }

  @Override
  public SourceModel encoder() {
    return new SourceModel() {
      @Override
      public int maxLength() {
        return model.maxSourceLength();
      }

      @Override
      public int vocabSize() {
        return model.sourceVocabSize();
      }

      @Override
      public int startTokenId() {
        return startTokenId;
      }

      @Override
      public KvSequence encode(int[] ids) {
        return encoded(ids);
      }
    };
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

  private KvSequence encoded(int[] ids) {
    KvSequence source = sources.open();
    try {
      model.encode(List.of(source), new long[][] {Arrays.stream(ids).asLongStream().toArray()});
      return source;
    } catch (RuntimeException | Error e) {
      source.close();
      throw e;
    }
  }

  @Override
  public List<List<Next>> step(List<Work> works) {
    StepDraws draws = StepDraws.of(works);
    try (StepRoom once = StepRoom.of(model, draws.chunks(), draws.all())) {
      return draws.results(works, once);
    }
  }

  @Override
  public void close() {
    cache.close();
    sources.close();
    model.close();
  }
}
