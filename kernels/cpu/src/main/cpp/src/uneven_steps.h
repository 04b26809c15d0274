// Codes and scales of IQ4_NL and IQ4_XS, whose codes are uneven steps.
#ifndef GATUN_UNEVEN_STEPS_H
#define GATUN_UNEVEN_STEPS_H

#include "scale_search.h"

namespace gatun {
namespace GATUN_LEVEL {

// From here on a code is i.
static constexpr float uneven_border(int i) {
  return static_cast<float>(kUnevenSteps[i - 1] + kUnevenSteps[i]) * 0.5f;
}

// The number of the nearest step, the upper one of two.
static inline int uneven_code(float x, float inverse) {
  const float steps = x * inverse;
  int code = 0;
  for (int i = 1; i < 16; i++) {
    code += steps >= uneven_border(i) ? 1 : 0;
  }
  return code;
}

// The largest element becomes each end of the steps, and what lies near.
struct UnevenCodes {
  static constexpr int kTries = 48;

  static float end(int t) {
    return static_cast<float>(t % 2 == 0 ? kUnevenSteps[0] + 8 - t : kUnevenSteps[15] - 8 + t);
  }

  // The nearest step itself.
  static Floats nearest(Floats x) {
    Floats step = splat(kUnevenSteps[0]);
#pragma GCC unroll 16
    for (int i = 1; i < 16; i++) {
      step = select(x >= uneven_border(i), splat(kUnevenSteps[i]), step);
    }
    return step;
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
