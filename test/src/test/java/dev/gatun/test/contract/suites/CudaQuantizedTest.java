package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.models.AutoModel;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.test.contract.frame.Numbers;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import dev.gatun.weights.WeightTypes;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How near CUDA's products with quantised weights are to the mathematics, and what is refused. */
final class CudaQuantizedTest {
  private static final Backend CUDA = Emulator.open();
  private static final Backend HOPPER = Emulator.openHopper();

  @AfterEach
  void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(0, HOPPER.memory().allocatedBytes(), "memory is given back");
    assertEquals(0, CUDA.memory().allocatedBytes(), "memory is given back");
  }

  /** A weight in blocks, packed, and what it means. */
  record Weight(BlockFormat format, int n, int k, byte[] packed, double[][] rows) {
    static Weight of(BlockFormat format, int n, int k, Quantizer.Rows values) {
      byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
      Quantizer.quantize(format, values, n, k, MemorySegment.ofArray(blocks));
      byte[] packed = new byte[(int) format.wideLayout().packedBytes(n, k)];
      MemorySegment memory = MemorySegment.ofArray(packed);
      Packer.pack(
          format,
          format.wideLayout(),
          MemorySegment.ofArray(blocks),
          format.rowBytes(k),
          n,
          k,
          memory);
      double[][] rows = new double[n][k];
      for (int row = 0; row < n; row++) {
        Packer.unpack(format.wideLayout(), memory, k, row, rows[row]);
      }
      return new Weight(format, n, k, packed, rows);
    }
  }

  private static double[] multiply(Weight w, double[] x, int m, DType dtype, DType out) {
    return multiply(w, x, m, dtype, out, QuantizedActivations.EXACT);
  }

  private static double[] multiply(
      Weight w, double[] x, int m, DType dtype, DType out, QuantizedActivations activations) {
    return multiply(CUDA, w, x, m, dtype, out, activations);
  }

  private static double[] multiply(
      Backend cuda,
      Weight w,
      double[] x,
      int m,
      DType dtype,
      DType out,
      QuantizedActivations activations) {
    byte[] given = new byte[x.length * dtype.bytes()];
    for (int i = 0; i < x.length; i++) {
      Numbers.write(MemorySegment.ofArray(given), (long) i * dtype.bytes(), dtype, x[i]);
    }
    byte[] result = new byte[m * w.n() * out.bytes()];
    try (Buffer xs = cuda.memory().adopt(MemorySegment.ofArray(given));
        Buffer packed = cuda.memory().adopt(MemorySegment.ofArray(w.packed()));
        Buffer y = cuda.memory().allocate(result.length)) {
      cuda.kernels()
          .run(
              new QuantizedMatmul(
                  w.format().wideLayout(),
                  activations,
                  Operand.of(xs, dtype, m, w.k()),
                  Operand.of(packed, DType.U8, w.packed().length),
                  null,
                  Activation.NONE,
                  Operand.of(y, out, m, w.n())));
      cuda.memory().read(y, 0, MemorySegment.ofArray(result));
    }
    double[] values = new double[m * w.n()];
    MemorySegment memory = MemorySegment.ofArray(result);
    Arrays.setAll(
        values, i -> Numbers.value(Numbers.bits(memory, (long) i * out.bytes(), out), out));
    return values;
  }

  static double[] product(Weight w, double[] x, int m) {
    double[] y = new double[m * w.n()];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < w.n(); j++) {
        double sum = 0;
        for (int k = 0; k < w.k(); k++) {
          sum += x[i * w.k() + k] * w.rows()[j][k];
        }
        y[i * w.n() + j] = sum;
      }
    }
    return y;
  }

  /** A row of more groups than a grid has blocks along an axis is packed all the same. */
  @Test
  void a_row_of_too_many_groups_for_a_grid_is_packed() {
    BlockFormat format = BlockFormat.of("Q8_0");
    int k = 65_536 * format.blockSize(0);
    byte[] blocks = new byte[(int) format.rowBytes(k)];
    Quantizer.Rows values = (row, x) -> Arrays.fill(x, -3);
    Quantizer.quantize(format, values, 1, k, MemorySegment.ofArray(blocks));
    // A block that is unlike the others, wherever it comes to be.
    blocks[blocks.length / 2] = 77;
    byte[] expected = new byte[(int) format.wideLayout().packedBytes(1, k)];
    Packer.pack(
        format,
        format.wideLayout(),
        MemorySegment.ofArray(blocks),
        blocks.length,
        1,
        k,
        MemorySegment.ofArray(expected));
    assertArrayEquals(expected, packed(format, 1, k, blocks));
  }

  /** What the device packs rows of k weights in blocks to. */
  private static byte[] packed(BlockFormat format, int rows, int k, byte[] blocks) {
    byte[] got = new byte[(int) format.wideLayout().packedBytes(rows, k)];
    try (Buffer given = CUDA.memory().adopt(MemorySegment.ofArray(blocks));
        Buffer packed = CUDA.memory().allocate(got.length)) {
      CUDA.kernels()
          .run(
              new QuantizedPack(
                  format,
                  format.wideLayout(),
                  k,
                  Operand.of(given, DType.U8, rows, blocks.length / rows),
                  Operand.of(packed, DType.U8, got.length)));
      CUDA.memory().read(packed, 0, MemorySegment.ofArray(got));
    }
    return got;
  }

  /** Whole numbers with scales of 1 on both sides, so that every product is a whole number. */
  @ParameterizedTest
  @CsvSource({
    "INT8, INT8_PER_TOKEN, 5, 37, 100",
    "INT8, INT8_PER_TOKEN, 33, 130, 1001",
    "INT8, INT8_PER_TOKEN, 130, 33, 2048",
    "INT8, INT8_BLOCKS, 17, 33, 96",
    "INT8:64, INT8_PER_TOKEN, 3, 33, 1088",
    "INT8:128, INT8_BLOCKS, 65, 40, 384",
    "Q8_0, INT8_BLOCKS, 16, 64, 1120",
    "INT4:32, INT8_BLOCKS, 9, 129, 1312",
    "INT4:128, INT8_PER_TOKEN, 70, 31, 256",
    "INT4_ZERO:64, INT8_BLOCKS, 4, 35, 192",
    "INT4_ZERO:128, INT8_PER_TOKEN, 129, 35, 256",
    "Q4_0, INT8_PER_TOKEN, 1, 300, 2048"
  })
  void products_of_codes_are_exact(
      String name, QuantizedActivations activations, int m, int n, int k) {
    BlockFormat format = BlockFormat.of(name);
    boolean wide = format.wideLayout().bits() == 8;
    boolean zeros = format.kind() == BlockFormat.Kind.INT4_ZERO;
    int block = format.blockSize(k);
    Weight w =
        Weight.of(
            format,
            n,
            k,
            (row, x) -> {
              Random random = new Random(row);
              for (int i = 0; i < k; i++) {
                x[i] = random.nextInt(11) - 5;
                if (i % block == 0) {
                  // What makes the scale 1.
                  x[i] = wide ? 127 : zeros ? 10 : -8;
                }
              }
            });
    Random random = new Random(1);
    double[] x = new double[m * k];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextInt(255) - 127;
      // Every block has both ends.
      x[i] = i % k % 32 == 1 ? 127 : i % k % 32 == 2 ? -127 : x[i];
    }
    assertEquals(Math.rint(w.rows()[0][1]), w.rows()[0][1], "weights are whole numbers");
    for (Policy policy : Policy.values()) {
      Emulator.set(policy, 3, policy.ordinal() % 2 == 0, policy.ordinal() % 2 == 1);
      assertArrayEquals(
          product(w, x, m),
          multiply(w, x, m, DType.F32, DType.F32, activations),
          name + " by " + policy);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {47, 150})
  void products_of_codes_have_the_same_bits_on_hopper(int m) {
    int k = 2012;
    Weight w =
        Weight.of(
            BlockFormat.INT8,
            m < 64 ? 250 : 530,
            k,
            (row, x) -> {
              Random random = new Random(row);
              for (int i = 0; i < k; i++) {
                x[i] = (float) random.nextGaussian();
              }
            });
    Random random = new Random(7);
    double[] x = new double[m * k];
    Arrays.setAll(x, i -> (float) random.nextGaussian());
    assertArrayEquals(
        multiply(CUDA, w, x, m, DType.F32, DType.F32, QuantizedActivations.INT8_PER_TOKEN),
        multiply(HOPPER, w, x, m, DType.F32, DType.F32, QuantizedActivations.INT8_PER_TOKEN));
  }

  @ParameterizedTest
  @CsvSource({
    "INT4:128, 1, 96, 128",
    "INT4:128, 16, 130, 1152",
    "INT4:64, 8, 65, 192",
    "INT4:32, 118, 40, 64",
    "INT4_ZERO:128, 33, 64, 384",
    "INT4_ZERO:32, 152, 33, 128",
    "Q4_0, 7, 64, 1088",
    "Q4_1, 12, 33, 192",
    "Q4_K, 40, 64, 512",
    "INT8, 9, 64, 136",
    "INT8:32, 64, 33, 192",
    "Q5_1, 66, 33, 64",
    "Q6_K, 20, 64, 768"
  })
  void exact_activations_lose_no_more_than_a_rounding(String name, int m, int n, int k) {
    Weight w =
        Weight.of(
            BlockFormat.of(name),
            n,
            k,
            (row, x) -> {
              Random random = new Random(row);
              for (int i = 0; i < k; i++) {
                x[i] = (float) random.nextGaussian();
              }
            });
    checkExact(CUDA, w, m);
  }

  /** Also with groups that are zeros by their scale alone, and such whose scales differ widely. */
  @ParameterizedTest
  @CsvSource({
    "INT4:128, 70, 520, 1152",
    "INT4:64, 130, 257, 64",
    "INT4:32, 118, 300, 224",
    "INT4:128, 50, 520, 256",
    "INT4_ZERO:64, 64, 257, 448",
    "INT8, 33, 700, 120",
    "INT4:128, 40, 200, 1664",
    "INT4_ZERO:32, 61, 256, 1056",
    "INT8, 50, 130, 2056",
    "INT4_ZERO:128, 300, 64, 256",
    "INT4_ZERO:32, 152, 270, 96",
    "Q4_0, 70, 530, 1088",
    "INT8, 129, 264, 1000",
    "Q8_0, 66, 300, 352"
  })
  void exact_activations_lose_no_more_than_a_rounding_on_hopper(String name, int m, int n, int k) {
    BlockFormat format = BlockFormat.of(name);
    int block = format.blockSize(k);
    Weight w =
        Weight.of(
            format,
            n,
            k,
            (row, x) -> {
              Random random = new Random(row);
              for (int i = 0; i < k; i++) {
                x[i] = (float) (random.nextGaussian() * Math.exp((i / block * 7 + row) % 9 - 4));
              }
            });
    if (format.wideLayout().group() != 0) {
      for (int row = 0; row < n; row += 3) {
        long group = row % format.wideLayout().groups(k);
        int scale =
            (int) format.wideLayout().record(row / PackedLayout.PANEL, group, k) + row % 32 * 2;
        w.packed()[scale] = 0;
        w.packed()[scale + 1] = 0;
        Packer.unpack(
            format.wideLayout(), MemorySegment.ofArray(w.packed()), k, row, w.rows()[row]);
        assertEquals(0, Math.abs(w.rows()[row][(int) (group * block)]));
      }
    }
    checkExact(HOPPER, w, m);
  }

  private static void checkExact(Backend cuda, Weight w, int m) {
    String name = w.format().toString();
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      Random random = new Random(2);
      double[] x = new double[m * w.k()];
      Arrays.setAll(x, i -> Numbers.round(random.nextGaussian(), dtype));
      double[] want = product(w, x, m);
      double[] got = multiply(cuda, w, x, m, dtype, dtype, QuantizedActivations.EXACT);
      double error = 0;
      double rounding = 0;
      double size = 0;
      for (int i = 0; i < want.length; i++) {
        error += Math.abs(got[i] - want[i]);
        rounding += Math.abs(Numbers.round(want[i], dtype) - want[i]);
        size += Math.abs(want[i]);
      }
      assertTrue(error <= 1.1 * rounding, "%s: %s of %s".formatted(name, error, rounding));
      assertTrue(dtype == DType.BF16 || error < 1e-3 * size, name + ": " + error / size);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 16, 64, 152})
  @Tag("full")
  void deep_products_are_the_same_in_every_order(int m) {
    Weight w =
        Weight.of(
            BlockFormat.int4(128),
            192,
            4096,
            (row, x) -> {
              for (int i = 0; i < x.length; i++) {
                x[i] = (float) Math.sin(row + 3 * i);
              }
            });
    Random random = new Random(m);
    double[] x = new double[m * 4096];
    Arrays.setAll(x, i -> Numbers.round(random.nextGaussian(), DType.BF16));
    double[] first = null;
    for (Policy policy : Policy.values()) {
      Emulator.set(policy, 5, false, false);
      double[] got = multiply(w, x, m, DType.BF16, DType.F32);
      first = first == null ? got : first;
      assertArrayEquals(first, got, policy.toString());
    }
  }

  /** Layouts that processors read alone. */
  @ParameterizedTest
  @ValueSource(strings = {"Q4_1", "Q5_0", "Q4_K", "Q6_K"})
  void layouts_of_processors_are_refused_by_name(String name) {
    BlockFormat format = BlockFormat.of(name);
    PackedLayout layout = format.layout();
    byte[] blocks = new byte[(int) format.rowBytes(256)];
    try (Buffer given = CUDA.memory().adopt(MemorySegment.ofArray(blocks));
        Buffer x = CUDA.memory().adopt(MemorySegment.ofArray(new byte[4 * 256]));
        Buffer y = CUDA.memory().allocate(4);
        Buffer packed = CUDA.memory().allocate(layout.packedBytes(1, 256))) {
      Operand to = Operand.of(packed, DType.U8, packed.byteSize());
      List<KernelCall> calls =
          List.of(
              new QuantizedPack(
                  format, layout, 256, Operand.of(given, DType.U8, 1, blocks.length), to),
              new QuantizedMatmul(
                  layout,
                  QuantizedActivations.EXACT,
                  Operand.of(x, DType.F32, 1, 256),
                  to,
                  null,
                  Activation.NONE,
                  Operand.of(y, DType.F32, 1, 1)));
      for (KernelCall call : calls) {
        String message =
            assertThrows(UnsupportedOperationException.class, () -> CUDA.kernels().run(call))
                .getMessage();
        assertTrue(
            message.startsWith(
                call.kernel() + ": weights packed as " + layout + " are not read on CUDA devices"),
            message);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "F16_ZERO", "F32_MIN", "F32_SUM"})
  void a_scale_that_is_no_number_is_refused_before_packing(PackedLayout.Scales scales) {
    BlockFormat format =
        BlockFormat.all().filter(f -> f.wideLayout().scales() == scales).findFirst().orElseThrow();
    byte[] blocks = new byte[(int) (2 * format.rowBytes(256))];
    int last = blocks.length / 2;
    // The first number of a block is a scale: F32 of INT8 and INT8_ZERO, else F16.
    boolean wide = format.toString().startsWith("INT8");
    blocks[last + (wide ? 3 : 1)] = 0x7f;
    blocks[last + (wide ? 2 : 0)] = (byte) 0xf0;
    String message = refusal(format, 256, blocks);
    assertTrue(
        message.startsWith("quantized_pack: block 0 of row 1 has scale NaN"),
        format + ": " + message);
  }

  /** The exponents are those of the OCP's E8M0: 2^(e - 127), whose halves are below F32's range. */
  @Test
  void mxfp4_is_packed_with_all_exponents() {
    BlockFormat format = BlockFormat.of("MXFP4");
    int rows = 255;
    byte[] blocks = new byte[rows * 17];
    for (int e = 0; e < rows; e++) {
      blocks[17 * e] = (byte) e;
      blocks[17 * e + 1] = (byte) 0xf1;
    }
    byte[] got = packed(format, rows, 32, blocks);
    double[] row = new double[32];
    for (int e = 0; e < rows; e++) {
      Packer.unpack(format.wideLayout(), MemorySegment.ofArray(got), 32, e, row);
      assertEquals(Math.scalb(0.5, e - 127), row[0], "exponent " + e);
      assertEquals(Math.scalb(-6.0, e - 127), row[16], "exponent " + e);
    }
  }

  /** The minimum's two bytes, or the byte of a power of two, in the last block of two rows. */
  @ParameterizedTest
  @CsvSource({
    "Q4_1, 2, 00fc, 'and minimum -Infinity, '",
    "Q5_1, 2, 017e, 'and minimum NaN, '",
    "Q2_K, 82, 007c, 'and minimum '",
    "MXFP4, 0, ff, 'has scale NaN and minimum 0.0, '"
  })
  void a_minimum_or_an_exponent_that_is_no_number_is_refused_before_packing(
      String name, int place, String bytes, String told) {
    BlockFormat format = BlockFormat.of(name);
    byte[] blocks = new byte[(int) (2 * format.rowBytes(512))];
    Arrays.fill(blocks, (byte) 0x11);
    byte[] bad = HexFormat.of().parseHex(bytes);
    System.arraycopy(bad, 0, blocks, blocks.length - format.blockBytes(512) + place, bad.length);
    String message = refusal(format, 512, blocks);
    int last = 512 / format.blockSize(512) - 1;
    assertTrue(
        message.startsWith("quantized_pack: block %d of row 1 has scale ".formatted(last)),
        message);
    assertTrue(message.contains(told), message);
  }

  /** What is said of two rows of k weights that are not packed. */
  private static String refusal(BlockFormat format, int k, byte[] blocks) {
    try (Buffer given = CUDA.memory().adopt(MemorySegment.ofArray(blocks));
        Buffer packed = CUDA.memory().allocate(format.wideLayout().packedBytes(2, k))) {
      QuantizedPack pack =
          new QuantizedPack(
              format,
              format.wideLayout(),
              k,
              Operand.of(given, DType.U8, 2, blocks.length / 2),
              Operand.of(packed, DType.U8, packed.byteSize()));
      return assertThrows(IllegalArgumentException.class, () -> CUDA.kernels().run(pack))
          .getMessage();
    }
  }

  @Test
  void weights_do_not_stay_in_a_file_that_it_cannot_read() {
    WeightTypes types = WeightTypes.of(Storage.F32).withMapped(true);
    Path model = Path.of("goldens", "gguf-llama", "model-q4_k.gguf");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> AutoModel.loadCausalLm(model, Device.of(CUDA), types, Compute.EXACT, null))
            .getMessage();
    assertTrue(
        message.contains("weights that stay in the mapped file are read by the processor alone"),
        message);
  }

  @Test
  void groups_of_a_length_that_no_tile_has() {
    // 48 input features a group, which no block format has but a layout may.
    PackedLayout layout = new PackedLayout(8, 48, PackedLayout.Scales.F16);
    byte[] packed = new byte[(int) layout.packedBytes(3, 96)];
    for (int g = 0; g < 2; g++) {
      for (int feature = 0; feature < 3; feature++) {
        long record = layout.record(0, g, 96);
        // 1 in F16.
        packed[(int) record + 2 * feature + 1] = 0x3c;
        for (int i = 0; i < 48; i++) {
          packed[(int) (record + layout.codeByte(feature, g, i, 96))] = (byte) (128 + feature + g);
        }
      }
    }
    double[] x = new double[2 * 96];
    Arrays.setAll(x, i -> i % 96 == 1 ? 127 : i % 3 - 1);
    double[][] rows = new double[3][96];
    for (int feature = 0; feature < 3; feature++) {
      Packer.unpack(layout, MemorySegment.ofArray(packed), 96, feature, rows[feature]);
      assertEquals(feature + 1, rows[feature][95]);
    }
    for (QuantizedActivations activations :
        new QuantizedActivations[] {
          QuantizedActivations.EXACT, QuantizedActivations.INT8_PER_TOKEN
        }) {
      byte[] given = new byte[x.length * 4];
      for (int i = 0; i < x.length; i++) {
        Numbers.write(MemorySegment.ofArray(given), 4L * i, DType.F32, x[i]);
      }
      byte[] result = new byte[2 * 3 * 4];
      try (Buffer xs = CUDA.memory().adopt(MemorySegment.ofArray(given));
          Buffer weight = CUDA.memory().adopt(MemorySegment.ofArray(packed));
          Buffer y = CUDA.memory().allocate(result.length)) {
        CUDA.kernels()
            .run(
                new QuantizedMatmul(
                    layout,
                    activations,
                    Operand.of(xs, DType.F32, 2, 96),
                    Operand.of(weight, DType.U8, packed.length),
                    null,
                    Activation.NONE,
                    Operand.of(y, DType.F32, 2, 3)));
        CUDA.memory().read(y, 0, MemorySegment.ofArray(result));
      }
      for (int m = 0; m < 2; m++) {
        for (int n = 0; n < 3; n++) {
          double want = 0;
          for (int k = 0; k < 96; k++) {
            want += x[m * 96 + k] * rows[n][k];
          }
          int bits = Numbers.bits(MemorySegment.ofArray(result), 4L * (m * 3 + n), DType.F32);
          assertEquals(want, Float.intBitsToFloat(bits), activations.toString());
        }
      }
    }
  }
}
