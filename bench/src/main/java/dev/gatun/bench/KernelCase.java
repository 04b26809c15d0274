package dev.gatun.bench;

import java.util.Arrays;
import java.util.Random;

/**
 * A case of one kernel by its name: {@code attention/DTYPE/MASK/BATCHxHEADSxQUERIESxKEYSxSIZE},
 * {@code matmul/WEIGHTS/MxNxK}, {@code experts/DTYPE/TOKENSxEXPERTSxHIDDENxINNER}, or of a {@link
 * RowKernel} {@code KERNEL/DTYPE/ROWSxCOLUMNS} or {@code KERNEL/DTYPE/residual/ROWSxCOLUMNS}, and
 * {@code rotary/DTYPE/TOKENSxHEADSxSIZE}. Of training there are {@code attention_backward}, named
 * as attention is, and the gradients of a linear layer's input and weight, {@code dx/DTYPE/MxNxK}
 * and {@code dweight/DTYPE/MxNxK}. Its numbers are the same in every process.
 */
record KernelCase(String kernel, String type, String mask, int[] sizes) {
  // Weights in turn, so that none is still in the last cache when it is needed again.
  private static final long COLD_BYTES = 160L << 20;

  /** The gradient of a linear layer's weight: a turned by b. */
  static final String DWEIGHT = "dweight";

  /** Of steps of optimisers. */
  static final float LEARNING_RATE = 0.01f;

  static final float WEIGHT_DECAY = 0.01f;

  static KernelCase of(String name) {
    String[] parts = name.split("/");
    int[] sizes =
        Arrays.stream(parts[parts.length - 1].split("x")).mapToInt(Integer::parseInt).toArray();
    return new KernelCase(parts[0], parts[1], parts.length > 3 ? parts[2] : "", sizes);
  }

  /** Forward, or the gradients. */
  boolean isAttention() {
    return kernel.startsWith("attention");
  }

  /** A product that gives the gradient of a linear layer's input or weight. */
  boolean isProduct() {
    return kernel.equals("dx") || kernel.equals(DWEIGHT);
  }

  boolean isOfTraining() {
    return kernel.equals("attention_backward")
        || isProduct()
        || !isAttention() && !isMatmul() && !isExperts() && RowKernel.of(this).isOfTraining();
  }

  boolean isMatmul() {
    return kernel.equals("matmul");
  }

  /** A layer of experts, two for each token, with gated SiLU. */
  boolean isExperts() {
    return kernel.equals("experts");
  }

  boolean hasResidual() {
    return mask.equals("residual");
  }

  /** Elements of x of a {@link RowKernel}. */
  int count() {
    return Arrays.stream(sizes).reduce(1, Math::multiplyExact);
  }

  boolean isCausal() {
    return mask.equals("causal");
  }

  boolean isBf16() {
    return type.equals("bf16") || type.startsWith("w4");
  }

  /** Normal numbers; rounded to bf16 by cutting, so that every library reads the same. */
  static float[] numbers(long seed, int count, float scale) {
    Random random = new Random(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      float v = scale * (float) random.nextGaussian();
      x[i] = Float.intBitsToFloat(Float.floatToRawIntBits(v) & 0xffff0000);
    }
    return x;
  }

  /** The same million normal numbers again and again. */
  static float[] many(long seed, int count) {
    float[] some = numbers(seed, Math.min(count, 1 << 20), 1);
    float[] all = Arrays.copyOf(some, count);
    for (int at = some.length; at < count; at += some.length) {
      System.arraycopy(some, 0, all, at, Math.min(some.length, count - at));
    }
    return all;
  }

  /** Cosines or sines [positions, pairs] of a rotary embedding with base 10000. */
  static float[] rotaryTable(int positions, int pairs, boolean cosine) {
    float[] table = new float[positions * pairs];
    for (int i = 0; i < table.length; i++) {
      double angle = i / pairs * Math.pow(10_000, -(double) (i % pairs) / pairs);
      table[i] = (float) (cosine ? Math.cos(angle) : Math.sin(angle));
    }
    return table;
  }

  /** Activations of a product, [m, k]. */
  float[] x() {
    return numbers(1, sizes[0] * sizes[2], 1);
  }

  /** The weight of a product, [n, k]. */
  float[] weight() {
    return numbers(2, sizes[1] * sizes[2], 0.02f);
  }

  /** The factors of a product of training, m x k or turned, and k x n. */
  float[] left() {
    return many(1, sizes[0] * sizes[2]);
  }

  float[] right() {
    return many(2, sizes[1] * sizes[2]);
  }

  /** The mean squares that AdamW keeps. */
  float[] squares() {
    return squares(4, count());
  }

  static float[] squares(long seed, int count) {
    float[] x = many(seed, count);
    for (int i = 0; i < x.length; i++) {
      x[i] *= x[i];
    }
    return x;
  }

  /**
   * The router's logits [tokens, experts] of a turn: over the turns few tokens have all experts.
   */
  float[] logits(int turn) {
    float[] first = numbers(5, sizes[0] * sizes[1], 1);
    float[] logits = new float[first.length];
    for (int i = 0; i < first.length; i++) {
      int expert = (i % sizes[1] + 3 * turn) % sizes[1];
      logits[i - i % sizes[1] + expert] = first[i];
    }
    return logits;
  }

  /** The gates' and the other inner weights, [experts, 2 * inner, hidden]. */
  float[] gateUp() {
    return many(6, 2 * sizes[1] * sizes[3] * sizes[2]);
  }

  /** The outer weights of experts, [experts, hidden, inner]. */
  float[] down() {
    return many(7, sizes[1] * sizes[2] * sizes[3]);
  }

  /** Query, key, value or the output's gradient, [batch, heads, length, size]. */
  float[] head(int which) {
    int length = which % 3 == 0 ? sizes[2] : sizes[3];
    return numbers(3 + which, sizes[0] * sizes[1] * length * sizes[4], 1);
  }

  /** How many copies of something this large to use in turn. */
  static int copies(long bytes) {
    return Math.clamp(COLD_BYTES / Math.max(1, bytes), 1, 64);
  }
}
