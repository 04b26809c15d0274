package dev.gatun.training;

import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Draws;
import dev.gatun.training.data.Features;
import dev.gatun.training.data.SampleOrder;
import dev.gatun.training.data.Samples;
import java.util.ArrayList;
import java.util.List;

/**
 * Which samples each update is made of: a function of the seed and the update alone. An epoch has
 * each sample once; its last update has what is left.
 */
final class BatchPlan {
  // The epoch of samples that are evaluated, which are the same whenever they are.
  private static final int EVALUATION = -1;

  private final Samples samples;
  private final long seed;
  private final int batch;
  private final int accumulation;
  private final SampleOrder order;

  BatchPlan(Samples samples, long seed, int batch, int accumulation) {
    this.samples = samples;
    this.seed = seed;
    this.batch = batch;
    this.accumulation = accumulation;
    this.order = new SampleOrder(seed, samples.size());
  }

  private int batches() {
    return Math.ceilDiv(samples.size(), batch);
  }

  int stepsPerEpoch() {
    return Math.ceilDiv(batches(), accumulation);
  }

  /** The batches of an update, counted from 0 over all epochs. */
  List<Batch> of(long step) {
    int epoch = Math.toIntExact(step / stepsPerEpoch());
    int first = (int) (step % stepsPerEpoch()) * accumulation;
    List<Batch> all = new ArrayList<>();
    for (int i = first; i < Math.min(first + accumulation, batches()); i++) {
      List<Features> rows = new ArrayList<>();
      int begin = i * batch;
      for (int place = begin; place < Math.min(begin + batch, samples.size()); place++) {
        int sample = order.at(epoch, place);
        rows.add(samples.get(sample, new Draws(seed, epoch, sample)));
      }
      all.add(new Batch(rows));
    }
    return all;
  }

  /** The n-th batch in the order of the data, for an evaluation; its masks are always the same. */
  static Batch inOrder(Samples samples, long seed, int size, int number) {
    List<Features> rows = new ArrayList<>();
    int begin = number * size;
    for (int sample = begin; sample < Math.min(begin + size, samples.size()); sample++) {
      rows.add(samples.get(sample, new Draws(seed, EVALUATION, sample)));
    }
    return new Batch(rows);
  }
}
