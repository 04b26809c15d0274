// The element types as types, so that a kernel is written once for all of them.
#ifndef GATUN_NUMBERS_H
#define GATUN_NUMBERS_H

#include "halves.h"

namespace gatun {
namespace GATUN_LEVEL {

struct Bf16 {
  uint16_t bits;
};

struct F16 {
  uint16_t bits;
};

static inline Floats load_lanes(const Bf16 *p, int64_t n) {
  return load_as(p, GATUN_DTYPE_BF16, n);
}

static inline Floats load_lanes(const F16 *p, int64_t n) { return load_as(p, GATUN_DTYPE_F16, n); }

static inline void store_lanes(Bf16 *p, Floats v, int64_t n) {
  store_as(p, GATUN_DTYPE_BF16, v, n);
}

static inline void store_lanes(F16 *p, Floats v, int64_t n) { store_as(p, GATUN_DTYPE_F16, v, n); }

// n numbers that lie `stride` apart; the other lanes are 0.
template <typename T>
static inline Floats load_strided(const T *p, int64_t stride, int64_t n) {
  T lanes[kLanes] = {};
  for (int64_t i = 0; i < n; i++) {
    lanes[i] = p[i * stride];
  }
  return load_lanes(lanes, kLanes);
}

template <typename T>
static inline void store_strided(T *p, int64_t stride, Floats v, int64_t n) {
  T lanes[kLanes];
  store_lanes(lanes, v, kLanes);
  for (int64_t i = 0; i < n; i++) {
    p[i * stride] = lanes[i];
  }
}

// Calls body(a number of the type that dtype names).
template <typename Body>
static inline void by_dtype(int32_t dtype, const Body &body) {
  switch (dtype) {
    case GATUN_DTYPE_BF16:
      return body(Bf16{});
    case GATUN_DTYPE_F16:
      return body(F16{});
    default:
      return body(0.0f);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
