// Packed weights.
#ifndef GATUN_PANELS_H
#define GATUN_PANELS_H

#include "numbers.h"

namespace gatun {

constexpr int kPanel = 32;

// Where input feature k of output feature n lies.
static __device__ __forceinline__ long panel_place(long n, long k, long depth, int dtype) {
  const long panel = n / kPanel, feature = n % kPanel;
  if (dtype == kBf16) {
    return ((panel * ((depth + 1) / 2) + k / 2) * kPanel + feature) * 2 + k % 2;
  }
  return (panel * depth + k) * kPanel + feature;
}

// Elements of a packed weight.
static __device__ __forceinline__ long packed_count(long features, long depth, int dtype) {
  const long rows = dtype == kBf16 ? (depth + 1) / 2 * 2 : depth;
  return (features + kPanel - 1) / kPanel * kPanel * rows;
}

}  // namespace gatun

#endif
