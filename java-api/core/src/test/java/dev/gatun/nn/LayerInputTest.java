package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LayerInputTest {
  private static final Device CPU = Device.cpu();

  private static Tensor random(Random random, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(CPU, values, shape);
  }

  /** Products of codes that the norm wrote give what products of the norm's results do. */
  @ParameterizedTest
  @CsvSource({
    "F32, EXACT, false",
    "INT8, INT8_PER_TOKEN, true",
    "INT8:32, INT8_PER_TOKEN, true",
    "INT8, EXACT, false",
    "INT4:32, INT8_BLOCKS, false"
  })
  void a_layer_gives_the_same_of_codes(
      String format, QuantizedActivations activations, boolean coded) {
    long before = CPU.memory().allocatedBytes();
    WeightType type =
        format.equals("F32")
            ? WeightType.F32
            : WeightType.quantized(BlockFormat.of(format), activations);
    Random random = new Random(1);
    try (Scope _ = Scope.open()) {
      Tensor x = random(random, 2, 3, 64);
      Tensor residual = random(random, 2, 3, 64);
      try (LayerNorm norm = new LayerNorm(random(random, 64), random(random, 64), 1e-5f);
          Linear next =
              new Linear(random(random, 40, 64), random(random, 40), Activation.GELU, type)) {
        LayerInput input = norm.forward(x, residual, next);
        assertEquals(coded, input.codes() != null);
        Tensor plain = norm.forward(x, residual);
        assertArrayEquals(plain.toFloatArray(), input.x().toFloatArray());
        assertArrayEquals(
            bytes(next.forwardNarrow(plain)), bytes(next.forwardNarrow(input)), type.toString());
      }
    }
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  private static byte[] bytes(Tensor x) {
    byte[] bytes = new byte[(int) (x.operand().count() * x.dtype().bytes())];
    CPU.memory().read(x.operand().buffer(), 0, MemorySegment.ofArray(bytes));
    return bytes;
  }
}
