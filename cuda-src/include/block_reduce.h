// Sums and maxima over a warp and over a block, in an order that never changes.
#ifndef GATUN_BLOCK_REDUCE_H
#define GATUN_BLOCK_REDUCE_H

#include "numbers.h"

namespace gatun {

constexpr int kWarpSize = 32;

struct Sum {
  static __device__ __forceinline__ float nothing() { return 0; }
  static __device__ __forceinline__ float of(float a, float b) { return a + b; }
};

struct Largest {
  static __device__ __forceinline__ float nothing() { return -INFINITY; }
  static __device__ __forceinline__ float of(float a, float b) { return larger(a, b); }
};

struct Smallest {
  static __device__ __forceinline__ float nothing() { return INFINITY; }
  static __device__ __forceinline__ float of(float a, float b) { return a < b || a != a ? a : b; }
};

template <class Op>
static __device__ __forceinline__ float reduce_warp(float value) {
#pragma unroll
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    value = Op::of(value, shuffle_xor(value, mask));
  }
  return value;
}

// The same result for every thread of a block of whole warps; needs a float of shared memory for
// each warp.
template <class Op>
static __device__ __forceinline__ float reduce_block(float value) {
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  float* partial = shared_memory<float>(static_cast<unsigned>(warps * sizeof(float)));
  value = reduce_warp<Op>(value);
  if (threadIdx.x % kWarpSize == 0) {
    partial[threadIdx.x / kWarpSize] = value;
  }
  sync_block();
  float result = partial[0];
  for (int i = 1; i < warps; i++) {
    result = Op::of(result, partial[i]);
  }
  // The next reduction writes where this one is read.
  sync_block();
  return result;
}

}  // namespace gatun

#endif
