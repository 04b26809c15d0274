package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Buffer;

/** Where the blocks that share a tile of a product leave their sums, and count who has done so. */
final class SplitSums {
  /** Launches with the addresses of the sums and of the counters, 0 where nothing is split. */
  interface Launch {
    void with(long partial, long arrived);
  }

  private SplitSums() {}

  /**
   * Launches a product with memory of its own, since calls of other streams and recordings may run
   * at the same time.
   *
   * @param tiles of the result
   * @param splits blocks that share a tile
   * @param sums floats of a block
   */
  static void run(
      Launcher launcher, CudaMemory memory, long tiles, long splits, long sums, Launch launch) {
    if (splits == 1) {
      launch.with(0, 0);
      return;
    }
    try (Buffer partial = memory.allocate(Float.BYTES * tiles * splits * sums);
        Buffer arrived = memory.allocate(Integer.BYTES * tiles)) {
      launcher.stream().fill(CudaMemory.address(arrived), 0, Integer.BYTES * tiles);
      launch.with(CudaMemory.address(partial), CudaMemory.address(arrived));
    }
  }
}
