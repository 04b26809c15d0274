// What steps of all optimisers have in common: lists among the arguments of a launch.
#ifndef GATUN_OPTIM_H
#define GATUN_OPTIM_H

#include "block_reduce.h"

namespace gatun {

// The last item of a list whose blocks begin at this one or before it.
template <class List>
static __device__ __forceinline__ int item_of(const List& list, int items) {
  int item = 0;
  while (item + 1 < items && list.of[item + 1].first <= static_cast<long>(blockIdx.x)) {
    item++;
  }
  return item;
}

// What gradients are multiplied by.
struct Clipping {
  float scale, max_norm;
  const float* norm;  // or null

  // Nothing is changed where it is not finite.
  __device__ __forceinline__ bool skips() const {
    return norm != nullptr && !(fabsf(*norm) < INFINITY);
  }
  __device__ __forceinline__ float factor() const {
    return norm == nullptr ? scale : scale * fminf(1.0f, max_norm / (*norm + 1e-6f));
  }
};

}  // namespace gatun

#endif
