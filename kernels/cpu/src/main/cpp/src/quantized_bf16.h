// Products of bf16 activations with codes of 4 bits in pairs: codes are exact in bf16.
#ifndef GATUN_QUANTIZED_BF16_H
#define GATUN_QUANTIZED_BF16_H

#include "dot_bf16.h"
#include "quantized.h"

namespace gatun {
namespace GATUN_LEVEL {

// The codes of a panel's words as bf16: [words][4][PANEL] pairs, of elements 0 and 2, 4 and 6, 1
// and 3, 5 and 7, which is how the halves of a word hold them.
constexpr int64_t kWordPairs = 4 * GATUN_PANEL;

// Where the pair i of a word lies in x as narrow_rows gives it, swapped.
constexpr int kPair[4] = {0, 2, 1, 3};

// A panel's groups [first, last), made bf16 beforehand.
GATUN_PAIRS static inline void widen_pairs(const Quantized &q, int64_t panel, int64_t first,
                                           int64_t last, uint32_t *pairs) {
  Groups group(q, panel, first);
  for (int64_t g = first; g < last; g++, group.next()) {
    const uint8_t *words = group.words();
    for (int64_t w = 0; w < q.group / 8; w++, words += kWordLine, pairs += kWordPairs) {
      __builtin_prefetch(words + 2 * kAhead);
      __builtin_prefetch(words + 2 * kAhead + 64);
      for (int i = 0; i < 4; i++) {
        for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
          const Bits codes = code_pairs(words + 4 * j, i);
          __builtin_memcpy(pairs + i * GATUN_PANEL + j, &codes, sizeof codes);
        }
      }
    }
  }
}

// sums[kRows][PANEL] += x * weights^T of a panel's groups [first, last), straight from their words.
// x begins at the first group.
template <int kRows>
GATUN_PAIRS static inline void bf16_codes_tile(const Quantized &q, int64_t panel, int64_t first,
                                               int64_t last, const uint16_t *x, int64_t x_stride,
                                               const float *x_sums, float *sums) {
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    Floats total[kRows][2];
    for (int r = 0; r < kRows; r++) {
      total[r][0] = load(sums + r * GATUN_PANEL + j);
      total[r][1] = load(sums + r * GATUN_PANEL + j + kLanes);
    }
    const uint16_t *at = x;
    Groups group(q, panel, first);
    for (int64_t g = first; g < last; g++, group.next()) {
      const uint8_t *words = group.words() + 4 * j;
      Floats part[kRows][2];
      for (int r = 0; r < kRows; r++) {
        part[r][0] = part[r][1] = Floats{};
      }
      for (int64_t w = 0; w < q.group / 8; w++, words += kWordLine, at += 8) {
        __builtin_prefetch(words + kAhead);
        __builtin_prefetch(words + kAhead + 64);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
          const Bits c0 = code_pairs(words, i), c1 = code_pairs(words + 4 * kLanes, i);
          for (int r = 0; r < kRows; r++) {
            const uint16_t *pair = at + r * x_stride + 2 * kPair[i];
            part[r][0] = dot_pairs(part[r][0], c0, pair);
            part[r][1] = dot_pairs(part[r][1], c1, pair);
          }
        }
      }
#pragma GCC unroll 2
      for (int v = 0; v < 2; v++) {
        const Floats scale = group.scale(j + v * kLanes);
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          total[r][v] = fma(part[r][v], scale, total[r][v]);
        }
        if (q.has_min()) {
          const Floats min = group.min(j + v * kLanes, scale);
#pragma GCC unroll 12
          for (int r = 0; r < kRows; r++) {
            total[r][v] = fma(splat(x_sums[r * q.groups() + g]), min, total[r][v]);
          }
        }
      }
    }
    for (int r = 0; r < kRows; r++) {
      store(sums + r * GATUN_PANEL + j, total[r][0]);
      store(sums + r * GATUN_PANEL + j + kLanes, total[r][1]);
    }
  }
}

// As many rows as leave registers for the sums of a group and of all groups.
constexpr int kCodeRows = 6;

template <int kRows = kCodeRows>
static inline void bf16_codes_tile(int64_t rows, const Quantized &q, int64_t panel, int64_t first,
                                   int64_t last, const uint16_t *x, int64_t x_stride,
                                   const float *x_sums, float *sums) {
  if (rows == kRows) {
    bf16_codes_tile<kRows>(q, panel, first, last, x, x_stride, x_sums, sums);
  } else if constexpr (kRows > 1) {
    bf16_codes_tile<kRows - 1>(rows, q, panel, first, last, x, x_stride, x_sums, sums);
  }
}

