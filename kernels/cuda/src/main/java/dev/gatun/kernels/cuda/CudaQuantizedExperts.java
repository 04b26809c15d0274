package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.experts.GroupedQuantizedMatmul;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Activations;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Product;
import dev.gatun.kernels.cuda.Declarations.ExpertRows;

/** Chooses the kernel and the tile of experts' products with quantised weights. */
final class CudaQuantizedExperts {
  // The fewest tokens of a tile.
  private static final int LEAST_TOKENS = 16;
  // Rows of an expert, on average, up to which those that tensor cores do not take are read in
  // runs of four.
  private static final int MOST_IN_RUNS = 8;
  private static final int RUN = 4;
  // With so many experts a row few of them have a second one.
  private static final int ALONE = 4;

  private final Launcher launcher;
  private final CudaQuantizedMatmul quantized;

  CudaQuantizedExperts(Launcher launcher, CudaQuantizedMatmul quantized) {
    this.launcher = launcher;
    this.quantized = quantized;
  }

  void run(GroupedQuantizedMatmul c) {
    Product product = Product.of(c);
    quantized.withAligned(
        c.packed(),
        packed -> {
          if (product.isExact()) {
            exact(c, product, packed);
          } else {
            quantized.withCodes(product, x -> codes(c, product, x, packed));
          }
        });
  }

  private void exact(GroupedQuantizedMatmul c, Product product, long packed) {
    Activations x = Activations.of(product);
    long places = c.y().size(0);
    boolean tensorCores = CudaQuantizedMatmul.fitsTensorCores(product);
    if (c.x().size(1) > 0 && ALONE * places <= c.experts()) {
      // Blocks of so few features fill a device that one row an expert would not.
      rows(c, product, 1, arguments(c, product, x, packed));
    } else if (tensorCores) {
      tiles(c, product, x, packed);
    } else if (c.x().size(1) > 0 && places <= MOST_IN_RUNS * c.experts()) {
      rows(c, product, RUN, arguments(c, product, x, packed));
    } else {
      tiles(c, "grouped_quantized_simt", arguments(c, product, x, packed));
    }
  }

  private void rows(GroupedQuantizedMatmul c, Product product, int rows, Arguments arguments) {
    launcher.launch(
        "grouped_" + CudaQuantizedMatmul.gemv(product, rows),
        Math.ceilDiv(c.y().size(1), PackedLayout.PANEL),
        tiles(c, rows),
        1,
        arguments);
  }

  private void codes(GroupedQuantizedMatmul c, Product product, Activations x, long packed) {
    if (CudaQuantizedMatmul.fitsTensorCores(product)) {
      tiles(c, product, x, packed);
    } else {
      launcher.launch(
          "grouped_quantized_codes",
          tiles(c, 1),
          Math.ceilDiv(c.y().size(1), launcher.threads("grouped_quantized_codes")),
          1,
          arguments(c, product, x, packed));
    }
  }

  /** By the rows that an expert has on average. */
  private void tiles(GroupedQuantizedMatmul c, Product product, Activations x, long packed) {
    long rows = Math.ceilDiv(c.y().size(0), c.experts());
    String kernel = CudaQuantizedMatmul.gemm(product, Math.max(rows, LEAST_TOKENS));
    tiles(c, "grouped_" + kernel, arguments(c, product, x, packed));
  }

  private void tiles(GroupedQuantizedMatmul c, String kernel, Arguments arguments) {
    KernelImages.Tile tile = launcher.tile(kernel);
    launcher.launch(
        kernel, Math.ceilDiv(c.y().size(1), tile.n()), tiles(c, tile.m()), 1, arguments);
  }

  private static long tiles(GroupedQuantizedMatmul c, int rows) {
    return CudaExperts.tiles(c.y().size(0), c.experts(), rows);
  }

  private Arguments arguments(
      GroupedQuantizedMatmul c, Product product, Activations x, long packed) {
    return quantized
        .arguments(product, x, packed, 0, 0)
        .begin(ExpertRows.STRUCT)
        .set(ExpertRows.ROWS, c.rows())
        .set(ExpertRows.OFFSETS, c.offsets())
        .set(ExpertRows.X_ROWS, c.x().size(0))
        .set(ExpertRows.EXPERTS, Math.toIntExact(c.experts()))
        .end();
  }
}
