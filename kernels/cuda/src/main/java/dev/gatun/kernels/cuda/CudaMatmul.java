package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.lang.foreign.Arena;

/** Chooses the kernel and the tile of a product. */
final class CudaMatmul {
  private static final int HOPPER = 90;
  private static final String HOPPER_KERNEL = "matmul_bf16_sm90a";

  /** A tile of the tensor cores' kernels. */
  enum Size {
    SMALL("16x64"),
    MIDDLE("64x64"),
    LARGE("128x128");

    private final String name;

    Size(String name) {
      this.name = name;
    }

    /** The kernel of this tile for a type of 16 bits. */
    String kernel(DType dtype) {
      return "matmul_%s_%s".formatted(dtype == DType.BF16 ? "bf16" : "f16", name);
    }
  }

  private final Launcher launcher;
  private final CudaMemory memory;
  private final Casts casts;
  // Null where weights are packed in panels.
  private final LibraryMatmul library;
  private final CudaQuantized blocks;
  private final CudaTokens tokens;
  private final CudaQuantizedMatmul quantizedMatmul;

  private final boolean hopper;
  private final int multiprocessors;

  /**
   * @param library computes products of weights that are packed in rows, null where there is none
   */
  CudaMatmul(Launcher launcher, CudaMemory memory, LibraryMatmul library) {
    this.launcher = launcher;
    this.memory = memory;
    this.casts = new Casts(launcher, memory);
    this.library = library;
    this.blocks = new CudaQuantized(launcher, memory);
    this.tokens = new CudaTokens(launcher);
    this.quantizedMatmul = new CudaQuantizedMatmul(launcher, memory, tokens);
    this.hopper = launcher.context().computeCapability() == HOPPER;
    this.multiprocessors = launcher.multiprocessors();
  }

  /** The products with quantised weights, for experts to make theirs by. */
  CudaQuantizedMatmul quantized() {
    return quantizedMatmul;
  }

  void run(MatmulCall call) {
    switch (call) {
      case Matmul c -> matmul(c);
      case BatchedMatmul c -> batchedMatmul(c);
      case QuantizedMatmul c -> quantizedMatmul.run(c);
      case BlockMatmul c -> blockMatmul(c);
      case MatmulPack c -> matmulPack(c);
      case Quantize c -> blocks.run(c);
      case Dequantize c -> blocks.run(c);
      case QuantizedPack c -> blocks.run(c);
      case QuantizeTokens c -> tokens.run(c);
    }
  }

  /** Packs the weight for one product. */
  private void blockMatmul(BlockMatmul c) {
    PackedLayout layout = c.format().wideLayout();
    long bytes = c.packedBytes(layout);
    try (Buffer buffer = memory.allocate(bytes)) {
      Operand packed = Operand.of(buffer, DType.U8, bytes);
      if (bytes > 0) {
        blocks.pack(c.kernel(), c.pack(layout, packed));
      }
      quantizedMatmul.run(c.product(layout, packed));
    }
  }

  private void matmulPack(MatmulPack c) {
    boolean rows = library != null && !c.isGrouped();
    c.each().forEach(weight -> pack(weight, rows));
  }

  private void pack(MatmulPack c, boolean rows) {
    Operand w = c.weight();
    launcher.elements(
        rows ? "matmul_pack_rows" : "matmul_pack",
        c.packed().count(),
        launcher
            .arguments()
            .operand(w)
            .operand(c.packed())
            .integer(dtype(w.dtype()))
            .integer(dtype(c.packed().dtype()))
            .numbers(w.stride(0), w.stride(1), w.size(0), w.size(1), c.packed().count()));
  }

  /** Packs the weight for one product where it is not. */
  private void matmul(Matmul c) {
    if (c.isPacked()) {
      packedMatmul(c);
      return;
    }
    DType dtype = c.weight().dtype();
    long count = MatmulPack.packedCount(dtype, c.y().size(1), c.x().size(1));
    try (Buffer buffer = memory.allocate(count * dtype.bytes())) {
      Operand packed = Operand.of(buffer, dtype, count);
      if (count > 0) {
        matmulPack(new MatmulPack(c.weight(), packed));
      }
      packedMatmul(c.byPacked(packed));
    }
  }

