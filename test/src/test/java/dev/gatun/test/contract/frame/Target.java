package dev.gatun.test.contract.frame;

import dev.gatun.bindings.cuda.CudaDriver;

/**
 * The device that cases are for, where its size decides which kernel a call reaches.
 *
 * @param capability the compute capability times ten
 * @param multiprocessors that plans count
 */
public record Target(int capability, int multiprocessors) {
  /** The property that says how many multiprocessors plans count in place of the device's. */
  public static final String MULTIPROCESSORS = "gatun.cuda.multiprocessors";

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
}
