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

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
