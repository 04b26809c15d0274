package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cuda.Declarations.QuantizedProduct;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Chooses the kernel and the tile of a product with a quantised weight. */
final class CudaQuantizedMatmul {
  // Rows of the scales of activations are as long as the largest tile has tokens.
  private static final int LARGEST = 128;
  private static final int WHOLE_ROW = 62;
  private static final long BLOCKS_A_MULTIPROCESSOR = 2;
  // A split of fewer stages than this costs more to join than it gains.
  private static final long LEAST_STAGES = 4;

  /**
   * What a product is of, be it of one weight or of experts'.
   *
   * @param codes what those mean that x is, null where it is numbers
   * @param residual null for none
   */
  record Product(
      PackedLayout layout,
      QuantizedActivations activations,
      Operand x,
      ActivationCodes codes,
      Operand packed,
      Operand bias,
      Activation activation,
      Operand residual,
      Operand y) {
    static Product of(QuantizedMatmul c) {
      CudaQuantized.requireReadable(c.kernel(), c.layout());
      return new Product(
          c.layout(),
          c.activations(),
          c.x(),
          c.codes(),
          c.packed(),
          c.bias(),
          c.activation(),
          c.residual(),
          c.y());
    }

    static Product of(GroupedQuantizedMatmul c) {
      CudaQuantized.requireReadable(c.kernel(), c.layout());
      return new Product(
          c.layout(),
          c.activations(),
          c.x(),
          null,
          c.packed(),
          c.bias(),
          c.activation(),
          null,
          c.y());
    }

    boolean isExact() {
      return activations == QuantizedActivations.EXACT;
    }
  }

  private final Launcher launcher;
  private final CudaMemory memory;
  private final CudaTokens tokens;
  private final HopperQuantizedMatmul hopper;
  private final SplitSums splitSums;
  private final int multiprocessors;

  CudaQuantizedMatmul(Launcher launcher, CudaMemory memory, CudaTokens tokens) {
    this.launcher = launcher;
    this.memory = memory;
    this.tokens = tokens;
    this.multiprocessors = launcher.multiprocessors();
    this.splitSums = new SplitSums(memory, multiprocessors);
    this.hopper = new HopperQuantizedMatmul(launcher, splitSums);
  }

  void run(QuantizedMatmul c) {
    Product product = Product.of(c);
    withAligned(c.packed(), packed -> run(product, packed));
  }

  /** Calls work with the address of the packed weight, or of a copy that is aligned. */
  void withAligned(Operand packed, LongConsumer work) {
    if (Vectors.areAligned(packed)) {
      work.accept(CudaMemory.address(packed));
      return;
    }
    try (Buffer aligned = memory.allocate(packed.count())) {
      launcher.elements(
          "copy_bytes",
          packed.count(),
          launcher
              .arguments()
              .operand(packed)
              .address(CudaMemory.address(aligned))
              .number(packed.count()));
      work.accept(CudaMemory.address(aligned));
    }
  }

  private void run(Product c, long packed) {
    if (c.codes() != null) {
      boolean padded = c.x().size(1) % 16 == 0 && Vectors.haveAlignedRows(c.x());
      codes(c, Activations.of(c), packed, padded);
    } else if (!c.isExact()) {
      withCodes(c, x -> codes(c, x, packed, true));
    } else if (fitsTensorCores(c) && hopper.takes(c)) {
      Activations x = Activations.of(c);
      hopper.runExact(
          c, packed, (to, partial, arrived) -> arguments(to, c, x, packed, partial, arrived));
    } else if (fitsTensorCores(c)) {
      tiles(c, Activations.of(c), packed);
    } else {
      floats(c, Activations.of(c), packed);
    }
  }

