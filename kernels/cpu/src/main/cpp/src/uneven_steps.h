// Codes and scales of IQ4_NL and IQ4_XS, whose codes are uneven steps.
#ifndef GATUN_UNEVEN_STEPS_H
#define GATUN_UNEVEN_STEPS_H

#include "block_formats.h"
#include "scale_search.h"

namespace gatun {
namespace GATUN_LEVEL {

// The number of the nearest step, the upper one of two.
static inline int uneven_code(float x, double scale) {
  if (scale == 0) {
    return 8;
  }
  const double steps = x / scale;
  int code = 0;
  for (int i = 1; i < 16; i++) {
    code += steps >= (kUnevenSteps[i - 1] + kUnevenSteps[i]) * 0.5 ? 1 : 0;
  }
  return code;
}

static inline double uneven_error(const float *x, int64_t size, double scale) {
  double error = 0;
  for (int64_t i = 0; i < size; i++) {
    const double e = scale * kUnevenSteps[uneven_code(x[i], scale)] - x[i];
    error += e * e;
  }
  return error;
}

// The scale with the smallest squared error: the largest element becomes each end of the steps, and
// what lies near.
static inline float search_uneven(const float *x, int64_t size) {
  const float largest = extreme(x, size);
  if (largest == 0) {
    return 0;
  }
  double best = largest / static_cast<double>(kUnevenSteps[0]);
  double smallest = uneven_error(x, size, best);
  for (int t = 0; t < 2 * kTries; t++) {
    const double end = t % 2 == 0 ? kUnevenSteps[0] + 8 - t : kUnevenSteps[15] - 8 + t;
    const double scale = largest / end;
    double sxq = 0, sqq = 0;
    for (int64_t i = 0; i < size; i++) {
      const double value = kUnevenSteps[uneven_code(x[i], scale)];
      sxq += x[i] * value;
      sqq += value * value;
    }
    const double solved = sxq / sqq, error = uneven_error(x, size, solved);
    if (error < smallest) {
      smallest = error;
      best = solved;
    }
  }
  return static_cast<float>(best);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
