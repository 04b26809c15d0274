// Split-K: blocks that share a tile of y multiply a part of its input features each, and what they
// found is added up here.
#ifndef GATUN_QUANTIZED_SPLIT_K_H
#define GATUN_QUANTIZED_SPLIT_K_H

#include "quantized/product.h"

namespace gatun {

// Counters of a tile: no kernel has more warps with sums.
constexpr int kTileCounters = 8;
// Loads of 16 bytes that a lane has under way.
constexpr int kJoinLoads = 16;

// Sums of floats, and of whole numbers; -0 changes no float that it is added to.
struct FloatSums {
  __device__ __forceinline__ uint32_t none() const { return 0x80000000; }
  __device__ __forceinline__ uint32_t plus(uint32_t a, uint32_t b) const {
    return word_of(float_of(a) + float_of(b));
  }
};
struct WholeSums {
  __device__ __forceinline__ uint32_t none() const { return 0; }
  __device__ __forceinline__ uint32_t plus(uint32_t a, uint32_t b) const { return a + b; }
};
// Either, as is known when a kernel runs.
struct SomeSums {
  bool whole;
  __device__ __forceinline__ uint32_t none() const { return whole ? 0 : 0x80000000; }
  __device__ __forceinline__ uint32_t plus(uint32_t a, uint32_t b) const {
    return whole ? WholeSums().plus(a, b) : FloatSums().plus(a, b);
  }
};

// Adds the splits' sums in their order for one of the `warps` of a block that have a tile's sums:
// each lane's Count words, of which get(i) and set(i, word) know where they are. Whether this
// warp's block came last with its part of the tile, and has the result: others are last with
// others, so that blocks that end together share the adding. Counters are 0 before a launch and
// after it.
template <int Count, class Kind, class Get, class Set>
static __device__ __forceinline__ bool join_splits(const QuantizedProduct& p, int warp, int warps,
                                                   Kind kind, Get get, Set set) {
  constexpr int kVectors = Count / 4;
  constexpr int kAtOnce = kVectors < kJoinLoads ? kJoinLoads / kVectors : 1;
  static_assert(Count % 4 == 0, "sums in vectors");
  const int lane = threadIdx.x % 32, splits = static_cast<int>(gridDim.z);
  const long tile = static_cast<long>(blockIdx.y) * gridDim.x + blockIdx.x;
  // A vector of all of a warp's lanes lies together.
  float* parts = p.partial + (tile * warps + warp) * splits * (32 * Count) + 4 * lane;
  float* mine = parts + static_cast<long>(blockIdx.z) * (32 * Count);
#pragma unroll
  for (int v = 0; v < kVectors; v++) {
    Words words;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      words.word[i] = get(4 * v + i);
    }
    *reinterpret_cast<Words*>(mine + 128 * v) = words;
  }
  fence_device();
  sync_warp();
  int* counter = p.arrived + tile * kTileCounters + warp;
  int before = 0;
  if (lane == 0) {
    before = atomic_add(counter, 1);
  }
  if (shuffle(before, 0) != splits - 1) {
    return false;
  }
  if (lane == 0) {
    atomic_add(counter, -splits);
  }
  // What the others wrote before they were counted is seen by lane 0, and behind it by all lanes.
  fence_device();
  sync_warp();
#pragma unroll
  for (int i = 0; i < Count; i++) {
    set(i, kind.none());
  }
#pragma unroll 1
  for (int split = 0; split < splits; split += kAtOnce) {
    Words words[kAtOnce][kVectors];
#pragma unroll
    for (int s = 0; s < kAtOnce; s++) {
      if (split + s < splits) {
#pragma unroll
        for (int v = 0; v < kVectors; v++) {
          load_fresh_16(words[s][v].word,
                        parts + static_cast<long>(split + s) * (32 * Count) + 128 * v);
        }
      }
    }
#pragma unroll
    for (int s = 0; s < kAtOnce; s++) {
      if (split + s < splits) {
#pragma unroll
        for (int i = 0; i < Count; i++) {
          set(i, kind.plus(get(i), words[s][i / 4].word[i % 4]));
        }
      }
    }
  }
  return true;
}

}  // namespace gatun

#endif
