package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.QuantizedActivations;
import dev.gatun.kernels.api.QuantizedMatmul;
import dev.gatun.kernels.api.quantized.PackedLayout;

/** Chooses the kernel and the tile of a product with a quantised weight. */
final class CudaQuantizedMatmul {
  private static final int SIMT_TILE = 64;
  // Two tiles of 16 by 64 floats, rows padded by four.
  private static final int SIMT_SHARED = 2 * 16 * (SIMT_TILE + 4) * 4;
  private static final int FEATURES = 128;
  private static final int PANELS = FEATURES / PackedLayout.PANEL;
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;
  // Numbers of a row that a block keeps while it looks for the scale.
  private static final int MOST_KEPT = 4 * 8 * THREADS;
  // Rows of the scales of activations are as long as the largest tile has tokens.
  private static final int LARGEST = 128;
  private static final int WHOLE_ROW = 62;
  private static final long BLOCKS_A_MULTIPROCESSOR = 2;
  // A split of fewer stages than this costs more to join than it gains.
  private static final long LEAST_STAGES = 4;

  /**
   * A tile of the tensor cores' kernels.
   *
   * @param tokens of a block
   * @param sums that a thread has
   * @param depth input features of a stage
   * @param stages that are under way
   */
  private record Tile(int tokens, int sums, int depth, int stages) {
    static Tile of(QuantizedMatmul c) {
      boolean exact = c.activations() == QuantizedActivations.EXACT;
      boolean narrow = c.layout().bits() == 4;
      long m = c.x().size(0);
      if (m <= 8 && exact) {
        return new Tile(8, 8, narrow ? 128 : 64, 4);
      }
      if (m <= 16) {
        return new Tile(16, 16, narrow ? 128 : 64, 4);
      }
      return m <= 64
          ? new Tile(64, 32, 64, 4)
          : new Tile(LARGEST, 64, 64, exact && !narrow ? 3 : 4);
    }

    /** Of each stage x, the codes and what is beside them, and the scales of codes of x. */
    int sharedBytes(int bits, boolean exact) {
      int x = tokens * depth * (exact ? 2 : 1);
      int codes = FEATURES * depth * bits / 8;
      int scales = PANELS * 8 * depth + (exact ? 0 : depth / 32 * tokens * 4);
      return stages * (x + codes + scales);
    }
  }

  private final Launcher launcher;
  private final CudaMemory memory;
  private final HopperQuantizedMatmul hopper;
  private final int multiprocessors;

  CudaQuantizedMatmul(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
    this.hopper = new HopperQuantizedMatmul(launcher, memory);
    this.multiprocessors = launcher.context().multiprocessors();
  }

  void run(QuantizedMatmul c) {
    if (c.x().size(0) == 0 || c.y().size(1) == 0) {
      return;
    }
    if (Vectors.areAligned(c.packed())) {
      run(c, CudaMemory.address(c.packed().buffer()) + c.packed().byteOffset());
      return;
    }
    try (Buffer aligned = memory.allocate(c.packed().count())) {
      launcher.elements(
          "copy_bytes",
          c.packed().count(),
          launcher
              .arguments()
              .operand(c.packed())
              .address(CudaMemory.address(aligned))
              .number(c.packed().count()));
      run(c, CudaMemory.address(aligned));
    }
  }

  private void run(QuantizedMatmul c, long packed) {
    if (c.activations() != QuantizedActivations.EXACT) {
      codes(c, packed);
    } else if (fitsTensorCores(c) && hopper.takes(c)) {
      Activations x = new Activations(address(c), 0, 0, 0, c.x().stride(0));
      hopper.runExact(
          c, packed, (to, partial, arrived) -> arguments(to, c, x, packed, partial, arrived));
    } else if (fitsTensorCores(c)) {
      String kernel = c.x().dtype() == DType.BF16 ? "bf16" : "f16";
      tiles(kernel, c, new Activations(address(c), 0, 0, 0, c.x().stride(0)), packed);
    } else {
      floats(c, new Activations(address(c), 0, 0, 0, c.x().stride(0)), packed);
    }
  }

