package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Gradients;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.LossBackward.Settings;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The head and its loss in one, against PyTorch's losses and against the sums of a definition. */
final class LinearCrossEntropyTest {
  private static final Device CPU = Device.cpu();
  private static final Path GOLDEN = Path.of("../../test/goldens/losses/expected.safetensors");

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private record Result(float loss, float[] dx, float[] dweight, float[] dbias) {}

  private static Result run(
      Tensor x, Tensor w, Tensor bias, Tensor targets, Settings settings, double n, long most) {
    return run(x, w, bias, Loss.Targets.of(targets), settings, n, most);
  }

  private static Result run(
      Tensor x,
      Tensor w,
      Tensor bias,
      Loss.Targets targets,
      Settings settings,
      double n,
      long most) {
    try (Tape tape = bias == null ? Tape.record(x, w) : Tape.record(x, w, bias)) {
      Tensor loss = Loss.linearCrossEntropy(x, w, bias, targets, settings, n, most);
      try (Gradients g = tape.backward(loss)) {
        return new Result(
            loss.toFloatArray()[0],
            g.of(x).toFloatArray(),
            g.of(w).toFloatArray(),
            bias == null ? null : g.of(bias).toFloatArray());
      }
    }
  }

  private static Tensor identity(int n) {
    float[] one = new float[n * n];
    for (int i = 0; i < n; i++) {
      one[i * n + i] = 1;
    }
    return Tensor.of(CPU, one, n, n);
  }

