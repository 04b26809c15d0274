// Moves values between the lanes of vectors.
#ifndef GATUN_LANES_H
#define GATUN_LANES_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// What one step of a transposition takes from two vectors: blocks of kWidth lanes change places.
// Lanes of the first vector are 0 to kLanes - 1, of the second kLanes on.
template <int kWidth, int... kLane>
static inline void exchange(Floats &first, Floats &second, std::integer_sequence<int, kLane...>) {
  const Floats a = first, b = second;
  first =
      __builtin_shufflevector(a, b, ((kLane & kWidth) == 0 ? kLane : kLanes + kLane - kWidth)...);
  second =
      __builtin_shufflevector(a, b, ((kLane & kWidth) == 0 ? kLane + kWidth : kLanes + kLane)...);
}

// Turns rows into columns: afterwards lane j of rows[i] is what lane i of rows[j] was.
template <int kWidth = 1>
static inline __attribute__((always_inline)) void transpose(Floats rows[kLanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) {
    if ((i & kWidth) == 0) {
      exchange<kWidth>(rows[i], rows[i | kWidth], LaneNumbers());
    }
  }
  if constexpr (2 * kWidth < kLanes) {
    transpose<2 * kWidth>(rows);
  }
}

// All lanes combined of each of kLanes vectors, as the lanes of one. After a step v[i] holds what
// comes of v[i] to v[i + 2 kWidth - 1].
template <int kWidth = 1, typename Combine>
static inline __attribute__((always_inline)) Floats fold_each(Floats v[kLanes],
                                                              const Combine &combine) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i += 2 * kWidth) {
    exchange<kWidth>(v[i], v[i + kWidth], LaneNumbers());
    v[i] = combine(v[i], v[i + kWidth]);
  }
  if constexpr (2 * kWidth < kLanes) {
    return fold_each<2 * kWidth>(v, combine);
  }
  return v[0];
}

static inline __attribute__((always_inline)) Floats sum_each(Floats v[kLanes]) {
  return fold_each(v, [](Floats a, Floats b) { return a + b; });
}

static inline __attribute__((always_inline)) Floats largest_each(Floats v[kLanes]) {
  return fold_each(v, [](Floats a, Floats b) { return max(a, b); });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
