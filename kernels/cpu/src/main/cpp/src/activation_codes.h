// Activations as signed bytes: W8A8 and W4A8.
#ifndef GATUN_ACTIVATION_CODES_H
#define GATUN_ACTIVATION_CODES_H

#include "dot_bf16.h"
#include "lanes.h"
#include "quantized.h"
#include "token_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

// Elements of x that share a scale where rows are codes by blocks.
constexpr int64_t kCodeBlock = 32;

// Rows of activations as codes. A run is a stretch of k that shares the scales of both sides.
struct ActivationCodes {
  int8_t *codes;   // [rows][stride], 0 from k on
  float *scales;   // [rows][blocks]
  float *offsets;  // [rows], what a code of 0 means, for weights with sums
  int32_t *begin;  // [rows][runs], what a run's sum begins with: codes of weights are unsigned
  float *shifts;   // [rows][runs], scale * sum of codes; the scale is 1 where k is one block
  bool centred;    // whether offsets are 0
  int64_t k, stride;
  int64_t block, blocks;  // elements that share a scale
  int64_t run, runs;

  // Of a k that is not 0.
  ActivationCodes(const Quantized &q, int32_t activations)
      : centred(!q.has_sum() || activations != GATUN_ACTIVATIONS_INT8_PER_TOKEN),
        k(q.k),
        stride(row_stride(q.k, 1)),
        block(activations == GATUN_ACTIVATIONS_INT8_BLOCKS ? kCodeBlock : q.k),
        blocks((q.k + block - 1) / block),
        run(run_of(q, block)),
        runs((q.k + run - 1) / run) {}

  // Elements that share a scale of x and one of the weights, wherever those of either begin: where
  // blocks of 32 are no parts of groups, the power of two that divides both.
  static int64_t run_of(const Quantized &q, int64_t block) {
    const bool crosses = q.group > block && q.group < q.k && q.group % block != 0;
    return crosses ? q.group & -q.group : q.group < block ? q.group : block;
  }

  // Whether groups are whole runs, and these whole words of codes.
  bool has_whole_runs(const Quantized &q) const { return run % 4 == 0 && q.group % run == 0; }

  bool per_token() const { return blocks <= 1; }

  int64_t floats(int64_t rows) const { return rows * (stride / 4 + blocks + 1 + 2 * runs); }

  void place(float *memory, int64_t rows) {
    codes = reinterpret_cast<int8_t *>(memory);
    scales = memory + rows * stride / 4;
    offsets = scales + rows * blocks;
    begin = reinterpret_cast<int32_t *>(offsets + rows);
    shifts = offsets + rows * (1 + runs);
  }
};

static inline int32_t sum_codes(const int8_t *codes, int64_t n) {
  int32_t total = 0;
  for (int64_t i = 0; i < n; i++) {
    total += codes[i];
  }
  return total;
}

// Writes the codes of `count` blocks of kCodeBlock elements, at most kLanes, what they mean, and
// what the blocks' sums begin with, which are runs; false where an element is not finite. What is
// found of each block are the lanes of one vector.
template <typename T>
static inline bool encode_blocks(const T *x, int64_t count, int32_t offset, int8_t *codes,
                                 float *scales, int32_t *begin, float *shifts) {
  Floats each[kLanes] = {};
  for (int64_t b = 0; b < count; b++) {
    Ints most{};
    for (int64_t i = b * kCodeBlock; i < (b + 1) * kCodeBlock; i += kLanes) {
      const Ints bits = (Ints)load_lanes(x + i, kLanes) & 0x7fffffff;
      most = bits > most ? bits : most;
    }
    each[b] = (Floats)most;
  }
  const Floats half = fold_each(
      each, [](Floats a, Floats b) { return (Floats)((Ints)a > (Ints)b ? (Ints)a : (Ints)b); });
  if (any((Ints)half >= 0x7f800000)) {
    return false;
  }
  const Ints some = half >= CodeMeaning::kLeast;
  const Floats scale = select(some, half / 127.0f, Floats{});
  float inverse[kLanes];
  store(inverse, select(some, 127.0f / half, Floats{}));
  for (int64_t b = 0; b < count; b++) {
    Ints total{};
    for (int64_t i = b * kCodeBlock; i < (b + 1) * kCodeBlock; i += kLanes) {
      const Ints whole = to_code(load_lanes(x + i, kLanes) * inverse[b]);
      store_codes(codes + i, whole);
      total += whole;
    }
    each[b] = (Floats)total;
  }
  const Ints total =
      (Ints)fold_each(each, [](Floats a, Floats b) { return (Floats)((Ints)a + (Ints)b); });
  store(scales, scale, count);
  store(reinterpret_cast<float *>(begin), (Floats)(-offset * total), count);
  store(shifts, scale * __builtin_convertvector(total, Floats), count);
  return true;
}

// The same of a row, where its blocks are runs: as many of its blocks as it gives.
static inline int64_t encode_whole_blocks(const Product &p, int64_t row, int64_t r, int32_t offset,
                                          const ActivationCodes &a) {
  if (a.run != kCodeBlock || a.block != kCodeBlock || a.per_token()) {
    return 0;
  }
  const int64_t whole = a.k / kCodeBlock;
  int64_t b = 0;
  by_dtype(p.x_dtype, [&](auto number) {
    using T = decltype(number);
    const T *x = static_cast<const T *>(p.row(row));
    for (int64_t count; b < whole; b += count) {
      const int64_t first = r * a.blocks + b;
      count = whole - b < kLanes ? whole - b : kLanes;
      if (!encode_blocks(x + b * kCodeBlock, count, offset, a.codes + r * a.stride + b * kCodeBlock,
                         a.scales + first, a.begin + first, a.shifts + first)) {
        return;
      }
    }
  });
  return b;
}

static inline void quantize_rows(const Product &p, int64_t row, int64_t rows, int32_t offset,
                                 const ActivationCodes &a) {
  parallel_rows(rows, p.k, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      int8_t *codes = a.codes + r * a.stride;
      __builtin_memset(codes + a.k, 0, static_cast<size_t>(a.stride - a.k));
      a.offsets[r] = 0.0f;
      for (int64_t b = encode_whole_blocks(p, row + r, r, offset, a); b < a.blocks; b++) {
        const int64_t begin = b * a.block, n = a.k - begin < a.block ? a.k - begin : a.block;
        float *scale = a.scales + r * a.blocks + b;
        int32_t total = 0;
        if (p.codes.scales != nullptr) {
          __builtin_memcpy(codes, p.codes.row(row + r), static_cast<size_t>(n));
          *scale = p.codes.scale(row + r);
          a.offsets[r] = p.codes.offset(row + r);
          total = sum_codes(codes, n);
        } else {
          by_dtype(p.x_dtype, [&](auto number) {
            using T = decltype(number);
            const T *x = static_cast<const T *>(p.row(row + r)) + begin;
            const CodeMeaning meaning = meaning_of(x, n, a.centred);
            total = encode<false>(x, n, meaning, codes + begin);
            *scale = meaning.scale;
            a.offsets[r] = meaning.offset;
          });
        }
        for (int64_t i = begin / a.run; i * a.run < begin + n; i++) {
          if (a.run != a.block) {
            // Shorter runs than blocks are parts of groups, of which k is a whole number.
            total = sum_codes(codes + i * a.run, a.run);
          }
          a.begin[r * a.runs + i] = -offset * total;
          a.shifts[r * a.runs + i] = (a.per_token() ? 1.0f : *scale) * static_cast<float>(total);
        }
      }
    }
  });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
