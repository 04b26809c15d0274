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

// Sub-blocks of kSub elements, whose scales and minima are whole numbers up to kMost.
template <int kSub, int kMost>
class SuperBlock {
 public:
  static constexpr int kSubs = kSuperBlock / kSub;
  static constexpr int kParts = (kSubs + kLanes - 1) / kLanes;
  using Search = AffineSearch<kSub>;
  using Blocks = SubBlocks<kSub>;

  float scale, min;
  int chosen[2 * kSubs];  // the sub-blocks' scales, then their minima
  int codes[kSuperBlock];

  // The best found with codes of 0 to steps. False where a scale or minimum is too large for f16.
  static bool best(const float *x, int steps, SuperBlock *found) {
    Blocks parts[kParts];
    for (int p = 0; p < kParts; p++) {
      parts[p] = Blocks::load(x + p * kLanes * kSub, kSubs - p * kLanes);
    }
    const float most = static_cast<float>(steps);
    bool any = false;
    SuperBlock tried, better{};
    for (const bool searched : {true, false}) {
      float scales[kParts * kLanes], mins[kParts * kLanes];
      float largest_scale = 0, largest_min = 0;
      for (int p = 0; p < kParts; p++) {
        const ScalesAndMins sub =
            searched ? Search::best(parts[p], most) : Search::range(parts[p], most);
        store(scales + p * kLanes, sub.scale);
        store(mins + p * kLanes, sub.min);
      }
      for (int s = 0; s < kSubs; s++) {
        const float scale_size = __builtin_fabsf(scales[s]), min_size = __builtin_fabsf(mins[s]);
        largest_scale = scale_size > largest_scale ? scale_size : largest_scale;
        largest_min = min_size > largest_min ? min_size : largest_min;
      }
      if (!tried.choose(parts, most, largest_scale / kMost, largest_min / kMost, scales, mins)) {
        return false;
      }
      for (int round = 0; round < 2; round++) {
        if (!any || tried.error_ < better.error_) {
          better = tried;
          any = true;
        }
        if (!tried.solve(parts, most)) {
          return false;
        }
      }
      if (tried.error_ < better.error_) {
        better = tried;
      }
    }
    better.write_codes(parts, most);
    *found = better;
    return true;
  }

 private:
  double error_;

  static Floats lanes(const int *values, int part) {
    return lanes_of_ints(values + part * kLanes, kSubs - part * kLanes);
  }

  // The whole numbers near the wanted scales and minima that err the least.
  bool choose(const Blocks *parts, float steps, float wanted_scale, float wanted_min,
              const float *scales, const float *mins) {
    uint8_t half[2];
    scale = store_f16(half, wanted_scale);
    min = store_f16(half, wanted_min);
    error_ = 0;
    int near[2 * kSubs];
    for (int s = 0; s < kSubs; s++) {
      near[s] = even(scales[s], scale, 0, kMost);
      near[kSubs + s] = even(mins[s], min, 0, kMost);
    }
    for (int p = 0; p < kParts; p++) {
      const Floats near_scale = lanes(near, p), near_min = lanes(near + kSubs, p);
      Floats smallest = splat(__builtin_inff()), best_scale = {}, best_min = {};
      for (int i = -1; i <= 1; i++) {
        const Floats a = near_scale + static_cast<float>(i);
        const Ints is_scale = (a >= 0.0f) & (a <= static_cast<float>(kMost));
        for (int j = -1; j <= 1; j++) {
          const Floats b = near_min + static_cast<float>(j);
          const Floats error = Search::error(parts[p], steps, scale * a, min * b);
          const Ints better =
              is_scale & (b >= 0.0f) & (b <= static_cast<float>(kMost)) & (error < smallest);
          smallest = select(better, error, smallest);
          best_scale = select(better, a, best_scale);
          best_min = select(better, b, best_min);
        }
      }
      float found[3][kLanes];
      store(found[0], best_scale);
      store(found[1], best_min);
      store(found[2], smallest);
      for (int lane = 0; lane < used_lanes(kSubs - p * kLanes); lane++) {
        chosen[p * kLanes + lane] = static_cast<int>(found[0][lane]);
        chosen[kSubs + p * kLanes + lane] = static_cast<int>(found[1][lane]);
        error_ += found[2][lane];
      }
    }
    return is_finite(scale) && is_finite(min);
  }

  // Takes the scale and the minimum of all that suit the codes best, where there are any.
  bool solve(const Blocks *parts, float steps) {
    double pp = 0, pm = 0, mm = 0, px = 0, mx = 0;
    for (int part = 0; part < kParts; part++) {
      const Floats sub_scale = scale * lanes(chosen, part);
      const Floats sub_min = min * lanes(chosen + kSubs, part), inverse = inverse_of(sub_scale);
      Floats sums[4] = {};
      for (int i = 0; i < kSub; i++) {
        const Floats x = parts[part].x[i];
        const Floats q = Search::code(x, steps, inverse, sub_min);
        sums[0] += q;
        sums[1] += q * q;
        sums[2] += x * q;
        sums[3] += x;
      }
      float found[4][kLanes];
      for (int i = 0; i < 4; i++) {
        store(found[i], sums[i]);
      }
      for (int lane = 0; lane < used_lanes(kSubs - part * kLanes); lane++) {
        const double a = chosen[part * kLanes + lane];
        const double b = -chosen[kSubs + part * kLanes + lane];
        pp += a * a * found[1][lane];
        pm += a * b * found[0][lane];
        mm += b * b * kSub;
        px += a * found[2][lane];
        mx += b * found[3][lane];
      }
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
    return choose(parts, steps, static_cast<float>(better), static_cast<float>(better_min), scales,
                  mins);
  }

  void write_codes(const Blocks *parts, float steps) {
    for (int p = 0; p < kParts; p++) {
      const Floats sub_min = min * lanes(chosen + kSubs, p);
      const Floats inverse = inverse_of(scale * lanes(chosen, p));
      for (int i = 0; i < kSub; i++) {
        float found[kLanes];
        store(found, Search::code(parts[p].x[i], steps, inverse, sub_min));
        for (int lane = 0; lane < used_lanes(kSubs - p * kLanes); lane++) {
          codes[(p * kLanes + lane) * kSub + i] = static_cast<int>(found[lane]);
        }
      }
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
