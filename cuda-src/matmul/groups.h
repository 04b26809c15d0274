// Products by experts: which rows a block computes, from offsets that only the device has.
#ifndef GATUN_GROUPS_H
#define GATUN_GROUPS_H

#include "primitives.h"

namespace gatun {

// Rows of one expert, at most a tile of them from begin on; the expert is -1 for none.
struct GroupTile {
  int expert;
  long begin, end;
};

static __device__ __forceinline__ long cut(long offset, long most) {
  return offset < 0 ? 0 : offset > most ? most : offset;
}

// One of the tiles of Rows rows that the experts' rows are cut into; every warp finds it by itself.
template <int Rows>
static __device__ __forceinline__ GroupTile group_tile(const int* offsets, int experts, long places,
                                                       unsigned number) {
  const int lane = threadIdx.x % 32;
  int left = static_cast<int>(number);
  for (int first = 0; first < experts; first += 32) {
    const int expert = first + lane;
    const long begin = expert < experts ? cut(offsets[expert], places) : 0;
    const long end = expert < experts ? cut(offsets[expert + 1], places) : 0;
    const int tiles = end > begin ? static_cast<int>((end - begin + Rows - 1) / Rows) : 0;
    // Tiles up to this expert's last.
    int upto = tiles;
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
      const int before = shuffle(upto, lane >= step ? lane - step : lane);
      upto += lane >= step ? before : 0;
    }
    const int all = shuffle(upto, 31);
    if (left < all) {
      int found = left >= upto - tiles && left < upto ? lane : 0;
#pragma unroll
      for (int mask = 16; mask > 0; mask /= 2) {
        const int other = shuffle_xor(found, mask);
        found = other > found ? other : found;
      }
      const long row = cut(offsets[first + found], places) +
                       static_cast<long>(left - shuffle(upto - tiles, found)) * Rows;
      const long last = cut(offsets[first + found + 1], places);
      return {first + found, row, last < row + Rows ? last : row + Rows};
    }
    left -= all;
  }
  return {-1, 0, 0};
}

}  // namespace gatun

#endif
