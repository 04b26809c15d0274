// Products of bf16 pairs in f32, for processors that have instructions for them.
#ifndef GATUN_DOT_BF16_H
#define GATUN_DOT_BF16_H

#include "narrow.h"

namespace gatun {
namespace GATUN_LEVEL {

// sums[kRows][PANEL] (+)= x[kRows][pairs] * packed[pairs][PANEL], pair after pair: a row's sums are
// the same among any others. The first tile of weights asks for those that follow.
template <int kRows>
GATUN_PAIRS static inline void bf16_tile(const uint16_t *x, int64_t x_stride,
                                         const uint16_t *packed, int64_t pairs, float *sums,
                                         int64_t sums_stride, Into into, Ahead ahead) {
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns, packed += 2 * kTileColumns) {
    Floats s[kRows][2];
    for (int r = 0; r < kRows; r++) {
      s[r][0] = into == Into::kNew ? Floats{} : load(sums + r * sums_stride + j);
      s[r][1] = into == Into::kNew ? Floats{} : load(sums + r * sums_stride + j + kLanes);
    }
    // Two addresses that move, as in Steps.
    constexpr int kUpper = (kRows + 1) / 2;
    const uint16_t *upper = x, *lower = x + kUpper * x_stride;
    for (int64_t i = 0; i < pairs; i++) {
      const uint16_t *line = packed + i * 2 * GATUN_PANEL;
      ahead.ask(i);
      const Bits w0 = load_pairs(line), w1 = load_pairs(line + 2 * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; r++) {
        const uint16_t *pair = r < kUpper ? upper + r * x_stride : lower + (r - kUpper) * x_stride;
        s[r][0] = dot_pairs(s[r][0], w0, pair);
        s[r][1] = dot_pairs(s[r][1], w1, pair);
      }
      upper += 2;
      lower += 2;
      __asm__("" : "+r"(upper), "+r"(lower));
    }
    for (int r = 0; r < kRows; r++) {
      store(sums + r * sums_stride + j, s[r][0]);
      store(sums + r * sums_stride + j + kLanes, s[r][1]);
    }
  }
}

template <int kRows>
static inline void bf16_tile(int64_t rows, const uint16_t *x, int64_t x_stride,
                             const uint16_t *packed, int64_t pairs, float *sums,
                             int64_t sums_stride, Into into, Ahead ahead) {
  if (rows == kRows) {
    bf16_tile<kRows>(x, x_stride, packed, pairs, sums, sums_stride, into, ahead);
  } else if constexpr (kRows > 1) {
    bf16_tile<kRows - 1>(rows, x, x_stride, packed, pairs, sums, sums_stride, into, ahead);
  }
}

// The same for weights that are near.
template <int kRows>
static inline void bf16_tile(int64_t rows, const uint16_t *x, int64_t x_stride,
                             const uint16_t *packed, int64_t pairs, float *sums,
                             int64_t sums_stride, Into into) {
  bf16_tile<kRows>(rows, x, x_stride, packed, pairs, sums, sums_stride, into,
                   Ahead{reinterpret_cast<const char *>(packed), 0});
}

// A row of n floats rounded to bf16, by the instruction: it may make subnormal ones 0.
GATUN_PAIRS static inline void narrow_row(const float *x, int64_t n, uint16_t *y) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    store_narrow(y + i, load(x + i), load(x + i + kLanes));
  }
  for (; i < n; i += kLanes) {
    const int64_t left = n - i < kLanes ? n - i : kLanes;
    store_halves(y + i, narrow(load_lanes(x + i, left)), left);
  }
}

// Within each four of n numbers, a multiple of 4, the two in the middle change places.
static inline void swap_middle(uint16_t *row, int64_t n) {
  for (int64_t i = 0; i < n; i += 4) {
    uint64_t four;
    __builtin_memcpy(&four, row + i, sizeof four);
    four = (four & 0xffff00000000ffff) | (four >> 16 & 0xffff0000) | (four & 0xffff0000) << 16;
    __builtin_memcpy(row + i, &four, sizeof four);
  }
}

// n elements of a row of x as bf16.
static inline void narrow_elements(const void *in, int32_t dtype, int64_t n, uint16_t *out) {
  if (dtype == GATUN_DTYPE_F32) {
    narrow_row(static_cast<const float *>(in), n, out);
  } else if (dtype == GATUN_DTYPE_BF16) {
    __builtin_memcpy(out, in, static_cast<size_t>(n) * 2);
  } else {
    by_vector(n, [&](int64_t i, int64_t lanes) {
      store_halves(out + i, to_bf16(load_as(at(in, dtype, i), dtype, lanes)), lanes);
    });
  }
}

// Rows of x as bf16, `stride` apart and zero-filled to there. Within each four the two in the
// middle change places when swapped: the order in which codes of four bytes come apart.
static inline void narrow_rows(const Product &p, int64_t row, int64_t rows, int64_t stride,
                               bool swapped, uint16_t *narrow) {
  parallel_rows(rows, p.k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      uint16_t *out = narrow + r * stride;
      narrow_elements(p.row(row + r), p.x_dtype, p.k, out);
      __builtin_memset(out + p.k, 0, static_cast<size_t>(stride - p.k) * 2);
      if (swapped) {
        swap_middle(out, stride);
      }
    }
  });
}

// finish_panel for y of bf16.
GATUN_PAIRS static inline void finish_bf16(const Product &p, const float *sums, int64_t row,
                                           int64_t rows, int64_t panel) {
  const int64_t first = p.feature(panel);
  const int64_t columns = p.n - first < GATUN_PANEL ? p.n - first : GATUN_PANEL;
  if (columns < GATUN_PANEL) {
    finish_panel(p, sums, row, rows, panel);
    return;
  }
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const float *bias = p.panel_bias(panel);
    const Floats low = bias == nullptr ? Floats{} : load(bias + j);
    const Floats high = bias == nullptr ? Floats{} : load(bias + j + kLanes);
    const int64_t feature = first + j;
    for (int64_t r = 0; r < rows; r++) {
      const float *sum = sums + r * GATUN_PANEL + j;
      const Floats v0 =
          p.with_residual(activate(load(sum) + low, p.activation), row + r, feature, kLanes);
      const Floats v1 = p.with_residual(activate(load(sum + kLanes) + high, p.activation), row + r,
                                        feature + kLanes, kLanes);
      store_narrow(static_cast<uint16_t *>(p.y) + (row + r) * p.y_stride + feature, v0, v1);
    }
  }
}

// finish_panel by the fastest way to y's type.
static inline void finish_tile(const Product &p, const float *sums, int64_t row, int64_t rows,
                               int64_t panel) {
  if (p.y_dtype == GATUN_DTYPE_BF16 && has(kPairs)) {
    finish_bf16(p, sums, row, rows, panel);
    return;
  }
  finish_panel(p, sums, row, rows, panel);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
