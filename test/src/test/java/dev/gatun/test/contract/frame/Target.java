package dev.gatun.test.contract.frame;

import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.PackedLayout;

/**
 * The device that cases are for, where its size decides which kernel a call reaches.
 *
 * @param capability the compute capability times ten, 0 of a processor
 * @param multiprocessors that plans count
 */
public record Target(int capability, int multiprocessors) {
  /** The property that says how many multiprocessors plans count in place of the device's. */
  public static final String MULTIPROCESSORS = "gatun.cuda.multiprocessors";

  /** A processor. */
  public static final Target HOST = new Target(0, 0);

  /** The emulator's first device. */
  public static final Target EMULATED = new Target(80, 4);

  /** The emulator's device of compute capability 9.0. */
  public static final Target EMULATED_HOPPER = new Target(90, 4);

  /** A device that is open, as plans see it. */
  public static Target of(int ordinal) {
    return new Target(
        CudaDriver.computeCapability(ordinal),
        Integer.getInteger(MULTIPROCESSORS, CudaDriver.multiprocessors(ordinal)));
  }

  /** How weights of a format are packed for it. */
  public PackedLayout layout(BlockFormat format) {
    return this == HOST ? format.layout() : format.wideLayout();
  }

  /** Whether its products take weights that are packed so. */
  public boolean reads(PackedLayout layout) {
    return this == HOST
        || layout.upperBits() == 0 && layout.scales().compareTo(PackedLayout.Scales.F32_SUM) <= 0;
  }
}
