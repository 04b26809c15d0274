package dev.gatun.test.contract;

import dev.gatun.kernels.api.Backend;
import dev.gatun.kernels.api.BackendUnavailableException;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuBackendProvider;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.kernels.reference.Precision;
import dev.gatun.kernels.reference.ReferenceBackend;
import java.util.List;

/** The backends under the contract, and what they are measured by. */
final class Subjects {
  /** What is right. */
  static final Backend EXACT = new ReferenceBackend(Precision.F64);

  /** What plain arithmetic in float gives, by two orders of the terms. */
  static final List<Backend> PLAIN =
      List.of(new ReferenceBackend(Precision.F32), new ReferenceBackend(Precision.F32_REVERSED));

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
