package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Buffer;

/**
 * Where the blocks that share a tile of a split-K product leave their sums, and count who has done
 * so. Counters are 0 before each launch, and its last arrivers set them back to 0, so that nothing
 * else is submitted. A launch that the driver refuses has counted nothing; one that fails on the
 * device takes the context with it, and the memory.
 */
final class SplitSums {
  /** Launches with the addresses of the sums and of the counters, 0 where nothing is split. */
  interface Launch {
    void with(long partial, long arrived);
  }

  private final CudaMemory memory;
  private final long mostTiles;

  /**
   * @param mostTiles of a product that is split: no plan splits what fills the device
   */
  SplitSums(CudaMemory memory, long mostTiles) {
    this.memory = memory;
    this.mostTiles = mostTiles;
  }

  /**
   * Launches a product with memory for its sums, and counters that no other stream or recording
   * uses.
   *
   * @param tiles of the result
   * @param splits blocks that share a tile
   * @param sums floats of a tile
   */
  void run(long tiles, long splits, long sums, Launch launch) {
    if (splits == 1) {
      launch.with(0, 0);
      return;
    }
    if (tiles > mostTiles) {
      throw new IllegalStateException(
          "split-K: %d tiles, there are counters for %d".formatted(tiles, mostTiles));
    }
    long arrived = memory.counters(Integer.BYTES * Declarations.SPLIT_K_TILE_COUNTERS * mostTiles);
    try (Buffer partial = memory.allocate(Float.BYTES * tiles * splits * sums)) {
      launch.with(CudaMemory.address(partial), arrived);
    }
  }
}
