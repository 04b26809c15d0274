package dev.gatun.training.data;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * Samples that a model computes at once, rows of different lengths without padding.
 *
 * @param samples at least one, all of one objective
 */
public record Batch(List<Features> samples) {
  /** Copies them. */
  public Batch {
    samples = List.copyOf(samples);
    if (samples.isEmpty()) {
      throw new IllegalArgumentException("batch: no samples, expected at least one");
    }
  }

  /** {@return what the loss is a mean over: labels that count, or sequences} */
  public long items() {
    return samples.stream().mapToLong(Features::items).sum();
  }

  /** {@return how many tokens the model reads} */
  public long tokens() {
    return samples.stream().mapToLong(each -> each.inputIds().length).sum();
  }

  /** {@return token ids, a row a sample} */
  public long[][] inputIds() {
    return rows(Features::inputIds);
  }

  /** {@return segments of the tokens; null where samples have none} */
  public long[][] typeIds() {
    return rows(Features::typeIds);
  }

  /** {@return labels; null where samples have none} */
  public long[][] labels() {
    return rows(Features::labels);
  }

  /** {@return what each label weighs; null where all weigh 1} */
  public float[][] labelWeights() {
    if (labels() == null || samples.stream().allMatch(each -> each.weight() == 1)) {
      return null;
    }
    float[][] weights = new float[samples.size()][];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = new float[samples.get(i).labels().length];
      Arrays.fill(weights[i], samples.get(i).weight());
    }
    return weights;
  }

  /** {@return labels that are numbers; null where samples have none} */
  public float[][] labelValues() {
    return samples.getFirst().labelValues() == null
        ? null
        : samples.stream().map(Features::labelValues).toArray(float[][]::new);
  }

  /** {@return whether each second text follows the first; null where samples do not say} */
  public long[] nextSentence() {
    return column(Features::nextSentence);
  }

  /** {@return where answers begin; null where samples have none} */
  public long[] startPositions() {
    return column(Features::startPosition);
  }

  /** {@return where answers end; null where samples have none} */
  public long[] endPositions() {
    return column(Features::endPosition);
  }

  private long[][] rows(Function<Features, long[]> of) {
    return of.apply(samples.getFirst()) == null
        ? null
        : samples.stream().map(of).toArray(long[][]::new);
  }

  private long[] column(ToLongFunction<Features> of) {
    return of.applyAsLong(samples.getFirst()) < 0 ? null : samples.stream().mapToLong(of).toArray();
  }
}
