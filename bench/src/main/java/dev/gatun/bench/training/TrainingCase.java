package dev.gatun.bench.training;

import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Features;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A case of the suite {@code training}: {@code step/MODEL/BATCHxTOKENS}, or {@code
 * step/MODEL/ragged-BATCH} with lengths from 8 to 128.
 *
 * @param model that is trained
 * @param lengths the tokens of each sequence
 */
public record TrainingCase(TrainingModel model, int... lengths) {
  /** Where the models lie. */
  public static final Path FOLDER = Path.of("bench/target/training");

  /** So small that the losses of a few steps follow the gradients, of new weights too. */
  static final float LEARNING_RATE = 1e-6f;

  static final float WEIGHT_DECAY = 0.01f;

  /** To which a step limits gradients: their norm here, each element in DJL. */
  static final float CLIP = 1;

  /** The steps whose losses are compared. */
  static final int COMPARED = 2;

  private static final String PREFIX = "step/";
  private static final long IGNORED = Features.IGNORED;

  /** Whether this is a case's name. */
  public static boolean isName(String name) {
    return name.startsWith(PREFIX);
  }

  /** The case of a name. */
  public static TrainingCase of(String name) {
    String[] parts = name.substring(PREFIX.length()).split("/");
    TrainingModel model = TrainingModel.of(parts[0]);
    if (parts[1].startsWith("ragged-")) {
      int batch = Integer.parseInt(parts[1].substring("ragged-".length()));
      return new TrainingCase(model, new Random(1).ints(batch, 8, 129).toArray());
    }
    int[] sizes = Arrays.stream(parts[1].split("x")).mapToInt(Integer::parseInt).toArray();
    int[] lengths = new int[sizes[0]];
    Arrays.fill(lengths, sizes[1]);
    return new TrainingCase(model, lengths);
  }

  /** Multiplications and additions of a step. */
  public double operations() {
    return model.operations(lengths);
  }

  /** [sequences][tokens], the same for all contenders. */
  long[][] ids() {
    Random random = new Random(7);
    return Arrays.stream(lengths)
        .mapToObj(length -> random.longs(length, 1000, 30_000).toArray())
        .toArray(long[][]::new);
  }

  /**
   * A class of each sequence; of hidden tokens, every seventh, what each is; of a decoder the
   * tokens.
   */
  long[][] labels() {
    long[][] ids = ids();
    long[][] labels = new long[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      if (model.isDecoder()) {
        labels[i] = ids[i];
      } else if (model.hidesTokens()) {
        labels[i] = new long[ids[i].length];
        Arrays.fill(labels[i], IGNORED);
        for (int at = i % 7; at < labels[i].length; at += 7) {
          labels[i][at] = ids[i][at];
        }
      } else {
        labels[i] = new long[] {i % 2};
      }
    }
    return labels;
  }

  /** As a learner takes it. */
  Batch batch() {
    long[][] ids = ids();
    long[][] labels = labels();
    List<Features> samples = new ArrayList<>();
    for (int i = 0; i < ids.length; i++) {
      samples.add(
          model.isDecoder()
              ? Features.ofText(ids[i])
              : model.hidesTokens()
                  ? Features.ofTokens(ids[i], null, labels[i])
                  : Features.ofClass(ids[i], null, labels[i][0]));
    }
    return new Batch(samples);
  }
}
