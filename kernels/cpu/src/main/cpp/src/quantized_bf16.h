// Products of bf16 activations with codes of 4 bits by vdpbf16ps: codes are exact in bf16.
#ifndef GATUN_QUANTIZED_BF16_H
#define GATUN_QUANTIZED_BF16_H

#include "dot_bf16.h"
#include "quantized.h"

namespace gatun {
namespace GATUN_LEVEL {

#if defined(GATUN_LEVEL_avx512)

// The codes as bf16, twice: the index has a fifth bit, which belongs to the code above.
alignas(64) static const uint16_t kCodesAsBf16[32] = {
    0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80, 0x0000, 0x3f80, 0x4000,
    0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, 0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040,
    0xc000, 0xbf80, 0x0000, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0};

// The codes of a panel's words as bf16: [words][4][PANEL] pairs, of elements 0 and 2, 4 and 6, 1
// and 3, 5 and 7, which is how the halves of a word hold them.
constexpr int64_t kWordPairs = 4 * GATUN_PANEL;

GATUN_BF16 static inline __m512i code_pairs(const uint8_t *word, int i) {
  const __m512i table = _mm512_load_si512(kCodesAsBf16);
  return _mm512_permutexvar_epi16(_mm512_srli_epi16(_mm512_loadu_si512(word), 4 * i), table);
}

// Where the pair i of a word lies in x as narrow_rows gives it, swapped.
constexpr int kPair[4] = {0, 2, 1, 3};

// A panel's groups [first, last), made bf16 beforehand.
GATUN_BF16 static inline void widen_pairs(const Quantized &q, int64_t panel, int64_t first,
                                          int64_t last, uint32_t *pairs) {
  for (int64_t g = first; g < last; g++) {
    const uint8_t *words = q.record(panel, g) + q.header();
    for (int64_t w = 0; w < q.words(); w++, words += 4 * GATUN_PANEL, pairs += kWordPairs) {
      _mm_prefetch(reinterpret_cast<const char *>(words) + 2 * kAhead, _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char *>(words) + 2 * kAhead + 64, _MM_HINT_T0);
      for (int i = 0; i < 4; i++) {
        _mm512_store_si512(pairs + i * GATUN_PANEL, code_pairs(words, i));
        _mm512_store_si512(pairs + i * GATUN_PANEL + kLanes, code_pairs(words + 64, i));
      }
    }
  }
}

// sums[kRows][PANEL] += x * weights^T of a panel's groups [first, last), whose codes are in pairs,
// or still to be taken from their words where that is null. x begins at the first group.
template <int kRows>
GATUN_BF16 static inline void bf16_codes_tile(const Quantized &q, int64_t panel, int64_t first,
                                              int64_t last, const uint32_t *pairs,
                                              const uint16_t *x, int64_t x_stride,
                                              const float *x_sums, float *sums) {
  constexpr int kApart = kRows <= 2 ? 4 : 1;
  Floats total[kRows][2];
  for (int r = 0; r < kRows; r++) {
    total[r][0] = load(sums + r * GATUN_PANEL);
    total[r][1] = load(sums + r * GATUN_PANEL + kLanes);
  }
  for (int64_t g = first; g < last; g++) {
    const uint8_t *record = q.record(panel, g), *words = record + q.header();
    __m512 part[kApart][kRows][2];
    for (int a = 0; a < kApart; a++) {
      for (int r = 0; r < kRows; r++) {
        part[a][r][0] = part[a][r][1] = __m512{};
      }
    }
    for (int64_t w = 0; w < q.words(); w++, words += 4 * GATUN_PANEL, x += 8) {
      if (pairs == nullptr) {
        _mm_prefetch(reinterpret_cast<const char *>(words) + kAhead, _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char *>(words) + kAhead + 64, _MM_HINT_T0);
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const uint32_t *line = pairs + w * kWordPairs + i * GATUN_PANEL;
        const __m512i c0 = pairs ? _mm512_load_si512(line) : code_pairs(words, i);
        const __m512i c1 = pairs ? _mm512_load_si512(line + kLanes) : code_pairs(words + 64, i);
        for (int r = 0; r < kRows; r++) {
          const uint16_t *pair = x + r * x_stride + 2 * kPair[i];
          part[i % kApart][r][0] = dot(part[i % kApart][r][0], c0, pair);
          part[i % kApart][r][1] = dot(part[i % kApart][r][1], c1, pair);
        }
      }
    }
    pairs += pairs ? q.words() * kWordPairs : 0;
#pragma GCC unroll 2
    for (int v = 0; v < 2; v++) {
      const Floats scale = q.scale(record, v * kLanes);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; r++) {
        Floats products = (Floats)part[0][r][v];
        for (int a = 1; a < kApart; a++) {
          products += (Floats)part[a][r][v];
        }
        total[r][v] = fma(products, scale, total[r][v]);
      }
      if (q.has_min()) {
        const Floats min = q.min(record, v * kLanes, scale);
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          total[r][v] = fma(splat(x_sums[r * q.groups() + g]), min, total[r][v]);
        }
      }
    }
  }
  for (int r = 0; r < kRows; r++) {
    store(sums + r * GATUN_PANEL, total[r][0]);
    store(sums + r * GATUN_PANEL + kLanes, total[r][1]);
  }
}

// As many rows as leave registers for the sums of a group and of all groups.
constexpr int kCodeRows = 6;

template <int kRows = kCodeRows>
static inline void bf16_codes_tile(int64_t rows, const Quantized &q, int64_t panel, int64_t first,
                                   int64_t last, const uint32_t *pairs, const uint16_t *x,
                                   int64_t x_stride, const float *x_sums, float *sums) {
  if (rows == kRows) {
    if (pairs == nullptr) {
      bf16_codes_tile<kRows>(q, panel, first, last, nullptr, x, x_stride, x_sums, sums);
    } else {
      bf16_codes_tile<kRows>(q, panel, first, last, pairs, x, x_stride, x_sums, sums);
    }
  } else if constexpr (kRows > 1) {
    bf16_codes_tile<kRows - 1>(rows, q, panel, first, last, pairs, x, x_stride, x_sums, sums);
  }
}

static inline void bf16_codes_rows(const Quantized &q, int64_t panel, const uint16_t *x,
                                   int64_t x_stride, const float *x_sums, int64_t rows,
                                   float *sums) {
  clear(sums, rows);
  if (rows <= kCodeRows) {
    bf16_codes_tile(rows, q, panel, 0, q.groups(), nullptr, x, x_stride, x_sums, sums);
    return;
  }
  alignas(64) uint32_t pairs[kDepthBlock / 8 * kWordPairs];
  const int64_t together = kDepthBlock / q.group;
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    widen_pairs(q, panel, g, last, pairs);
    by_tile<kCodeRows>(rows, [&](int64_t r, int64_t count) {
      bf16_codes_tile(count, q, panel, g, last, pairs, x + r * x_stride + g * q.group, x_stride,
                      x_sums + r * q.groups(), sums + r * GATUN_PANEL);
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
    parallel_tiles(p, chunk, m, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      bf16_codes_rows(q, panel, x + row * stride, stride, x_sums + row * q.groups(), rows, sums);
      finish_panel(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}

#endif

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
