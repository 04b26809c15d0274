// Sub-blocks beside each other, each in a lane of its own. Sums are in the order of a sub-block's
// elements and in floats, so that every level finds the same bytes.
#ifndef GATUN_SUB_BLOCKS_H
#define GATUN_SUB_BLOCKS_H

#include "block_formats.h"

namespace gatun {
namespace GATUN_LEVEL {

// To nearest even, of magnitudes below 2^22.
static inline Floats round_codes(Floats x) {
  // Its sum with a number has that number, rounded, in the low bits.
  constexpr float kMagic = 0x1.8p23f;
  return (x + kMagic) - kMagic;
}

// 1 / scale; 0 of a scale of 0.
static inline Floats inverse_of(Floats scale) {
  return select(scale == 0.0f, Floats{}, 1.0f / scale);
}

// Lanes of a vector that hold the first of `count` numbers.
static inline int used_lanes(int count) { return count < kLanes ? count : kLanes; }

// Element i of each of kLanes sub-blocks.
template <int kSize>
struct SubBlocks {
  Floats x[kSize];

  // Those of a row from here on; beyond `count` of them lanes are 0.
  static SubBlocks load(const float *row, int count) {
    float columns[kSize][kLanes] = {};
    for (int lane = 0; lane < used_lanes(count); lane++) {
      for (int i = 0; i < kSize; i++) {
        columns[i][lane] = row[lane * kSize + i];
      }
    }
    SubBlocks blocks;
    __builtin_memcpy(blocks.x, columns, sizeof columns);
    return blocks;
  }

  // The element of the largest magnitude, the first of equals, with its sign.
  Floats extreme() const {
    Floats found = {};
    for (int i = 0; i < kSize; i++) {
      found = select(magnitude(x[i]) > magnitude(found), x[i], found);
    }
    return found;
  }
};

// A lane's whole number.
static inline Floats lanes_of_ints(const int *values, int count) {
  float lanes[kLanes] = {};
  for (int i = 0; i < used_lanes(count); i++) {
    lanes[i] = static_cast<float>(values[i]);
  }
  return load(lanes);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
