package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Chooses an element of each row: the largest, the first where they are equal, or one that is drawn
 * from the softmax of those that filters leave (Fan et al., 2018; Holtzman et al., 2020; Nguyen et
 * al., 2024). All but the division is done in whole numbers, so that every backend chooses the same
 * element, in whatever order it adds.
 *
 * <p>Where a row's temperature is not 0:
 *
 * <ol>
 *   <li>s = x / temperature, in float.
 *   <li>Where top_k is not 0, elements below the top_k-th largest s are left out.
 *   <li>The weight of an element is {@link #weight} of s - max s; equal infinities differ by 0.
 *   <li>Where left is not 0, elements are left out from the least s on, of equal ones the first
 *       before the others, as long as their weights together do not exceed ⌊left · total / 2^64⌋.
 *   <li>Elements with weights below least are left out.
 *   <li>The element is the first whose weight, and those before it, exceed ⌊draw · total / 2^64⌋ of
 *       those that are left.
 * </ol>
 *
 * A row without an element above -infinity, or with a NaN, gives -1.
 *
 * @param x F32 [rows, columns], rows without gaps inside, 1 to 2^22 columns
 * @param temperature F32 [rows], from 0
 * @param settings I64 [rows, 4]: top_k; left, which is 1 - top_p, and draw, as unsigned numbers of
 *     2^-64; and between these least, which is min_p of 2^40. The order is top_k, left, least, draw
 * @param y I64 [rows] contiguous
 */
public record Sample(Operand x, Operand temperature, Operand settings, Operand y)
    implements ReductionCall {
  /** The weight of the largest element. */
  public static final long ONE = 1L << 40;

  /** Numbers of a row's settings. */
  public static final int SETTINGS = 4;

  private static final String NAME = "sample";
  private static final long MOST_COLUMNS = 1L << 22;

  /** 2^f for f of [0, 1), from the constant on, in 2^-30: within 4e-9 of it. */
  private static final long[] POWER = {
    1073741824, 744261118, 257941225, 59597438, 10325273, 1437639, 156870, 22261
  };

  private static final double LOG2_E = 1.4426950408889634;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Sample {
    Checks.operand(NAME, "x", x, DType.F32, 2);
    Checks.rows(NAME, "x", x);
    if (x.size(1) == 0 || x.size(1) > MOST_COLUMNS) {
      throw Checks.bad(NAME, "x is %s, expected 1 to 4194304 columns", x);
    }
    Checks.shaped(NAME, "temperature", temperature, DType.F32, x.size(0));
    Checks.contiguous(NAME, "temperature", temperature);
    Checks.shaped(NAME, "settings", settings, DType.I64, x.size(0), SETTINGS);
    Checks.contiguous(NAME, "settings", settings);
    Checks.shaped(NAME, "y", y, DType.I64, x.size(0));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(
        new Operands(NAME, Checks.present(x, temperature, settings), Checks.present(y)));
  }

  /**
   * {@return e^difference in units of 1 / {@link #ONE}, in whole numbers: the product of difference
   * and log2(e) is rounded once to double, then down to a multiple of 2^-32, and 2 to its fraction
   * is a polynomial whose products are rounded down to 2^-30}
   *
   * @param difference a number that is not above 0, or -infinity
   */
  public static long weight(double difference) {
    double power = difference * LOG2_E;
    if (power <= -41) {
      return 0;
    }
    long fixed = (long) Math.floor(power * 0x1p32);
    long fraction = fixed & 0xffffffffL;
    long sum = POWER[POWER.length - 1];
    for (int i = POWER.length - 2; i >= 0; i--) {
      sum = POWER[i] + (sum * fraction >>> 32);
    }
    return sum << 10 >> -(fixed >> 32);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, temperature, settings);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
