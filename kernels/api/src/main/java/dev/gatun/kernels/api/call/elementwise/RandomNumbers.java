package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Random numbers by their places, the same bits on every backend: those of Philox4x32-10 (Salmon et
 * al., SC 2011) with the seed as its key and the counter (c, the sequence), low words first.
 *
 * <p>Uniform: {@code y[i] = first + (second - first) u} of 24 bits, {@code u = ⌊w / 2⁸⌋ 2⁻²⁴} of
 * word {@code w = i mod 4} of {@code c = ⌊i / 4⌋}.
 *
 * <p>Normal: {@code y[i] = first + second n}, n by Box and Muller (1958): the two of {@code c = ⌊i
 * / 2⌋} are {@code √(-2 ln(1 - v)) cos(2πt)} and the same with the sine, {@code v} of the counter's
 * first two words and {@code t} of its last two, {@code (⌊w₀ / 2⁶⌋ 2²⁷ + ⌊w₁ / 2⁵⌋) 2⁻⁵³} each.
 *
 * <p>All is computed in double, in which sums and products are rounded one by one, and rounded to
 * F32 and y's type. The logarithm, sine and cosine are series, within 2 units in the last place.
 *
 * @param distribution which of the two
 * @param first the lowest number, or the mean
 * @param second the highest, which rounding may reach, or the deviation
 * @param seed the key
 * @param sequence numbers of one seed and other sequences are independent
 * @param y F32, BF16 or F16 [count] contiguous
 */
public record RandomNumbers(
    RandomDistribution distribution, float first, float second, long seed, long sequence, Operand y)
    implements ElementwiseCall {
  private static final String NAME = "random_numbers";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public RandomNumbers {
    Checks.required(NAME, "distribution", distribution);
    DType dtype = Checks.floats(NAME, "y", y);
    Checks.operand(NAME, "y", y, dtype, 1);
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, List.of(), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return List.of();
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
