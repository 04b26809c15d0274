package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Operand;
import java.lang.foreign.Arena;

/** Chooses the kernel and the tile of a product. */
final class CudaMatmul {
  static final int SIMT_TILE = 64;
  // Two tiles of 16 by 64 floats, rows padded by four.
  static final int SIMT_SHARED = 2 * 16 * (SIMT_TILE + 4) * 4;

  // The kernel of compute capability 9.0: a block's features and tokens, input features of a step,
  // and shared memory for six steps of tokens behind 1 KB of barriers.
  private static final int HOPPER = 90;
  private static final int HOPPER_FEATURES = 256;
  private static final int HOPPER_TOKENS = 128;
  private static final int HOPPER_DEPTH = 64;
  private static final int HOPPER_SHARED = 1024 + 6 * HOPPER_TOKENS * HOPPER_DEPTH * 2;

  /** A tile of the tensor cores' kernels: rows and features of a block. */
  enum Tile {
    SMALL(16, 64),
    MIDDLE(64, 64),
    LARGE(128, 128);

    final int rows;
    final int features;

    Tile(int rows, int features) {
      this.rows = rows;
      this.features = features;
    }

    /** The kernel of this tile for a type of 16 bits. */
    String kernel(DType dtype) {
      return "matmul_%s_%dx%d".formatted(dtype == DType.BF16 ? "bf16" : "f16", rows, features);
    }

    /** Three stages of 32 input features: rows of x, and pairs of the weight, both padded. */
    int sharedBytes() {
      return 3 * (rows * 2 * (32 + 8) + 16 * 4 * (features + 8));
    }
  }

  private final Launcher launcher;
  private final Casts casts;
  // Null where weights are packed in panels.
  private final LibraryMatmul library;

  private final boolean hopper;
  private final int multiprocessors;

  /**
   * @param library computes products of weights that are packed in rows, null where there is none
   */
  CudaMatmul(Launcher launcher, CudaMemory memory, LibraryMatmul library) {
    this.launcher = launcher;
    this.casts = new Casts(launcher, memory);
    this.library = library;
    this.hopper = launcher.context().computeCapability() == HOPPER;
    this.multiprocessors = launcher.multiprocessors();
  }

  void run(MatmulPack c) {
    Operand w = c.weight();
    launcher.elements(
        library == null || c.layout() == MatmulPack.Layout.PANELS
            ? "matmul_pack"
            : "matmul_pack_rows",
        c.packed().count(),
        launcher
            .arguments()
            .operand(w)
            .operand(c.packed())
            .integer(dtype(w.dtype()))
            .integer(dtype(c.packed().dtype()))
            .numbers(w.stride(0), w.stride(1), w.size(0), w.size(1), c.packed().count()));
  }

  void run(Matmul c) {
    if (library != null && library.run(c)) {
      return;
    }
    if (library == null && roundsX(c)) {
      Operand x = c.x();
      try (Buffer rounded = casts.cast(x, DType.BF16)) {
        run(
            new Matmul(
                Operand.of(rounded, DType.BF16, x.shape()),
                c.packed(),
                c.bias(),
                c.activation(),
                c.y()));
      }
      return;
    }
    boolean tensorCores = library == null && fitsTensorCores(c.x(), c.packed());
    if (tensorCores && fillsHopper(c)) {
      runOnHopper(c);
      return;
    }
    long m = c.x().size(0);
    long n = c.y().size(1);
    Arguments arguments =
        launcher.arguments().operand(c.x()).operand(c.packed()).operand(c.bias()).operand(c.y());
    if (!tensorCores) {
      arguments.integer(dtype(c.x().dtype())).integer(dtype(c.packed().dtype()));
      launcher.launch(
          library == null ? "matmul_simt" : "matmul_simt_rows",
          Math.ceilDiv(n, SIMT_TILE),
          Math.ceilDiv(m, SIMT_TILE),
          1,
          SIMT_SHARED,
          sizes(c, arguments));
      return;
    }
    Tile tile = m <= 16 ? Tile.SMALL : m * n < 128L * 128 * 128 ? Tile.MIDDLE : Tile.LARGE;
    launcher.launch(
        tile.kernel(c.x().dtype()),
        Math.ceilDiv(n, tile.features),
        Math.ceilDiv(m, tile.rows),
        1,
        tile.sharedBytes(),
        sizes(c, arguments));
  }

  /** Whether its blocks occupy at least half of the multiprocessors. */
  private boolean fillsHopper(Matmul c) {
    long blocks =
        Math.ceilDiv(c.y().size(1), HOPPER_FEATURES) * Math.ceilDiv(c.x().size(0), HOPPER_TOKENS);
    return hopper
        && c.x().dtype() == DType.BF16
        && c.x().size(0) > HOPPER_TOKENS / 2
        && 2 * blocks >= multiprocessors;
  }

  private void runOnHopper(Matmul c) {
    long m = c.x().size(0);
    long n = c.y().size(1);
    long k = c.x().size(1);
    try (Arena arena = Arena.ofConfined()) {
      Arguments arguments =
          launcher
              .arguments()
              .bytes(
                  CudaTensorMap.encode(
                      arena,
                      CudaTensorMap.Element.BF16,
                      CudaMemory.address(c.x().buffer()) + c.x().byteOffset(),
                      new long[] {k, m},
                      new long[] {2 * c.x().stride(0)},
                      new int[] {HOPPER_DEPTH, HOPPER_TOKENS},
                      HOPPER_DEPTH * 2))
              .operand(c.packed())
              .operand(c.bias())
              .operand(c.y())
              .integer(dtype(c.y().dtype()))
              .integer(c.activation().ordinal())
              .numbers(c.y().stride(0), m, n, k);
      launcher.launch(
          "matmul_bf16_sm90a",
          Math.ceilDiv(n, HOPPER_FEATURES),
          Math.ceilDiv(m, HOPPER_TOKENS),
          1,
          HOPPER_SHARED,
          arguments);
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
    return c.packed().dtype() == DType.BF16
        && c.x().dtype() != DType.BF16
        && c.x().isContiguous()
        && c.x().count() > 0
        && c.x().size(1) % 8 == 0
        && Vectors.areAligned(c.packed());
  }

  static boolean fitsTensorCores(Operand x, Operand packed) {
    return x.dtype() != DType.F32
        && x.dtype() == packed.dtype()
        && x.size(1) > 0
        && x.size(1) % 8 == 0
        && (x.size(0) <= 1 || x.stride(0) % 8 == 0)
        && Vectors.areAligned(x, packed);
  }

  void run(BatchedMatmul c) {
    if (library != null && library.run(c)) {
      return;
    }
    launcher.launch(
        "batched_matmul",
        Math.ceilDiv(c.b().size(1), SIMT_TILE),
        Math.ceilDiv(c.a().size(1), SIMT_TILE),
        c.a().size(0),
        SIMT_SHARED,
        launcher
            .arguments()
            .operand(c.a())
            .operand(c.b())
            .operand(c.c())
            .integer(dtype(c.a().dtype()))
            .integer(dtype(c.c().dtype()))
            .numbers(c.a().strides())
            .numbers(c.b().strides())
            .numbers(c.a().size(1), c.b().size(1), c.a().size(2)));
  }
}
