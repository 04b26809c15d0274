package dev.gatun.bench;

import dev.gatun.bench.generation.GenerationCase;
import dev.gatun.bench.generation.LoadingCase;
import dev.gatun.bench.generation.Seq2SeqCase;
import dev.gatun.bench.training.TrainingCase;
import java.util.Arrays;

/**
 * What a case takes at least.
 *
 * @param operations multiplications and additions
 * @param bytes that must be read from memory: keys and values, or weights
 * @param ceiling of its operations by name
 */
record Cost(double operations, double bytes, String ceiling) {
  // all-MiniLM-L6-v2's layers, features, and those inside.
  private static final double LAYERS = 6;
  private static final double HIDDEN = 384;
  private static final double INNER = 1536;

  /**
   * The cost of a case by its name; null of row kernels, which the memory bounds, and where more,
   * or hardly more, is measured than a computation.
   */
  static Cost of(String name) {
    if (name.startsWith(Work.MAIN_JOB)
        || name.startsWith(Work.ONE_TEXT)
        || Seq2SeqCase.isName(name)
        || LoadingCase.isName(name)) {
      return null;
    }
    if (GenerationCase.isName(name)) {
      GenerationCase c = GenerationCase.of(name);
      return c.isEmpty() ? null : new Cost(c.operations(), c.bytes(), c.ceiling());
    }
    if (PeakMemory.isName(name)
        || DjlSubject.isName(name)
        || DjlArrays.isName(name)
        || name.equals(ResNet.CASE)) {
      return null;
    }
    if (TrainingCase.isName(name)) {
      return new Cost(TrainingCase.of(name).operations(), 0, "f32");
    }
    if (!name.contains("/")) {
      return encoder(Work.lengths(name));
    }
    KernelCase c = KernelCase.of(name);
    return c.isAttention() || c.isMatmul() || c.isProduct() || c.isExperts() ? of(c) : null;
  }

  /** In float32, of sequences with so many tokens. */
  private static Cost encoder(int[] lengths) {
    double weights = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER);
    double operations =
        Arrays.stream(lengths)
            .mapToDouble(tokens -> 2 * weights * tokens + 4 * LAYERS * HIDDEN * tokens * tokens)
            .sum();
    return new Cost(operations, 4 * weights, "f32");
  }

  /** Of attention, a product, or experts. */
  static Cost of(KernelCase c) {
    return new Cost(operations(c), bytes(c), ceiling(c.type()));
  }

  private static double operations(KernelCase c) {
    int[] sizes = c.sizes();
    if (c.isAttention()) {
      // Two products, or the five of its gradients.
      double products = c.isOfTraining() ? 5 : 2;
      double all = 2 * products * sizes[0] * sizes[1] * sizes[2] * sizes[3] * sizes[4];
      return c.isCausal() ? all / 2 : all;
    }
    if (c.isExperts()) {
      return 2.0 * 2 * sizes[0] * 3 * sizes[2] * sizes[3];
    }
    return 2.0 * sizes[0] * sizes[1] * sizes[2];
  }

  private static double bytes(KernelCase c) {
    if (c.isOfTraining()) {
      return 0; // activations, which the caches may hold
    }
    int[] sizes = c.sizes();
    if (c.isAttention()) {
      return 2.0 * sizes[0] * sizes[1] * sizes[3] * sizes[4] * (c.isBf16() ? 2 : 4);
    }
    // Of experts no more than there are tokens for.
    double elements =
        c.isExperts()
            ? 3.0 * Math.min(sizes[1], 2 * sizes[0]) * sizes[2] * sizes[3]
            : (double) sizes[1] * sizes[2];
    return switch (c.type()) {
      case "f32" -> 4 * elements;
      case "bf16" -> 2 * elements;
      case "w8a8" -> elements;
      case "w4a16-zeros" -> elements * 19 / 32;
      default -> elements * 18 / 32;
    };
  }

  private static String ceiling(String type) {
    return switch (type) {
      case "f32" -> "f32";
      case "w8a8", "w4a8" -> "int8";
      default -> "bf16";
    };
  }
}
