// Activations as signed bytes: W8A8 and W4A8.
#ifndef GATUN_ACTIVATION_CODES_H
#define GATUN_ACTIVATION_CODES_H

#include "dot_bf16.h"
#include "numbers.h"
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

// Lanes of whole numbers combined by their bits.
template <typename Combine>
static inline int32_t fold_whole(Ints v, const Combine &combine) {
  const Floats folded =
      fold((Floats)v, [&](Floats a, Floats b) { return (Floats)combine((Ints)a, (Ints)b); },
           LaneNumbers());
  return ((Ints)folded)[0];
}

static inline int32_t sum(Ints v) {
  return fold_whole(v, [](Ints a, Ints b) { return a + b; });
}

static inline int32_t largest(Ints v) {
  return fold_whole(v, [](Ints a, Ints b) { return a > b ? a : b; });
}

// The extremes of numbers, and the largest bits of one without its sign, which tell whether all are
// finite.
struct Extent {
  Floats most, least;
  Bits size{};

  explicit Extent(Floats first) : most(first), least(first) {}

  void add(Floats v) {
    most = max(v, most);
    least = select(v < least, v, least);
    const Bits bits = (Bits)v & 0x7fffffff;
    size = bits > size ? bits : size;
  }

  void add(const Extent &other) {
    most = max(other.most, most);
    least = select(other.least < least, other.least, least);
    size = other.size > size ? other.size : size;
  }

  // The largest magnitude; infinite or NaN where a number is.
  float magnitude() const {
    const int32_t bits = largest((Ints)size);
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
  }
};

// Codes of n elements of x, which mean offset + scale * code; the scale is NaN where an element is
// not finite. Gives the sum of the codes.
template <typename T>
static inline int32_t quantize(const T *x, int64_t n, bool centred, int8_t *codes, float *scale,
                               float *offset) {
  const Floats first = splat(centred ? 0.0f : load_lanes(x, 1)[0]);
  Extent even(first), odd(first);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even.add(load_lanes(x + i, kLanes));
    odd.add(load_lanes(x + i + kLanes, kLanes));
  }
  for (; i < n; i += kLanes) {
    const int64_t lanes = n - i < kLanes ? n - i : kLanes;
    even.add(keep(load_lanes(x + i, lanes), lanes, first[0]));
  }
  even.add(odd);
  const float magnitude = even.magnitude();
  if (!(magnitude < __builtin_inff())) {
    __builtin_memset(codes, 0, static_cast<size_t>(n));
    *scale = __builtin_nanf("");
    *offset = 0.0f;
    return 0;
  }
  float half = magnitude;
  *offset = 0.0f;
  if (!centred) {
    const float top = largest(even.most), bottom = -largest(-even.least);
    *offset = 0.5f * top + 0.5f * bottom;
    half = 0.5f * top - 0.5f * bottom;
  }
  // Below this the inverse would be infinite.
  const float smallest = 0x1p-120f;
  *scale = half < smallest ? 0.0f : half / 127.0f;
  const Floats inverse = splat(half < smallest ? 0.0f : 127.0f / half), middle = splat(*offset);
  Ints total{};
  for (i = 0; i + kLanes <= n; i += kLanes) {
    // Adding 3 * 2^22 rounds to whole numbers, which then stand in the low bits.
    const Floats rounded = (load_lanes(x + i, kLanes) - middle) * inverse + 12582912.0f;
    const Ints whole = (Ints)rounded - 0x4b400000;
    const Codes c = __builtin_convertvector(whole, Codes);
    __builtin_memcpy(codes + i, &c, sizeof c);
    total += whole;
  }
  int32_t whole_sum = sum(total);
  if (i < n) {
    const Floats rounded = (load_lanes(x + i, n - i) - middle) * inverse + 12582912.0f;
    const Ints whole = (Ints)rounded - 0x4b400000;
    for (int64_t lane = 0; i + lane < n; lane++) {
      codes[i + lane] = static_cast<int8_t>(whole[lane]);
      whole_sum += whole[lane];
    }
  }
  return whole_sum;
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
        float *scale = a.scales + r * a.blocks + b;
        int32_t total = 0;
        by_dtype(p.x_dtype, [&](auto number) {
          using T = decltype(number);
          total = quantize(static_cast<const T *>(p.row(row + r)) + begin, n, a.centred,
                           a.codes + r * a.stride + begin, scale, a.offsets + r);
        });
        for (int64_t i = begin / a.run; i * a.run < begin + n; i++) {
          if (a.run != a.block) {
            const int64_t left = a.k - i * a.run;
            total = sum_codes(codes + i * a.run, left < a.run ? left : a.run);
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
