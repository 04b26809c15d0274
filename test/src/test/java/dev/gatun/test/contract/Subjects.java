package dev.gatun.test.contract;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendUnavailableException;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuBackendProvider;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.kernels.reference.Precision;
import dev.gatun.kernels.reference.ReferenceBackend;
import java.util.List;
import java.util.Map;

/** The backends under the contract, and what they are measured by. */
final class Subjects {
  /** What is right. */
  static final Backend EXACT = new ReferenceBackend(Precision.F64);

  /** What plain arithmetic in a dtype gives, in float by two orders of the terms. */
  static List<Backend> plain(DType dtype) {
    return PLAIN.get(dtype);
  }

  private static final Map<DType, List<Backend>> PLAIN =
      Map.of(
          DType.F32,
          List.of(
              new ReferenceBackend(Precision.F32), new ReferenceBackend(Precision.F32_REVERSED)),
          DType.BF16,
          List.of(new ReferenceBackend(Precision.BF16)),
          DType.F16,
          List.of(new ReferenceBackend(Precision.F16)));

  static final CpuBackend CPU = open();

  private Subjects() {}

  static List<CpuLevel> levels() {
    return CpuBackend.levels();
  }

  private static CpuBackend open() {
    try {
      return (CpuBackend) new CpuBackendProvider().open();
    } catch (BackendUnavailableException e) {
      throw new IllegalStateException(e);
    }
  }
}