// sums[kRows][PANEL] += x * weights^T of a panel's groups [first, last), whose codes are in pairs,
// or still to be taken from their words when kFromWords. The sums of a group alone fill the
// registers.
template <int kRows, bool kFromWords>
GATUN_PAIRS static inline void bf16_pairs_tile(const Quantized &q, int64_t panel, int64_t first,
                                               int64_t last, const uint32_t *pairs,
                                               const uint16_t *x, int64_t x_stride,
                                               const float *x_sums, float *sums, Ahead ahead) {
  // Stores might change what is behind references, so what the loops need is here.
  const int64_t groups = q.groups(), words = q.group / 8;
  const bool has_min = q.has_min();
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const uint16_t *at = x;
    const uint32_t *line = pairs + j;
    int64_t step = 0;
    Groups group(q, panel, first);
    for (int64_t g = first; g < last; g++, group.next()) {
      Floats part[kRows][2];
      for (int r = 0; r < kRows; r++) {
        part[r][0] = part[r][1] = Floats{};
      }
      const uint8_t *word = group.words() + 4 * j;
      for (int64_t w = 0; w < words; w++, at += 8, step++, word += kWordLine) {
        ahead.ask(step);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
          const uint32_t *four = line + i * GATUN_PANEL;
          const Bits c0 = kFromWords ? code_pairs(word, i) : load_pairs(four);
          const Bits c1 = kFromWords ? code_pairs(word + 4 * kLanes, i) : load_pairs(four + kLanes);
          for (int r = 0; r < kRows; r++) {
            const uint16_t *pair = at + r * x_stride + 2 * kPair[i];
            part[r][0] = dot_pairs(part[r][0], c0, pair);
            part[r][1] = dot_pairs(part[r][1], c1, pair);
          }
        }
        line += kFromWords ? 0 : kWordPairs;
      }
#pragma GCC unroll 2
      for (int v = 0; v < 2; v++) {
        const Floats scale = group.scale(j + v * kLanes);
        const Floats min = has_min ? group.min(j + v * kLanes, scale) : Floats{};
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          float *sum = sums + r * GATUN_PANEL + j + v * kLanes;
          Floats total = fma(part[r][v], scale, load(sum));
          if (has_min) {
            total = fma(splat(x_sums[r * groups + g]), min, total);
          }
          store(sum, total);
        }
      }
    }
  }
}

constexpr int kPairRows = 8;
// With more rows than this it pays to take the codes apart once, in the first cache.
constexpr int64_t kFewPairRows = 3 * kPairRows;

// For more than kCodeRows rows, so no tile has fewer than half of kPairRows.
template <bool kFromWords, int kRows = kPairRows>
static inline void bf16_pairs_tile(int64_t rows, const Quantized &q, int64_t panel, int64_t first,
                                   int64_t last, const uint32_t *pairs, const uint16_t *x,
                                   int64_t x_stride, const float *x_sums, float *sums,
                                   Ahead ahead) {
  if (rows == kRows) {
    bf16_pairs_tile<kRows, kFromWords>(q, panel, first, last, pairs, x, x_stride, x_sums, sums,
                                       ahead);
  } else if constexpr (kRows > kPairRows / 2) {
    bf16_pairs_tile<kFromWords, kRows - 1>(rows, q, panel, first, last, pairs, x, x_stride, x_sums,
                                           sums, ahead);
  }
}

static inline void bf16_codes_rows(const Quantized &q, int64_t panel, const uint16_t *x,
                                   int64_t x_stride, const float *x_sums, int64_t rows,
                                   float *sums) {
  clear(sums, rows);
  if (rows <= kCodeRows) {
    bf16_codes_tile(rows, q, panel, 0, q.groups(), x, x_stride, x_sums, sums);
    return;
  }
  alignas(64) uint32_t pairs[kDepthBlock / 8 * kWordPairs];
  const int64_t together = kDepthBlock / q.group;
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    const int64_t bytes = q.bytes_of(last - g), steps = (last - g) * q.group / 8;
    if (rows > kFewPairRows) {
      widen_pairs(q, panel, g, last, pairs);
    }
    const Quantized wide = with_wide_scales(q, panel, g, last);
    by_even_tile<kPairRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      const Ahead ahead = Ahead::share(q.place(panel, last), bytes, steps, tiles, which);
      const uint16_t *in = x + r * x_stride + g * q.group;
      const float *in_sums = x_sums + r * q.groups();
      float *out = sums + r * GATUN_PANEL;
      if (rows > kFewPairRows) {
        bf16_pairs_tile<false>(count, wide, panel, g, last, pairs, in, x_stride, in_sums, out,
                               ahead);
      } else {
        bf16_pairs_tile<true>(count, wide, panel, g, last, nullptr, in, x_stride, in_sums, out,
                              ahead);
      }
    });
  }
}

static inline int32_t quantized_bf16(const Product &p, const Quantized &q) {
  static thread_local Scratch scratch;
  const int64_t stride = row_stride(p.k, 2);
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    float *x_sums = scratch.floats(m * (q.groups() + stride / 2));
    if (x_sums == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    uint16_t *x = reinterpret_cast<uint16_t *>(x_sums + m * q.groups());
    narrow_rows(p, chunk, m, stride, true, x);
    if (q.has_min()) {
      group_sums(q, p, chunk, m, x_sums);
    }
    const auto tile = [&](const Quantized &own, int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      bf16_codes_rows(own, panel, x + row * stride, stride, x_sums + row * q.groups(), rows, sums);
      finish_tile(p, sums, chunk + row, rows, panel);
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