  /** Without tensor cores, and few rows by what reads the codes fastest. */
  private void floats(Product c, Activations x, long packed) {
    long m = c.x().size(0);
    if (m <= 8 && c.x().size(1) > 0) {
      int rows = m == 1 ? 1 : m <= 4 ? 4 : 8;
      launcher.launch(
          gemv(c, rows),
          Math.ceilDiv(c.y().size(1), PackedLayout.PANEL),
          1,
          1,
          arguments(c, x, packed, 0, 0));
    } else {
      KernelImages.Tile tile = launcher.tile("quantized_simt");
      launcher.launch(
          "quantized_simt",
          Math.ceilDiv(c.y().size(1), tile.n()),
          Math.ceilDiv(m, tile.m()),
          1,
          arguments(c, x, packed, 0, 0));
    }
  }

  /** The kernel without tensor cores for up to so many rows. */
  static String gemv(Product c, int rows) {
    return "w%da16_gemv_m%d".formatted(c.layout().bits(), rows);
  }

  /**
   * What a product reads for x.
   *
   * @param scales of codes, 0 of x itself
   * @param paddedRows the length of a row of scales
   */
  record Activations(long x, long scales, long offsets, long paddedRows, long stride) {
    /** Those that are x itself, numbers or codes. */
    static Activations of(Product c) {
      boolean numbers = c.codes() == null;
      return new Activations(
          address(c.x()),
          numbers ? 0 : address(c.codes().scales()),
          numbers ? 0 : address(c.codes().offsets()),
          0,
          c.x().stride(0));
    }

    private static long address(Operand operand) {
      return operand == null ? 0 : CudaMemory.address(operand.buffer()) + operand.byteOffset();
    }
  }

