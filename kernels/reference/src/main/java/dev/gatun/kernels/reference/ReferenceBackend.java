package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;

/** Plain Java loops, slow and right. */
public final class ReferenceBackend implements Backend {
  static final String NAME = "reference";

  private final Precision precision;
  private final ReferenceMemory memory = new ReferenceMemory();
  private final Kernels kernels;

  /**
   * @param precision what intermediate results are rounded to
   */
  public ReferenceBackend(Precision precision) {
    this.precision = precision;
    this.kernels = new ReferenceKernels(memory, precision);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return "plain Java in " + precision;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }
}
