package dev.gatun.test.contract.frame;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendUnavailableException;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuDeviceProvider;
import dev.gatun.kernels.cpu.CpuFeature;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.kernels.reference.Precision;
import dev.gatun.kernels.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The backends under the contract, and what they are measured by. */
public final class Subjects {
  /** What is right. */
  public static final Backend EXACT = new ReferenceBackend(Precision.F64);

  /** Orders of sums, {@link Precision#stride}: kernels have lanes, blocks and halves. */
  private static final int[] STRIDES = {1, -1, 2, 3, 5, 8, 16, 64};

  /**
   * Plain arithmetic in a dtype, by several orders of sums; then in float by orders without and
   * with fused multiply-adds: where sums cancel, rounding to a narrow dtype may leave nothing to
   * err by.
   */
  static List<Backend> plain(DType dtype) {
    return PLAIN.get(dtype);
  }

  private static final Map<DType, List<Backend>> PLAIN =
      Map.of(
          DType.F32, inEachOrder(Precision.F32, Precision.F32.withFusedSums()),
          DType.BF16, inEachOrder(Precision.BF16, Precision.F32, Precision.F32.withFusedSums()),
          DType.F16, inEachOrder(Precision.F16, Precision.F32, Precision.F32.withFusedSums()));

  /** Plain arithmetic in float, whose roundings go up or down by chance. */
  static Backend randomlyRounding(long seed) {
    return new ReferenceBackend(Precision.F32.withRandomRounding(seed));
  }

  private static List<Backend> inEachOrder(Precision... precisions) {
    return Arrays.stream(precisions)
        .flatMap(p -> Arrays.stream(STRIDES).mapToObj(p::withStride))
        .<Backend>map(ReferenceBackend::new)
        .toList();
  }

  public static final CpuBackend CPU = open();

  private Subjects() {}

  /** The levels of this processor, or the one that {@code -Dgatun.test.level=ID} names. */
  public static List<CpuLevel> levels() {
    String named = System.getProperty("gatun.test.level");
    List<CpuLevel> all = CpuBackend.levels();
    List<CpuLevel> some =
        all.stream().filter(level -> named == null || level.id().equals(named)).toList();
    if (some.isEmpty()) {
      throw new IllegalArgumentException(
          "-Dgatun.test.level=%s: this processor has %s"
              .formatted(named, all.stream().map(CpuLevel::id).toList()));
    }
    return some;
  }

  /** Skips a suite where {@code -Dgatun.test.backend=NAME} names another backend. */
  public static void assumeBackend(String name) {
    String named = System.getProperty("gatun.test.backend");
    assumeTrue(named == null || named.equals(name), "-Dgatun.test.backend=" + named);
  }

  /** The instruction sets that this processor has. */
  public static Set<CpuFeature> features() {
    return CpuBackend.features();
  }

  private static CpuBackend open() {
    try {
      return (CpuBackend) new CpuDeviceProvider().open(0);
    } catch (BackendUnavailableException e) {
      throw new IllegalStateException(e);
    }
  }
}
