package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.emulator.Emulator;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls with and without the operands that may be left out. */
final class OptionalOperandsTest {
  static Stream<Backend> backends() {
    return Stream.of(Subjects.EXACT, Subjects.CPU, Emulator.open());
  }

  /** Those that look at offsets; a device cuts them. */
  static Stream<Backend> processors() {
    return Stream.of(Subjects.EXACT, Subjects.CPU);
  }

  private static Buffer of(Backend backend, MemorySegment values) {
    Buffer buffer = backend.memory().allocate(values.byteSize());
    backend.memory().write(values, buffer, 0);
    return buffer;
  }

  /** Numbers that bf16 has too. */
  private static Buffer of(Backend backend, DType dtype, float... values) {
    if (dtype == DType.F32) {
      return of(backend, MemorySegment.ofArray(values));
    }
    short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = (short) (Float.floatToRawIntBits(values[i]) >>> 16);
    }
    return of(backend, MemorySegment.ofArray(bits));
  }

  private static byte[] bytes(Backend backend, Buffer buffer) {
    byte[] bytes = new byte[(int) buffer.byteSize()];
    backend.memory().read(buffer, 0, MemorySegment.ofArray(bytes));
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("backends")
  void layer_norm_by_a_weight_or_a_bias_alone(Backend backend) {
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      for (DType parameters : new DType[] {dtype, DType.F32}) {
        // Mean 2 and variance 1.
        assertNorm(backend, dtype, null, parameters, 11, 19, 31, 39);
        assertNorm(backend, dtype, parameters, null, 10, -20, 30, -40);
        assertNorm(backend, dtype, null, null, 1, -1, 1, -1);
      }
    }
  }

  private static void assertNorm(
      Backend backend, DType dtype, DType weight, DType bias, float... expected) {
    DType parameters = weight == null && bias == null ? dtype : weight == null ? bias : weight;
    try (Buffer x = of(backend, dtype, 3, 1, 3, 1);
        Buffer p = of(backend, parameters, 10, 20, 30, 40);
        Buffer y = of(backend, dtype, 7, 7, 7, 7);
        Buffer right = of(backend, dtype, expected)) {
      Operand all = Operand.of(p, parameters, 4);
      backend
          .kernels()
          .run(
              new LayerNorm(
                  Operand.of(x, dtype, 1, 4),
                  null,
                  weight == null ? null : all,
                  bias == null ? null : all,
                  0,
                  Operand.of(y, dtype, 1, 4),
                  null));
      assertArrayEquals(
          bytes(backend, right),
          bytes(backend, y),
          "%s of %s by %s, %s".formatted(backend.name(), dtype, weight, bias));
    }
  }

  @ParameterizedTest
  @MethodSource("processors")
  void groups_with_rows_and_without_name_what_is_bad(Backend backend) {
    int[] rows = {0, 1, 0, 1, 2, 0};
    assertEquals(
        "grouped_matmul: offset 2 at 2 follows 3, expected offsets from 0 to 6 that never fall",
        refusal(backend, null, 0, 3, 2, 6));
    assertEquals(
        "grouped_matmul: offset 2 at 2 follows 3, expected offsets from 0 to 6 that never fall",
        refusal(backend, rows, 0, 3, 2, 6));
    assertEquals(
        "grouped_matmul: row 2 at 4 is outside of 0 to 1", refusal(backend, rows, 0, 3, 3, 6));
  }

  private static String refusal(Backend backend, int[] rows, int... offsets) {
    long packed = 3 * MatmulPack.packedCount(DType.F32, 5, 8);
    try (Buffer x = of(backend, MemorySegment.ofArray(new float[48]));
        Buffer weights = of(backend, MemorySegment.ofArray(new float[(int) packed]));
        Buffer from = of(backend, MemorySegment.ofArray(rows == null ? new int[1] : rows));
        Buffer begins = of(backend, MemorySegment.ofArray(offsets));
        Buffer y = of(backend, MemorySegment.ofArray(new float[30]))) {
      GroupedMatmul call =
          new GroupedMatmul(
              Operand.of(x, DType.F32, rows == null ? 6 : 2, 8),
              rows == null ? null : Operand.of(from, DType.I32, 6),
              Operand.of(begins, DType.I32, 4),
              Operand.of(weights, DType.F32, packed),
              null,
              Activation.NONE,
              Operand.of(y, DType.F32, 6, 5));
      return assertThrows(
              IllegalArgumentException.class,
              () -> {
                backend.kernels().run(call);
                bytes(backend, y);
              })
          .getMessage();
    }
  }
}
