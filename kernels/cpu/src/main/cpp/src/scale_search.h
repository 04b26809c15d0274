// The scale, and minimum, with the smallest squared error: steps of several sizes are tried, and
// for the codes of each the best scale and minimum are solved for. Sums are in double and in the
// order of the elements, so that every level finds the same bytes.
#ifndef GATUN_SCALE_SEARCH_H
#define GATUN_SCALE_SEARCH_H

#include <cmath>

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

struct ScaleAndMin {
  float scale;
  float min;
};

constexpr int kTries = 24;
constexpr int64_t kMostSearched = 32;

static inline double held(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

// To nearest even; exact for magnitudes below 2^51, and beyond that it is held by limits anyway.
static inline double round_even(double x) {
  constexpr double kMagic = 0x1.8p52;
  return x < 0x1p51 && x > -0x1p51 ? (x + kMagic) - kMagic : x;
}

// x ~ scale * code - min with codes of 0 to steps.
static inline double affine_code(float x, int steps, double scale, double min) {
  return scale == 0 ? 0 : held(round_even((x + min) / scale), 0, steps);
}

// The squared error with the best codes for a scale and a minimum.
static inline double affine_error(const float *x, int64_t size, int steps, double scale,
                                  double min) {
  double errors[kMostSearched];
  for (int64_t i = 0; i < size; i++) {
    const double e = scale * affine_code(x[i], steps, scale, min) - min - x[i];
    errors[i] = e * e;
  }
  double error = 0;
  for (int64_t i = 0; i < size; i++) {
    error += errors[i];
  }
  return error;
}

// What the smallest and the largest element, and 0, ask for.
static inline ScaleAndMin affine_range(const float *x, int64_t size, int steps) {
  float least = 0, most = -__builtin_inff();
  for (int64_t i = 0; i < size; i++) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  const float range = most - least;
  return {(range > 0 ? range : 0) / static_cast<float>(steps), -least};
}

// The best scale and minimum, neither negative.
static inline ScaleAndMin search_affine(const float *x, int64_t size, int steps) {
  ScaleAndMin best = affine_range(x, size, steps);
  const float least = -best.min, most = least + static_cast<float>(steps) * best.scale;
  if (most <= least) {
    return best;
  }
  // One large element leaves the others few codes, which need not begin at the smallest one.
  constexpr double kMins[] = {1, 0.75, 0.5};
  const double count = static_cast<double>(size);
  double smallest = affine_error(x, size, steps, best.scale, best.min);
  for (int t = 0; t <= kTries; t++) {
    double min = -least * kMins[t % 3];
    double scale = (most + min) / (steps - 1.2 + 2.4 * t / kTries);
    for (int round = 0; round < 3; round++) {
      double codes[kMostSearched];
      for (int64_t i = 0; i < size; i++) {
        codes[i] = held(round_even((x[i] + min) / scale), 0, steps);
      }
      double sx = 0, sq = 0, sqq = 0, sxq = 0;
      for (int64_t i = 0; i < size; i++) {
        sx += x[i];
        sq += codes[i];
        sqq += codes[i] * codes[i];
        sxq += x[i] * codes[i];
      }
      const double determinant = count * sqq - sq * sq;
      if (determinant <= 0) {
        break;
      }
      scale = (count * sxq - sx * sq) / determinant;
      min = (sq * sxq - sqq * sx) / determinant;
      if (min < 0) {
        min = 0;
        scale = sxq / sqq;
      }
      if (!(scale > 0)) {
        break;
      }
      const double error = affine_error(x, size, steps, scale, min);
      if (error < smallest) {
        smallest = error;
        best = {static_cast<float>(scale), static_cast<float>(min)};
      }
    }
  }
  return best;
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
