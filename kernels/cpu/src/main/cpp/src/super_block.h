// Scales, minima and codes of a Q2_K, Q4_K or Q5_K block with a small squared error. What is best
// for each sub-block alone is not best for all, whose scales and minima are whole multiples of two
// numbers: several pairs of these are tried, each solved for again once there are codes.
#ifndef GATUN_SUPER_BLOCK_H
#define GATUN_SUPER_BLOCK_H

#include "affine_search.h"
#include "block_formats.h"
#include "scale_search.h"

namespace gatun {
namespace GATUN_LEVEL {

// x / scale to nearest even inside of limits; 0 of a scale of 0.
static inline int even(float x, float scale, int least, int most) {
  if (scale == 0) {
    return 0;
  }
  const double near = round_even(x / scale);
  return near != near ? 0 : static_cast<int>(held(near, least, most));
}

// Sub-blocks of kSub elements, whose scales and minima are whole numbers up to kMost.
template <int kSub, int kMost>
class SuperBlock {
 public:
  static constexpr int kSubs = kSuperBlock / kSub;
  using Search = AffineSearch<kSub>;

  float scale, min;
  int chosen[2 * kSubs];  // the sub-blocks' scales, then their minima
  int codes[kSuperBlock];

  // The best found with codes of 0 to steps. False where a scale or minimum is too large for f16.
  static bool best(const float *x, int steps, SuperBlock *found) {
    bool any = false;
    for (const bool searched : {true, false}) {
      float scales[kSubs], mins[kSubs], largest_scale = 0, largest_min = 0;
      for (int s = 0; s < kSubs; s++) {
        const ScaleAndMin sub =
            searched ? Search::best(x + s * kSub, steps) : Search::range(x + s * kSub, steps);
        scales[s] = sub.scale;
        mins[s] = sub.min;
        const float scale_size = __builtin_fabsf(sub.scale), min_size = __builtin_fabsf(sub.min);
        largest_scale = scale_size > largest_scale ? scale_size : largest_scale;
        largest_min = min_size > largest_min ? min_size : largest_min;
      }
      SuperBlock tried;
      if (!tried.choose_all(x, steps, largest_scale / kMost, largest_min / kMost, scales, mins)) {
        return false;
      }
      for (int round = 0; round < 2; round++) {
        if (!any || tried.error_ < found->error_) {
          *found = tried;
          any = true;
        }
        if (!tried.solve(x, steps)) {
          return false;
        }
      }
      if (tried.error_ < found->error_) {
        *found = tried;
      }
    }
    return true;
  }

 private:
  double error_;

  bool choose_all(const float *x, int steps, float wanted_scale, float wanted_min,
                  const float *scales, const float *mins) {
    uint8_t half[2];
    scale = store_f16(half, wanted_scale);
    min = store_f16(half, wanted_min);
    error_ = 0;
    for (int s = 0; s < kSubs; s++) {
      choose(x + s * kSub, steps, s, scales[s], mins[s]);
    }
    return is_finite(scale) && is_finite(min);
  }

  // The whole numbers near a wanted scale and minimum that err the least.
  void choose(const float *x, int steps, int sub, float wanted_scale, float wanted_min) {
    const int near_scale = even(wanted_scale, scale, 0, kMost);
    const int near_min = even(wanted_min, min, 0, kMost);
    float smallest = __builtin_inff();
    chosen[sub] = chosen[kSubs + sub] = 0;
    for (int a = near_scale > 0 ? near_scale - 1 : 0; a <= near_scale + 1 && a <= kMost; a++) {
      for (int b = near_min > 0 ? near_min - 1 : 0; b <= near_min + 1 && b <= kMost; b++) {
        const float sub_scale = scale * static_cast<float>(a);
        const float sub_min = min * static_cast<float>(b);
        const float e = Search::error(x, steps, sub_scale, sub_min);
        if (e < smallest) {
          smallest = e;
          chosen[sub] = a;
          chosen[kSubs + sub] = b;
        }
      }
    }
    error_ += smallest;
    const float sub_scale = scale * static_cast<float>(chosen[sub]);
    const float sub_min = min * static_cast<float>(chosen[kSubs + sub]);
    float best[kSub];
    Search::codes(x, steps, sub_scale, sub_min, best);
    for (int i = 0; i < kSub; i++) {
      codes[sub * kSub + i] = static_cast<int>(best[i]);
    }
  }

  // Takes the scale and the minimum of all that suit the codes best, where there are any.
  bool solve(const float *x, int steps) {
    double pp = 0, pm = 0, mm = 0, px = 0, mx = 0;
    for (int i = 0; i < kSuperBlock; i++) {
      const double p = static_cast<double>(chosen[i / kSub]) * codes[i];
      const double m = -chosen[kSubs + i / kSub];
      pp += p * p;
      pm += p * m;
      mm += m * m;
      px += p * x[i];
      mx += m * x[i];
    }
    const double determinant = pp * mm - pm * pm;
    const double better = determinant > 0 ? (px * mm - mx * pm) / determinant
                          : pp > 0        ? px / pp
                                          : scale;
    const double better_min = determinant > 0 ? (mx * pp - px * pm) / determinant : min;
    if (!(better > 0) || !(better_min >= 0)) {
      return true;
    }
    float scales[kSubs], mins[kSubs];
    for (int s = 0; s < kSubs; s++) {
      scales[s] = scale * static_cast<float>(chosen[s]);
      mins[s] = min * static_cast<float>(chosen[kSubs + s]);
    }
    return choose_all(x, steps, static_cast<float>(better), static_cast<float>(better_min), scales,
                      mins);
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
