// Activations as signed bytes: W8A8 and W4A8.
#ifndef GATUN_ACTIVATION_CODES_H
#define GATUN_ACTIVATION_CODES_H

#include "quantized.h"

namespace gatun {
namespace GATUN_LEVEL {

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

  ActivationCodes(const Quantized &q, int32_t activations)
      : centred(!q.has_sum() || activations != GATUN_ACTIVATIONS_INT8_PER_TOKEN),
        k(q.k),
        stride(row_stride(q.k, 1)),
        block(activations == GATUN_ACTIVATIONS_INT8_BLOCKS ? 32 : q.k),
        blocks(block == 0 ? 0 : (q.k + block - 1) / block),
        run(q.group < block ? q.group : block),
        runs(run == 0 ? 0 : (q.k + run - 1) / run) {}

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

typedef int8_t Codes __attribute__((vector_size(kLanes)));

// Codes of n elements of x, which mean offset + scale * code; the scale is NaN where an element is
// not finite.
static inline float quantize(const void *x, int32_t dtype, int64_t n, bool centred, int8_t *codes,
                             float *offset) {
  const Floats first = splat(centred ? 0.0f : load_one(x, dtype));
  Floats most = first, least = first, finite = {};
  by_vector(n, [&](int64_t i, int64_t lanes) {
    const Floats v = load_as(at(x, dtype, i), dtype, lanes);
    const Floats real = lanes == kLanes ? v : keep(v, lanes, first[0]);
    most = max(most, real);
    least = select(real < least, real, least);
    finite += v * 0.0f;
  });
  const float top = largest(most), bottom = -largest(-least);
  if (sum(finite) != 0.0f) {
    __builtin_memset(codes, 0, static_cast<size_t>(n));
    *offset = 0.0f;
    return __builtin_nanf("");
  }
  *offset = centred ? 0.0f : 0.5f * top + 0.5f * bottom;
  const float half = centred ? (top > -bottom ? top : -bottom) : 0.5f * top - 0.5f * bottom;
  // Below this the inverse would be infinite.
  const float smallest = 0x1p-120f;
  const Floats inverse = splat(half < smallest ? 0.0f : 127.0f / half), middle = splat(*offset);
  by_vector(n, [&](int64_t i, int64_t lanes) {
    // Adding 3 * 2^22 rounds to whole numbers, which then stand in the low bits.
    const Floats v = load_as(at(x, dtype, i), dtype, lanes);
    const Floats rounded = (v - middle) * inverse + 12582912.0f;
    const Codes c = __builtin_convertvector((Ints)rounded - 0x4b400000, Codes);
    __builtin_memcpy(codes + i, &c, static_cast<size_t>(lanes));
  });
  return half < smallest ? 0.0f : half / 127.0f;
}

static inline int32_t sum_codes(const int8_t *codes, int64_t n) {
  int32_t total = 0;
  for (int64_t i = 0; i < n; i++) {
    total += codes[i];
  }
  return total;
}

static inline void quantize_rows(const Product &p, int64_t row, int64_t rows, int32_t offset,
                                 const ActivationCodes &a) {
  parallel_rows(rows, p.k, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      int8_t *codes = a.codes + r * a.stride;
      __builtin_memset(codes + a.k, 0, static_cast<size_t>(a.stride - a.k));
      for (int64_t b = 0; b < a.blocks; b++) {
        const int64_t begin = b * a.block, n = a.k - begin < a.block ? a.k - begin : a.block;
        a.scales[r * a.blocks + b] = quantize(at(p.row(row + r), p.x_dtype, begin), p.x_dtype, n,
                                              a.centred, codes + begin, a.offsets + r);
      }
      for (int64_t i = 0; i < a.runs; i++) {
        const int64_t begin = i * a.run, n = a.k - begin < a.run ? a.k - begin : a.run;
        const int32_t total = sum_codes(codes + begin, n);
        const float scale = a.per_token() ? 1.0f : a.scales[r * a.blocks + begin / a.block];
        a.begin[r * a.runs + i] = -offset * total;
        a.shifts[r * a.runs + i] = scale * static_cast<float>(total);
      }
    }
  });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
