package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Lays a weight out for {@link Matmul}, or those of several experts for {@link
 * dev.gatun.kernels.api.call.experts.GroupedMatmul}: panels of {@value #PANEL} output features,
 * filled with zeros past the last feature. F32 and F16 are {@code packed[panel, k, feature]}; BF16
 * is {@code packed[panel, k / 2, feature, k mod 2]}, filled with a zero past an odd last k. Numbers
 * are rounded to nearest even.
 *
 * <p>A device that leaves products to a library, as CUDA to cuBLASLt, keeps rows for {@link Matmul}
 * instead: {@code packed[out_feature, in_feature]}, filled with zeros behind. Experts are in panels
 * on every backend.
 *
 * @param weight F32, BF16 or F16 [out_features, in_features], or [experts, out_features,
 *     in_features] for grouped products; strided at will
 * @param packed F32, BF16 or F16 [{@link #packedCount}] contiguous, of experts one after another
 */
public record MatmulPack(Operand weight, Operand packed) implements MatmulCall {
  private static final String NAME = "matmul_pack";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public MatmulPack {
    DType from = Checks.floats(NAME, "weight", weight);
    if (weight.rank() != 3) {
      Checks.operand(NAME, "weight", weight, from, 2);
    }
    DType dtype = Checks.floats(NAME, "packed", packed);
    long count =
        Checks.counted(
            NAME,
            "the packed form of weight",
            weight,
            () ->
                Math.multiplyExact(
                    weight.rank() == 3 ? weight.size(0) : 1,
                    packedCount(dtype, weight.size(-2), weight.size(-1))));
    Checks.shaped(NAME, "packed", packed, dtype, count);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(weight), Checks.present(packed)));
  }

  /** {@return whether the packed form is for grouped products} */
  public boolean isGrouped() {
    return weight.rank() == 3;
  }

  /**
   * {@return the call of each expert's weight [out_features, in_features]; of a weight alone
   * itself}
   */
  public List<MatmulPack> each() {
    if (!isGrouped()) {
      return List.of(this);
    }
    long out = weight.size(1);
    long in = weight.size(2);
    long count = packedCount(packed.dtype(), out, in);
    return LongStream.range(0, weight.size(0))
        .mapToObj(
            e ->
                new MatmulPack(
                    new Operand(
                        weight.buffer(),
                        weight.offset() + e * weight.stride(0),
                        weight.dtype(),
                        new long[] {out, in},
                        new long[] {weight.stride(1), weight.stride(2)}),
                    new Operand(
                        packed.buffer(),
                        packed.offset() + e * count,
                        packed.dtype(),
                        new long[] {count},
                        new long[] {1})))
        .toList();
  }

  /** Output features in a panel. */
  public static final int PANEL = 32;

  /**
   * {@return the number of elements of the packed form of a weight [out_features, in_features]}
   *
   * @param dtype the elements' type
   * @param outFeatures rows of the weight
   * @param inFeatures columns of the weight
   */
  public static long packedCount(DType dtype, long outFeatures, long inFeatures) {
    long depth = dtype == DType.BF16 ? Math.ceilDiv(inFeatures, 2) * 2 : inFeatures;
    return Math.multiplyExact(Math.multiplyExact(Math.ceilDiv(outFeatures, PANEL), PANEL), depth);
  }

  /**
   * {@return where input feature k of output feature n lies in the packed form}
   *
   * @param dtype the elements' type
   * @param n an output feature
   * @param k an input feature
   * @param inFeatures columns of the weight
   */
  public static long place(DType dtype, long n, long k, long inFeatures) {
    long panel = n / PANEL;
    if (dtype == DType.BF16) {
      long pairs = Math.ceilDiv(inFeatures, 2);
      return ((panel * pairs + k / 2) * PANEL + n % PANEL) * 2 + k % 2;
    }
    return (panel * inFeatures + k) * PANEL + n % PANEL;
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(weight);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(packed);
  }
}
