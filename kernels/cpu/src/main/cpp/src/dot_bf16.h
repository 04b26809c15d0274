// Products of bf16 pairs in f32: vdpbf16ps, for processors that have it (AVX512_BF16).
#ifndef GATUN_DOT_BF16_H
#define GATUN_DOT_BF16_H

#include "narrow.h"

namespace gatun {
namespace GATUN_LEVEL {

#if defined(GATUN_LEVEL_avx512)

#define GATUN_BF16 __attribute__((target("avx512bf16")))

static inline bool has_bf16() { return gatun_features() & GATUN_FEATURE_AVX512_BF16; }

GATUN_BF16 static inline __m512 dot(__m512 sums, __m512i weights, const uint16_t *pair) {
  int32_t x;
  __builtin_memcpy(&x, pair, sizeof x);
  return _mm512_dpbf16_ps(sums, (__m512bh)weights, (__m512bh)_mm512_set1_epi32(x));
}

// sums[kRows][PANEL] (+)= x[kRows][pairs] * packed[pairs][PANEL]. The sums of one pair and the next
// are kept apart where there are few rows, so that an addition need not wait for the one before.
// The first tile of weights asks for those that follow.
template <int kRows>
GATUN_BF16 static inline void bf16_tile(const uint16_t *x, int64_t x_stride, const uint16_t *packed,
                                        int64_t pairs, float *sums, int64_t sums_stride, Into into,
                                        Ahead ahead) {
  constexpr int kApart = kRows <= 2 ? 4 : 1;
  __m512 s[kApart][kRows][2];
  for (int a = 0; a < kApart; a++) {
    for (int r = 0; r < kRows; r++) {
      const bool fresh = a > 0 || into == Into::kNew;
      s[a][r][0] = fresh ? __m512{} : (__m512)load(sums + r * sums_stride);
      s[a][r][1] = fresh ? __m512{} : (__m512)load(sums + r * sums_stride + kLanes);
    }
  }
  int64_t i = 0;
  for (; i + kApart <= pairs; i += kApart) {
    for (int a = 0; a < kApart; a++) {
      const uint16_t *line = packed + (i + a) * 2 * GATUN_PANEL;
      ahead.ask(i + a);
      const __m512i w0 = _mm512_loadu_si512(line), w1 = _mm512_loadu_si512(line + GATUN_PANEL);
      for (int r = 0; r < kRows; r++) {
        s[a][r][0] = dot(s[a][r][0], w0, x + r * x_stride + (i + a) * 2);
        s[a][r][1] = dot(s[a][r][1], w1, x + r * x_stride + (i + a) * 2);
      }
    }
  }
  for (; i < pairs; i++) {
    const uint16_t *line = packed + i * 2 * GATUN_PANEL;
    const __m512i w0 = _mm512_loadu_si512(line), w1 = _mm512_loadu_si512(line + GATUN_PANEL);
    for (int r = 0; r < kRows; r++) {
      s[0][r][0] = dot(s[0][r][0], w0, x + r * x_stride + i * 2);
      s[0][r][1] = dot(s[0][r][1], w1, x + r * x_stride + i * 2);
    }
  }
  for (int a = 1; a < kApart; a++) {
    for (int r = 0; r < kRows; r++) {
      s[0][r][0] += s[a][r][0];
      s[0][r][1] += s[a][r][1];
    }
  }
  for (int r = 0; r < kRows; r++) {
    store(sums + r * sums_stride, (Floats)s[0][r][0]);
    store(sums + r * sums_stride + kLanes, (Floats)s[0][r][1]);
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

// A row of n floats rounded to bf16, by the instruction: subnormal ones become 0.
GATUN_BF16 static inline void narrow_row(const float *x, int64_t n, uint16_t *y) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const __m512bh v = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + kLanes), _mm512_loadu_ps(x + i));
    __builtin_memcpy(y + i, &v, sizeof v);
  }
  for (; i < n; i += kLanes) {
    const int64_t left = n - i < kLanes ? n - i : kLanes;
    const __mmask16 mask = static_cast<__mmask16>((1u << left) - 1);
    const __m256bh v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
    _mm256_mask_storeu_epi16(y + i, mask, (__m256i)v);
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

// Rows of x as bf16, `stride` apart and zero-filled to there. Within each four the two in the
// middle change places when swapped: the order in which codes of four bytes come apart.
static inline void narrow_rows(const Product &p, int64_t row, int64_t rows, int64_t stride,
                               bool swapped, uint16_t *narrow) {
  parallel_rows(rows, p.k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const void *in = p.row(row + r);
      uint16_t *out = narrow + r * stride;
      if (p.x_dtype == GATUN_DTYPE_F32) {
        narrow_row(static_cast<const float *>(in), p.k, out);
      } else if (p.x_dtype == GATUN_DTYPE_BF16) {
        __builtin_memcpy(out, in, static_cast<size_t>(p.k) * 2);
      } else {
        by_vector(p.k, [&](int64_t i, int64_t n) {
          store_halves(out + i, to_bf16(load_as(at(in, p.x_dtype, i), p.x_dtype, n)), n);
        });
      }
      __builtin_memset(out + p.k, 0, static_cast<size_t>(stride - p.k) * 2);
      if (swapped) {
        swap_middle(out, stride);
      }
    }
  });
}

// finish_panel for y of bf16.
GATUN_BF16 static inline void finish_bf16(const Product &p, const float *sums, int64_t row,
                                          int64_t rows, int64_t panel) {
  const int64_t first = p.feature(panel);
  const int64_t columns = p.n - first < GATUN_PANEL ? p.n - first : GATUN_PANEL;
  if (columns < GATUN_PANEL) {
    finish_panel(p, sums, row, rows, panel);
    return;
  }
  const Floats zero{};
  const float *bias = p.panel_bias(panel);
  const Floats low = bias == nullptr ? zero : load(bias);
  const Floats high = bias == nullptr ? zero : load(bias + kLanes);
  for (int64_t r = 0; r < rows; r++) {
    const float *sum = sums + r * GATUN_PANEL;
    const Floats v0 =
        p.with_residual(activate(load(sum) + low, p.activation), row + r, first, kLanes);
    const Floats v1 = p.with_residual(activate(load(sum + kLanes) + high, p.activation), row + r,
                                      first + kLanes, kLanes);
    const __m512bh narrowed = _mm512_cvtne2ps_pbh((__m512)v1, (__m512)v0);
    __builtin_memcpy(static_cast<uint16_t *>(p.y) + (row + r) * p.y_stride + first, &narrowed,
                     sizeof narrowed);
  }
}

#endif

// finish_panel by the fastest way to y's type.
static inline void finish_tile(const Product &p, const float *sums, int64_t row, int64_t rows,
                               int64_t panel) {
#if defined(GATUN_LEVEL_avx512)
  if (p.y_dtype == GATUN_DTYPE_BF16 && has_bf16()) {
    finish_bf16(p, sums, row, rows, panel);
    return;
  }
#endif
  finish_panel(p, sums, row, rows, panel);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
