package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Where a kernel writes tokens x [rows, columns] as signed bytes, computed in F32, ties to even.
 *
 * <p>Dynamic ones have a scale a token, taken from its numbers as {@link
 * QuantizedActivations#INT8_PER_TOKEN} says, with offsets where there are any: {@code code =
 * round((x - offset) * (127 / half))}, half of what the codes span being {@code half}. A token with
 * a number that is not finite has NaN as its scale and 0 as its offset and codes; one whose {@code
 * half} is below 2^-120 has 0 as its scale and codes.
 *
 * <p>Calibrated ones (static quantisation) have one scale for all, found beforehand: {@code code =
 * round((x - offset) * (1 / scale))}, held between -127 and 127; 0 where that is NaN, or where the
 * scale is smaller than 2^-120.
 *
 * @param codes I8 [rows, columns], rows without gaps inside
 * @param meaning dynamic: scales and offsets of [rows], written; calibrated: of [1], read
 * @param calibrated whether the scale is given
 */
public record TokenCodes(Operand codes, ActivationCodes meaning, boolean calibrated) {
  private static final String NAME = "token codes";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public TokenCodes {
    Checks.operand(NAME, "codes", codes, DType.I8, 2);
    Checks.rows(NAME, "codes", codes);
    if (codes.size(0) > 1 && codes.stride(0) < codes.size(1)) {
      throw Checks.bad(NAME, "codes %s has overlapping rows, stride %d", codes, codes.stride(0));
    }
    Checks.required(NAME, "meaning", meaning);
    Checks.shaped(NAME, "scales", meaning.scales(), DType.F32, calibrated ? 1 : codes.size(0));
  }

  /**
   * Requires codes of this shape.
   *
   * @param kernel whose call it is, for the message
   * @param rows how many tokens
   * @param columns how many features
   */
  public void check(String kernel, long rows, long columns) {
    Checks.shaped(kernel, "codes", codes, DType.I8, rows, columns);
  }

  /**
   * {@return what a kernel reads: its inputs that are there, and of codes, which may be null}
   *
   * @param codes those that are read, or null
   * @param inputs others, null where there is none
   */
  public static List<Operand> inputs(TokenCodes codes, Operand... inputs) {
    List<Operand> there = Checks.present(inputs);
    return codes == null || !codes.calibrated
        ? there
        : Checks.both(there, codes.meaning.operands());
  }

  /**
   * {@return what a kernel writes: its outputs that are there, and of codes, which may be null}
   *
   * @param codes those that are written, or null
   * @param outputs others, null where there is none
   */
  public static List<Operand> outputs(TokenCodes codes, Operand... outputs) {
    List<Operand> there = Checks.present(outputs);
    if (codes == null) {
      return there;
    }
    List<Operand> all = Checks.both(there, List.of(codes.codes));
    return codes.calibrated ? all : Checks.both(all, codes.meaning.operands());
  }
}
