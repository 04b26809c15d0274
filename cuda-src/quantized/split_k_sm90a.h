// Split-K by blocks of warpgroups.
#ifndef GATUN_QUANTIZED_SPLIT_K_SM90A_H
#define GATUN_QUANTIZED_SPLIT_K_SM90A_H

#include "matmul/ring_sm90a.h"
#include "quantized/split_k.h"

namespace gatun {

constexpr int kMostSplit = 32;

// The steps of this block: from one on, so many.
struct Steps {
  int first, count;
};

// Splits begin with a group. Each block has a step at least.
static __device__ __forceinline__ Steps steps_of_block(const QuantizedProduct& p, int depth) {
  const long steps = (p.k + depth - 1) / depth;
  const long each = p.shift < 16 && (1L << p.shift) > depth ? (1L << p.shift) / depth : 1;
  const long pieces = (steps + each - 1) / each;
  const long first = pieces * blockIdx.z / gridDim.z * each;
  const long end = pieces * (blockIdx.z + 1) / gridDim.z * each;
  return {static_cast<int>(first), static_cast<int>((end < steps ? end : steps) - first)};
}

// Adds the blocks' sums in their order, for a warp that multiplies. Whether it has the result. Only
// what has few sums is split: more would not fit into registers beside the others'.
template <int Count, class Kind, class T>
static __device__ __forceinline__ bool join_warpgroup_splits(const QuantizedProduct& p, Kind kind,
                                                             T* sums0, T* sums1) {
  if (Count > kMostSplit || gridDim.z == 1) {
    return true;
  }
  static_assert(kConsumerWarps <= kTileCounters, "a counter for each");
  return join_splits<2 * Count>(
      p, consumer_warp(), kConsumerWarps, kind,
      [&](int i) {
        uint32_t word;
        memcpy(&word, i < Count ? &sums0[i] : &sums1[i - Count], 4);
        return word;
      },
      [&](int i, uint32_t word) { memcpy(i < Count ? &sums0[i] : &sums1[i - Count], &word, 4); });
}

}  // namespace gatun

#endif
