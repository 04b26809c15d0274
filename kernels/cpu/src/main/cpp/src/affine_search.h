// The scale and minimum with the smallest squared error: steps of several sizes are tried, and for
// the codes of each the best scale and minimum are solved for. Sums are kept in kSumLanes parts, so
// that every level, of vectors or not, finds the same bytes.
#ifndef GATUN_AFFINE_SEARCH_H
#define GATUN_AFFINE_SEARCH_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

struct ScaleAndMin {
  float scale;
  float min;
};

constexpr int kSumLanes = 16;

static inline float sum_lanes(float (&lanes)[kSumLanes]) {
  for (int half = kSumLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      lanes[i] += lanes[i + half];
    }
  }
  return lanes[0];
}

// x ~ scale * code - min with codes of 0 to steps, in kSize elements.
template <int kSize>
struct AffineSearch {
  // Writes the codes, to nearest even; 0 of a scale of 0.
  static void codes(const float *x, int steps, float scale, float min, float *codes) {
    // Its sum with a number has that number, rounded, in the low bits.
    constexpr float kMagic = 0x1.8p23f;
    const float inverse = scale == 0 ? 0 : 1 / scale, most = static_cast<float>(steps);
    for (int i = 0; i < kSize; i++) {
      float code = (x[i] + min) * inverse;
      code = code > 0 ? code : 0;
      code = code < most ? code : most;
      codes[i] = (code + kMagic) - kMagic;
    }
  }

  static float error_of(const float *x, const float *codes, float scale, float min) {
    float lanes[kSumLanes] = {};
    for (int i = 0; i < kSize; i += kSumLanes) {
      for (int lane = 0; lane < kSumLanes; lane++) {
        const float e = scale * codes[i + lane] - min - x[i + lane];
        lanes[lane] += e * e;
      }
    }
    return sum_lanes(lanes);
  }

  // The squared error with the best codes for a scale and a minimum.
  static float error(const float *x, int steps, float scale, float min) {
    float chosen[kSize];
    codes(x, steps, scale, min, chosen);
    return error_of(x, chosen, scale, min);
  }

  // What the smallest and the largest element, and 0, ask for.
  static ScaleAndMin range(const float *x, int steps) {
    float least = 0, most = -__builtin_inff();
    for (int i = 0; i < kSize; i++) {
      least = x[i] < least ? x[i] : least;
      most = x[i] > most ? x[i] : most;
    }
    const float range = most - least;
    return {(range > 0 ? range : 0) / static_cast<float>(steps), -least};
  }

  // The best scale and minimum, neither negative.
  static ScaleAndMin best(const float *x, int steps) {
    constexpr int kTimes = 12, kRounds = 2;
    // One large element leaves the others few codes, which need not begin at the smallest one.
    constexpr float kMins[] = {1, 0.75f, 0.5f};
    // Squares of less would be 0.
    constexpr float kLeastRange = 1e-18f;
    ScaleAndMin best = range(x, steps);
    const float least = -best.min, most = least + static_cast<float>(steps) * best.scale;
    if (!(most - least >= kLeastRange)) {
      return best;
    }
    float x_lanes[kSumLanes] = {};
    for (int i = 0; i < kSize; i += kSumLanes) {
      for (int lane = 0; lane < kSumLanes; lane++) {
        x_lanes[lane] += x[i + lane];
      }
    }
    const double count = kSize, sx = sum_lanes(x_lanes);
    float smallest = error(x, steps, best.scale, best.min);
    for (int t = 0; t <= kTimes; t++) {
      float min = -least * kMins[t % 3];
      float scale =
          (most + min) / (static_cast<float>(steps) - 1.2f + 0.2f * static_cast<float>(t));
      for (int round = 0; round < kRounds; round++) {
        float chosen[kSize], q[kSumLanes] = {}, qq[kSumLanes] = {}, xq[kSumLanes] = {};
        codes(x, steps, scale, min, chosen);
        for (int i = 0; i < kSize; i += kSumLanes) {
          for (int lane = 0; lane < kSumLanes; lane++) {
            const float code = chosen[i + lane];
            q[lane] += code;
            qq[lane] += code * code;
            xq[lane] += x[i + lane] * code;
          }
        }
        const double sq = sum_lanes(q), sqq = sum_lanes(qq), sxq = sum_lanes(xq);
        const double determinant = count * sqq - sq * sq;
        if (!(determinant > 0)) {
          break;
        }
        scale = static_cast<float>((count * sxq - sx * sq) / determinant);
        min = static_cast<float>((sq * sxq - sqq * sx) / determinant);
        if (min < 0) {
          min = 0;
          scale = static_cast<float>(sxq / sqq);
        }
        if (!(scale > 0)) {
          break;
        }
        const float error = error_of(x, chosen, scale, min);
        if (error < smallest) {
          smallest = error;
          best = {scale, min};
        }
      }
    }
    return best;
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
