// What a block of a product with codes computes: which rows of y, of which rows of x, by which
// weight.
#ifndef GATUN_QUANTIZED_PLACES_H
#define GATUN_QUANTIZED_PLACES_H

#include "matmul/groups.h"
#include "quantized/product.h"

namespace gatun {

// Rows of y from begin up to end, which are those of x.
struct DensePlaces {
  static constexpr bool kGrouped = false;
  long begin, end;
  const uint8_t* packed;
  const float* bias;

  template <int Rows>
  static __device__ __forceinline__ DensePlaces of(const QuantizedProduct& p, unsigned tile) {
    return {static_cast<long>(tile) * Rows, p.m, p.packed, p.bias};
  }
  __device__ __forceinline__ long source(long row) const { return row; }
};

// The row of x of each row of y, or null where they are the same; where the experts' rows of y
// begin. Of the product p.packed and p.bias are all experts', one after another.
struct ExpertRows {
  const int* rows;
  const int* offsets;
  long x_rows;
  int experts;
};

// Rows of y of one expert.
struct GroupedPlaces {
  static constexpr bool kGrouped = true;
  long begin, end;
  const uint8_t* packed;
  const float* bias;
  const int* rows;
  long x_rows;

  // One of the tiles that the experts' rows are cut into; begin is end where there is none.
  template <int Rows>
  static __device__ __forceinline__ GroupedPlaces of(const QuantizedProduct& p, const ExpertRows& e,
                                                     unsigned number) {
    const GroupTile tile = group_tile<Rows>(e.offsets, e.experts, p.m, number);
    if (tile.expert < 0) {
      return {};
    }
    const long panels = (p.n + kPanelFeatures - 1) / kPanelFeatures;
    return {tile.begin,
            tile.end,
            p.packed + tile.expert * panels * p.panel,
            p.bias == nullptr ? nullptr : p.bias + tile.expert * p.n,
            e.rows,
            e.x_rows};
  }
  // Or -1, whose numbers count as zeros.
  __device__ __forceinline__ int source(long row) const {
    const int from = rows == nullptr ? static_cast<int>(row) : rows[row];
    return from >= 0 && from < x_rows ? from : -1;
  }
};

}  // namespace gatun

#endif
