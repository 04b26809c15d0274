package dev.gatun.training.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.training.optim.Optimizer.Outcome;
import dev.gatun.training.optim.Optimizer.Parameter;
import dev.gatun.training.optim.Optimizer.Scaling;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Steps of each optimiser against PyTorch's, and what steps refuse and skip. */
final class OptimizerTest {
  private static final Device CPU = Device.cpu();
  private static final Path GOLDEN = Path.of("../../test/goldens/optimisers/expected.safetensors");
  private static final int STEPS = 8;

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  static Stream<Arguments> rules() {
    return Stream.of(
        Arguments.of("adamw", Optimizers.adamW(0.9, 0.95, 1e-8), 0.01, 0.1),
        Arguments.of("adam", Optimizers.adam(false), 0.01, 0.1),
        Arguments.of("adam-amsgrad", Optimizers.adam(true), 0.01, 0),
        Arguments.of("sgd-nesterov", Optimizers.sgd(0.9, true), 0.05, 0.01),
        Arguments.of("adagrad", Optimizers.adagrad(), 0.05, 0),
        Arguments.of("rmsprop", new UpdateRule.RmsProp(0.9, 1e-8, 0.5, true), 0.01, 0),
        Arguments.of("adadelta", Optimizers.adadelta(), 1, 0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void steps_equal_the_reference(String name, UpdateRule rule, double rate, double decay)
      throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor w = tensor(file, "in.w");
      Tensor b = tensor(file, "in.b");
      Tensor copy = Tensor.zeros(CPU, DType.BF16, w.shape());
      try (Optimizer optimizer =
          Optimizer.of(
              rule,
              List.of(
                  new Parameter("w", w, copy, decay, 1), new Parameter("b", b, null, decay, 1)))) {
        Tensor gradW = tensor(file, "in.grad_w");
        Tensor gradB = tensor(file, "in.grad_b");
        for (int i = 0; i < STEPS; i++) {
          optimizer.step(
              Map.of(
                  "w", gradW.slice(0, i, i + 1).reshape(5, 7),
                  "b", gradB.slice(0, i, i + 1).reshape(7)),
              rate,
              Scaling.NONE);
          String step = "." + (i + 1);
          assertArrayEquals(values(file, "out." + name + ".w" + step), w.toFloatArray(), 1e-6f);
          assertArrayEquals(values(file, "out." + name + ".b" + step), b.toFloatArray(), 1e-6f);
        }
        float[] master = w.toFloatArray();
        float[] rounded = Elementwise.cast(copy, DType.F32).toFloatArray();
        for (int i = 0; i < master.length; i++) {
          assertEquals(master[i], rounded[i], Math.abs(master[i]) * 0x1p-8, "the copy follows");
        }
      }
    }
  }

  @Test
  void adafactor_equals_the_reference_and_goes_on_when_restored() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor w = tensor(file, "in.w");
      Tensor b = tensor(file, "in.b");
      List<Parameter> parameters = List.of(new Parameter("w", w, 0), new Parameter("b", b, 0));
      Optimizer optimizer = Optimizer.of(Optimizers.adafactor(true), parameters);
      for (int i = 0; i < STEPS; i++) {
        if (i == 4) {
          Optimizer next = Optimizer.of(Optimizers.adafactor(true), parameters);
          next.restore(optimizer.state(), optimizer.steps());
          optimizer.close();
          optimizer = next;
        }
        optimizer.step(
            Map.of(
                "w", tensor(file, "in.grad_w").slice(0, i, i + 1).reshape(5, 7),
                "b", tensor(file, "in.grad_b").slice(0, i, i + 1).reshape(7)),
            Optimizers.relativeRate(i + 1, false),
            Scaling.NONE);
        String step = "." + (i + 1);
        assertArrayEquals(values(file, "out.adafactor.w" + step), w.toFloatArray(), 1e-6f);
        assertArrayEquals(values(file, "out.adafactor.b" + step), b.toFloatArray(), 1e-6f);
      }
      optimizer.close();
    }
  }

  static Stream<Arguments> adafactors() {
    return Stream.of(
        Arguments.of("fixed-rate", Optimizers.adafactor(false), 0.01, 0.1),
        Arguments.of("beta1", new AdafactorRule(1e-30, 1e-3, 1, -0.8, 0.9, true), 0.02, 0.05),
        Arguments.of("clipped", new AdafactorRule(1e-3, 1e-3, 0.3, -0.5, 0, false), 0.05, 0),
        Arguments.of("warmup", new AdafactorRule(1e-30, 2000, 1, -0.8, 0, true), 0, 0));
  }

  /** A stack of matrices, a vector and a number; a rate of 0 is the relative one with warm-up. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("adafactors")
  void each_setting_of_adafactor_equals_the_reference(
      String name, AdafactorRule rule, double rate, double decay) throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      float[] w = values(file, "in.w");
      Tensor stack = Tensor.of(CPU, joined(w, 0, w, 35, -1), 2, 5, 7);
      Tensor b = tensor(file, "in.b");
      Tensor number = Tensor.of(CPU, new float[] {0.5f});
      try (Optimizer optimizer =
          Optimizer.of(
              rule,
              List.of(
                  new Parameter("stack", stack, decay),
                  new Parameter("b", b, decay),
                  new Parameter("number", number, decay)))) {
        float[] gradients = values(file, "in.grad_w");
        Tensor gradB = tensor(file, "in.grad_b");
        for (int i = 0; i < STEPS; i++) {
          optimizer.step(
              Map.of(
                  "stack",
                  Tensor.of(
                      CPU, joined(gradients, 35 * i, gradients, 35 * (STEPS - i), 1), 2, 5, 7),
                  "b",
                  gradB.slice(0, i, i + 1).reshape(7),
                  "number",
                  Tensor.of(CPU, new float[] {gradients[i]})),
              rate > 0 ? rate : Optimizers.relativeRate(i + 1, true),
              Scaling.NONE);
        }
        String of = "out.adafactor-" + name;
        assertArrayEquals(values(file, of + ".stack"), stack.toFloatArray(), 1e-6f);
        assertArrayEquals(values(file, of + ".b"), b.toFloatArray(), 1e-6f);
        assertArrayEquals(values(file, of + ".number"), number.toFloatArray(), 1e-6f);
      }
    }
  }

  /** The matrix that begins at one place, and the one that ends at another, times a number. */
  private static float[] joined(float[] first, int begin, float[] second, int end, float times) {
    float[] both = Arrays.copyOf(Arrays.copyOfRange(first, begin, begin + 35), 70);
    for (int i = 0; i < 35; i++) {
      both[35 + i] = times * second[end - 35 + i];
    }
    return both;
  }

  @Test
  void clipping_equals_the_reference() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      Tensor w = Tensor.zeros(CPU, 5, 7);
      Tensor b = Tensor.zeros(CPU, 7);
      try (Optimizer optimizer = plain(w, b)) {
        Outcome outcome =
            optimizer.step(
                Map.of(
                    "w", tensor(file, "in.grad_w").slice(0, 0, 1).reshape(5, 7),
                    "b", tensor(file, "in.grad_b").slice(0, 0, 1).reshape(7)),
                -1,
                new Scaling(1, 1));
        assertEquals(values(file, "out.clip.norm")[0], outcome.norm(), 1e-6 * outcome.norm());
        // With a rate of -1 from 0 on the parameter is the clipped gradient.
        assertArrayEquals(values(file, "out.clip.w"), w.toFloatArray(), 1e-6f);
        assertArrayEquals(values(file, "out.clip.b"), b.toFloatArray(), 1e-6f);
      }
    }
  }

  private static Optimizer plain(Tensor w, Tensor b) {
    return Optimizer.of(
        Optimizers.sgd(0, false), List.of(new Parameter("w", w, 0), new Parameter("b", b, 0)));
  }

  @Test
  void a_step_that_is_not_finite_changes_nothing_and_names_the_parameter() {
    Tensor w = Tensor.of(CPU, new float[] {1, 2}, 2);
    Tensor b = Tensor.of(CPU, new float[] {3}, 1);
    try (Optimizer optimizer =
        Optimizer.of(
            Optimizers.adamW(), List.of(new Parameter("w", w, 0.1), new Parameter("b", b, 0.1)))) {
      for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
        Outcome outcome =
            optimizer.step(
                Map.of(
                    "w", Tensor.of(CPU, new float[] {1, 1}, 2),
                    "b", Tensor.of(CPU, new float[] {bad}, 1)),
                0.1,
                Scaling.NONE);
        assertTrue(outcome.skipped());
        assertEquals(List.of("b"), outcome.notFinite());
      }
      assertArrayEquals(new float[] {1, 2}, w.toFloatArray());
      assertArrayEquals(new float[] {3}, b.toFloatArray());
      assertEquals(Map.of("w", 0L, "b", 0L), optimizer.steps());
      optimizer.state().forEach((name, s) -> assertEquals(0, s.toFloatArray()[0], name));
    }
  }

  @Test
  void a_restored_optimizer_goes_on_to_the_bit() {
    Tensor w = Tensor.of(CPU, new float[] {1, -2, 3}, 3);
    Tensor other = Tensor.zeros(CPU, 3);
    try (Optimizer first =
            Optimizer.of(Optimizers.adam(true), List.of(new Parameter("w", w, 0.1)));
        Optimizer second =
            Optimizer.of(Optimizers.adam(true), List.of(new Parameter("w", other, 0.1)))) {
      for (int i = 0; i < 5; i++) {
        first.step(gradient(i), 0.01, Scaling.NONE);
      }
      other.write(w.toFloatArray());
      second.restore(first.state(), first.steps());
      for (int i = 5; i < 105; i++) {
        first.step(gradient(i), 0.01, new Scaling(0.5f, 1));
        second.step(gradient(i), 0.01, new Scaling(0.5f, 1));
        assertArrayEquals(w.toFloatArray(), other.toFloatArray());
      }
      assertEquals(Map.of("w", 105L), second.steps());
    }
  }

  private static Map<String, Tensor> gradient(int step) {
    float[] values = {(float) Math.sin(step), (float) Math.cos(3 * step), 0.1f * step - 2};
    return Map.of("w", Tensor.of(CPU, values, 3));
  }

  @Test
  void a_parameter_without_gradient_stays_and_counts_no_step() {
    Tensor w = Tensor.of(CPU, new float[] {1}, 1);
    Tensor b = Tensor.of(CPU, new float[] {2}, 1);
    try (Optimizer optimizer =
        Optimizer.of(
            Optimizers.adamW(), List.of(new Parameter("w", w, 0.1), new Parameter("b", b, 0.1)))) {
      Map<String, Tensor> one = Map.of("w", Tensor.of(CPU, new float[] {1}, 1));
      optimizer.step(one, 0.5, Scaling.NONE);
      assertEquals(2, b.toFloatArray()[0]);
      assertEquals(Map.of("w", 1L, "b", 0L), optimizer.steps());
      // Adam's first step is of the rate's size, whenever it comes.
      Map<String, Tensor> both = new HashMap<>(one);
      both.put("b", Tensor.of(CPU, new float[] {7}, 1));
      optimizer.step(both, 0.5, Scaling.NONE);
      assertEquals(2 * (1 - 0.05) - 0.5, b.toFloatArray()[0], 1e-6);
    }
  }

  @Test
  void what_does_not_fit_is_refused() {
    Tensor w = Tensor.zeros(CPU, 2);
    Tensor b = Tensor.zeros(CPU, 1);
    try (Optimizer optimizer = plain(w, b);
        Optimizer adam = Optimizer.of(Optimizers.adamW(), List.of(new Parameter("w", w, 0)))) {
      refused(
          "optimizer: v is none of its 2 parameters",
          () -> optimizer.step(Map.of("v", w), 1, Scaling.NONE));
      refused(
          "optimizer: the gradient of w is F32[1]@cpu, the parameter is F32[2]@cpu",
          () -> optimizer.step(Map.of("w", b), 1, Scaling.NONE));
      refused("optimizer: a step of no gradients", () -> optimizer.step(Map.of(), 1, Scaling.NONE));
      refused(
          "optimizer_step: rate 0 is NaN, expected a finite number",
          () -> optimizer.step(Map.of("b", Tensor.zeros(CPU, 1)), Double.NaN, Scaling.NONE));
      refused(
          "optimizer: the state w.exp_avg_sq is missing, expected F32[2]@cpu",
          () -> adam.restore(Map.of("w.exp_avg", Tensor.zeros(CPU, 2)), Map.of("w", 1L)));
      refused(
          "optimizer: the state w.sum is none of this optimiser's",
          () -> adam.restore(Map.of("w.sum", Tensor.zeros(CPU, 2)), Map.of("w", 1L)));
      refused("optimizer: w took part in null steps", () -> adam.restore(adam.state(), Map.of()));
    }
    refused(
        "optimizer: there are two parameters w",
        () ->
            Optimizer.of(
                Optimizers.adamW(), List.of(new Parameter("w", w, 0), new Parameter("w", b, 0))));
    refused(
        "optimizer: w is BF16[2]@cpu, expected F32 without gaps",
        () ->
            Optimizer.of(
                Optimizers.adamW(),
                List.of(new Parameter("w", Tensor.zeros(CPU, DType.BF16, 2), 0))));
    assertFalse(Optimizer.decays(7));
    assertTrue(Optimizer.decays(7, 7));
  }

  private static void refused(String message, Runnable what) {
    String got = assertThrows(IllegalArgumentException.class, what::run).getMessage();
    assertTrue(got.startsWith(message), got);
  }

  private static Tensor tensor(TensorFile file, String name) {
    return Tensor.of(CPU, values(file, name), file.get(name).shape());
  }

  private static float[] values(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}
