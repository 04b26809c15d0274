package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The same numbers in another type, by way of F32, rounded to nearest even. Too large for a
 * floating-point type gives infinity, NaN stays NaN; too large for a type of whole numbers gives
 * its largest or smallest, NaN 0.
 *
 * @param x F32, BF16, F16, I64, I32, I8 or U8 [rows, columns] contiguous
 * @param y F32, BF16, F16, I64, I32, I8 or U8 [rows, columns] contiguous
 */
public record Cast(Operand x, Operand y) implements ElementwiseCall {
  private static final String NAME = "cast";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Cast {
    Checks.operand(NAME, "x", x, number(NAME, "x", x), 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, number(NAME, "y", y), x.size(0), x.size(1));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, Checks.present(x), Checks.present(y)));
  }

  /** The dtype of an operand of numbers, of which there are kernels; requires one. */
  static DType number(String kernel, String name, Operand operand) {
    return switch (Checks.required(kernel, name, operand).dtype()) {
      case F32, BF16, F16, I64, I32, I8, U8 -> operand.dtype();
      default ->
          throw Checks.bad(
              kernel, "%s is %s, expected F32, BF16, F16, I64, I32, I8 or U8", name, operand);
    };
  }

  /** Whether a dtype of numbers is one of whole ones. */
  static boolean isWhole(DType dtype) {
    return switch (dtype) {
      case F64, F32, BF16, F16 -> false;
      default -> true;
    };
  }

  /** The dtypes of floating-point numbers, or of whole ones, that kernels take; for messages. */
  static String types(boolean floats) {
    return floats ? "F32, BF16 or F16" : "I64, I32, I8 or U8";
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
