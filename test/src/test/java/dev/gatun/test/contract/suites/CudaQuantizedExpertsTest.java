package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.api.memory.PackedLayout.Scales;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.test.contract.frame.Numbers;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each of CUDA's kernels for experts with quantised weights, by whole numbers whose products every
 * one of them has exactly: codes times powers of two, and numbers that are the codes of themselves.
 */
final class CudaQuantizedExpertsTest {
  private static final Backend CUDA = Emulator.open();
  private static final float UNWRITTEN = -0.5f;

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(0, CUDA.memory().allocatedBytes(), "memory is given back");
  }

  /** The packed weight of an expert, whose codes are random. */
  private static byte[] packed(PackedLayout layout, int n, int k, Random random) {
    byte[] packed = new byte[(int) layout.packedBytes(n, k)];
    int group = (int) layout.groupSize(k);
    int middle = 1 << layout.bits() - 1;
    MemorySegment memory = MemorySegment.ofArray(packed);
    for (int row = 0; row < n; row++) {
      int feature = row % PackedLayout.PANEL;
      for (int g = 0; g < layout.groups(k); g++) {
        long record = layout.record(row / PackedLayout.PANEL, g, k);
        float scale = 1 << (row + g) % 3;
        int sum = 0;
        for (int i = 0; i < group; i++) {
          int code = random.nextInt(11) - 5;
          sum += code;
          int place = (int) (record + layout.codeByte(feature, g, i, k));
          packed[place] |= (byte) (code + middle << layout.codeShift(i));
        }
        boolean half = layout.scales() == Scales.F16 || layout.scales() == Scales.F16_ZERO;
        DType dtype = half ? DType.F16 : DType.F32;
        Numbers.write(memory, record + (long) feature * dtype.bytes(), dtype, scale);
        long beside = record + (long) PackedLayout.PANEL * dtype.bytes();
        switch (layout.scales()) {
          case F16_ZERO -> packed[(int) beside + feature] = (byte) (row % 5 - 2);
          case F32_MIN -> Numbers.write(memory, beside + 4L * feature, DType.F32, row % 4);
          case F32_SUM -> Numbers.write(memory, beside + 4L * feature, DType.F32, scale * sum);
          default -> {}
        }
      }
    }
    return packed;
  }

  private static byte[] bytes(DType dtype, double[] values) {
    byte[] bytes = new byte[values.length * dtype.bytes()];
    for (int i = 0; i < values.length; i++) {
      Numbers.write(MemorySegment.ofArray(bytes), (long) i * dtype.bytes(), dtype, values[i]);
    }
    return bytes;
  }

  private static Buffer buffer(MemorySegment values) {
    Buffer buffer = CUDA.memory().allocate(values.byteSize());
    CUDA.memory().write(values, buffer, 0);
    return buffer;
  }

  /** A product for so many rows of each expert, of which those of no token are zeros. */
  private record Product(
      PackedLayout layout,
      QuantizedActivations activations,
      DType dtype,
      int n,
      int k,
      int[] offsets,
      int[] rows,
      int tokens) {
    int experts() {
      return offsets.length - 1;
    }

    int places() {
      return rows == null ? tokens : rows.length;
    }

    void check() {
      check(Policy.values());
    }

    void check(Policy... policies) {
      Random random = new Random(7);
      byte[][] weights =
          IntStream.range(0, experts())
              .mapToObj(e -> packed(layout, n, k, random))
              .toArray(byte[][]::new);
      double[] x = new double[tokens * k];
      for (int i = 0; i < x.length; i++) {
        int code = random.nextInt(255) - 127;
        // Each block has both ends, so that its scale is that of its token.
        code = i % k % 32 == 1 ? 127 : i % k % 32 == 2 ? -127 : code;
        x[i] = code << i / k % 2;
      }
      double[] bias = random.ints((long) experts() * n, -99, 100).asDoubleStream().toArray();
      float[] want = want(x, weights, bias);
      for (Policy policy : policies) {
        Emulator.set(policy, 3, policy.ordinal() % 2 == 0, policy.ordinal() % 2 == 1);
        assertArrayEquals(want, run(x, weights, bias), this + " by " + policy);
      }
    }

    private float[] want(double[] x, byte[][] weights, double[] bias) {
      float[] y = new float[places() * n];
      Arrays.fill(y, UNWRITTEN);
      double[] weight = new double[k];
      for (int e = 0; e < experts(); e++) {
        int end = Math.min(offsets[e + 1], places());
        for (int j = 0; j < n; j++) {
          Packer.unpack(layout, MemorySegment.ofArray(weights[e]), k, j, weight);
          for (int place = Math.max(offsets[e], 0); place < end; place++) {
            int token = rows == null ? place : rows[place];
            double sum = bias[e * n + j];
            for (int i = 0; token >= 0 && token < tokens && i < k; i++) {
              sum += x[token * k + i] * weight[i];
            }
            y[place * n + j] = (float) sum;
          }
        }
      }
      return y;
    }

    private float[] run(double[] x, byte[][] weights, double[] bias) {
      int each = weights[0].length;
      byte[] all = new byte[experts() * each];
      for (int e = 0; e < experts(); e++) {
        System.arraycopy(weights[e], 0, all, e * each, each);
      }
      float[] y = new float[places() * n];
      Arrays.fill(y, UNWRITTEN);
      int[] gathered = rows == null ? new int[1] : rows;
      try (Buffer xs = buffer(MemorySegment.ofArray(bytes(dtype, x)));
          Buffer packed = buffer(MemorySegment.ofArray(all));
          Buffer begins = buffer(MemorySegment.ofArray(offsets));
          Buffer from = buffer(MemorySegment.ofArray(gathered));
          Buffer more = buffer(MemorySegment.ofArray(bytes(DType.F32, bias)));
          Buffer result = buffer(MemorySegment.ofArray(y))) {
        CUDA.kernels()
            .run(
                new GroupedQuantizedMatmul(
                    layout,
                    activations,
                    Operand.of(xs, dtype, tokens, k),
                    rows == null ? null : Operand.of(from, DType.I32, rows.length),
                    Operand.of(begins, DType.I32, offsets.length),
                    Operand.of(packed, DType.U8, all.length),
                    Operand.of(more, DType.F32, experts(), n),
                    Activation.NONE,
                    Operand.of(result, DType.F32, places(), n)));
        CUDA.memory().read(result, 0, MemorySegment.ofArray(y));
      }
      return y;
    }
  }

  private static int[] offsets(String counts) {
    int[] each = Arrays.stream(counts.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] offsets = new int[each.length + 1];
    for (int e = 0; e < each.length; e++) {
      offsets[e + 1] = offsets[e] + each[e];
    }
    return offsets;
  }

  /** The rows of each expert are chosen for a kernel: by how many they are on average. */
  @ParameterizedTest
  @CsvSource({
    // One row, or runs of four, without tensor cores.
    "4, 128, F16, EXACT, BF16, 0 1 0 0 1 0 0 0 0 1 0 0, 70, 256",
    "8, 0, F32_SUM, EXACT, F16, 0 0 1 0 0 0 0 0, 33, 100",
    "8, 16, F32, EXACT, F32, 0 0 1 0 0 0 1 0, 64, 96",
    "4, 64, F16, EXACT, BF16, 0 1 0 0 1 0 0 0 0 0 0 0, 33, 128",
    "4, 64, F16_ZERO, EXACT, F32, 5 0 3 13, 65, 128",
    "8, 32, F32_MIN, EXACT, F32, 4 1, 40, 96",
    "8, 0, F32_SUM, EXACT, BF16, 3 2 1, 40, 101",
    // Float arithmetic.
    "4, 32, F32_MIN, EXACT, F32, 30 0 1, 70, 64",
    "8, 48, F16, EXACT, F16, 17 3, 35, 96",
    // Tiles of 16, 64 and 128 tokens.
    "4, 128, F16, EXACT, BF16, 16 1 0 17, 130, 512",
    "4, 64, F16_ZERO, EXACT, F16, 9 40 0, 97, 192",
    "4, 32, F32_MIN, EXACT, BF16, 65 0 30 1, 130, 320",
    "4, 32, F16, EXACT, F16, 14 7 0, 40, 64",
    "4, 16, F16, EXACT, F16, 14 7 0, 40, 64",
    "4, 128, F16, EXACT, F16, 90 129 0, 140, 256",
    "4, 32, F16, EXACT, BF16, 129 7, 33, 96",
    "4, 128, F16, EXACT, BF16, 128 128, 33, 128",
    "8, 64, F32, EXACT, BF16, 128 128, 33, 64",
    "8, 0, F32_SUM, EXACT, BF16, 20 1 1, 100, 136",
    "8, 16, F32, EXACT, F16, 7 16, 33, 80",
    "8, 32, F32_MIN, EXACT, BF16, 63 60, 40, 256",
    "8, 128, F16, EXACT, F16, 1 31 30, 70, 128",
    "8, 64, F32, EXACT, BF16, 150 70, 140, 320",
    "8, 0, F32_SUM, EXACT, F16, 128 9, 33, 72",
    // The same of codes, and groups that no tile has.
    "4, 128, F16, INT8_PER_TOKEN, BF16, 16 1 0 17, 130, 512",
    "4, 32, F16, INT8_BLOCKS, F16, 9 40 0, 97, 192",
    "4, 64, F16_ZERO, INT8_BLOCKS, F32, 65 0 30 1, 70, 320",
    "4, 32, F32_MIN, INT8_BLOCKS, F32, 90 129 0, 140, 128",
    "4, 128, F16_ZERO, INT8_PER_TOKEN, F32, 150 2, 33, 256",
    "8, 0, F32_SUM, INT8_PER_TOKEN, BF16, 0 0 1 0 0 0 0 0, 130, 1001",
    "8, 16, F32, INT8_BLOCKS, F16, 9 20 0, 97, 192",
    "8, 32, F32_MIN, INT8_PER_TOKEN, F32, 63 50, 70, 320",
    "8, 0, F32_SUM, INT8_PER_TOKEN, F16, 90 129 0, 140, 132",
    "8, 64, F16, INT8_BLOCKS, BF16, 2 150, 33, 192",
    "8, 48, F16, INT8_BLOCKS, F32, 5 0 3, 35, 96",
    "8, 0, F32, INT8_PER_TOKEN, F16, 1 7, 35, 77"
  })
  void each_kernel_is_exact(
      int bits,
      int group,
      Scales scales,
      QuantizedActivations activations,
      DType dtype,
      String counts,
      int n,
      int k) {
    PackedLayout layout = new PackedLayout(bits, group, scales);
    int[] offsets = offsets(counts);
    int used = offsets[offsets.length - 1];
    new Product(layout, activations, dtype, n, k, offsets, null, used).check();
    // The last place is nobody's; one token is taken several times, and some places have none.
    int tokens = Math.max(3, used / 2);
    int[] rows = new Random(used).ints(used + 1, 0, tokens).toArray();
    for (int place = 2; place < rows.length; place += 5) {
      rows[place] = place % 2 == 0 ? -1 : tokens;
    }
    new Product(layout, activations, dtype, n, k, offsets, rows, tokens).check();
  }

  @Test
  void offsets_are_cut_to_the_places() {
    PackedLayout layout = new PackedLayout(4, 32, Scales.F16);
    int[] rows = {0, 1, 0, 1, 1, 1};
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      for (QuantizedActivations activations :
          new QuantizedActivations[] {
            QuantizedActivations.EXACT, QuantizedActivations.INT8_BLOCKS
          }) {
        int[] offsets = {-9, 4, Integer.MAX_VALUE, 100};
        new Product(layout, activations, dtype, 40, 64, offsets, rows, 2).check();
        new Product(layout, activations, dtype, 40, 64, new int[] {8, 8, 7, -1}, rows, 2).check();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"INT8_PER_TOKEN", "INT8_BLOCKS"})
  @Tag("full")
  void a_grid_is_long_where_there_are_many_rows(QuantizedActivations activations) {
    PackedLayout layout = new PackedLayout(8, 48, Scales.F16);
    int[] offsets = {0, 65530, 65540};
    new Product(layout, activations, DType.BF16, 2, 48, offsets, null, 65540)
        .check(Policy.ROUND_ROBIN);
  }

  @Test
  void nothing_goes_in_or_comes_out() {
    for (QuantizedActivations activations : QuantizedActivations.values()) {
      PackedLayout layout = new PackedLayout(8, 0, Scales.F32_SUM);
      int[] offsets = {0, 0, 3};
      new Product(layout, activations, DType.BF16, 5, 0, offsets, null, 3).check();
      new Product(layout, activations, DType.BF16, 0, 8, offsets, null, 3).check();
      new Product(layout, activations, DType.BF16, 5, 8, offsets, new int[] {-1, 0, 9}, 0).check();
      new Product(layout, activations, DType.BF16, 5, 8, new int[3], null, 0).check();
    }
  }
}
