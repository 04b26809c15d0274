// Operands of up to six axes with any strides.
#ifndef GATUN_STRIDED_H
#define GATUN_STRIDED_H

#include "primitives.h"

namespace gatun {

constexpr int kMostAxes = 6;

// Up to three operands of one shape; axes in front that a call lacks have length 1.
struct StridedLayout {
  long count;
  long shape[kMostAxes];
  long strides[3][kMostAxes];
};

struct Places {
  long of[3];
};

// Where an element lies in each operand, by its place in row-major order.
static __device__ __forceinline__ Places places(const StridedLayout& layout, long element) {
  Places result = {{0, 0, 0}};
#pragma unroll
  for (int axis = kMostAxes - 1; axis >= 0; axis--) {
    const long at = element % layout.shape[axis];
    element /= layout.shape[axis];
#pragma unroll
    for (int i = 0; i < 3; i++) {
      result.of[i] += at * layout.strides[i][axis];
    }
  }
  return result;
}

// The same; nothing is looked up where all operands lie alike and without gaps, `plain`.
static __device__ __forceinline__ Places places(const StridedLayout& layout, long element,
                                                int plain) {
  if (plain == 0) {
    return places(layout, element);
  }
  return {{element, element, element}};
}

static __device__ __forceinline__ long global_thread() {
  return static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace gatun

#endif
