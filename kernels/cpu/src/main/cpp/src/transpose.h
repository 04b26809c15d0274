// Squares of 32-bit units, turned about.
#ifndef GATUN_TRANSPOSE_H
#define GATUN_TRANSPOSE_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// The lower halves of a and b, lane by lane in turn; the upper halves.
template <int... kLane>
GATUN_INLINE static inline Ints zip_low(Ints a, Ints b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kLane / 2 + kLane % 2 * kLanes)...);
}

template <int... kLane>
GATUN_INLINE static inline Ints zip_high(Ints a, Ints b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b, (kLanes / 2 + kLane / 2 + kLane % 2 * kLanes)...);
}

// Turns kLanes rows of kLanes units about: unit j of row i becomes unit i of row j. Each step
// halves how far apart a column's units are.
GATUN_INLINE static inline void turn_about(Ints (&rows)[kLanes]) {
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    Ints next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; i++) {
      next[2 * i] = zip_low(rows[i], rows[i + kLanes / 2], LaneNumbers());
      next[2 * i + 1] = zip_high(rows[i], rows[i + kLanes / 2], LaneNumbers());
    }
    __builtin_memcpy(rows, next, sizeof rows);
  }
}

// The rows of a square, row i from from + i * stride units on.
GATUN_INLINE static inline void load_square(const void *from, int64_t stride,
                                            Ints (&rows)[kLanes]) {
  for (int i = 0; i < kLanes; i++) {
    __builtin_memcpy(&rows[i], static_cast<const char *>(from) + i * stride * 4, sizeof rows[i]);
  }
}

// Transposes kLanes rows of kLanes units: row i lies at from + i * from_stride, column i of them
// goes to to + i * to_stride; strides are in units.
GATUN_INLINE static inline void transpose(const void *from, int64_t from_stride, void *to,
                                          int64_t to_stride) {
  Ints rows[kLanes];
  load_square(from, from_stride, rows);
  turn_about(rows);
  for (int i = 0; i < kLanes; i++) {
    __builtin_memcpy(static_cast<char *>(to) + i * to_stride * 4, &rows[i], sizeof rows[i]);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
