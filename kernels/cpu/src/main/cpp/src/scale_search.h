// The scale with the smallest squared error: steps of several sizes are tried, and
// for the codes of each the best scale and minimum are solved for. Sums are in double and in the
// order of the elements, so that every level finds the same bytes.
#ifndef GATUN_SCALE_SEARCH_H
#define GATUN_SCALE_SEARCH_H

#include <cmath>

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kTries = 24;

static inline double held(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

// To nearest even; exact for magnitudes below 2^51, and beyond that it is held by limits anyway.
static inline double round_even(double x) {
  constexpr double kMagic = 0x1.8p52;
  return x < 0x1p51 && x > -0x1p51 ? (x + kMagic) - kMagic : x;
}

// x ~ scale * code with codes of -half to half - 1.
static inline double symmetric_code(float x, int half, double scale) {
  return scale == 0 ? 0 : held(round_even(x / scale), -half, half - 1);
}

static inline double symmetric_error(const float *x, int64_t size, int half, double scale) {
  double error = 0;
  for (int64_t i = 0; i < size; i++) {
    const double e = scale * symmetric_code(x[i], half, scale) - x[i];
    error += e * e;
  }
  return error;
}

// The element of the largest magnitude, the first of equals, with its sign.
static inline float extreme(const float *x, int64_t size) {
  float found = 0;
  for (int64_t i = 0; i < size; i++) {
    if (__builtin_fabsf(x[i]) > __builtin_fabsf(found)) {
      found = x[i];
    }
  }
  return found;
}

static inline float search_symmetric(const float *x, int64_t size, int half) {
  const float largest = extreme(x, size);
  if (largest == 0) {
    return 0;
  }
  double best = largest / static_cast<double>(-half);
  double smallest = symmetric_error(x, size, half, best);
  for (int t = 0; t <= kTries; t++) {
    const double scale = largest / (-half + 1.2 - 2.4 * t / kTries);
    double sxq = 0, sqq = 0;
    for (int64_t i = 0; i < size; i++) {
      const double code = symmetric_code(x[i], half, scale);
      sxq += x[i] * code;
      sqq += code * code;
    }
    if (sqq > 0) {
      const double solved = sxq / sqq, error = symmetric_error(x, size, half, solved);
      if (error < smallest) {
        smallest = error;
        best = solved;
      }
    }
  }
  return static_cast<float>(best);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
