package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.bindings.cuda.CudaTensorMap.Element;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.QuantizedActivations;
import dev.gatun.kernels.api.quantized.PackedLayout;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Activations;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Product;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;

/** Products with quantised weights by the kernels of compute capability 9.0. */
final class HopperQuantizedMatmul {
  private static final int HOPPER = 90;
  // A block's features and tokens, bytes of a token in a step, and steps that are under way behind
  // 1 KB of barriers.
  private static final int FEATURES = 256;
  private static final int[] TOKENS = {128, 64};
  private static final int ROW_BYTES = 128;
  private static final int STAGES = 6;
  // Input features whose codes are copied at once: no group is smaller.
  private static final int TURN = 32;

  private final Launcher launcher;
  private final boolean hopper;
  private final int multiprocessors;

  HopperQuantizedMatmul(Launcher launcher) {
    this.launcher = launcher;
    this.hopper = launcher.context().computeCapability() == HOPPER;
    this.multiprocessors = launcher.context().multiprocessors();
  }

  /** Whether there is a kernel for it, whose blocks occupy at least half of the multiprocessors. */
  boolean takes(Product c) {
    return hopper && hasKernel(c) && tokens(c) != 0;
  }

  /** The tokens of a block, as many as fill the device, 0 where none do. */
  private int tokens(Product c) {
    for (int tokens : TOKENS) {
      long blocks = Math.ceilDiv(c.y().size(1), FEATURES) * Math.ceilDiv(c.x().size(0), tokens);
      if (c.x().size(0) > tokens / 2 && 2 * blocks >= multiprocessors) {
        return tokens;
      }
    }
    return 0;
  }

  private static boolean hasKernel(Product c) {
    PackedLayout layout = c.layout();
    if (c.activations() != QuantizedActivations.EXACT) {
      return c.activations() == QuantizedActivations.INT8_PER_TOKEN
          && layout.scales() == PackedLayout.Scales.F32_SUM;
    }
    int group = layout.group();
    return switch (layout.scales()) {
      case F16 -> group >= TURN && Integer.bitCount(group) == 1;
      case F16_ZERO -> layout.bits() == 4 && group >= TURN && Integer.bitCount(group) == 1;
      case F32_SUM -> group == 0;
      case F32, F32_MIN -> false;
    };
  }

  /**
   * Of codes of x, whose rows are aligned.
   *
   * @param product adds the product's arguments
   */
  void runCodes(Product c, Activations codes, UnaryOperator<Arguments> product) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x =
          CudaTensorMap.encode(
              arena,
              Element.U8,
              codes.x(),
              new long[] {c.x().size(1), c.x().size(0)},
              new long[] {codes.stride()},
              new int[] {ROW_BYTES, tokens(c)},
              ROW_BYTES);
      launch("codes", c, 0, product.apply(launcher.arguments().bytes(x)));
    }
  }

  /**
   * Of x itself, which tensor cores take.
   *
   * @param packed the address of the packed weight
   * @param product adds the product's arguments
   */
  void runExact(Product c, long packed, UnaryOperator<Arguments> product) {
    long k = c.x().size(1);
    boolean bf16 = c.x().dtype() == DType.BF16;
    int bits = c.layout().bits();
    long panels = Math.ceilDiv(c.y().size(1), PackedLayout.PANEL);
    long panelBytes = c.packed().count() / panels;
    // A row of words of a panel holds so many input features as a word.
    int turnWords = TURN / (32 / bits) * PackedLayout.PANEL;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x =
          CudaTensorMap.encode(
              arena,
              bf16 ? Element.BF16 : Element.F16,
              CudaMemory.address(c.x().buffer()) + c.x().byteOffset(),
              new long[] {k, c.x().size(0)},
              new long[] {2 * c.x().stride(0)},
              new int[] {ROW_BYTES / 2, tokens(c)},
              ROW_BYTES);
      MemorySegment codes =
          CudaTensorMap.encode(
              arena,
              Element.U32,
              packed,
              new long[] {panelBytes / 4, panels},
              new long[] {panelBytes},
              new int[] {turnWords, FEATURES / PackedLayout.PANEL},
              0);
      launch(
          bf16 ? "bf16" : "f16",
          c,
          FEATURES * ROW_BYTES / 2 * bits / 8,
          product.apply(launcher.arguments().bytes(x).bytes(codes)));
    }
  }

  private void launch(String kind, Product c, int codeBytes, Arguments arguments) {
    int tokens = tokens(c);
    launcher.launch(
        "matmul_int%d_%s_%d_sm90a".formatted(c.layout().bits(), kind, tokens),
        Math.ceilDiv(c.y().size(1), FEATURES),
        Math.ceilDiv(c.x().size(0), tokens),
        1,
        1024 + STAGES * (tokens * ROW_BYTES + codeBytes),
        arguments);
  }
}
