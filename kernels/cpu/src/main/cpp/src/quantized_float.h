// Products of floats with a quantised weight.
#ifndef GATUN_QUANTIZED_FLOAT_H
#define GATUN_QUANTIZED_FLOAT_H

#include "quantized.h"

namespace gatun {
namespace GATUN_LEVEL {

// With more rows than this it pays to make the weights floats in memory first.
constexpr int64_t kFewRows = 4;

// sums[kRows][PANEL] = x[kRows][k] * weights^T of a panel, straight from the codes: the numbers and
// the order of widen_codes and product, so that a row's sums are the same among more.
template <int kBits, int kRows>
static inline void float_rows(const Quantized &q, int64_t panel, const float *x, int64_t x_stride,
                              float *sums) {
  constexpr int kTogether = kUnit<kBits>;
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    Floats total[kRows][2] = {};
    Groups group(q, panel, 0);
    for (int64_t g = 0; g < q.groups(); g++, group.next()) {
      const Floats scale[2] = {group.scale(j), group.scale(j + kLanes)};
      const Floats min[2] = {group.min(j, scale[0]), group.min(j + kLanes, scale[1])};
      const uint8_t *unit = group.words() + j * 4;
      for (int64_t begin = 0; begin < q.group; begin += kTogether) {
#pragma GCC unroll 5
        for (int w = 0; w < kUnitWords<kBits>; w++) {
          __builtin_prefetch(unit + w * kWordLine + kAhead);
          __builtin_prefetch(unit + w * kWordLine + kAhead + 64);
        }
        const float *at = x + g * q.group + begin;
        const int64_t left = q.group - begin;
        for (int i = 0; i < (left < kTogether ? left : kTogether); i++) {
          const Floats v0 = fma(code<kBits>(unit, i), scale[0], min[0]);
          const Floats v1 = fma(code<kBits>(unit + kLanes * 4, i), scale[1], min[1]);
          for (int r = 0; r < kRows; r++) {
            const Floats v = splat(at[r * x_stride + i]);
            total[r][0] = fma(v, v0, total[r][0]);
            total[r][1] = fma(v, v1, total[r][1]);
          }
        }
        unit += kUnitWords<kBits> * kWordLine;
      }
    }
    for (int r = 0; r < kRows; r++) {
      store(sums + r * GATUN_PANEL + j, total[r][0]);
      store(sums + r * GATUN_PANEL + j + kLanes, total[r][1]);
    }
  }
}

template <int kBits, int kRows = kFewRows>
static inline void float_rows(int64_t rows, const Quantized &q, int64_t panel, const float *x,
                              int64_t x_stride, float *sums) {
  if (rows == kRows) {
    float_rows<kBits, kRows>(q, panel, x, x_stride, sums);
  } else if constexpr (kRows > 1) {
    float_rows<kBits, kRows - 1>(rows, q, panel, x, x_stride, sums);
  }
}

// Writes a panel's weights of [depth, depth + length) as floats [length][PANEL].
template <int kBits>
static inline void widen_codes(const Quantized &q, int64_t panel, int64_t depth, int64_t length,
                               float *wide) {
  constexpr int64_t kTogether = kUnit<kBits>;
  Groups group(q, panel, depth / q.group);
  for (int64_t i = 0, element = depth % q.group; i < length; element = 0, group.next()) {
    const int64_t end = q.group - element < length - i ? i + q.group - element : length;
    const uint8_t *units = group.words() + element / kTogether * kUnitWords<kBits> * kWordLine;
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      const Floats scale = group.scale(j), min = group.min(j, scale);
      const uint8_t *unit = units + j * 4;
      for (int64_t at = i; at < end; at += kTogether, unit += kUnitWords<kBits> * kWordLine) {
        const int64_t count = end - at < kTogether ? end - at : kTogether;
        for (int e = 0; e < count; e++) {
          store(wide + (at + e) * GATUN_PANEL + j, fma(code<kBits>(unit, e), scale, min));
        }
      }
    }
    i = end;
  }
}

template <int kBits>
static inline int32_t quantized_float(const Product &p, const Quantized &q) {
  static thread_local Scratch scratch;
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    float *memory = scratch.floats(WideRows::floats(p, m, false) + 1);
    if (memory == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    const WideRows wide = WideRows::of(p, chunk, m, false, memory);
    const auto tile = [&](const Quantized &own, int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      const float *x = wide.x + row * wide.stride;
      const auto widen = [&](int64_t part, int64_t depth, int64_t length, float *floats) {
        widen_codes<kBits>(own, part, depth, length, floats);
        return floats;
      };
      if (rows <= kFewRows) {
        float_rows<kBits>(rows, own, panel, x, wide.stride, sums);
      } else {
        float_tile(x, wide.stride, rows, p.k, panel, widen, sums);
      }
      finish_panel(p, sums, chunk + row, rows, panel);
    };
    const int32_t status = parallel_panels(p, q, chunk, m, tile);
    if (status != GATUN_OK) {
      return status;
    }
  }
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
