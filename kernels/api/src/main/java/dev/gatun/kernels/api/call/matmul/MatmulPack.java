package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Lays a weight out for {@link Matmul}: panels of {@value #PANEL} output features, filled with
 * zeros past the last feature. F32 and F16 are {@code packed[panel, k, feature]}; BF16 is {@code
 * packed[panel, k / 2, feature, k mod 2]}, filled with a zero past an odd last k. Numbers are
 * rounded to nearest even.
 *
 * <p>A device that leaves products to a library, as CUDA to cuBLASLt, keeps rows for {@link Matmul}
 * instead: {@code packed[out_feature, in_feature]}, filled with zeros behind.
 *
 * @param weight F32, BF16 or F16 [out_features, in_features], strided at will
 * @param packed F32 of an F32 weight, BF16 or F16, [{@link #packedCount}] contiguous
 * @param layout what reads the packed form
 */
public record MatmulPack(Operand weight, Operand packed, Layout layout) implements KernelCall {
  private static final String NAME = "matmul_pack";

  /** What a packed form is for. */
  public enum Layout {
    /** For {@link Matmul} of the same backend. */
    MATMUL,
    /** Panels on every backend, for other kernels. */
    PANELS
  }

  /** For {@link Matmul}. */
  public MatmulPack(Operand weight, Operand packed) {
    this(weight, packed, Layout.MATMUL);
  }

  public MatmulPack {
    Checks.required(NAME, "layout", layout);
    Checks.operand(NAME, "weight", weight, Checks.floats(NAME, "weight", weight), 2);
    DType dtype = Checks.floats(NAME, "packed", packed);
    if (dtype == DType.F32 && weight.dtype() != DType.F32) {
      throw Checks.bad(NAME, "packed is %s of a weight %s, expected BF16 or F16", packed, weight);
    }
    long count =
        Checks.counted(
            NAME,
            "the packed form of weight",
            weight,
            () -> packedCount(dtype, weight.size(0), weight.size(1)));
    Checks.shaped(NAME, "packed", packed, dtype, count);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(weight), Checks.present(packed)));
  }

  /** Output features in a panel. */
  public static final int PANEL = 32;

  /** Elements of the packed form of a weight [out_features, in_features]. */
  public static long packedCount(DType dtype, long outFeatures, long inFeatures) {
    long depth = dtype == DType.BF16 ? Math.ceilDiv(inFeatures, 2) * 2 : inFeatures;
    return Math.multiplyExact(Math.multiplyExact(Math.ceilDiv(outFeatures, PANEL), PANEL), depth);
  }

  /** Where input feature k of output feature n lies in the packed form. */
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
