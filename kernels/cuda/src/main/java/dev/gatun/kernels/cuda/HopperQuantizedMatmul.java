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

/** Products with quantised weights by the kernels of compute capability 9.0. */
final class HopperQuantizedMatmul {
  private static final int HOPPER = 90;
  // A block's features and tokens, bytes of a token in a step, and steps that are under way behind
  // 1 KB of barriers.
  private static final int FEATURES = 256;
  private static final int MOST_TOKENS = 128;
  private static final int LEAST_TOKENS = 64;
  private static final int ROW_BYTES = 128;
  private static final int STAGES = 6;
  // Input features whose codes are copied at once: no group is smaller.
  private static final int TURN = 32;
  // A split of fewer steps than this costs more to join than it gains.
  private static final long LEAST_STEPS = 4;
  private static final int MULTIPLYING_THREADS = 256;

  /** Adds a product's arguments to those of a launch. */
  interface ProductArguments {
    Arguments add(Arguments to, long partial, long arrived);
  }

  private final Launcher launcher;
  private final CudaMemory memory;
  private final boolean hopper;
  private final int multiprocessors;

  HopperQuantizedMatmul(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
    this.hopper = launcher.context().computeCapability() == HOPPER;
    this.multiprocessors = launcher.multiprocessors();
  }

  /** Whether there is a kernel for it, whose blocks occupy at least half of the multiprocessors. */
  boolean takes(Product c) {
    return hopper && hasKernel(c) && plan(c) != null;
  }

  /**
   * How a product is divided.
   *
   * @param tokens of a block
   * @param splits of the input features, over blocks that share a tile
   */
  private record Plan(long columns, long rows, int tokens, long splits) {
    static Plan of(Product c, int tokens, long splits) {
      return new Plan(
          Math.ceilDiv(c.y().size(1), FEATURES),
          Math.ceilDiv(c.x().size(0), tokens),
          tokens,
          splits);
    }

    long blocks() {
      return columns * rows * splits;
    }
  }

  /** The larger tile where it fills the device, else the smaller, split; null for neither. */
  private Plan plan(Product c) {
    Plan large = Plan.of(c, MOST_TOKENS, 1);
    if (c.x().size(0) > MOST_TOKENS / 2 && 2 * large.blocks() >= multiprocessors) {
      return large;
    }
    long k = c.x().size(1);
    long most = k / (LEAST_STEPS * Math.max(ROW_BYTES, c.layout().group()));
    long wanted = multiprocessors / Plan.of(c, LEAST_TOKENS, 1).blocks();
    Plan small = Plan.of(c, LEAST_TOKENS, Math.max(1, Math.min(wanted, most)));
    boolean fills = 2 * small.blocks() >= multiprocessors;
    return c.x().size(0) > LEAST_TOKENS / 2 && fills ? small : null;
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
  void runCodes(Product c, Activations codes, ProductArguments product) {
    Plan plan = plan(c);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x =
          CudaTensorMap.encode(
              arena,
              Element.U8,
              codes.x(),
              new long[] {c.x().size(1), c.x().size(0)},
              new long[] {codes.stride()},
              new int[] {ROW_BYTES, plan.tokens()},
              ROW_BYTES);
      launch("codes", c, plan, 0, launcher.arguments().bytes(x), product);
    }
  }

  /**
   * Of x itself, which tensor cores take.
   *
   * @param packed the address of the packed weight
   * @param product adds the product's arguments
   */
  void runExact(Product c, long packed, ProductArguments product) {
    Plan plan = plan(c);
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
              new int[] {ROW_BYTES / 2, plan.tokens()},
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
          plan,
          FEATURES * ROW_BYTES / 2 * bits / 8,
          launcher.arguments().bytes(x).bytes(codes),
          product);
    }
  }

  private void launch(
      String kind, Product c, Plan plan, int codeBytes, Arguments maps, ProductArguments product) {
    SplitSums.run(
        launcher,
        memory,
        plan.columns() * plan.rows(),
        plan.splits(),
        (long) MULTIPLYING_THREADS * plan.tokens(),
        (partial, arrived) ->
            launcher.launch(
                "matmul_int%d_%s_%d_sm90a".formatted(c.layout().bits(), kind, plan.tokens()),
                plan.columns(),
                plan.rows(),
                plan.splits(),
                1024 + STAGES * (plan.tokens() * ROW_BYTES + codeBytes),
                product.add(maps, partial, arrived)));
  }
}
