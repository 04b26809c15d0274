package dev.gatun.generation;

import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.models.Chunk;
import dev.gatun.models.LanguageModel;
import dev.gatun.models.TokenBatch;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * A step on the device, from the tokens to those that follow. Where it was recorded, another step
 * is written in its place and replayed: it allocates nothing, and waits for nothing but what is
 * read of it.
 */
final class StepRoom implements AutoCloseable {
  private final LanguageModel model;
  private final TokenBatch batch;
  private final Tensor temperature;
  private final Tensor settings;
  private final int rows;
  private Replay replay;
  private Tensor logits;
  private Tensor logProbabilities;
  private Tensor ids;

  private StepRoom(LanguageModel model, TokenBatch batch, int rows) {
    this.model = model;
    this.batch = batch;
    this.rows = rows;
    Device device = model.device();
    try {
      this.temperature = Tensor.zeros(device, rows).detach();
      this.settings = Tensor.of(device, new long[rows * Sample.SETTINGS], rows, 4).detach();
    } catch (RuntimeException | Error e) {
      batch.close();
      throw e;
    }
  }

  /** A step that is run once. */
  static StepRoom of(LanguageModel model, List<Chunk> chunks, List<Draw> draws) {
    int rows = chunks.stream().mapToInt(Chunk::wanted).sum();
    StepRoom room = new StepRoom(model, model.batch(chunks), rows);
    try {
      room.write(draws);
      room.compute();
      return room;
    } catch (RuntimeException | Error e) {
      room.close();
      throw e;
    }
  }

  /**
   * Records steps that a batch has room for, and runs none.
   *
   * @param batch owned from now on
   * @param tokens of it, whose scores are wanted
   * @throws UnsupportedOperationException when the device records nothing
   */
  static StepRoom recorded(LanguageModel model, TokenBatch batch, int tokens) {
    StepRoom room = new StepRoom(model, batch, tokens);
    try {
      room.replay = model.device().capture(room::compute);
      return room;
    } catch (RuntimeException | Error e) {
      room.close();
      throw e;
    }
  }

  private void compute() {
    closeResults();
    if (rows == 0) {
      // The keys and values of a prompt's part are all that is wanted.
      model.logits(batch).close();
      return;
    }
    try (Scope _ = Scope.open()) {
      Tensor scores = model.logits(batch);
      Tensor chosen = Reductions.sample(scores, temperature, settings);
      logits = scores.detach();
      ids = chosen.detach();
    }
  }

  /** Puts another step in the place of the last one, and runs it. */
  void run(List<Chunk> chunks, List<Draw> draws) {
    closeLogProbabilities();
    batch.write(chunks);
    write(draws);
    replay.run();
  }

  private void write(List<Draw> draws) {
    float[] temperatures = new float[draws.size()];
    long[] numbers = new long[draws.size() * Sample.SETTINGS];
    for (int i = 0; i < temperatures.length; i++) {
      Draw draw = draws.get(i);
      temperatures[i] = draw.temperature();
      long[] row = {draw.topK(), draw.left(), draw.least(), draw.random()};
      System.arraycopy(row, 0, numbers, i * Sample.SETTINGS, row.length);
    }
    temperature.write(temperatures);
    settings.write(numbers);
  }

  /** The tokens that were chosen behind the first {@code count} that were wanted. */
  long[] ids(int count) {
    try (Tensor some = ids.slice(0, 0, count)) {
      return some.toLongArray();
    }
  }

  /** The logits of one that was wanted. */
  float[] logits(int row) {
    return row(logits, row);
  }

  /** The log-softmax of the logits of one that was wanted; of all at once, on the device. */
  float[] logProbabilities(int row) {
    if (logProbabilities == null) {
      logProbabilities = Norm.logSoftmax(logits).detach();
    }
    float[] all = row(logProbabilities, row);
    // A NaN makes all NaN: the logits tell which it was.
    return Float.isNaN(all[0]) ? logits(row) : all;
  }

  private static float[] row(Tensor rows, int row) {
    try (Tensor some = rows.slice(0, row, row + 1L)) {
      return some.toFloatArray();
    }
  }

  private void closeResults() {
    closeLogProbabilities();
    if (logits != null) {
      logits.close();
      ids.close();
      logits = null;
    }
  }

  private void closeLogProbabilities() {
    if (logProbabilities != null) {
      logProbabilities.close();
      logProbabilities = null;
    }
  }

  @Override
  public void close() {
    closeResults();
    if (replay != null) {
      replay.close();
    }
    temperature.close();
    settings.close();
    batch.close();
  }
}
