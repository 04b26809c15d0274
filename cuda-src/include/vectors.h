// Sixteen bytes at a time.
#ifndef GATUN_VECTORS_H
#define GATUN_VECTORS_H

#include "numbers.h"

namespace gatun {

struct __align__(16) Words {
  uint32_t word[4];
};

static __device__ __forceinline__ float from_bits(uint32_t bits, int dtype) {
  return dtype == kBf16 ? from_bf16(static_cast<uint16_t>(bits))
                        : from_f16(static_cast<uint16_t>(bits));
}

static __device__ __forceinline__ uint32_t to_bits(float value, int dtype) {
  return dtype == kBf16 ? to_bf16(value) : to_f16(value);
}

static __device__ __forceinline__ float float_of(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

static __device__ __forceinline__ uint32_t word_of(float value) {
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  return word;
}

// A number as memory keeps it.
static __device__ __forceinline__ float rounded(float value, int dtype) {
  return dtype == kF32 ? value : from_bits(to_bits(value, dtype), dtype);
}

// How many numbers of a type there are in 16 bytes.
template <int Dtype>
constexpr int kLanes = Dtype == kF32 ? 4 : 8;

// Reads N numbers from place i on, which is a multiple of N; x is aligned to 16 bytes.
template <int N>
static __device__ __forceinline__ void load_vector(const void* x, long i, int dtype, float* out) {
  if (dtype == kF32) {
    const Words* words = reinterpret_cast<const Words*>(static_cast<const float*>(x) + i);
#pragma unroll
    for (int v = 0; v < N / 4; v++) {
      const Words w = words[v];
#pragma unroll
      for (int k = 0; k < 4; k++) {
        out[4 * v + k] = float_of(w.word[k]);
      }
    }
  } else if (N == 4) {
    const uint64_t words = *reinterpret_cast<const uint64_t*>(static_cast<const uint16_t*>(x) + i);
#pragma unroll
    for (int k = 0; k < N; k++) {
      out[k] = from_bits(static_cast<uint32_t>(words >> (16 * k)) & 0xffff, dtype);
    }
  } else if (N == 8) {
    const Words w = *reinterpret_cast<const Words*>(static_cast<const uint16_t*>(x) + i);
#pragma unroll
    for (int k = 0; k < N / 2; k++) {
      out[2 * k] = from_bits(w.word[k] & 0xffff, dtype);
      out[2 * k + 1] = from_bits(w.word[k] >> 16, dtype);
    }
  }
}

template <int Dtype>
static __device__ __forceinline__ void store_vector(void* y, long i, const float* in) {
  Words w;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if constexpr (Dtype == kF32) {
      w.word[k] = word_of(in[k]);
    } else {
      w.word[k] = to_bits(in[2 * k], Dtype) | to_bits(in[2 * k + 1], Dtype) << 16;
    }
  }
  if (Dtype == kF32) {
    *reinterpret_cast<Words*>(static_cast<float*>(y) + i) = w;
  } else {
    *reinterpret_cast<Words*>(static_cast<uint16_t*>(y) + i) = w;
  }
}

}  // namespace gatun

#endif
