package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A model whose logits follow from the whole history, and whose sequences take places in a cache
 * that must fit what is asked of it.
 */
final class TableModel implements StepModel {
  static final int VOCABULARY = 13;

  private final KvCache cache;
  private final int maxLength;
  final AtomicInteger steps = new AtomicInteger();
  final AtomicInteger tokens = new AtomicInteger();
  volatile int mostTokens;
  volatile int mostSequences;
  volatile boolean closed;

  /** What a step does before it computes. */
  volatile Runnable before = () -> {};

  /** A token after which logits are NaN; -1 for none. */
  volatile int poison = -1;

  TableModel(int maxLength, int pageSize, int pages) {
    this.maxLength = maxLength;
    this.cache =
        KvCache.paged(Device.cpu(), new KvCache.Shape(0, 1, 1, DType.F32), pageSize, pages);
  }

  @Override
  public KvCache cache() {
    return cache;
  }

  @Override
  public int maxLength() {
    return maxLength;
  }

  @Override
  public int vocabSize() {
    return VOCABULARY;
  }

  /** The logits behind a history. */
  static float[] logits(TokenHistory history) {
    long seed = 7;
    for (int i = 0; i < history.length(); i++) {
      seed = seed * 31 + history.get(i);
    }
    Random random = new Random(seed);
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextGaussian();
    }
    return logits;
  }

  static float[] logProbabilities(TokenHistory history) {
    float[] logits = logits(history);
    Sampler.logSoftmax(logits);
    return logits;
  }

  @Override
  public List<List<Next>> step(List<Work> works) {
    if (closed) {
      throw new AssertionError("a step of a closed model");
    }
    before.run();
    steps.incrementAndGet();
    int sum = 0;
    for (Work work : works) {
      if (work.sequence().length() != work.from() || work.count() < 1) {
        throw new AssertionError(work.sequence() + " for tokens from " + work.from());
      }
      sum += work.count();
    }
    tokens.addAndGet(sum);
    mostTokens = Math.max(mostTokens, sum);
    mostSequences = Math.max(mostSequences, works.size());
    List<KvSequence> sequences = works.stream().map(Work::sequence).toList();
    cache.step(sequences, works.stream().mapToInt(Work::count).toArray()).close();
    List<List<Next>> all = new ArrayList<>();
    for (Work work : works) {
      List<Next> next = new ArrayList<>();
      TokenHistory history = work.history();
      for (int i = 0; i < work.wanted(); i++) {
        history = i == 0 ? history : history.with(work.drafts().get(i - 1));
        float[] logits = logits(history);
        if (history.get(history.length() - 1) == poison) {
          logits[3] = Float.NaN;
        }
        if (work.draws() != null && work.draws().get(i) == Draw.NONE) {
          Sampler.logSoftmax(logits);
        }
        boolean greedy = work.draws() != null && work.draws().get(i).equals(Draw.GREEDY);
        next.add(greedy && !isBad(logits) ? new Next(largest(logits), null) : new Next(-1, logits));
      }
      all.add(next);
    }
    return all;
  }

  private static boolean isBad(float... logits) {
    return Float.isNaN(logits[3]);
  }

  private static int largest(float... logits) {
    int largest = 0;
    for (int i = 1; i < logits.length; i++) {
      largest = logits[i] > logits[largest] ? i : largest;
    }
    return largest;
  }

  @Override
  public void close() {
    closed = true;
    cache.close();
  }
}
