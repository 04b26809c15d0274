package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.BatchedMatmul;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Matmul;
import dev.gatun.kernels.api.MatmulPack;
import dev.gatun.kernels.api.Operand;

/** Chooses the kernel and the tile of a product. */
final class CudaMatmul {
  private static final int SIMT_TILE = 64;
  // Two tiles of 16 by 64 floats, rows padded by four.
  private static final int SIMT_SHARED = 2 * 16 * (SIMT_TILE + 4) * 4;

  /** A tile of the tensor cores' kernels: rows and features of a block. */
  private enum Tile {
    SMALL(16, 64),
    MIDDLE(64, 64),
    LARGE(128, 128);

    final int rows;
    final int features;

    Tile(int rows, int features) {
      this.rows = rows;
      this.features = features;
    }

    /** Three stages of 32 input features: rows of x, and pairs of the weight, both padded. */
    int sharedBytes() {
      return 3 * (rows * 2 * (32 + 8) + 16 * 4 * (features + 8));
    }
  }

  private final Launcher launcher;
  // Null where weights are packed in panels.
  private final LibraryMatmul library;

  /**
   * @param library computes products of weights that are packed in rows, null where there is none
   */
  CudaMatmul(Launcher launcher, LibraryMatmul library) {
    this.launcher = launcher;
    this.library = library;
  }

  void run(MatmulPack c) {
    Operand w = c.weight();
    launcher.elements(
        library == null ? "matmul_pack" : "matmul_pack_rows",
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
    Arguments arguments =
        launcher.arguments().operand(c.x()).operand(c.packed()).operand(c.bias()).operand(c.y());
    long m = c.x().size(0);
    long n = c.y().size(1);
    if (library != null || !fitsTensorCores(c)) {
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
        "matmul_%s_%dx%d"
            .formatted(c.x().dtype() == DType.BF16 ? "bf16" : "f16", tile.rows, tile.features),
        Math.ceilDiv(n, tile.features),
        Math.ceilDiv(m, tile.rows),
        1,
        tile.sharedBytes(),
        sizes(c, arguments));
  }

  private static Arguments sizes(Matmul c, Arguments arguments) {
    return arguments
        .integer(dtype(c.y().dtype()))
        .integer(c.activation().ordinal())
        .numbers(c.x().stride(0), c.y().stride(0))
        .numbers(c.x().size(0), c.y().size(1), c.x().size(1));
  }

  private static boolean fitsTensorCores(Matmul c) {
    return c.x().dtype() != DType.F32
        && c.x().dtype() == c.packed().dtype()
        && c.x().size(1) > 0
        && c.x().size(1) % 8 == 0
        && (c.x().size(0) <= 1 || c.x().stride(0) % 8 == 0)
        && Vectors.areAligned(c.x(), c.packed());
  }

  void run(BatchedMatmul c) {
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