  /** Without tensor cores, and few rows by what reads the codes fastest. */
  private void floats(QuantizedMatmul c, Activations x, long packed) {
    long m = c.x().size(0);
    if (m <= 8 && c.x().size(1) > 0) {
      int rows = m == 1 ? 1 : m <= 4 ? 4 : 8;
      launcher.launch(
          "matmul_int%d_rows_%d".formatted(c.layout().bits(), rows),
          Math.ceilDiv(c.y().size(1), PackedLayout.PANEL),
          1,
          1,
          4 * WARPS * rows * PackedLayout.PANEL,
          arguments(c, x, packed, 0, 0));
    } else {
      launcher.launch(
          "quantized_simt",
          Math.ceilDiv(c.y().size(1), SIMT_TILE),
          Math.ceilDiv(m, SIMT_TILE),
          1,
          SIMT_SHARED,
          arguments(c, x, packed, 0, 0));
    }
  }

  /**
   * What a product reads for x.
   *
   * @param scales of codes, 0 of x itself
   * @param paddedRows the length of a row of scales
   */
  private record Activations(long x, long scales, long offsets, long paddedRows, long stride) {}

  private static long address(QuantizedMatmul c) {
    return CudaMemory.address(c.x().buffer()) + c.x().byteOffset();
  }

  /** Makes codes of x, and multiplies those. */
  private void codes(QuantizedMatmul c, long packed) {
    long m = c.x().size(0);
    long k = c.x().size(1);
    boolean blocks = c.activations() == QuantizedActivations.INT8_BLOCKS;
    long paddedRows = Math.ceilDiv(m, LARGEST) * LARGEST;
    long paddedK = Math.ceilDiv(k, QuantizedMatmul.BLOCK) * QuantizedMatmul.BLOCK;
    long count = blocks ? paddedK / QuantizedMatmul.BLOCK : 1;
    try (Buffer codes = memory.allocate(m * paddedK);
        Buffer scales = memory.allocate(4 * count * paddedRows);
        Buffer offsets = memory.allocate(blocks ? 0 : 4 * m)) {
      Activations activations =
          new Activations(
              CudaMemory.address(codes),
              CudaMemory.address(scales),
              CudaMemory.address(offsets),
              paddedRows,
              paddedK);
      Arguments arguments =
          launcher
              .arguments()
              .begin()
              .operand(c.x())
              .address(activations.x())
              .address(activations.scales())
              .address(activations.offsets())
              .numbers(c.x().stride(0), k, paddedK, paddedRows)
              .integer(dtype(c.x().dtype()))
              .integer(c.layout().scales() == PackedLayout.Scales.F32_SUM ? 1 : 0)
              .integer(k % 8 == 0 && k <= MOST_KEPT && hasAlignedRows(c) ? 1 : 0)
              .end();
      if (blocks) {
        launcher.launch(
            "quantize_blocks",
            Math.ceilDiv(paddedK, 8 * QuantizedMatmul.BLOCK),
            m,
            1,
            0,
            arguments);
      } else {
        launcher.rows("quantize_tokens", m, arguments);
      }
      boolean sums = c.layout().group() != 0 || c.layout().scales() == PackedLayout.Scales.F32_SUM;
      if (k > 0 && hopper.takes(c)) {
        hopper.runCodes(
            c,
            activations.x(),
            paddedK,
            (to, partial, arrived) -> arguments(to, c, activations, packed, partial, arrived));
      } else if (k > 0 && sums && hasTileGroups(c.layout())) {
        tiles("codes", c, activations, packed);
      } else {
        launcher.launch(
            "quantized_codes",
            Math.ceilDiv(c.y().size(1), THREADS),
            m,
            1,
            0,
            arguments(c, activations, packed, 0, 0));
      }
    }
  }

