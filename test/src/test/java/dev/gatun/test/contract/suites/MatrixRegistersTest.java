package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The kernels that choose by AMX with it and without it, as on processors that lack it; {@link
 * KernelContractTest} runs all cases with what there is.
 */
final class MatrixRegistersTest {
  private static final Device DEVICE = Device.of(Subjects.CPU);
  private static final Set<CpuFeature> AMX = EnumSet.of(CpuFeature.AMX_BF16, CpuFeature.AMX_INT8);
  private static final LevelVariant WITH =
      new LevelVariant(CpuLevel.AVX512, EnumSet.noneOf(CpuFeature.class));
  private static final LevelVariant WITHOUT = new LevelVariant(CpuLevel.AVX512, AMX);

  /** Of kernels that choose by it. */
  private static final List<String> KERNELS =
      List.of(
          "matmul",
          "grouped_matmul",
          "quantized_matmul",
          "block_matmul",
          "grouped_quantized_matmul",
          "scaled_dot_product_attention");

  @BeforeAll
  static void is_there() {
    Subjects.assumeBackend("cpu");
    assumeTrue(Subjects.levels().contains(CpuLevel.AVX512), "the level avx512 is not asked for");
    assumeTrue(CpuBackend.features().containsAll(AMX), "this processor has no AMX");
  }

  @AfterAll
  static void restore() {
    LevelVariant.whole().getLast().choose(Subjects.CPU);
  }

  @Test
  void kernels_agree_with_the_reference_without_it() {
    List<Case> cases =
        Cases.draws(Family.PLAIN, Target.HOST, 15)
            .filter(draw -> KERNELS.stream().anyMatch(draw.generator().name()::startsWith))
            .map(Draw::make)
            .toList();
    int others = 0;
    int codes = 0;
    for (Case c : cases) {
      Runs.References references = Runs.references(c);
      WITHOUT.choose(Subjects.CPU);
      Map<String, int[]> without = Runs.run(c, Subjects.CPU);
      Tolerance.check(c, references, without);
      WITH.choose(Subjects.CPU);
      Map<String, int[]> with = Runs.run(c, Subjects.CPU);
      Tolerance.check(c, references, with);
      boolean same = without.keySet().stream().allMatch(name -> same(without, with, name));
      others += same ? 0 : 1;
      if (c.toString().contains(" INT8_")) {
        assertTrue(same, c + ": sums of codes are whole numbers");
        codes++;
      }
    }
    assertTrue(others > 0, "sums of bf16 have another order in matrix registers");
    assertTrue(codes > 0, "no case has codes");
  }

  private static boolean same(Map<String, int[]> one, Map<String, int[]> other, String name) {
    return Arrays.equals(one.get(name), other.get(name));
  }

  /** Whole numbers whose sums a float holds: every order of the terms gives the same. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 31, 32, 33, 63, 65, 255, 256, 257, 288, 290, 513, 1000})
  void whole_numbers_come_out_exact(int k) {
    int n = 33;
    for (int m : new int[] {1, 2, 15, 16, 17, 31, 32, 33, 48, 127, 128, 129, 161, 513}) {
      Random random = new Random(1000L * k + m);
      float[] weight = whole(random, n * k);
      float[] x = whole(random, m * k);
      float[] expected = new float[m * n];
      for (int i = 0; i < m * n; i++) {
        int sum = 0;
        for (int d = 0; d < k; d++) {
          sum += (int) x[i / n * k + d] * (int) weight[i % n * k + d];
        }
        expected[i] = sum;
      }
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        WITH.choose(Subjects.CPU);
        try (Scope _ = Scope.open();
            Linear linear =
                Linear.of(
                    Tensor.of(DEVICE, weight, n, k),
                    null,
                    Activation.NONE,
                    Storage.BF16,
                    Compute.EXACT)) {
          Tensor y = linear.forward(Elementwise.cast(Tensor.of(DEVICE, x, m, k), dtype), DType.F32);
          assertArrayEquals(expected, y.toFloatArray(), m + " rows of " + dtype);
        }
      }
    }
  }

  /** Groups that are worth it, and shorter ones. */
  @Test
  void codes_give_the_same_bits_with_it_and_without() {
    for (BlockFormat format :
        List.of(
            BlockFormat.INT8,
            BlockFormat.int8(32),
            BlockFormat.int8(128),
            BlockFormat.int4(128),
            BlockFormat.int4(64),
            BlockFormat.int4WithZeros(128))) {
      for (int m : new int[] {1, 16, 17, 32, 33, 129}) {
        Random random = new Random(m);
        int k = 768;
        try (Scope _ = Scope.open();
            Linear linear =
                Linear.of(
                    Tensor.of(DEVICE, whole(random, 40 * k), 40, k),
                    null,
                    Activation.NONE,
                    Storage.of(format),
                    Compute.INT8_PER_TOKEN)) {
          Tensor x = Tensor.of(DEVICE, whole(random, m * k), m, k);
          WITHOUT.choose(Subjects.CPU);
          float[] without = linear.forward(x).toFloatArray();
          WITH.choose(Subjects.CPU);
          assertArrayEquals(without, linear.forward(x).toFloatArray(), m + " rows of " + format);
        }
      }
    }
  }

  private static float[] whole(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(-30, 31);
    }
    return values;
  }
}