  /** With the identity as weight the logits are x. */
  @ParameterizedTest
  @CsvSource({
    "cross-entropy, 0, 5",
    "cross-entropy-smooth-0.1, 0.1, 5",
    "cross-entropy-sum, 0, 1",
  })
  void equals_the_reference(String name, float smoothing, double count) throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor x = Tensor.of(CPU, values(file, "in.logits"), 6, 9);
      for (long most : new long[] {1, 4, 64}) {
        Result got =
            run(x, identity(9), null, labels(file), new Settings(-100, smoothing, 0), count, most);
        assertEquals(values(file, "out." + name)[0], got.loss(), 1e-6);
        assertArrayEquals(values(file, "grad." + name), got.dx(), 1e-6f);
      }
    }
  }

  @Test
  void z_loss_equals_the_reference() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor x = Tensor.of(CPU, values(file, "in.logits"), 6, 9);
      Tensor zeros = Tensor.of(CPU, new long[6], 6);
      Result with = run(x, identity(9), null, zeros, new Settings(-100, 0, 1), 6, 4);
      Result without = run(x, identity(9), null, zeros, new Settings(-100, 0, 0), 6, 4);
      assertEquals(values(file, "out.z-loss")[0], with.loss() - without.loss(), 3e-6);
      float[] want = values(file, "grad.z-loss");
      for (int i = 0; i < want.length; i++) {
        assertEquals(want[i], with.dx()[i] - without.dx()[i], 1e-6);
      }
    }
  }

  /** Weights of 0, 0.5, 1 and 1.5 in turn, by PyTorch: its losses times them, over their sum. */
  @Test
  void weighed_losses_equal_the_reference() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor x = Tensor.of(CPU, values(file, "in.logits"), 6, 9);
      float[] weights = {0.5f, 1, 1.5f, 0, 0.5f, 1};
      // The sums of the sizes of each row's; the fourth one does not count.
      double[] gradients = {0.20004139, 0.31605995, 0.41741658, 0, 0.16485723, 0.29755891};
      Loss.Targets targets = new Loss.Targets(labels(file), Tensor.of(CPU, weights, 6));
      for (long most : new long[] {1, 4, 64}) {
        Result got = run(x, identity(9), null, targets, new Settings(-100, 0.1f, 0), 4.5, most);
        assertEquals(1.8598566, got.loss(), 1e-6);
        for (int row = 0; row < 6; row++) {
          double sum = 0;
          for (int i = 0; i < 9; i++) {
            sum += Math.abs(got.dx()[9 * row + i]);
          }
          assertEquals(gradients[row], sum, 1e-6);
        }
      }
    }
  }

  @Test
  void gradients_of_the_weight_are_the_definitions_sums_in_any_chunks() {
    Random random = new Random(1);
    int tokens = 37;
    int in = 19;
    int classes = 53;
    float[] x = normal(random, tokens * in);
    float[] w = normal(random, classes * in);
    float[] b = normal(random, classes);
    long[] targets = new long[tokens];
    for (int t = 0; t < tokens; t++) {
      targets[t] = t % 5 == 0 ? -100 : random.nextInt(classes);
    }
    double[] dweight = new double[classes * in];
    double[] dbias = new double[classes];
    double loss = 0;
    for (int t = 0; t < tokens; t++) {
      if (targets[t] < 0) {
        continue;
      }
      double[] logits = new double[classes];
      double total = 0;
      for (int c = 0; c < classes; c++) {
        logits[c] = b[c];
        for (int k = 0; k < in; k++) {
          logits[c] += (double) x[t * in + k] * w[c * in + k];
        }
        total += Math.exp(logits[c]);
      }
      loss += (Math.log(total) - logits[(int) targets[t]]) / tokens;
      for (int c = 0; c < classes; c++) {
        double d = (Math.exp(logits[c]) / total - (c == targets[t] ? 1 : 0)) / tokens;
        dbias[c] += d;
        for (int k = 0; k < in; k++) {
          dweight[c * in + k] += d * x[t * in + k];
        }
      }
    }
    for (long most : new long[] {1, 5, 64}) {
      Result got =
          run(
              Tensor.of(CPU, x, tokens, in),
              Tensor.of(CPU, w, classes, in),
              Tensor.of(CPU, b, classes),
              Tensor.of(CPU, targets, tokens),
              Settings.of(-100),
              tokens,
              most);
      assertEquals(loss, got.loss(), 1e-5);
      for (int i = 0; i < dweight.length; i++) {
        assertEquals(dweight[i], got.dweight()[i], 2e-6);
      }
      for (int i = 0; i < classes; i++) {
        assertEquals(dbias[i], got.dbias()[i], 1e-6);
      }
    }
  }

  @Test
  void what_does_not_fit_is_refused() {
    Tensor x = Tensor.zeros(CPU, 2, 3);
    Tensor w = Tensor.zeros(CPU, 4, 3);
    Tensor targets = Tensor.of(CPU, new long[] {0, 4}, 2);
    refused(
        "linear_cross_entropy: x is F32[2, 3]@cpu and weight F32[4, 2]@cpu, expected F32",
        x,
        Tensor.zeros(CPU, 4, 2),
        targets,
        1);
    refused(
        "linear_cross_entropy: targets are I64[1]@cpu, expected one for each token",
        x,
        w,
        Tensor.of(CPU, new long[1], 1),
        1);
    refused("linear_cross_entropy: count is 0.0", x, w, targets, 0);
    Loss.Targets weighed = new Loss.Targets(Tensor.of(CPU, new long[2], 2), Tensor.zeros(CPU, 3));
    assertEquals(
        "linear_cross_entropy: weights are F32[3]@cpu, expected an F32 for each token of F32[2,"
            + " 3]@cpu",
        assertThrows(
                IllegalArgumentException.class,
                () -> Loss.linearCrossEntropy(x, w, null, weighed, Settings.of(-100), 1))
            .getMessage());
    refused("cross_entropy_backward: target 4 at 1 is outside of 0 to 3", x, w, targets, 1);
  }

  /** By a weight that is rounded to BF16, as x and the logits' gradients are. */
  @Test
  void products_of_bf16_give_about_the_same() {
    // So many columns that the weight's gradient is summed in two parts.
    int tokens = 41;
    int columns = 2100;
    int classes = 700;
    Random random = new Random(11);
    Tensor x = Tensor.of(CPU, normal(random, tokens * columns), tokens, columns);
    Tensor w =
        Plain.times(Tensor.of(CPU, normal(random, classes * columns), classes, columns), 0.05);
    Tensor bias = Tensor.of(CPU, normal(random, classes), classes);
    long[] labels = random.longs(tokens, 0, classes).toArray();
    labels[3] = -100;
    Loss.Targets targets = Loss.Targets.of(Tensor.of(CPU, labels, tokens));
    Tensor packed = Packing.pack(w, Storage.of(DType.BF16));
    Result exact = run(x, w, bias, targets, Settings.of(-100), 40, Long.MAX_VALUE);
    for (long most : new long[] {7, 32, Long.MAX_VALUE}) {
      try (Tape tape = Tape.record(x, w, bias)) {
        Tensor loss =
            Loss.linearCrossEntropy(x, packed, w, bias, targets, Settings.of(-100), 40, most);
        try (Gradients g = tape.backward(loss)) {
          assertEquals(1, loss.toFloatArray()[0] / exact.loss(), 0.01);
          about(exact.dx(), g.of(x).toFloatArray());
          about(exact.dweight(), g.of(w).toFloatArray());
          about(exact.dbias(), g.of(bias).toFloatArray());
        }
      }
    }
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Loss.linearCrossEntropy(x, w, w, bias, targets, Settings.of(-100), 40, 7));
    assertEquals(
        "linear_cross_entropy: the packed weight is F32[700, 2100]@cpu, expected BF16",
        e.getMessage());
  }

  private static void about(float[] expected, float... got) {
    double square = 0;
    double error = 0;
    for (int i = 0; i < expected.length; i++) {
      square += (double) expected[i] * expected[i];
      error += Math.pow((double) expected[i] - got[i], 2);
    }
    assertEquals(0, Math.sqrt(error / square), 0.02, "relative error");
  }

  private static void refused(String message, Tensor x, Tensor w, Tensor targets, double count) {
    String got =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Loss.linearCrossEntropy(
                        x, w, null, Loss.Targets.of(targets), Settings.of(-100), count))
            .getMessage();
    assertTrue(got.startsWith(message), got);
  }

  private static float[] normal(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Tensor labels(TensorFile file) {
    return Tensor.of(CPU, file.get("in.labels").data().toArray(ValueLayout.JAVA_LONG), 6);
  }

  private static float[] values(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT);
  }
}
