package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.frame.Subjects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products with so many rows that the processor lays one factor out for all of them: the bits are
 * those of some rows at a time, which it does not do that for.
 */
final class SharedPanelsTest {
  private static final int THREADS = Subjects.CPU.threads();
  private static final int FEW = 100;

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setThreads(THREADS);
  }

  @ParameterizedTest
  @CsvSource({
    "260, 130, 150, false, false, F32",
    "261, 70, 2500, false, true, F32",
    "500, 400, 300, true, false, F32",
    "250, 1000, 77, true, true, F32",
    "333, 129, 600, true, false, BF16",
    "333, 129, 600, false, true, F16"
  })
  void rows_have_the_bits_of_fewer_rows(
      int m, int n, int k, boolean leftTurned, boolean rightTurned, DType dtype) {
    try (Scope _ = Scope.open()) {
      Tensor a = factor(m, k, leftTurned, dtype);
      Tensor b = factor(n, k, rightTurned, dtype);
      Tensor begun = random(m, n).reshape(1, m, n);
      for (boolean accumulate : new boolean[] {false, true}) {
        Tensor expected = Elementwise.add(begun, Tensor.zeros(begun.device(), 1));
        for (int row = 0; row < m; row += FEW) {
          int end = Math.min(row + FEW, m);
          run(a.slice(1, row, end), b, expected.slice(1, row, end), accumulate);
        }
        for (int threads : new int[] {1, 2, 3, 7}) {
          Subjects.CPU.setThreads(threads);
          Tensor all = Elementwise.add(begun, Tensor.zeros(begun.device(), 1));
          run(a, b, all, accumulate);
          assertArrayEquals(expected.toFloatArray(), all.toFloatArray());
        }
      }
    }
  }

  private static void run(Tensor a, Tensor b, Tensor c, boolean accumulate) {
    c.device().kernels().run(new BatchedMatmul(a.operand(), b.operand(), c.operand(), accumulate));
  }

  /** [1, rows, k], where it is turned with neighbours of k a row apart. */
  private static Tensor factor(int rows, int k, boolean turned, DType dtype) {
    Tensor numbers = turned ? random(k, rows) : random(rows, k);
    Tensor matrix = Elementwise.cast(numbers, dtype);
    return matrix.strided(
        0, new long[] {1, rows, k}, new long[] {0, turned ? 1 : k, turned ? rows : 1});
  }

  private static Tensor random(int rows, int columns) {
    Random random = new Random(rows + 31L * columns);
    float[] numbers = new float[rows * columns];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return Tensor.of(Device.of(Subjects.CPU), numbers, rows, columns);
  }
}
