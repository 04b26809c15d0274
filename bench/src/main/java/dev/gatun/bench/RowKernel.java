package dev.gatun.bench;

import java.util.Locale;

/**
 * A kernel whose time is that of its memory; how much it reads and writes beside its parameters.
 */
enum RowKernel {
  LAYER_NORM(1),
  RMS_NORM(1),
  SOFTMAX(1),
  GELU(1),
  GATED_SILU(2),
  ROTARY(1),
  /** F32 to BF16, or BF16 to F32. */
  CAST(1),
  ADD(2),
  /** Each row of a table once, out of order. */
  EMBEDDING(1),
  LAYER_NORM_BACKWARD(2),
  RMS_NORM_BACKWARD(2),
  SOFTMAX_BACKWARD(2),
  GELU_BACKWARD(2),
  GATED_SILU_BACKWARD(3, 2),
  /** Parameters and two states, which are written too, and gradients. */
  ADAMW(4, 3, true),
  /**
   * Parameters, which are written too, and gradients thrice: for their squares, for the size of the
   * update, which these divide, and for the update itself, which its size limits.
   */
  ADAFACTOR(4, 1, true);

  private final int inputs;
  private final int outputs;
  private final boolean inPlace;

  RowKernel(int inputs) {
    this(inputs, 1);
  }

  RowKernel(int inputs, int outputs) {
    this(inputs, outputs, false);
  }

  RowKernel(int inputs, int outputs, boolean inPlace) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.inPlace = inPlace;
  }

  /** Whether outputs are the first inputs. */
  boolean isInPlace() {
    return inPlace;
  }

  boolean isOptimizer() {
    return compareTo(ADAMW) >= 0;
  }

  /** Whether it is a kernel of training. */
  boolean isOfTraining() {
    return compareTo(LAYER_NORM_BACKWARD) >= 0;
  }

  static RowKernel of(KernelCase c) {
    return valueOf(c.kernel().toUpperCase(Locale.ROOT));
  }

  /** The ids of embedding: rows far from each other. */
  static long[] ids(int rows) {
    long[] ids = new long[rows];
    for (int i = 0; i < rows; i++) {
      ids[i] = i * 4099L % rows;
    }
    return ids;
  }

  /** How many arrays are read. */
  int inputs(KernelCase c) {
    return inputs + (c.hasResidual() ? 1 : 0);
  }

  /** How many arrays are written: the results, and the residual sum where there is one. */
  int outputs(KernelCase c) {
    return outputs + (c.hasResidual() ? 1 : 0);
  }

  /** The bytes of an array that is read. */
  long inputBytes(KernelCase c) {
    return (long) c.count() * (c.isBf16() ? 2 : 4);
  }

  /** The bytes of an array that is written. */
  long outputBytes(KernelCase c) {
    boolean narrow = c.isBf16() != (this == CAST);
    return (long) c.count() * (narrow ? 2 : 4);
  }
}
