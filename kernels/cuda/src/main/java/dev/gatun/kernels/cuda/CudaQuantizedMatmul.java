package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Operand;
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
  private final CudaTokens tokens;
  private final int multiprocessors;

  CudaQuantizedMatmul(Launcher launcher, CudaMemory memory, CudaTokens tokens) {
    this.launcher = launcher;
    this.memory = memory;
    this.tokens = tokens;
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
    } else if (fitsTensorCores(c)) {
      String kernel = c.x().dtype() == DType.BF16 ? "bf16" : "f16";
      tiles(kernel, c, new Activations(address(c.x()), 0, 0, 0, c.x().stride(0)), packed);
    } else {
      floats(c, new Activations(address(c.x()), 0, 0, 0, c.x().stride(0)), packed);
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

  private static long address(Operand operand) {
    return CudaMemory.address(operand.buffer()) + operand.byteOffset();
  }

  /** Multiplies the codes that x is, or that are made of it. */
  private void codes(QuantizedMatmul c, long packed) {
    if (c.codes() != null) {
      Operand offsets = c.codes().offsets();
      Activations given =
          new Activations(
              address(c.x()),
              address(c.codes().scales()),
              offsets == null ? 0 : address(offsets),
              0,
              c.x().stride(0));
      codes(c, given, packed, c.x().size(1) % 16 == 0 && Vectors.haveAlignedRows(c.x()));
      return;
    }
    long m = c.x().size(0);
    boolean blocks = c.activations() == QuantizedActivations.INT8_BLOCKS;
    boolean centred = blocks || c.layout().scales() != PackedLayout.Scales.F32_SUM;
    long paddedRows = Math.ceilDiv(m, LARGEST) * LARGEST;
    long paddedK = Math.ceilDiv(c.x().size(1), QuantizedMatmul.BLOCK) * QuantizedMatmul.BLOCK;
    long count = blocks ? paddedK / QuantizedMatmul.BLOCK : 1;
    try (Buffer codes = memory.allocate(m * paddedK);
        Buffer scales = memory.allocate(4 * count * paddedRows);
        Buffer offsets = memory.allocate(centred ? 0 : 4 * m)) {
      Activations made =
          new Activations(
              CudaMemory.address(codes),
              CudaMemory.address(scales),
              centred ? 0 : CudaMemory.address(offsets),
              paddedRows,
              paddedK);
      CudaTokens.Target to =
          new CudaTokens.Target(made.x(), made.scales(), made.offsets(), paddedK, false, true);
      if (blocks) {
        tokens.blocks(c.x(), to, paddedK, paddedRows);
      } else {
        tokens.tokens(c.x(), to, paddedK);
      }
      codes(c, made, packed, true);
    }
  }

  /**
   * @param padded whether rows are aligned, and have zeros up to a multiple of 16
   */
  private void codes(QuantizedMatmul c, Activations x, long packed, boolean padded) {
    boolean sums = c.layout().group() != 0 || c.layout().scales() == PackedLayout.Scales.F32_SUM;
    if (c.x().size(1) > 0 && padded && sums && hasTileGroups(c.layout())) {
      tiles("codes", c, x, packed);
    } else {
      launcher.launch(
          "quantized_codes",
          Math.ceilDiv(c.y().size(1), THREADS),
          c.x().size(0),
          1,
          0,
          arguments(c, x, packed, 0, 0));
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
    PackedLayout layout = c.layout();
    long k = c.x().size(1);
    long record = layout.recordBytes(k);
    Operand residual = c.residual();
    boolean wideY = hasWideRows(c.y()) && (residual == null || hasWideRows(residual));
    return launcher
        .arguments()
        .begin()
        .address(x.x())
        .address(packed)
        .operand(c.bias())
        .operand(residual)
        .operand(c.y())
        .address(x.scales())
        .address(x.offsets())
        .address(partial)
        .address(arrivedAt)
        .numbers(x.stride(), residual == null ? 0 : residual.stride(0), c.y().stride(0))
        .numbers(c.x().size(0), c.y().size(1), k, x.paddedRows())
        .numbers(Math.max(1, layout.groupSize(k)), record, layout.groups(k) * record)
        .integer(layout.group() == 0 ? WHOLE_ROW : Integer.numberOfTrailingZeros(layout.group()))
        .integer(layout.scales().ordinal())
        .integer(c.codes() == null ? dtype(c.x().dtype()) : 0)
        .integer(dtype(c.y().dtype()))
        .integer(c.activation().ordinal())
        .integer(layout.bits())
        .integer(c.activations() == QuantizedActivations.INT8_BLOCKS ? 1 : 0)
        .integer(c.codes() != null && c.codes().scales().size(0) == 1 ? 1 : 0)
        .integer(Vectors.haveAlignedRows(c.x()) ? 1 : 0)
        .integer(wideY ? 1 : 0)
        .end();
  }

  /** Whether four neighbours on a row may be read and written at once. */
  private static boolean hasWideRows(Operand y) {
    return Vectors.areAligned(y) && (y.size(0) <= 1 || y.stride(0) % 4 == 0);
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
        && Vectors.haveAlignedRows(c.x())
        && hasTileGroups(c.layout());
  }
}
