package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The goldens that have the gradients of their loss. */
final class GradientGoldens {
  static final String FILE = "gradients.safetensors";

  private GradientGoldens() {}

  /** A golden and its kind. */
  record Case(Trainable kind, Path folder) {
    @Override
    public String toString() {
      return folder.toString();
    }
  }

  static List<Case> cases() throws IOException {
    return all().stream().filter(each -> Files.exists(each.folder().resolve(FILE))).toList();
  }

  /** Also those without gradients. */
  static List<Case> all() throws IOException {
    List<Case> all = new ArrayList<>();
    for (Trainable kind : Trainable.values()) {
      kind.goldens().forEach(folder -> all.add(new Case(kind, folder)));
    }
    return all;
  }

  /** Compares each tensor; gives how many there are. */
  static int check(Case golden, Device device) throws IOException {
    long before = device.memory().allocatedBytes();
    int compared = 0;
    try (TensorFile expected = TensorFile.open(golden.folder().resolve("expected.safetensors"));
        TensorFile gradients = TensorFile.open(golden.folder().resolve(FILE));
        Model model =
            golden.kind().forTraining(golden.folder(), device, TrainingSettings.DEFAULT)) {
      Map<String, float[]> got = gradients(model, expected);
      List<String> wrong = new ArrayList<>();
      for (String name : gradients.names()) {
        compare(gradients.get(name), got.remove(name), wrong);
        compared++;
      }
      // Of experts that no token went to the reference has none.
      got.forEach(
          (name, values) -> {
            for (float value : values) {
              if (value != 0) {
                wrong.add(name + " has a gradient, the reference has none");
                return;
              }
            }
          });
      assertEquals(List.of(), wrong);
    }
    assertEquals(before, device.memory().allocatedBytes(), "memory is given back");
    return compared;
  }

  /** Compares layers as checkpoints with others: gradients, and what waits for the backward. */
  static void checkCheckpoints(Case golden, Device device) throws IOException {
    try (TensorFile expected = TensorFile.open(golden.folder().resolve("expected.safetensors"));
        Model model =
            golden.kind().forTraining(golden.folder(), device, TrainingSettings.DEFAULT)) {
      long[] held = new long[2];
      Map<String, float[]> want = gradients(model, expected, false, held);
      Map<String, float[]> got = gradients(model, expected, true, held);
      want.forEach((name, gradient) -> assertArrayEquals(gradient, got.get(name), name));
      assertTrue(held[1] < held[0], "bytes that are held");
    }
  }

  /** The gradients of a golden's loss by the names that the reference has for them. */
  static Map<String, float[]> gradients(Model model, TensorFile expected) {
    return gradients(model, expected, false, new long[1]);
  }

  private static Map<String, float[]> gradients(
      Model model, TensorFile expected, boolean checkpoints, long... held) {
    Map<String, float[]> all = new LinkedHashMap<>();
    long before = model.device().memory().allocatedBytes();
    List<Tensor> leaves = model.parameters().stream().map(Parameter::tensor).toList();
    try (Tape tape = Tape.record(leaves).withCheckpoints(checkpoints);
        Tensor loss = Trainable.loss(model, expected)) {
      held[checkpoints ? 1 : 0] = model.device().memory().allocatedBytes() - before;
      float want = expected.get("out.loss").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
      assertEquals(want, loss.toFloatArray()[0], 1e-5 * Math.max(1, Math.abs(want)), "loss");
      try (Gradients gradients = tape.backward(loss)) {
        for (Parameter parameter : model.parameters()) {
          Tensor gradient = gradients.of(parameter.tensor());
          all.put(
              parameter.name(),
              gradient == null ? new float[(int) parameter.count()] : gradient.toFloatArray());
        }
      }
    }
    return fused(all);
  }

  /** The reference has Mixtral's experts in one tensor a layer, under other names. */
  private static Map<String, float[]> fused(Map<String, float[]> gradients) {
    Map<String, float[]> all = new LinkedHashMap<>();
    for (String name : new TreeSet<>(gradients.keySet())) {
      String moved =
          name.replace("block_sparse_moe", "mlp")
              .replaceFirst("experts\\.\\d+\\.w[13]\\.weight", "experts.gate_up_proj")
              .replaceFirst("experts\\.\\d+\\.w2\\.weight", "experts.down_proj");
      all.merge(moved, gradients.get(name), GradientGoldens::joined);
    }
    return all;
  }

  private static float[] joined(float[] a, float[] b) {
    float[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static void compare(TensorFile.Entry want, float[] got, List<String> wrong) {
    assertNotNull(got, want.name());
    assertEquals(want.elements(), got.length, want.name());
    float largest = 0;
    double worst = 0;
    for (int i = 0; i < got.length; i++) {
      float value = want.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      largest = Math.max(largest, Math.abs(value));
      double off = Math.abs((double) value - got[i]);
      worst = off > worst || Double.isNaN(off) ? off : worst;
    }
    if (!(worst <= 1e-4 * largest + 1e-6)) {
      wrong.add("%s: off by %g of %g".formatted(want.name(), worst, largest));
    }
  }
}