  /** Splits k over blocks until these fill the device; the last one of a tile joins their sums. */
  private void tiles(String kernel, QuantizedMatmul c, Activations x, long packed) {
    boolean exact = c.activations() == QuantizedActivations.EXACT;
    int bits = c.layout().bits();
    Tile tile = Tile.of(c);
    long columns = Math.ceilDiv(c.y().size(1), FEATURES);
    long rows = Math.ceilDiv(c.x().size(0), tile.tokens());
    long wanted = BLOCKS_A_MULTIPROCESSOR * multiprocessors / (columns * rows);
    long most = Math.ceilDiv(c.x().size(1), tile.depth()) / LEAST_STAGES;
    long splits = Math.max(1, Math.min(wanted, most));
    long sums = splits == 1 ? 0 : columns * rows * splits * THREADS * tile.sums();
    // Of each call its own, since calls of other streams and recordings may run at the same time.
    long counters = splits == 1 ? 0 : columns * rows;
    try (Buffer partial = memory.allocate(4 * sums);
        Buffer arrived = memory.allocate(4 * counters)) {
      if (counters > 0) {
        launcher.stream().fill(CudaMemory.address(arrived), 0, 4 * counters);
      }
      launcher.launch(
          "matmul_int%d_%s_%d".formatted(bits, kernel, tile.tokens()),
          columns,
          rows,
          splits,
          tile.sharedBytes(bits, exact),
          arguments(c, x, packed, CudaMemory.address(partial), CudaMemory.address(arrived)));
    }
  }

  private Arguments arguments(
      QuantizedMatmul c, Activations x, long packed, long partial, long arrivedAt) {
    return arguments(launcher.arguments(), c, x, packed, partial, arrivedAt);
  }

  /** Adds a product's arguments to those of a launch. */
  private static Arguments arguments(
      Arguments to, QuantizedMatmul c, Activations x, long packed, long partial, long arrivedAt) {
    PackedLayout layout = c.layout();
    long k = c.x().size(1);
    long record = layout.recordBytes(k);
    boolean wideY = Vectors.areAligned(c.y()) && (c.y().size(0) <= 1 || c.y().stride(0) % 4 == 0);
    return to.begin()
        .address(x.x())
        .address(packed)
        .operand(c.bias())
        .operand(c.y())
        .address(x.scales())
        .address(x.offsets())
        .address(partial)
        .address(arrivedAt)
        .numbers(x.stride(), c.y().stride(0), c.x().size(0), c.y().size(1), k, x.paddedRows())
        .numbers(Math.max(1, layout.groupSize(k)), record, layout.groups(k) * record)
        .integer(layout.group() == 0 ? WHOLE_ROW : Integer.numberOfTrailingZeros(layout.group()))
        .integer(layout.scales().ordinal())
        .integer(dtype(c.x().dtype()))
        .integer(dtype(c.y().dtype()))
        .integer(c.activation().ordinal())
        .integer(layout.bits())
        .integer(c.activations() == QuantizedActivations.INT8_BLOCKS ? 1 : 0)
        .integer(hasAlignedRows(c) ? 1 : 0)
        .integer(wideY ? 1 : 0)
        .end();
  }

  private static boolean hasAlignedRows(QuantizedMatmul c) {
    return Vectors.areAligned(c.x())
        && (c.x().size(0) <= 1 || c.x().stride(0) * c.x().dtype().bytes() % 16 == 0);
  }

  private static boolean hasTileGroups(PackedLayout layout) {
    int group = layout.group();
    int least = layout.bits() == 4 ? 32 : 16;
    return group == 0 || group >= least && group <= 128 && Integer.bitCount(group) == 1;
  }

  private static boolean fitsTensorCores(QuantizedMatmul c) {
    return c.x().dtype() != DType.F32
        && c.x().size(1) > 0
        && c.x().size(1) % 8 == 0
        && hasAlignedRows(c)
        && hasTileGroups(c.layout());
  }
}
