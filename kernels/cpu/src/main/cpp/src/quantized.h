// A packed quantised weight: where its records lie and what its scales are.
#ifndef GATUN_QUANTIZED_H
#define GATUN_QUANTIZED_H

#include "narrow.h"

namespace gatun {
namespace GATUN_LEVEL {

struct Quantized {
  const uint8_t *packed;
  int32_t bits;
  int32_t scales;
  int64_t group;  // input features that share a scale
  int64_t k;

  Quantized(const void *memory, int32_t bits, int64_t group, int32_t scales, int64_t k)
      : packed(static_cast<const uint8_t *>(memory)),
        bits(bits),
        scales(scales),
        group(group == 0 ? k : group),
        k(k) {}

  bool valid() const {
    return (bits == 4 || bits == 8) && scales >= GATUN_SCALES_F32 &&
           scales <= GATUN_SCALES_F32_SUM && group >= 0 && (group == 0 || k % group == 0) &&
           (bits == 8 || group % 8 == 0);
  }

  bool has_min() const { return scales == GATUN_SCALES_F16_ZERO || scales == GATUN_SCALES_F32_MIN; }
  bool has_sum() const { return scales == GATUN_SCALES_F32_SUM; }
  int64_t groups() const { return group == 0 ? 0 : k / group; }
  int64_t header() const {
    constexpr int64_t kBytes[] = {4, 2, 3, 8, 8};
    return GATUN_PANEL * kBytes[scales];
  }
  // Words of one output feature in a record.
  int64_t words() const { return (group + 32 / bits - 1) / (32 / bits); }
  int64_t record_bytes() const { return header() + words() * GATUN_PANEL * 4; }
  const uint8_t *record(int64_t panel, int64_t g) const {
    return packed + (panel * groups() + g) * record_bytes();
  }

  // The scales of kLanes features from `feature` on.
  Floats scale(const uint8_t *record, int64_t feature) const {
    if (scales != GATUN_SCALES_F16 && scales != GATUN_SCALES_F16_ZERO) {
      return load(reinterpret_cast<const float *>(record) + feature);
    }
    return from_f16(load_halves(reinterpret_cast<const uint16_t *>(record) + feature));
  }

  // The sums of a group's elements.
  Floats sum(const uint8_t *record, int64_t feature) const {
    return load(reinterpret_cast<const float *>(record) + GATUN_PANEL + feature);
  }

  // What a code of 0 means.
  Floats min(const uint8_t *record, int64_t feature, Floats scale) const {
    if (scales == GATUN_SCALES_F32_MIN) {
      return load(reinterpret_cast<const float *>(record) + GATUN_PANEL + feature);
    }
    if (scales == GATUN_SCALES_F16_ZERO) {
      typedef int8_t Zeros __attribute__((vector_size(kLanes)));
      Zeros zeros;
      __builtin_memcpy(&zeros, record + 2 * GATUN_PANEL + feature, sizeof zeros);
      // By way of whole numbers, which is one instruction a step.
      return -scale * __builtin_convertvector(__builtin_convertvector(zeros, Ints), Floats);
    }
    return Floats{};
  }
};

// The words of kLanes features.
static inline Ints load_words(const void *words) {
  Ints w;
  __builtin_memcpy(&w, words, sizeof w);
  return w;
}

// Element i of each word as a float.
template <int kBits>
static inline Floats code(Ints words, int i) {
  if constexpr (kBits == 4) {
    const int at = i % 4 * 8 + i / 4 * 4;
    return code4(words, at);
  } else {
    return __builtin_convertvector(((words >> 8 * i) & 255) - 128, Floats);
  }
}

// The codes of a panel's groups [first, last) as bytes, [k / 4][PANEL][4], unsigned as they are
// kept or signed.
template <int kBits, typename Byte>
static inline void code_bytes(const Quantized &q, int64_t panel, int64_t first, int64_t last,
                              Byte *bytes) {
  typedef Byte Bytes __attribute__((vector_size(4 * kLanes)));
  constexpr int64_t kLine = 4 * GATUN_PANEL;
  constexpr Byte kZero = static_cast<Byte>(-1) < 0 ? static_cast<Byte>(1 << (kBits - 1)) : 0;
  const auto put = [](Byte *to, Ints codes) {
    Bytes all;
    __builtin_memcpy(&all, &codes, sizeof all);
    all -= kZero;
    __builtin_memcpy(to, &all, sizeof all);
  };
  for (int64_t g = first; g < last; g++) {
    const uint8_t *words = q.record(panel, g) + q.header();
    for (int64_t w = 0; w < q.words(); w++, words += kLine) {
      for (int64_t j = 0; j < kLine; j += 4 * kLanes) {
        const Ints word = load_words(words + j);
        if constexpr (kBits == 8) {
          put(bytes + j, word);
        } else {
          put(bytes + j, word & 0x0f0f0f0f);
          put(bytes + kLine + j, (word >> 4) & 0x0f0f0f0f);
        }
      }
      bytes += kBits == 8 ? kLine : 2 * kLine;
    }
  }
}

// sums[rows][groups], of the elements of rows of x from a row on.
static inline void group_sums(const Quantized &q, const Product &p, int64_t row, int64_t rows,
                              float *sums) {
  parallel_rows(rows, q.k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const void *x = p.row(row + r);
      for (int64_t g = 0; g < q.groups(); g++) {
        Floats total = {};
        by_vector(q.group, [&](int64_t i, int64_t n) {
          total += load_as(at(x, p.x_dtype, g * q.group + i), p.x_dtype, n);
        });
        sums[r * q.groups() + g] = sum(total);
      }
    }
  });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
