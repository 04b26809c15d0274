// Fragments of half precision.
#ifndef GATUN_FRAGMENTS_H
#define GATUN_FRAGMENTS_H

#include "numbers.h"

namespace gatun {

static __device__ __forceinline__ uint32_t pack(float low, float high, bool bf16) {
  return bf16 ? to_bf16(low) | static_cast<uint32_t>(to_bf16(high)) << 16
              : to_f16(low) | static_cast<uint32_t>(to_f16(high)) << 16;
}

template <bool Bf16>
static __device__ __forceinline__ void multiply_add(float* d, const uint32_t* a,
                                                    const uint32_t* b) {
  if (Bf16) {
    mma_bf16(d, a, b);
  } else {
    mma_f16(d, a, b);
  }
}

}  // namespace gatun

#endif
