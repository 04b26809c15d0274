package dev.gatun.kernels.api.device;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.PackedLayout;

/**
 * The kernels of one device. Safe for use by many threads; the same call gives the same bits.
 *
 * <p>A backend runs a call by a switch over the families, which are sealed: a family or a record
 * that it lacks is an error of its compiler.
 */
public interface Kernels {
  /**
   * Runs one call; its arguments were checked when the record was made.
   *
   * @param call what to compute
   */
  void run(KernelCall call);

  /**
   * {@return how these kernels have a weight of a format packed}
   *
   * @param format of its blocks
   */
  default PackedLayout layout(BlockFormat format) {
    return format.layout();
  }
}
