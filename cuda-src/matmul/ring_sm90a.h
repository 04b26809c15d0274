// The pipeline of warp-specialised products: tiles of shared memory that a producer thread fills by
// TMA loads, each as soon as the consumer warps that multiply from it are done with it.
#ifndef GATUN_MATMUL_RING_SM90A_H
#define GATUN_MATMUL_RING_SM90A_H

#include "primitives_sm90.h"

namespace gatun {

// A block of three warpgroups: the first has the producer thread, the others are consumers, a warp
// a panel of 32 features and all tokens.
constexpr int kWarpgroup = 128, kThreads = 3 * kWarpgroup, kConsumerWarps = 8;
constexpr int kFeatures = kConsumerWarps * 32;
// Registers of a thread that feeds, and of one that multiplies.
constexpr int kFeeds = 40, kMultiplies = 232;

template <int Stages, unsigned Bytes>
struct Ring {
  static constexpr int kStages = Stages;
  uint64_t full[kStages], empty[kStages];
  // Tiles begin where the pattern of their swizzle does.
  unsigned char barriers_end[1024 - 2 * 8 * kStages];
  unsigned char tile[kStages][Bytes];

  // All threads of the block call it first.
  __device__ __forceinline__ void begin() {
    if (threadIdx.x == 0) {
      for (int i = 0; i < kStages; i++) {
        mbarrier_init(&full[i], 1);
        mbarrier_init(&empty[i], kConsumerWarps);
      }
      mbarrier_init_fence();
    }
    sync_block();
  }

  // Calls load(tile, barrier, step) for each step; all of a tile's bytes must come to the barrier.
  template <class Load>
  __device__ __forceinline__ void feed(int steps, Load load) {
    for (int step = 0; step < steps; step++) {
      const int stage = step % kStages;
      // The first round finds all tiles empty.
      mbarrier_wait(&empty[stage], static_cast<unsigned>(step / kStages + 1) & 1);
      mbarrier_arrive_expect(&full[stage], Bytes);
      load(tile[stage], &full[stage], step);
    }
  }

  __device__ __forceinline__ unsigned char* at(int step) { return tile[step % kStages]; }

  // The tile of a step, once it is there.
  __device__ __forceinline__ unsigned char* wait(int step) {
    const int stage = step % kStages;
    mbarrier_wait(&full[stage], static_cast<unsigned>(step / kStages) & 1);
    return tile[stage];
  }

  // This warp is done with the tile of a step.
  __device__ __forceinline__ void free(int step) {
    if (threadIdx.x % 32 == 0) {
      mbarrier_arrive(&empty[step % kStages]);
    }
  }
};

// The warp among those that multiply.
static __device__ __forceinline__ int consumer_warp() {
  return static_cast<int>(threadIdx.x) / 32 - kWarpgroup / 32;
}

}  // namespace gatun

#endif
