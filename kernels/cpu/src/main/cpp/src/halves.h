// 16-bit floats as vectors: bf16 and f16 to and from f32, rounded to nearest even.
#ifndef GATUN_HALVES_H
#define GATUN_HALVES_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

static inline Floats from_bf16(Halves h) { return (Floats)(widen(h) << 16); }

static inline void store_halves(uint16_t *p, Halves v, int64_t n) {
  if (n == kLanes) {
    store_halves(p, v);
  } else {
    store_halves_part(p, v, n);
  }
}

static inline bool is_dtype(int32_t dtype) {
  return dtype >= GATUN_DTYPE_F32 && dtype <= GATUN_DTYPE_F16;
}

static inline const void *at(const void *p, int32_t dtype, int64_t element) {
  return static_cast<const char *>(p) + element * (dtype == GATUN_DTYPE_F32 ? 4 : 2);
}

static inline void *at(void *p, int32_t dtype, int64_t element) {
  return static_cast<char *>(p) + element * (dtype == GATUN_DTYPE_F32 ? 4 : 2);
}

// The n floats of the dtype from p on; the other lanes are 0.
static inline Floats load_as(const void *p, int32_t dtype, int64_t n) {
  if (dtype == GATUN_DTYPE_F32) {
    return load_lanes(static_cast<const float *>(p), n);
  }
  const uint16_t *halves = static_cast<const uint16_t *>(p);
  const Halves h = n == kLanes ? load_halves(halves) : load_halves(halves, n);
  return dtype == GATUN_DTYPE_BF16 ? from_bf16(h) : from_f16(h);
}

static inline void store_as(void *p, int32_t dtype, Floats v, int64_t n) {
  if (dtype == GATUN_DTYPE_F32) {
    store_lanes(static_cast<float *>(p), v, n);
  } else {
    store_halves(static_cast<uint16_t *>(p), dtype == GATUN_DTYPE_BF16 ? to_bf16(v) : to_f16(v), n);
  }
}

static inline float load_one(const void *p, int32_t dtype) { return load_as(p, dtype, 1)[0]; }

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
