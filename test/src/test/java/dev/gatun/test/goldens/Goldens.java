package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The encoders among the goldens, and what the reference implementation gave for them. */
final class Goldens {
  private static final Path GOLDENS = Path.of("goldens");

  private Goldens() {}

  static List<Path> cases() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDENS)) {
      return folders
          .filter(f -> Files.exists(f.resolve("config.json")))
          .filter(f -> Files.exists(f.resolve("expected.safetensors")))
          .sorted()
          .toList();
    }
  }

  static void check(Path folder, Device device) throws IOException {
    long before = device.memory().allocatedBytes();
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        EncoderModel model = AutoModel.load(folder, device, Storage.F32, Compute.EXACT);
        EncoderOutput output = model.forward(inputs(expected))) {
      long[][] mask =
          expected.names().contains("in.attention_mask")
              ? longs(expected, "in.attention_mask")
              : null;
      compare(expected, "out.logits", output.logits(), mask);
      compare(expected, "out.prediction_logits", output.logits(), mask);
      compare(expected, "out.seq_relationship_logits", output.seqRelationshipLogits(), null);
      compare(expected, "out.sop_logits", output.seqRelationshipLogits(), null);
      compare(expected, "out.start_logits", output.startLogits(), mask);
      compare(expected, "out.end_logits", output.endLogits(), mask);
      compareAll(expected, "hidden_states", output.hiddenStates(), mask);
      compareAll(expected, "attentions", output.attentions(), mask);
      compareAll(expected, "cross_attentions", output.crossAttentions(), mask);
      if (expected.names().contains("out.loss")) {
        float loss = expected.get("out.loss").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
        assertEquals(loss, output.lossValue(), 1e-4 * Math.max(1, Math.abs(loss)), "loss");
      }
    }
    assertEquals(before, device.memory().allocatedBytes(), "memory is given back");
  }

  /** Compares each layer's, as far as the file has them: of a decoder behind an encoder's. */
  private static void compareAll(TensorFile file, String name, List<Tensor> got, long[][] mask) {
    int at = 0;
    for (String stack : List.of("", "encoder_", "decoder_")) {
      String prefix = "out." + stack + name + ".";
      for (int i = 0; file.names().contains(prefix + i); i++) {
        assertTrue(at < got.size(), prefix + i + " is missing");
        compare(file, prefix + i, got.get(at++), mask);
      }
    }
    assertTrue(at == 0 || at == got.size(), "%d of %s, not %d".formatted(got.size(), name, at));
  }

  static EncoderInputs inputs(TensorFile file) {
    boolean numbers =
        file.names().contains("in.labels") && file.get("in.labels").dtype() == DType.F32;
    return new EncoderInputs(
        longs(file, "in.input_ids"),
        longs(file, "in.attention_mask"),
        longs(file, "in.token_type_ids"),
        numbers ? null : longs(file, "in.labels"),
        numbers ? floats(file, "in.labels") : null,
        column(
            file,
            file.names().contains("in.sentence_order_label")
                ? "in.sentence_order_label"
                : "in.next_sentence_label"),
        column(file, "in.start_positions"),
        column(file, "in.end_positions"),
        true,
        true);
  }

  /** Compares where the mask is 1: on the second axis, of attentions on the last two. */
  static void compare(TensorFile file, String name, Tensor got, long[][] mask) {
    if (!file.names().contains(name)) {
      return;
    }
    TensorFile.Entry entry = file.get(name);
    long[] shape = entry.shape();
    float[] values = got.toFloatArray();
    assertEquals(entry.elements(), values.length, name);
    boolean attention = shape.length == 4;
    boolean token = mask != null && shape.length >= 2 && shape[1] == mask[0].length;
    float largest = 0;
    double worst = 0;
    for (int i = 0; i < values.length; i++) {
      float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      if (attention && mask != null) {
        int key = (int) (i % shape[3]);
        int query = (int) (i / shape[3] % shape[2]);
        int row = (int) (i / (shape[3] * shape[2] * shape[1]));
        if (mask[row][query] == 0 || mask[row][key] == 0) {
          continue;
        }
      } else if (token) {
        long inner = shape.length == 3 ? shape[2] : 1;
        if (mask[(int) (i / (shape[1] * inner))][(int) (i / inner % shape[1])] == 0) {
          continue;
        }
      }
      largest = Math.max(largest, Math.abs(want));
      worst = Math.max(worst, Math.abs(want - values[i]));
      assertTrue(!Float.isNaN(values[i]), name + " has NaN at " + i);
    }
    assertTrue(worst <= 1e-4 * largest, "%s: off by %g of %g".formatted(name, worst, largest));
  }

  static long[][] longs(TensorFile file, String name) {
    if (!file.names().contains(name)) {
      return null;
    }
    TensorFile.Entry entry = file.get(name);
    int rows = (int) entry.shape()[0];
    int columns = (int) (entry.elements() / rows);
    long[][] values = new long[rows][columns];
    for (int i = 0; i < rows * columns; i++) {
      values[i / columns][i % columns] =
          entry.data().getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
    }
    return values;
  }

  private static float[][] floats(TensorFile file, String name) {
    TensorFile.Entry entry = file.get(name);
    int rows = (int) entry.shape()[0];
    int columns = (int) (entry.elements() / rows);
    float[][] values = new float[rows][columns];
    for (int i = 0; i < rows * columns; i++) {
      values[i / columns][i % columns] =
          entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
    }
    return values;
  }

  private static long[] column(TensorFile file, String name) {
    long[][] rows = longs(file, name);
    return rows == null ? null : Arrays.stream(rows).mapToLong(row -> row[0]).toArray();
  }
}
