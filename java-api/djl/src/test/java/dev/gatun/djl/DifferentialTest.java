package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.tensor.Device;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each program gives on this engine what it gives on DJL's PyTorch engine. */
final class DifferentialTest {
  private static Engine own;
  private static Engine peer;

  @BeforeAll
  static void engines() {
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "the peer's native library is Linux's on x86-64");
    own = Engine.getEngine("Gatun");
    peer = Engine.getEngine("PyTorch");
  }

  static Stream<Program> programs() {
    return Programs.all();
  }

  @ParameterizedTest
  @MethodSource("programs")
  void gives_what_pytorch_gives(Program program) {
    long before = Device.cpu().memory().allocatedBytes();
    try (NDManager mine = own.newBaseManager();
        NDManager theirs = peer.newBaseManager()) {
      Object expected;
      try {
        expected = program.run().apply(theirs);
      } catch (Exception e) {
        if (e.getMessage().contains("not implemented for '")) {
          // Types that PyTorch's loops lack.
          return;
        }
        assertThrows(
            RuntimeException.class,
            () -> program.run().apply(mine),
            () -> "PyTorch refuses: " + e.getMessage());
        return;
      }
      // What many terms add up to errs by their size, on either side, however small it is itself.
      boolean sums = program.name().startsWith("convolution");
      compare(expected, program.run().apply(mine), sums);
    }
    assertEquals(before, Device.cpu().memory().allocatedBytes(), "memory is given back");
  }

  static Stream<Program> refused() {
    return Stream.of(
        new Program("a negative length", m -> m.zeros(new Shape(-1, 2))),
        new Program("more than memory has", m -> m.zeros(new Shape(1L << 40, 1L << 30))),
        new Program("too long a range", m -> m.arange(0, 1e30f, 1)),
        new Program("linspace", m -> m.linspace(0f, 1f, -1)),
        new Program("hanningWindow", m -> m.hanningWindow(-1)),
        new Program("concat with a number", m -> m.ones(new Shape(1)).concat(m.create(1f))),
        new Program(
            "dropout",
            m -> {
              NDArray x = m.ones(new Shape(2));
              return x.getNDArrayInternal().dropout(x, 1.5f, false);
            }));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refuses_by_the_exceptions_of_pytorch(Program program) {
    try (NDManager mine = own.newBaseManager();
        NDManager theirs = peer.newBaseManager()) {
      Exception expected = assertThrows(Exception.class, () -> program.run().apply(theirs));
      assertThrowsExactly(expected.getClass(), () -> program.run().apply(mine));
    }
  }

  private static void compare(Object expected, Object got, boolean sums) {
    if (expected instanceof NDList list) {
      NDList own = (NDList) got;
      assertEquals(list.size(), own.size(), "arrays");
      for (int i = 0; i < list.size(); i++) {
        compare(list.get(i), own.get(i), sums);
      }
    } else if (expected instanceof NDArray array) {
      same(array, (NDArray) got, sums);
    } else {
      assertEquals(expected, got);
    }
  }

  private static void same(NDArray expected, NDArray got, boolean sums) {
    assertEquals(expected.getShape(), got.getShape(), "shape");
    if (expected.getDataType() == DataType.UNKNOWN) {
      // INT16, for which DJL's PyTorch engine has no name.
      assertEquals(DataType.INT16, got.getDataType(), "type");
      return;
    }
    assertEquals(expected.getDataType(), got.getDataType(), "type");
    if (expected.getDataType() == DataType.STRING) {
      return;
    }
    double[] theirs = numbers(expected);
    double[] mine = numbers(got);
    double allowed =
        switch (expected.getDataType()) {
          case FLOAT64 -> 1e-12;
          case FLOAT32, COMPLEX64 -> 2e-6;
          case FLOAT16 -> 1e-3;
          case BFLOAT16 -> 8e-3;
          default -> 0;
        };
    double largest = sums ? Arrays.stream(theirs).map(Math::abs).max().orElse(0) : 0;
    for (int i = 0; i < theirs.length; i++) {
      double a = theirs[i];
      double b = mine[i];
      boolean near =
          Double.compare(a, b) == 0
              || Math.abs(a - b) <= allowed * Math.max(1, Math.max(largest, Math.abs(a)));
      assertTrue(near, "element %d is %s, PyTorch's %s".formatted(i, b, a));
    }
  }

  private static double[] numbers(NDArray array) {
    if (array.getDataType() == DataType.COMPLEX64) {
      float[] parts = new float[(int) array.size() * 2];
      array.toByteBuffer(false).order(java.nio.ByteOrder.nativeOrder()).asFloatBuffer().get(parts);
      double[] wide = new double[parts.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = parts[i];
      }
      return wide;
    }
    try (NDArray wide = array.toType(DataType.FLOAT64, true)) {
      return wide.toDoubleArray();
    }
  }
}
