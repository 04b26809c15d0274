package dev.gatun.generation;

import dev.gatun.models.Seq2SeqLm;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Steps of an encoder-decoder: sources are encoded once, targets go on step by step. */
final class Seq2SeqSteps implements StepModel {
  private final Seq2SeqLm model;
  private final KvCache cache;
  private final KvCache sources;
  private final int startTokenId;
  private final RecordedSteps recorded;

  /** Takes the model and its caches over; closing this closes them. */
  Seq2SeqSteps(Seq2SeqLm model, KvCache cache, KvCache sources, int startTokenId) {
    this.model = model;
    this.cache = cache;
    this.sources = sources;
    this.startTokenId = startTokenId;
    this.recorded =
        new RecordedSteps(
            model,
            model.fillsItsRoom(),
            size ->
                model.batch(
                    cache,
                    sources,
                    size.sequences(),
                    size.tokens(),
                    size.longestChunk(),
                    size.longest(),
                    size.longestSource(),
                    size.tokens()));
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
      public int batchTokens() {
        return model.sourceBatchTokens();
      }

      @Override
      public List<KvSequence> encode(List<int[]> ids) {
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

  private List<KvSequence> encoded(List<int[]> ids) {
    List<KvSequence> open = new ArrayList<>();
    try {
      for (int i = 0; i < ids.size(); i++) {
        open.add(sources.open());
      }
      model.encode(
          open,
          ids.stream()
              .map(each -> Arrays.stream(each).asLongStream().toArray())
              .toArray(long[][]::new));
      return open;
    } catch (RuntimeException | Error e) {
      open.forEach(KvSequence::close);
      throw e;
    }
  }

  @Override
  public List<List<Next>> step(List<Work> works) {
    return recorded.step(works);
  }

  @Override
  public void close() {
    recorded.close();
    cache.close();
    sources.close();
    model.close();
  }
}
