package dev.gatun.kernels.api;

import java.util.List;

/**
 * Lays a weight out for {@link Matmul}: panels of {@value #PANEL} output features, {@code
 * packed[panel, k, feature]}, filled with zeros past the last feature.
 *
 * @param weight F32 [out_features, in_features], strided at will
 * @param packed F32 [{@link #packedCount}] contiguous
 */
public record MatmulPack(Operand weight, Operand packed) implements KernelCall {

  private static final String NAME = "matmul_pack";

  public MatmulPack {
    Checks.operand(NAME, "weight", weight, DType.F32, 2);
    Checks.shaped(NAME, "packed", packed, DType.F32, packedCount(weight.size(0), weight.size(1)));
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(weight), Checks.present(packed)));
  }

  /** Output features in a panel. */
  public static final int PANEL = 32;

  /** Elements of the packed form of a weight [out_features, in_features]. */
  public static long packedCount(long outFeatures, long inFeatures) {
    return Math.multiplyExact(
        Math.multiplyExact(Math.ceilDiv(outFeatures, PANEL), PANEL), inFeatures);
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