  private void packedMatmul(Matmul c) {
    if (library != null && library.run(c)) {
      return;
    }
    if (library == null && roundsX(c)) {
      Operand x = c.x();
      try (Buffer rounded = casts.cast(x, DType.BF16)) {
        run(
            new Matmul(
                Operand.of(rounded, DType.BF16, x.shape()),
                c.weight(),
                c.bias(),
                c.activation(),
                c.y()));
      }
      return;
    }
    boolean tensorCores = library == null && fitsTensorCores(c.x(), c.weight());
    if (tensorCores && fillsHopper(c)) {
      runOnHopper(c);
      return;
    }
    long m = c.x().size(0);
    long n = c.y().size(1);
    Arguments arguments =
        launcher.arguments().operand(c.x()).operand(c.weight()).operand(c.bias()).operand(c.y());
    if (!tensorCores) {
      arguments.integer(dtype(c.x().dtype())).integer(dtype(c.weight().dtype()));
      tiles(library == null ? "matmul_simt" : "matmul_simt_rows", m, n, 1, sizes(c, arguments));
      return;
    }
    Size size = m <= 16 ? Size.SMALL : m * n < 128L * 128 * 128 ? Size.MIDDLE : Size.LARGE;
    tiles(size.kernel(c.x().dtype()), m, n, 1, sizes(c, arguments));
  }

  /** Submits a kernel with a block for each of its tiles. */
  private void tiles(String kernel, long m, long n, long batch, Arguments arguments) {
    KernelImages.Tile tile = launcher.tile(kernel);
    launcher.launch(kernel, Math.ceilDiv(n, tile.n()), Math.ceilDiv(m, tile.m()), batch, arguments);
  }

  /** Whether its blocks occupy at least half of the multiprocessors. */
  private boolean fillsHopper(Matmul c) {
    KernelImages.Tile tile = launcher.tile(HOPPER_KERNEL);
    long blocks = Math.ceilDiv(c.y().size(1), tile.n()) * Math.ceilDiv(c.x().size(0), tile.m());
    return hopper
        && c.x().dtype() == DType.BF16
        && c.x().size(0) > tile.m() / 2
        && 2 * blocks >= multiprocessors;
  }

  private void runOnHopper(Matmul c) {
    long m = c.x().size(0);
    long n = c.y().size(1);
    long k = c.x().size(1);
    KernelImages.Tile tile = launcher.tile(HOPPER_KERNEL);
    try (Arena arena = Arena.ofConfined()) {
      Arguments arguments =
          launcher
              .arguments()
              .tensorMap(
                  CudaTensorMap.encode(
                      arena,
                      CudaTensorMap.Element.BF16,
                      CudaMemory.address(c.x()),
                      new long[] {k, m},
                      new long[] {2 * c.x().stride(0)},
                      new int[] {tile.k(), tile.m()},
                      2 * tile.k()))
              .operand(c.weight())
              .operand(c.bias())
              .operand(c.y())
              .integer(dtype(c.y().dtype()))
              .integer(c.activation().ordinal())
              .numbers(c.y().stride(0), m, n, k);
      tiles(HOPPER_KERNEL, m, n, 1, arguments);
    }
  }

  private static Arguments sizes(Matmul c, Arguments arguments) {
    return arguments
        .integer(dtype(c.y().dtype()))
        .integer(c.activation().ordinal())
        .numbers(c.x().stride(0), c.y().stride(0))
        .numbers(c.x().size(0), c.y().size(1), c.x().size(1));
  }

  /** Whether x is rounded to BF16, as the product says, for tensor cores to take it. */
  private static boolean roundsX(Matmul c) {
    return c.weight().dtype() == DType.BF16
        && c.x().dtype() != DType.BF16
        && c.x().isContiguous()
        && c.x().count() > 0
        && c.x().size(1) % 8 == 0
        && Vectors.areAligned(c.weight());
  }

  static boolean fitsTensorCores(Operand x, Operand packed) {
    return x.dtype() != DType.F32
        && x.dtype() == packed.dtype()
        && x.size(1) > 0
        && x.size(1) % 8 == 0
        && (x.size(0) <= 1 || x.stride(0) % 8 == 0)
        && Vectors.areAligned(x, packed);
  }

  private void batchedMatmul(BatchedMatmul c) {
    if (library != null && !c.accumulate() && library.run(c)) {
      return;
    }
    tiles(
        "batched_matmul",
        c.a().size(1),
        c.b().size(1),
        c.a().size(0),
        launcher
            .arguments()
            .operand(c.a())
            .operand(c.b())
            .operand(c.c())
            .integer(dtype(c.a().dtype()))
            .integer(dtype(c.c().dtype()))
            .integer(c.accumulate() ? 1 : 0)
            .numbers(c.a().strides())
            .numbers(c.b().strides())
            .numbers(c.a().size(1), c.b().size(1), c.a().size(2)));
  }
}
