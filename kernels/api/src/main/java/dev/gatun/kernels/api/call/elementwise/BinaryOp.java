package dev.gatun.kernels.api.call.elementwise;

/** What {@link Elementwise} makes of two numbers. */
public enum BinaryOp {
  /** a + b. */
  ADD,
  /** a - b. */
  SUBTRACT,
  /** a * b. */
  MULTIPLY,
  /** a / b. */
  DIVIDE,
  /** The larger one; NaN where either is, and 0 is larger than -0. */
  MAXIMUM,
  /** The smaller one; NaN where either is, and -0 is smaller than 0. */
  MINIMUM,
  /** 1 where they are equal, else 0; so NaN equals nothing, and 0 equals -0. */
  EQUAL,
  /** 1 where the first is less, else 0, as of NaN. */
  LESS,
  /** {@code a / √b}, as norms divide. */
  DIVIDE_BY_ROOT,
  /** The first where the second is not 0, else 0, whatever the first is. */
  KEEP_WHERE,
  /**
   * {@code a - b ⌊a / b⌋}, which has b's sign, and a where b is 0 (Knuth, <i>The Art of Computer
   * Programming</i>, 1.2.4); of whole numbers alone.
   */
  REMAINDER;

  /** {@return whether it is of floating-point numbers} */
  public boolean takesFloats() {
    return this != REMAINDER;
  }

  /** {@return whether it is of whole numbers, whose results are whole} */
  public boolean takesWhole() {
    return switch (this) {
      case ADD, SUBTRACT, MULTIPLY, MAXIMUM, MINIMUM, REMAINDER -> true;
      case DIVIDE, EQUAL, LESS, DIVIDE_BY_ROOT, KEEP_WHERE -> false;
    };
  }
}
