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
  int32_t *begin;  // [rows][runs], what a run's sum begins with: codes of weights are unsigned
  float *shifts;   // [rows][runs], scale * sum of codes; the scale is 1 where k is one block
  int64_t k, stride;
  int64_t block, blocks;  // elements that share a scale
  int64_t run, runs;

  ActivationCodes(const Quantized &q, int32_t activations)
      : k(q.k),
        stride(row_stride(q.k, 1)),
        block(activations == GATUN_ACTIVATIONS_INT8_BLOCKS ? 32 : q.k),
        blocks(block == 0 ? 0 : (q.k + block - 1) / block),
        run(q.group < block ? q.group : block),
        runs(run == 0 ? 0 : (q.k + run - 1) / run) {}

  bool per_token() const { return blocks <= 1; }

  int64_t floats(int64_t rows) const { return rows * (stride / 4 + blocks + 2 * runs); }

  void place(float *memory, int64_t rows) {
    codes = reinterpret_cast<int8_t *>(memory);
    scales = memory + rows * stride / 4;
    begin = reinterpret_cast<int32_t *>(scales + rows * blocks);
    shifts = scales + rows * (blocks + runs);
  }
};

typedef int8_t Codes __attribute__((vector_size(kLanes)));

// Codes of n elements of x, and their scale: NaN where an element is not finite.
static inline float quantize(const void *x, int32_t dtype, int64_t n, int8_t *codes) {
  Floats most = {}, finite = {};
  by_vector(n, [&](int64_t i, int64_t lanes) {
    const Floats v = load_as(at(x, dtype, i), dtype, lanes);
    most = max(most, select(v < 0.0f, -v, v));
    finite += v * 0.0f;
  });
  const float top = largest(most);
  if (sum(finite) != 0.0f) {
    __builtin_memset(codes, 0, static_cast<size_t>(n));
    return __builtin_nanf("");
  }
  // Below this the inverse would be infinite.
  const Floats inverse = splat(top < 0x1p-120f ? 0.0f : 127.0f / top);
  by_vector(n, [&](int64_t i, int64_t lanes) {
    // Adding 3 * 2^22 rounds to whole numbers, which then stand in the low bits.
    const Floats v = load_as(at(x, dtype, i), dtype, lanes) * inverse + 12582912.0f;
    const Codes c = __builtin_convertvector((Ints)v - 0x4b400000, Codes);
    __builtin_memcpy(codes + i, &c, static_cast<size_t>(lanes));
  });
  return top < 0x1p-120f ? 0.0f : top / 127.0f;
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
        a.scales[r * a.blocks + b] =
            quantize(at(p.row(row + r), p.x_dtype, begin), p.x_dtype, n, codes + begin);
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
