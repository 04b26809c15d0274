// The scale with the smallest squared error of x ~ scale * code with codes of -half to half - 1:
// steps of several sizes are tried, and for the codes of each the best scale is solved for.
#ifndef GATUN_SCALE_SEARCH_H
#define GATUN_SCALE_SEARCH_H

#include "sub_blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

// To nearest even; exact for magnitudes below 2^51, and beyond that it is held by limits anyway.
static inline double round_even(double x) {
  constexpr double kMagic = 0x1.8p52;
  return __builtin_fabs(x) < 0x1p51 ? (x + kMagic) - kMagic : x;
}

static inline double held(double x, double least, double most) {
  return x < least ? least : x > most ? most : x;
}

// x / scale to nearest even inside of limits; 0 of a scale of 0.
static inline int even(float x, float scale, int least, int most) {
  if (scale == 0) {
    return 0;
  }
  const double near = round_even(x / scale);
  return near != near ? 0 : static_cast<int>(held(near, least, most));
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

// Codes of even steps.
template <int kHalf>
struct EvenCodes {
  static constexpr int kTries = 25;

  // What the largest element is to become: the largest code first, since of equal errors the
  // smallest scale leaves other sub-blocks the finest steps.
  static float end(int t) { return (-1.2f - kHalf) + 0.1f * static_cast<float>(t); }

  static Floats nearest(Floats x) {
    return round_codes(min(max(x, splat(-kHalf)), splat(kHalf - 1)));
  }
};

// The best scales of kLanes sub-blocks.
template <typename Codes, int kSize>
static inline Floats search_scales(const SubBlocks<kSize> &b) {
  const Floats largest = b.extreme();
  const Ints none = largest == 0.0f;
  // In these units no sum is too large or too small for a float.
  const Floats unit = select(none, splat(1), largest);
  Floats y[kSize], best_xq = {}, best_qq = splat(1);
  for (int i = 0; i < kSize; i++) {
    y[i] = b.x[i] / unit;
  }
  for (int t = 0; t < Codes::kTries; t++) {
    const Floats end = splat(Codes::end(t));
    Floats xq = {}, qq = {};
    for (int i = 0; i < kSize; i++) {
      const Floats q = Codes::nearest(y[i] * end);
      xq += y[i] * q;
      qq += q * q;
    }
    // The error is less by xq * xq / qq.
    const Ints better = xq * xq * best_qq > best_xq * best_xq * qq;
    best_xq = select(better, xq, best_xq);
    best_qq = select(better, qq, best_qq);
  }
  return select(none, Floats{}, largest * (best_xq / best_qq));
}

template <typename Codes, int kSize>
static inline Floats scale_error(const SubBlocks<kSize> &b, Floats scale) {
  const Floats inverse = inverse_of(scale);
  Floats sum = {};
  for (int i = 0; i < kSize; i++) {
    const Floats e = scale * Codes::nearest(b.x[i] * inverse) - b.x[i];
    sum += e * e;
  }
  return sum;
}

// The whole numbers of -most to most - 1 near the wanted scales, in units of `scale`, that err the
// least.
template <typename Codes, int kSize>
static inline void refine_scales(const SubBlocks<kSize> &b, float scale, const float *wanted,
                                 int most, int count, int *chosen) {
  int near[kLanes] = {};
  for (int lane = 0; lane < used_lanes(count); lane++) {
    near[lane] = even(wanted[lane], scale, -most, most - 1);
  }
  const Floats middle = lanes_of_ints(near, count);
  Floats best = middle, smallest = splat(__builtin_inff());
  const float low = static_cast<float>(-most), high = static_cast<float>(most);
  for (int step = -2; step <= 2; step++) {
    const Floats a = middle + static_cast<float>(step);
    const Floats error = scale_error<Codes>(b, scale * a);
    const Ints better = (a >= low) & (a < high) & (error < smallest);
    smallest = select(better, error, smallest);
    best = select(better, a, best);
  }
  float lanes[kLanes];
  store(lanes, best);
  for (int lane = 0; lane < used_lanes(count); lane++) {
    chosen[lane] = static_cast<int>(lanes[lane]);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
