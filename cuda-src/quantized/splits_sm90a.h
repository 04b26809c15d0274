// Blocks of warpgroups that share a tile's input features.
#ifndef GATUN_QUANTIZED_SPLITS_SM90A_H
#define GATUN_QUANTIZED_SPLITS_SM90A_H

#include "matmul/ring_sm90a.h"
#include "quantized/product.h"

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

// a + b, of floats or of whole numbers.
static __device__ __forceinline__ float plus(float a, float b) { return a + b; }
static __device__ __forceinline__ int32_t plus(int32_t a, int32_t b) { return a + b; }

// Adds the blocks' sums in their order, for the threads that multiply; `shared` is a word for them.
// Whether this block came last and has the result. Only what has few sums is split: more would not
// fit into registers beside the others'.
template <int Count, class T>
static __device__ __forceinline__ bool join_splits(const QuantizedProduct& p, int* shared, T* sums0,
                                                   T* sums1) {
  if (Count > kMostSplit || gridDim.z == 1) {
    return true;
  }
  constexpr int kMultiplying = kThreads - kWarpgroup;
  const int thread = static_cast<int>(threadIdx.x) - kWarpgroup;
  const long tile = static_cast<long>(blockIdx.y) * gridDim.x + blockIdx.x;
  // Each sum of a warp's lanes lies together.
  const auto place = [&](unsigned split, int i) {
    return p.partial + ((tile * gridDim.z + split) * (2 * Count) + i) * kMultiplying + thread;
  };
#pragma unroll
  for (int i = 0; i < 2 * Count; i++) {
    memcpy(place(blockIdx.z, i), i < Count ? &sums0[i] : &sums1[i - Count], 4);
  }
  fence_device();
  named_barrier_sync(1, kMultiplying);
  if (thread == 0) {
    *shared = atomic_add(p.arrived + tile, 1) == static_cast<int>(gridDim.z) - 1 ? 1 : 0;
  }
  named_barrier_sync(1, kMultiplying);
  if (*shared == 0) {
    return false;
  }
  fence_device();
#pragma unroll
  for (int i = 0; i < 2 * Count; i++) {
    T sum = {};
    for (unsigned split = 0; split < gridDim.z; split++) {
      const float bits = load_fresh(place(split, i));
      T part;
      memcpy(&part, &bits, 4);
      sum = split == 0 ? part : plus(sum, part);
    }
    (i < Count ? sums0[i] : sums1[i - Count]) = sum;
  }
  return true;
}

}  // namespace gatun

#endif
