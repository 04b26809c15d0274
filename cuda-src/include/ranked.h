// The order of elements from the largest on: NaN before all, of equal ones the first.
#ifndef GATUN_RANKED_H
#define GATUN_RANKED_H

#include "primitives.h"

namespace gatun {

struct Ranked {
  float value;
  int place;  // -1 for none.
};

static __device__ __forceinline__ bool before(Ranked a, Ranked b) {
  if (a.place < 0 || b.place < 0) {
    return b.place < 0 && a.place >= 0;
  }
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan != b_nan) {
    return a_nan;
  }
  if (!a_nan && a.value != b.value) {
    return a.value > b.value;
  }
  return a.place < b.place;
}

}  // namespace gatun

#endif
