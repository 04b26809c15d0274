package dev.gatun.test.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.QuantizationError;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is packed means the same as the blocks it was made of. */
final class PackedLayoutTest {
  static Stream<BlockFormat> all() {
    return BlockFormat.all();
  }

  @ParameterizedTest
  @MethodSource("all")
  void packing_keeps_the_elements(BlockFormat format) {
    int n = 37;
    int k = 512;
    byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
    QuantizationError error = quantize(format, n, k, 1, blocks);
    double most =
        switch (format.kind()) {
          case Q2_K -> 0.3;
          case Q3_K -> 0.17;
          case MXFP4 -> 0.13;
          default -> 0.11;
        };
    assertTrue(error.relative() > 0 && error.relative() < most, format + " " + error.relative());
    float[] expected = new float[k];
    double[] row = new double[k];
    for (PackedLayout layout : List.of(format.layout(), format.wideLayout())) {
      byte[] packed = new byte[(int) layout.packedBytes(n, k)];
      pack(format, layout, n, k, blocks, packed);
      for (int r = 0; r < n; r++) {
        Quantizer.dequantize(
            format, MemorySegment.ofArray(blocks).asSlice(r * format.rowBytes(k)), expected);
        Packer.unpack(layout, MemorySegment.ofArray(packed), k, r, row);
        for (int i = 0; i < k; i++) {
          assertEquals(expected[i], row[i], 1e-6 * (1 + Math.abs(row[i])), "row " + r + ", " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "INT8", "INT4:64"})
  void a_processor_reads_about_as_many_bytes_as_a_file_has(String name) {
    BlockFormat format = BlockFormat.of(name);
    double times = (double) format.layout().packedBytes(64, 4096) / (64 * format.rowBytes(4096));
    assertTrue(times <= 1.03, name + ": " + times);
  }

  @Test
  void blocks_become_a_layout_of_their_own() {
    PackedLayout other = BlockFormat.Q4_0.layout();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new QuantizedPack(BlockFormat.Q6_K, other, 256, null, null));
    assertTrue(
        e.getMessage()
            .startsWith("quantized_pack: blocks of Q6_K do not become PackedLayout[bits=4"),
        e.getMessage());
    assertTrue(e.getMessage().contains("expected PackedLayout[bits=6, group=16"), e.getMessage());
  }

  @ParameterizedTest
  @MethodSource("all")
  void a_block_of_zeros_stays_zeros(BlockFormat format) {
    byte[] blocks = new byte[(int) format.rowBytes(256)];
    quantize(format, 1, 256, 0, blocks);
    float[] row = new float[256];
    Quantizer.dequantize(format, MemorySegment.ofArray(blocks), row);
    for (float x : row) {
      assertEquals(0, Math.abs(x));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void what_is_not_finite_is_refused(BlockFormat format) {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      byte[] blocks = new byte[(int) (2 * format.rowBytes(256))];
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  Quantizer.quantize(
                      format,
                      (row, x) -> x[3] = row == 1 ? bad : 0,
                      2,
                      256,
                      MemorySegment.ofArray(blocks)));
      assertEquals(
          "quantize to %s: element [1, 3] is %s, expected finite numbers".formatted(format, bad),
          e.getMessage());
    }
  }

  @Test
  void a_scale_that_is_not_finite_is_refused() {
    byte[] blocks = new byte[(int) (2 * BlockFormat.Q4_0.rowBytes(64))];
    blocks[18 * 3 + 1] = 0x7e;
    byte[] packed = new byte[(int) BlockFormat.Q4_0.layout().packedBytes(2, 64)];
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> pack(BlockFormat.Q4_0, 2, 64, blocks, packed));
    assertTrue(
        e.getMessage().startsWith("quantized_pack: block 1 of row 1 has scale NaN"),
        e.getMessage());
  }

  @Test
  void numbers_too_large_for_the_scale_are_refused() {
    byte[] blocks = new byte[(int) BlockFormat.int4(32).rowBytes(32)];
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Quantizer.quantize(
                    BlockFormat.int4(32),
                    (row, x) -> x[7] = -1e9f,
                    1,
                    32,
                    MemorySegment.ofArray(blocks)));
    assertTrue(
        e.getMessage().contains("element [0, 7] is -1.0E9, too large for the format's scale"),
        e.getMessage());
  }

