package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whole layers of experts beside loops over tokens that know nothing of an order. */
final class ExpertsTest {
  private static final Device CPU = Device.cpu();
  private static final int TOKENS = 37;
  private static final int HIDDEN = 24;
  private static final int INNER = 32;
  private static final int EXPERTS = 6;

  private final Random random = new Random(5);
  private final double[] x = numbers(TOKENS * HIDDEN);
  private final double[] logits = numbers(TOKENS * EXPERTS);
  private final double[][] up = weights(INNER * HIDDEN);
  private final double[][] gate = weights(INNER * HIDDEN);
  private final double[][] down = weights(HIDDEN * INNER);

  private double[] numbers(int count) {
    return random.doubles(count, -1, 1).map(v -> (float) v).toArray();
  }

  private double[][] weights(int count) {
    return IntStream.range(0, EXPERTS).mapToObj(e -> numbers(count)).toArray(double[][]::new);
  }

  private static Tensor tensor(double[] values, long... shape) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return Tensor.of(CPU, floats, shape);
  }

  private static List<Tensor> tensors(double[][] weights, long... shape) {
    return Arrays.stream(weights).map(w -> tensor(w, shape)).toList();
  }

  /** The experts of a token from its largest logit on. */
  private List<Integer> chosen(int token, int k) {
    return IntStream.range(0, EXPERTS)
        .boxed()
        .sorted((a, b) -> Double.compare(logit(token, b), logit(token, a)))
        .limit(k)
        .toList();
  }

  private double logit(int token, int expert) {
    return logits[token * EXPERTS + expert];
  }

  private double share(int token, int expert, List<Integer> among) {
    double total = among.stream().mapToDouble(e -> Math.exp(logit(token, e))).sum();
    return Math.exp(logit(token, expert)) / total;
  }

  private static double[] product(double[] row, double[] weight) {
    double[] y = new double[weight.length / row.length];
    for (int i = 0; i < weight.length; i++) {
      y[i / row.length] += row[i % row.length] * weight[i];
    }
    return y;
  }

  private double[] row(int token) {
    return Arrays.copyOfRange(x, token * HIDDEN, (token + 1) * HIDDEN);
  }

  /** {@code down(silu(gate x) * up x)}. */
  private double[] gated(int token, int expert) {
    double[] g = product(row(token), gate[expert]);
    double[] u = product(row(token), up[expert]);
    for (int i = 0; i < u.length; i++) {
      u[i] *= g[i] / (1 + Math.exp(-g[i]));
    }
    return product(u, down[expert]);
  }

  private double[] relu(int token, int expert) {
    double[] u = product(row(token), up[expert]);
    return product(Arrays.stream(u).map(v -> Math.max(v, 0)).toArray(), down[expert]);
  }

  private Tensor gatedLayer(Experts.Routing routing, Tensor residual) {
    List<Tensor> both = new ArrayList<>();
    for (int e = 0; e < EXPERTS; e++) {
      double[] joined = Arrays.copyOf(gate[e], 2 * INNER * HIDDEN);
      System.arraycopy(up[e], 0, joined, INNER * HIDDEN, INNER * HIDDEN);
      both.add(tensor(joined, 2 * INNER, HIDDEN));
    }
    Tensor packed = Experts.pack(both, DType.F32);
    Tensor in = tensor(x, TOKENS, HIDDEN);
    Tensor inner =
        Experts.linear(
            in, routing.rows(), routing, packed, null, 2 * INNER, Activation.NONE, DType.F32);
    Tensor product = Tensor.empty(CPU, DType.F32, inner.size(0), INNER);
    CPU.kernels()
        .run(
            new GatedActivation(
                inner.slice(1, 0, INNER).operand(),
                inner.slice(1, INNER, 2 * INNER).operand(),
                Activation.SILU,
                product.operand()));
    Tensor out =
        Experts.linear(
            product,
            null,
            routing,
            Experts.pack(tensors(down, HIDDEN, INNER), DType.F32),
            null,
            HIDDEN,
            Activation.NONE,
            DType.F32);
    return Experts.combine(out, routing, residual, DType.F32);
  }

  private static void close(double[] expected, Tensor got, double tolerance) {
    float[] values = got.toFloatArray();
    float[] wanted = new float[expected.length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = (float) expected[i];
    }
    assertArrayEquals(wanted, values, (float) tolerance);
  }

  @Test
  void a_layer_of_mixtral() {
    double[] expected = new double[TOKENS * HIDDEN];
    for (int t = 0; t < TOKENS; t++) {
      List<Integer> two = chosen(t, 2);
      for (int e : two) {
        add(expected, t, share(t, e, two), gated(t, e));
      }
    }
    try (Scope _ = Scope.open()) {
      Tensor scores = tensor(logits, TOKENS, EXPERTS);
      close(expected, gatedLayer(Experts.route(scores, 2, true, 1, null), null), 1e-4);
    }
  }

  @Test
  void a_layer_of_deepseek_beside_a_shared_expert() {
    double[] shared = numbers(TOKENS * HIDDEN);
    double[] expected = shared.clone();
    List<Integer> all = IntStream.range(0, EXPERTS).boxed().toList();
    for (int t = 0; t < TOKENS; t++) {
      for (int e : chosen(t, 3)) {
        add(expected, t, 16 * share(t, e, all), gated(t, e));
      }
    }
    try (Scope _ = Scope.open()) {
      Tensor scores = tensor(logits, TOKENS, EXPERTS);
      Tensor residual = tensor(shared, TOKENS, HIDDEN);
      close(expected, gatedLayer(Experts.route(scores, 3, false, 16, null), residual), 1e-3);
    }
  }

  @Test
  void a_layer_of_switch_that_drops_tokens() {
    Offsets sequences = Offsets.ofLengths(20, 0, 17);
    double[] expected = new double[TOKENS * HIDDEN];
    List<Integer> all = IntStream.range(0, EXPERTS).boxed().toList();
    int[] taken = new int[EXPERTS];
    int dropped = 0;
    for (int t = 0; t < TOKENS; t++) {
      if (t == 20) {
        Arrays.fill(taken, 0);
      }
      int e = chosen(t, 1).getFirst();
      if (taken[e]++ < 3) {
        add(expected, t, share(t, e, all), relu(t, e));
      } else {
        dropped++;
      }
    }
    try (Scope _ = Scope.open()) {
      Experts.Routing routing =
          Experts.route(
              tensor(logits, TOKENS, EXPERTS), 1, false, 1, new ExpertCapacity(3, sequences));
      int[] offsets = ints(routing.offsets());
      assertEquals(TOKENS - dropped, offsets[EXPERTS]);
      Tensor inner =
          Experts.linear(
              tensor(x, TOKENS, HIDDEN),
              routing.rows(),
              routing,
              Experts.pack(tensors(up, INNER, HIDDEN), DType.F32),
              null,
              INNER,
              Activation.RELU,
              DType.F32);
      Tensor out =
          Experts.linear(
              inner,
              null,
              routing,
              Experts.pack(tensors(down, HIDDEN, INNER), DType.F32),
              null,
              HIDDEN,
              Activation.NONE,
              DType.F32);
      close(expected, Experts.combine(out, routing, null, DType.F32), 1e-4);
    }
  }

  @Test
  void quantised_experts_are_those_of_their_blocks() {
    try (Scope _ = Scope.open()) {
      BlockFormat format = BlockFormat.INT8;
      List<Tensor> whole = tensors(up, INNER, HIDDEN);
      List<Tensor> rounded =
          whole.stream()
              .map(w -> Quantization.dequantize(Quantization.quantize(w, format), format, HIDDEN))
              .toList();
      Experts.Routing routing = Experts.route(tensor(logits, TOKENS, EXPERTS), 2, true, 1, null);
      Tensor in = tensor(x, TOKENS, HIDDEN);
      Tensor expected =
          Experts.linear(
              in,
              routing.rows(),
              routing,
              Experts.pack(rounded, DType.F32),
              null,
              INNER,
              Activation.NONE,
              DType.F32);
      Tensor got =
          Experts.linear(
              in,
              routing.rows(),
              routing,
              Experts.pack(whole, format),
              format,
              QuantizedActivations.EXACT,
              null,
              INNER,
              Activation.NONE,
              DType.F32);
      assertArrayEquals(expected.toFloatArray(), got.toFloatArray(), 1e-5f);
    }
  }

  @Test
  void weights_of_different_shapes_are_refused() {
    try (Scope _ = Scope.open()) {
      List<Tensor> weights = List.of(Tensor.zeros(CPU, 3, 4), Tensor.zeros(CPU, 3, 5));
      assertEquals(
          "matmul_pack: weights F32[3, 4]@cpu and F32[3, 5]@cpu have different shapes",
          assertThrows(IllegalArgumentException.class, () -> Experts.pack(weights, DType.F32))
              .getMessage());
    }
  }

  private static void add(double[] y, int token, double weight, double[] part) {
    for (int i = 0; i < part.length; i++) {
      y[token * part.length + i] += weight * part[i];
    }
  }

  private static int[] ints(Tensor tensor) {
    int[] values = new int[(int) tensor.count()];
    CPU.memory().read(tensor.operand().buffer(), 0, MemorySegment.ofArray(values));
    return values;
  }
}
