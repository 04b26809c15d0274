package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.Declarations.WEIGHT_ONLY_SM90A_TURN;

import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.bindings.cuda.CudaTensorMap.Element;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Activations;
import dev.gatun.kernels.cuda.CudaQuantizedMatmul.Product;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Products with quantised weights by the kernels of compute capability 9.0. */
final class HopperQuantizedMatmul {
  private static final int HOPPER = 90;
  private static final int MOST_TOKENS = 128;
  private static final int LEAST_TOKENS = 64;
  // Of a token in a stage, which is as wide as a swizzle.
  private static final int ROW_BYTES = 128;
  // A split of fewer steps than this costs more to join than it gains.
  private static final long LEAST_STEPS = 4;

  /** Adds a product's arguments to those of a launch. */
  interface ProductArguments {
    Arguments add(Arguments to, long partial, long arrived);
  }

  private final Launcher launcher;
  private final SplitSums splitSums;
  private final boolean hopper;
  private final int multiprocessors;

  HopperQuantizedMatmul(Launcher launcher, SplitSums splitSums) {
    this.launcher = launcher;
    this.splitSums = splitSums;
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
   * @param kernel that computes it
   * @param tile of a block
   * @param columns of tiles
   * @param rows of tiles
   * @param splits of the input features, over blocks that share a tile
   */
  private record Plan(String kernel, KernelImages.Tile tile, long columns, long rows, long splits) {
    long blocks() {
      return columns * rows * splits;
    }
  }

  private Plan plan(Product c, int tokens, long splits) {
    String kernel = "%s_m%d_sm90a".formatted(CudaQuantizedMatmul.kind(c), tokens);
    KernelImages.Tile tile = launcher.tile(kernel);
    return new Plan(
        kernel,
        tile,
        Math.ceilDiv(c.y().size(1), tile.n()),
        Math.ceilDiv(c.x().size(0), tile.m()),
        splits);
  }

  /** The larger tile where it fills the device, else the smaller, split; null for neither. */
  private Plan plan(Product c) {
    Plan large = plan(c, MOST_TOKENS, 1);
    if (c.x().size(0) > MOST_TOKENS / 2 && 2 * large.blocks() >= multiprocessors) {
      return large;
    }
    long k = c.x().size(1);
    long most = k / (LEAST_STEPS * Math.max(ROW_BYTES, c.layout().group()));
    long wanted = multiprocessors / plan(c, LEAST_TOKENS, 1).blocks();
    Plan small = plan(c, LEAST_TOKENS, Math.max(1, Math.min(wanted, most)));
    boolean fills = 2 * small.blocks() >= multiprocessors;
    return c.x().size(0) > LEAST_TOKENS / 2 && fills ? small : null;
  }

  private static boolean hasKernel(Product c) {
    PackedLayout layout = c.layout();
    if (c.activations() != QuantizedActivations.EXACT) {
      return c.activations() == QuantizedActivations.INT8_PER_TOKEN
          && layout.bits() == 8
          && layout.scales() == PackedLayout.Scales.F32_SUM;
    }
    // What tensor cores take has groups of a power of 2, and sums of whole rows alone.
    return switch (layout.scales()) {
      case F16, F16_ZERO -> layout.group() >= WEIGHT_ONLY_SM90A_TURN;
      case F32_SUM -> true;
      case F32, F32_MIN, F16_MIN, F16_BYTE, F16_BYTE_MIN -> false;
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
              new int[] {plan.tile().k(), plan.tile().m()},
              ROW_BYTES);
      launch(plan, launcher.arguments().tensorMap(x), product);
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
    int turnWords = WEIGHT_ONLY_SM90A_TURN / (32 / bits) * PackedLayout.PANEL;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x =
          CudaTensorMap.encode(
              arena,
              bf16 ? Element.BF16 : Element.F16,
              CudaMemory.address(c.x()),
              new long[] {k, c.x().size(0)},
              new long[] {2 * c.x().stride(0)},
              new int[] {plan.tile().k(), plan.tile().m()},
              ROW_BYTES);
      MemorySegment codes =
          CudaTensorMap.encode(
              arena,
              Element.U32,
              packed,
              new long[] {panelBytes / 4, panels},
              new long[] {panelBytes},
              new int[] {turnWords, plan.tile().n() / PackedLayout.PANEL},
              0);
      launch(plan, launcher.arguments().tensorMap(x).tensorMap(codes), product);
    }
  }

  private void launch(Plan plan, Arguments maps, ProductArguments product) {
    splitSums.run(
        plan.columns() * plan.rows(),
        plan.splits(),
        (long) plan.tile().m() * plan.tile().n(),
        (partial, arrived) ->
            launcher.launch(
                plan.kernel(),
                plan.columns(),
                plan.rows(),
                plan.splits(),
                product.add(maps, partial, arrived)));
  }
}
