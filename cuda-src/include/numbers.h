// Floating-point numbers in memory, of a type that is known when a kernel runs.
#ifndef GATUN_NUMBERS_H
#define GATUN_NUMBERS_H

#include "primitives.h"

namespace gatun {

// As kernels are told a type; those of whole numbers by some alone.
enum DType : int { kF32, kBf16, kF16, kI64, kI32, kI8, kU8 };

static __device__ __forceinline__ float load(const void* x, long i, int dtype) {
  if (dtype == kF32) {
    return static_cast<const float*>(x)[i];
  }
  const uint16_t bits = static_cast<const uint16_t*>(x)[i];
  return dtype == kBf16 ? from_bf16(bits) : from_f16(bits);
}

static __device__ __forceinline__ void store(void* y, long i, int dtype, float value) {
  if (dtype == kF32) {
    static_cast<float*>(y)[i] = value;
  } else {
    static_cast<uint16_t*>(y)[i] = dtype == kBf16 ? to_bf16(value) : to_f16(value);
  }
}

// The larger number, NaN where either is.
static __device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }

}  // namespace gatun

#endif