  @Test
  void the_layout_is_what_it_was() {
    // Feature 1, element 5 of the second group: in the high half of byte 1 of its word.
    byte[] blocks = new byte[(int) (2 * BlockFormat.int4(32).rowBytes(64))];
    Quantizer.quantize(
        BlockFormat.int4(32),
        (row, x) -> {
          x[32] = -8;
          x[37] = row == 1 ? 3 : 0;
        },
        2,
        64,
        MemorySegment.ofArray(blocks));
    byte[] packed = new byte[(int) BlockFormat.int4(32).layout().packedBytes(2, 64)];
    pack(BlockFormat.int4(32), 2, 64, blocks, packed);
    int record = 32 * 2 + 4 * 32 * 4;
    assertEquals(2 * record, packed.length);
    assertEquals(0x3c, packed[record + 1 * 2 + 1], "scale of 1 in F16, upper byte");
    assertEquals(0xb8, packed[record + 64 + 1 * 4 + 1] & 0xff, "3 + 8 above 0 + 8");
  }

  /** What a script made of the documentation's words gives. */
  static List<String> golden() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("goldens", "packed", "packed.txt"));
    PackedLayout.requireVersion(Integer.parseInt(lines.getFirst().replace("layout version ", "")));
    return lines.subList(1, lines.size());
  }

  @ParameterizedTest
  @MethodSource("golden")
  void the_packed_bytes_are_the_golden_file(String line) {
    String[] part = line.split(" ");
    int n = Integer.parseInt(part[1]);
    int k = Integer.parseInt(part[2]);
    BlockFormat format = BlockFormat.of(part[0]);
    byte[] packed = new byte[(int) format.layout().packedBytes(n, k)];
    pack(format, n, k, HexFormat.of().parseHex(part[3]), packed);
    assertEquals(part[4], HexFormat.of().formatHex(packed), format.toString());
  }

  /** Of formats that devices have packed as processors do. */
  static Stream<String> alike() throws IOException {
    return golden().stream()
        .filter(
            line -> {
              BlockFormat format = BlockFormat.of(line.split(" ")[0]);
              return format.layout().equals(format.wideLayout());
            });
  }

  @ParameterizedTest
  @MethodSource("alike")
  void a_device_packs_the_same_bytes(String line) {
    String[] part = line.split(" ");
    int n = Integer.parseInt(part[1]);
    int k = Integer.parseInt(part[2]);
    BlockFormat format = BlockFormat.of(part[0]);
    Backend cuda = Emulator.open();
    byte[] given = HexFormat.of().parseHex(part[3]);
    byte[] result = new byte[(int) format.layout().packedBytes(n, k)];
    try (Buffer blocks = cuda.memory().adopt(MemorySegment.ofArray(given));
        Buffer packed = cuda.memory().allocate(result.length)) {
      cuda.kernels()
          .run(
              new QuantizedPack(
                  format,
                  format.layout(),
                  k,
                  Operand.of(blocks, DType.U8, n, given.length / n),
                  Operand.of(packed, DType.U8, result.length)));
      cuda.memory().read(packed, 0, MemorySegment.ofArray(result));
    }
    assertEquals(part[4], HexFormat.of().formatHex(result), format.toString());
  }

  @Test
  void another_releases_layout_is_refused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> PackedLayout.requireVersion(1));
    assertEquals(
        "packed codes of layout version 1, expected version 2: pack the weight's blocks again",
        e.getMessage());
  }

  @Test
  void names_are_read_back() {
    BlockFormat.all().forEach(f -> assertEquals(f, BlockFormat.of(f.toString())));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> BlockFormat.of("int4:48"));
    assertTrue(
        e.getMessage().contains("\"int4:48\", expected one of INT8, INT8:16"), e.getMessage());
    assertEquals(
        "INT4 with groups of 48, expected one of [32, 64, 128]",
        assertThrows(IllegalArgumentException.class, () -> BlockFormat.int4(48)).getMessage());
    assertEquals(
        "Q4_K has blocks of 256, which do not divide 384 input features",
        assertThrows(IllegalArgumentException.class, () -> BlockFormat.Q4_K.rowBytes(384))
            .getMessage());
  }

  private static QuantizationError quantize(
      BlockFormat format, int n, int k, float scale, byte[] blocks) {
    return Quantizer.quantize(
        format,
        (row, x) -> {
          Random random = new Random(row);
          for (int i = 0; i < k; i++) {
            x[i] = scale * (float) random.nextGaussian();
          }
        },
        n,
        k,
        MemorySegment.ofArray(blocks));
  }

  private static void pack(BlockFormat format, int n, int k, byte[] blocks, byte[] packed) {
    pack(format, format.layout(), n, k, blocks, packed);
  }

  private static void pack(
      BlockFormat format, PackedLayout layout, int n, int k, byte[] blocks, byte[] packed) {
    Packer.pack(
        format,
        layout,
        MemorySegment.ofArray(blocks),
        format.rowBytes(k),
        n,
        k,
        MemorySegment.ofArray(packed));
  }
}
