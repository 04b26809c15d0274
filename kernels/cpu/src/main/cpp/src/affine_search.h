// The scale and minimum with the smallest squared error: steps of several sizes are tried, and for
// the codes of each the best scale and minimum are solved for.
#ifndef GATUN_AFFINE_SEARCH_H
#define GATUN_AFFINE_SEARCH_H

#include "sub_blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

struct ScalesAndMins {
  Floats scale;
  Floats min;
};

// x ~ scale * code - min with codes of 0 to steps, in kSize elements of each lane.
template <int kSize>
struct AffineSearch {
  using Blocks = SubBlocks<kSize>;

  // An element's code, to nearest even; 0 of a scale of 0.
  static Floats code(Floats x, float steps, Floats inverse, Floats min) {
    const Floats code = (x + min) * inverse;
    return round_codes(
        gatun::GATUN_LEVEL::min(gatun::GATUN_LEVEL::max(code, Floats{}), splat(steps)));
  }

  // The squared error with the best codes for a scale and a minimum.
  static Floats error(const Blocks &b, float steps, Floats scale, Floats min) {
    const Floats inverse = inverse_of(scale);
    Floats sum = {};
    for (int i = 0; i < kSize; i++) {
      const Floats e = scale * code(b.x[i], steps, inverse, min) - min - b.x[i];
      sum += e * e;
    }
    return sum;
  }

  // What the smallest and the largest element, and 0, ask for.
  static ScalesAndMins range(const Blocks &b, float steps) {
    Floats least = {}, most = b.x[0];
    for (int i = 0; i < kSize; i++) {
      least = select(b.x[i] < least, b.x[i], least);
      most = select(b.x[i] > most, b.x[i], most);
    }
    const Floats range = most - least;
    return {select(range > 0.0f, range, Floats{}) / steps, -least};
  }

  // The best scale and minimum, neither negative.
  static ScalesAndMins best(const Blocks &b, float steps) {
    constexpr int kTimes = 12, kRounds = 2;
    // One large element leaves the others few codes, which need not begin at the smallest one.
    constexpr float kMins[] = {1, 0.75f, 0.5f};
    // Squares of less would be 0.
    constexpr float kLeastRange = 1e-18f;
    constexpr float kCount = kSize;
    ScalesAndMins best = range(b, steps);
    const Floats least = -best.min, most = least + steps * best.scale;
    const Ints wide = most - least >= kLeastRange;
    Floats sx = {};
    for (int i = 0; i < kSize; i++) {
      sx += b.x[i];
    }
    Floats smallest = error(b, steps, best.scale, best.min);
    for (int t = 0; t <= kTimes; t++) {
      Floats min = -least * kMins[t % 3];
      Floats scale = (most + min) / (steps - 1.2f + 0.2f * static_cast<float>(t));
      Ints going = wide;
      for (int round = 0; round < kRounds; round++) {
        Floats chosen[kSize], q = {}, qq = {}, xq = {};
        const Floats inverse = inverse_of(scale);
        for (int i = 0; i < kSize; i++) {
          const Floats c = code(b.x[i], steps, inverse, min);
          chosen[i] = c;
          q += c;
          qq += c * c;
          xq += b.x[i] * c;
        }
        const Floats determinant = kCount * qq - q * q;
        scale = (kCount * xq - sx * q) / determinant;
        min = (q * xq - qq * sx) / determinant;
        const Ints below = min < 0.0f;
        scale = select(below, xq / qq, scale);
        min = select(below, Floats{}, min);
        going &= (determinant > 0.0f) & (scale > 0.0f);
        Floats sum = {};
        for (int i = 0; i < kSize; i++) {
          const Floats e = scale * chosen[i] - min - b.x[i];
          sum += e * e;
        }
        const Ints better = going & (sum < smallest);
        smallest = select(better, sum, smallest);
        best.scale = select(better, scale, best.scale);
        best.min = select(better, min, best.min);
      }
    }
    return best;
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
