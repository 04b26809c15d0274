package dev.gatun.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tensors refuse what cannot be, say why, and give their memory back. */
final class BadTensorsTest {
  private static final Device CPU = Device.cpu();
  private static final long HUGE = Long.MAX_VALUE;

  private long before;

  @BeforeEach
  void remember() {
    before = CPU.memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  private interface Use {
    void of(Tensor x);
  }

  private static Arguments bad(String message, Use use) {
    return Arguments.of(message, use);
  }

  static Stream<Arguments> uses() {
    return Stream.of(
        bad("shape [2, -3] has a negative length", x -> Tensor.empty(CPU, DType.F32, 2, -3)),
        bad("negative length", x -> Tensor.zeros(CPU, Long.MIN_VALUE)),
        bad("negative length", x -> Tensor.of(CPU, new float[0], 0, -1)),
        bad(
            "shape [%d, 2] of F32 has more bytes than a long counts".formatted(HUGE),
            x -> Tensor.empty(CPU, DType.F32, HUGE, 2)),
        bad("more bytes than", x -> Tensor.empty(CPU, DType.F64, 1L << 61)),
        bad("more bytes than", x -> Tensor.empty(CPU, DType.F32, 0, HUGE, HUGE)),
        bad("more bytes than", x -> Tensor.of(CPU, new float[0], HUGE, 4, 0)),
        bad("4294967296 elements, expected at most", x -> Tensor.zeros(CPU, 1L << 32)),
        bad("4 elements do not fill shape [2, 3]", x -> Tensor.of(CPU, new float[4], 2, 3)),
        bad("4 elements do not fill shape", x -> Tensor.of(CPU, new float[4], 1L << 40)),
        bad("1 elements do not fill shape [0]", x -> Tensor.of(CPU, new long[1], 0)),
        bad("F32[2, 3]@cpu has no axis 2", x -> x.size(2)),
        bad("has no axis -3", x -> x.size(-3)),
        bad("F32[2, 3]@cpu cannot become [4, 2]", x -> x.reshape(4, 2)),
        bad("cannot become [-1, 4]", x -> x.reshape(-1, 4)),
        bad("negative length", x -> x.reshape(-2, -3)),
        bad("negative length", x -> x.reshape(-1, -1)),
        bad("more bytes than", x -> x.slice(0, 0, 0).reshape(1L << 32, 1L << 32)),
        bad("strides [3, 1], expected row-major", x -> x.slice(1, 0, 2).reshape(4)),
        bad("1 to 3 is outside of axis 0 of F32[2, 3]@cpu", x -> x.slice(0, 1, 3)),
        bad("-1 to 1 is outside", x -> x.slice(0, -1, 1)),
        bad("2 to 1 is outside", x -> x.slice(1, 2, 1)),
        bad("has no axis 2", x -> x.slice(2, 0, 1)),
        bad("has no axis -3", x -> x.slice(-3, 0, 1)),
        bad("does not fit a buffer of 24 bytes", x -> strided(x, 1, 6, 1)),
        bad("does not fit a buffer of 24 bytes", x -> strided(x, HUGE, 1, 1)),
        bad("does not fit a buffer of 24 bytes", x -> strided(x, 0, 2, HUGE)),
        bad("offset -1 of F32[2, 3]@cpu is negative", x -> strided(x, -1, 1, 1)),
        bad("axis 0 is negative", x -> strided(x, 0, 2, -1)),
        bad("has 2 strides, expected one an axis", x -> strided(x, 0, 2, 1, 1)),
        bad("more bytes than", x -> strided(x, 0, HUGE, 0)),
        bad("F32[2, 3]@cpu: expected I64", Tensor::toLongArray),
        bad(
            "elements, an array at most",
            x -> x.strided(0, new long[] {1L << 33}, new long[] {0}).toFloatArray()));
  }

  private static Tensor strided(Tensor x, long offset, long length, long... strides) {
    return x.strided(offset, new long[] {length}, strides);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("uses")
  void a_bad_use_is_named(String message, Use use) {
    try (Tensor x = Tensor.of(CPU, new float[6], 2, 3)) {
      String said = assertThrows(IllegalArgumentException.class, () -> use.of(x)).getMessage();
      assertTrue(said.contains(message), said);
    }
  }

  @Test
  void more_memory_than_there_is_names_the_bytes() {
    for (long bytes : new long[] {1L << 56, (1L << 62) + 5, HUGE, HUGE - 63}) {
      String said =
          assertThrows(OutOfMemoryError.class, () -> Tensor.empty(CPU, DType.I8, bytes))
              .getMessage();
      assertTrue(said.contains("no " + bytes + " bytes"), said);
    }
  }

  @Test
  void lengths_of_zero_are_fine() {
    try (Tensor x = Tensor.zeros(CPU, 3, 0, 2)) {
      assertEquals(0, x.toFloatArray().length);
      assertArrayEquals(new long[] {0, 6}, x.reshape(-1, 6).shape());
      assertEquals(0, x.slice(0, 3, 3).count());
    }
    try (Tensor scalar = Tensor.of(CPU, new float[] {5})) {
      assertArrayEquals(new float[] {5}, scalar.toFloatArray());
      assertArrayEquals(new long[] {1, 1}, scalar.reshape(1, -1).shape());
    }
  }

  @Test
  void a_closed_tensor_is_named_by_it_and_its_views() {
    Tensor x = Tensor.of(CPU, new float[6], 2, 3);
    Tensor row = x.slice(0, 0, 1);
    row.close();
    assertEquals(3, row.toFloatArray().length, "closing a view closes nothing");
    x.close();
    x.close();
    closed("tensor F32[2, 3]@cpu is closed", x::toFloatArray);
    closed("tensor F32[1, 3]@cpu is closed", row::toFloatArray);
  }

  @Test
  void what_a_scope_closed_cannot_be_used() {
    Scope scope = Scope.open();
    Tensor x = Tensor.of(CPU, new float[2], 2);
    Tensor kept = scope.keep(Tensor.of(CPU, new float[] {4}, 1));
    scope.close();
    scope.close();
    closed("tensor F32[2]@cpu is closed", x::toFloatArray);
    closed("scope: is closed, F32[2]@cpu cannot be kept", () -> scope.keep(x));
    assertEquals(4, kept.toFloatArray()[0]);
    kept.close();
  }

  @Test
  void scopes_close_in_order_on_their_own_thread() throws Exception {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    closed("before the scopes around it", outer::close);
    Thread other =
        Thread.ofPlatform().start(() -> closed("must be closed on its own thread", inner::close));
    other.join();
    Tensor x = inner.keep(Tensor.zeros(CPU, 3));
    inner.close();
    assertEquals(3, x.count());
    assertEquals(0, x.toFloatArray()[0]);
    outer.close();
    closed("is closed", x::toFloatArray);
  }

  private static void closed(String message, Executable use) {
    String said = assertThrows(IllegalStateException.class, use).getMessage();
    assertTrue(said.contains(message), said);
  }
}