  /** Calls work with codes of x, each row's made once. */
  void withCodes(Product c, Consumer<Activations> work) {
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
      work.accept(made);
    }
  }

  /**
   * Multiplies codes.
   *
   * @param padded whether rows are aligned, and have zeros up to a multiple of 16
   */
  private void codes(Product c, Activations x, long packed, boolean padded) {
    if (padded && c.x().size(1) > 0 && hopper.takes(c)) {
      hopper.runCodes(
          c, x, (to, partial, arrived) -> arguments(to, c, x, packed, partial, arrived));
    } else if (padded && fitsTensorCores(c)) {
      tiles(c, x, packed);
    } else {
      launcher.launch(
          "quantized_codes",
          c.x().size(0),
          Math.ceilDiv(c.y().size(1), launcher.threads("quantized_codes")),
          1,
          arguments(c, x, packed, 0, 0));
    }
  }

  /** Splits k over blocks until these fill the device; the last one of a tile joins their sums. */
  private void tiles(Product c, Activations x, long packed) {
    String kernel = gemm(c, c.x().size(0));
    KernelImages.Tile tile = launcher.tile(kernel);
    long columns = Math.ceilDiv(c.y().size(1), tile.n());
    long rows = Math.ceilDiv(c.x().size(0), tile.m());
    long wanted = BLOCKS_A_MULTIPROCESSOR * multiprocessors / (columns * rows);
    long most = Math.ceilDiv(c.x().size(1), tile.k()) / LEAST_STAGES;
    long splits = Math.max(1, Math.min(wanted, most));
    splitSums.run(
        columns * rows,
        splits,
        (long) tile.m() * tile.n(),
        (partial, arrived) ->
            launcher.launch(
                kernel, columns, rows, splits, arguments(c, x, packed, partial, arrived)));
  }

  /** The tensor cores' kernel for so many rows of x. */
  static String gemm(Product c, long m) {
    int tokens = m <= 8 && c.isExact() ? 8 : m <= 16 ? 16 : m <= 64 ? 64 : LARGEST;
    return "%s_m%d".formatted(kind(c), tokens);
  }

  /** Bits of a code of the weight and of x, and the type of x where that is numbers. */
  static String kind(Product c) {
    String x = !c.isExact() ? "a8" : c.x().dtype() == DType.BF16 ? "a16_bf16" : "a16_f16";
    return "w" + c.layout().bits() + x;
  }

  Arguments arguments(Product c, Activations x, long packed, long partial, long arrivedAt) {
    return arguments(launcher.arguments(), c, x, packed, partial, arrivedAt);
  }

  /** Adds a product's arguments to those of a launch. */
  private static Arguments arguments(
      Arguments to, Product c, Activations x, long packed, long partial, long arrivedAt) {
    PackedLayout layout = c.layout();
    long k = c.x().size(1);
    long record = layout.recordBytes(k);
    Operand residual = c.residual();
    boolean wideY = hasWideRows(c.y()) && (residual == null || hasWideRows(residual));
    int shift = layout.group() == 0 ? WHOLE_ROW : Integer.numberOfTrailingZeros(layout.group());
    return to.begin(QuantizedProduct.STRUCT)
        .set(QuantizedProduct.X, x.x())
        .set(QuantizedProduct.PACKED, packed)
        .set(QuantizedProduct.BIAS, c.bias())
        .set(QuantizedProduct.RESIDUAL, residual)
        .set(QuantizedProduct.Y, c.y())
        .set(QuantizedProduct.X_SCALES, x.scales())
        .set(QuantizedProduct.X_OFFSETS, x.offsets())
        .set(QuantizedProduct.PARTIAL, partial)
        .set(QuantizedProduct.ARRIVED, arrivedAt)
        .set(QuantizedProduct.X_STRIDE, x.stride())
        .set(QuantizedProduct.RESIDUAL_STRIDE, residual == null ? 0 : residual.stride(0))
        .set(QuantizedProduct.Y_STRIDE, c.y().stride(0))
        .set(QuantizedProduct.M, c.y().size(0))
        .set(QuantizedProduct.N, c.y().size(1))
        .set(QuantizedProduct.K, k)
        .set(QuantizedProduct.PADDED_ROWS, x.paddedRows())
        .set(QuantizedProduct.GROUP, Math.max(1, layout.groupSize(k)))
        .set(QuantizedProduct.RECORD, record)
        .set(QuantizedProduct.PANEL, layout.groups(k) * record)
        .set(QuantizedProduct.SHIFT, shift)
        .set(QuantizedProduct.SCALES, layout.scales().ordinal())
        .set(QuantizedProduct.X_DTYPE, c.codes() == null ? dtype(c.x().dtype()) : 0)
        .set(QuantizedProduct.Y_DTYPE, dtype(c.y().dtype()))
        .set(QuantizedProduct.ACTIVATION, c.activation().ordinal())
        .set(QuantizedProduct.BITS, layout.bits())
        .set(QuantizedProduct.BLOCKS, c.activations() == QuantizedActivations.INT8_BLOCKS)
        .set(QuantizedProduct.X_SHARED, c.codes() != null && c.codes().scales().size(0) == 1)
        .set(QuantizedProduct.WIDE_X, Vectors.haveAlignedRows(c.x()))
        .set(QuantizedProduct.WIDE_Y, wideY)
        .end();
  }

  /** Whether four neighbours on a row may be read and written at once. */
  private static boolean hasWideRows(Operand y) {
    return Vectors.areAligned(y) && (y.size(0) <= 1 || y.stride(0) % 4 == 0);
  }

  private static boolean hasTileGroups(PackedLayout layout, boolean exact) {
    int group = layout.group();
    // Tiles have no room for two numbers of F32 beside each 16 codes, and in exact ones a lane's
    // eight codes of 4 bits are of a step's 32 input features. Sums are those of whole rows alone.
    boolean wide = layout.scales() == PackedLayout.Scales.F32_MIN || exact && layout.bits() == 4;
    int least = wide ? 32 : 16;
    if (group != 0 && layout.scales() == PackedLayout.Scales.F32_SUM) {
      return false;
    }
    return group == 0 || group >= least && group <= 128 && Integer.bitCount(group) == 1;
  }

  static boolean fitsTensorCores(Product c) {
    PackedLayout layout = c.layout();
    if (c.x().size(1) == 0 || !hasTileGroups(layout, c.isExact())) {
      return false;
    }
    return c.isExact()
        ? c.x().dtype() != DType.F32 && c.x().size(1) % 8 == 0 && Vectors.haveAlignedRows(c.x())
        : layout.group() != 0 || layout.scales() == PackedLayout.Scales.F32_SUM;
  }
}
