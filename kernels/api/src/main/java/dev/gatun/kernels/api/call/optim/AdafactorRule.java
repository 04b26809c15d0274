package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Settings of Adafactor, as {@code transformers.optimization.Adafactor} names them.
 *
 * @param eps1 added to the squares of gradients
 * @param eps2 the least root mean square of a parameter that scales its rate
 * @param clipThreshold the root mean square that an update is clipped to
 * @param decayRate the share of the mean squares that is kept is 1 less the step to this power
 * @param beta1 of the updates' mean, from 0, for none, to below 1
 * @param scaleParameter whether rates grow with the root mean square of the parameter
 */
public record AdafactorRule(
    double eps1,
    double eps2,
    double clipThreshold,
    double decayRate,
    double beta1,
    boolean scaleParameter) {
  /** The numbers of {@link #numbers}. */
  public static final int NUMBERS = 8;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AdafactorRule {
    notNegative("eps1", eps1);
    notNegative("eps2", eps2);
    if (!(clipThreshold > 0 && clipThreshold < Double.POSITIVE_INFINITY)) {
      throw bad("clip threshold is %s, expected a positive number", clipThreshold);
    }
    if (!(decayRate <= 0 && decayRate > Double.NEGATIVE_INFINITY)) {
      throw bad("decay rate is %s, expected 0 or a negative number", decayRate);
    }
    if (!(beta1 >= 0 && beta1 < 1)) {
      throw bad("beta1 is %s, expected 0 to below 1", beta1);
    }
  }

  private static void notNegative(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw bad(name + " is %s, expected 0 or a positive number", value);
    }
  }

  private static IllegalArgumentException bad(String message, double value) {
    return Checks.bad(AdafactorStep.NAME, message, value);
  }

  /**
   * What is kept for a parameter, by the names of transformers' state: of a matrix {@code
   * exp_avg_sq_row} without its last axis and {@code exp_avg_sq_col} without the one before it, of
   * anything else {@code exp_avg_sq}; with beta1 also {@code exp_avg}, in this order.
   *
   * @param shape the parameter's
   * @return the shapes
   */
  public SequencedMap<String, long[]> states(long... shape) {
    SequencedMap<String, long[]> states = new LinkedHashMap<>();
    if (shape.length >= 2) {
      states.put("exp_avg_sq_row", without(shape, shape.length - 1));
      states.put("exp_avg_sq_col", without(shape, shape.length - 2));
    } else {
      states.put("exp_avg_sq", shape);
    }
    if (beta1 > 0) {
      states.put("exp_avg", shape);
    }
    return states;
  }

  private static long[] without(long[] shape, int axis) {
    long[] less = Arrays.copyOf(shape, shape.length - 1);
    System.arraycopy(shape, axis + 1, less, axis, shape.length - 1 - axis);
    return less;
  }

  /**
   * {@return what a step's arithmetic needs, computed in double and rounded once: rate, decay, the
   * share of the mean squares that is kept, and 1 less it, eps1, eps2 or -1 where rates do not grow
   * with parameters, the clip threshold, beta1}
   *
   * @param rate the learning rate
   * @param decay the weight decay
   * @param step the number of the step, from 1 on
   */
  public double[] numbers(double rate, double decay, long step) {
    double rest = Math.pow(step, decayRate);
    return new double[] {
      rate, decay, 1 - rest, rest, eps1, scaleParameter ? eps2 : -1, clipThreshold, beta1
    };
  }
}
