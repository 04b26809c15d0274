// The larger and the smaller of two numbers by IEEE 754's maximum and minimum: NaN where either is,
// and -0 below 0. So their order does not matter.
#ifndef GATUN_EXTREMES_H
#define GATUN_EXTREMES_H

#include "pair.h"

namespace gatun {
namespace GATUN_LEVEL {

static inline Floats maximum(Floats a, Floats b) {
  const Floats larger = select(a > b, a, b);  // b where either is NaN
  const Floats equal = (Floats)((Ints)a & (Ints)b);
  return select(a == b, equal, select(a == a, larger, a));
}

static inline Floats minimum(Floats a, Floats b) {
  const Floats smaller = select(a < b, a, b);
  const Floats equal = (Floats)((Ints)a | (Ints)b);
  return select(a == b, equal, select(a == a, smaller, a));
}
GATUN_PAIR_BINARY(maximum)
GATUN_PAIR_BINARY(minimum)

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
