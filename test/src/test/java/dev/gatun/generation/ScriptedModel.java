package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A model that writes what it is told to, behind prompts of so many tokens. */
public final class ScriptedModel implements StepModel {
  private final KvCache cache;
  private final int vocabulary;
  private final int maxLength;
  private final int end;
  private final NavigableMap<Integer, long[]> answers = new TreeMap<>();
  private final AtomicInteger computed = new AtomicInteger();

  private ScriptedModel(int vocabulary, int maxLength, int end) {
    this.vocabulary = vocabulary;
    this.maxLength = maxLength;
    this.end = end;
    this.cache =
        KvCache.paged(Device.cpu(), new KvCache.Shape(0, 1, 1, DType.F32), 4, maxLength / 4 + 64);
  }

  /**
   * A model without answers.
   *
   * @param end the token that follows an answer
   */
  public static ScriptedModel of(int vocabulary, int maxLength, int end) {
    return new ScriptedModel(vocabulary, maxLength, end);
  }

  /** A generator that has it. */
  public TextGenerator generator(Tokenizer tokenizer, GenerationConfig config) {
    return new TextGenerator(
        this,
        null,
        tokenizer,
        new GenerationDefaults(config, List.of()),
        GeneratorOptions.defaults());
  }

  /** Behind prompts of so many tokens, and more up to the next that is told, this comes. */
  public void answer(int promptTokens, long... ids) {
    answers.put(promptTokens, ids);
  }

  /** The tokens of all steps. */
  public int computed() {
    return computed.get();
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
    return vocabulary;
  }

  private int next(int length) {
    Map.Entry<Integer, long[]> told = answers.floorEntry(length);
    int at = told == null ? 0 : length - told.getKey();
    return told == null || at >= told.getValue().length ? end : (int) told.getValue()[at];
  }

  @Override
  public List<List<Next>> step(List<Work> works) {
    List<KvSequence> sequences = works.stream().map(Work::sequence).toList();
    cache.step(sequences, works.stream().mapToInt(Work::count).toArray()).close();
    List<List<Next>> all = new ArrayList<>();
    for (Work work : works) {
      computed.addAndGet(work.count());
      List<Next> next = new ArrayList<>();
      for (int i = 0; i < work.wanted(); i++) {
        float[] logits = new float[vocabulary];
        logits[next(work.history().length() + i)] = 40;
        next.add(new Next(-1, logits));
      }
      all.add(next);
    }
    return all;
  }

  @Override
  public void close() {
    cache.close();
  }
}
