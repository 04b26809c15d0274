// Numbers as signed bytes that share a scale.
#ifndef GATUN_TOKEN_CODES_H
#define GATUN_TOKEN_CODES_H

#include "numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

// What a code means, offset + scale * code, and what makes codes.
struct CodeMeaning {
  float scale, offset, inverse;

  // Below this the inverse might be infinite.
  static constexpr float kLeast = 0x1p-120f;

  // A scale that was found beforehand.
  static CodeMeaning given(float scale, float offset) {
    const float size = scale < 0.0f ? -scale : scale;
    return {scale, offset, size < kLeast ? 0.0f : 1.0f / scale};
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

// The meaning of codes that span n elements of x; the scale is NaN where one is not finite.
template <typename T>
static inline CodeMeaning meaning_of(const T *x, int64_t n, bool centred) {
  const Floats first = splat(centred || n == 0 ? 0.0f : load_lanes(x, 1)[0]);
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
    return {__builtin_nanf(""), 0.0f, 0.0f};
  }
  float half = magnitude, offset = 0.0f;
  if (!centred) {
    const float top = largest(even.most), bottom = -largest(-even.least);
    // Adding 0 makes -0 it.
    offset = 0.5f * top + 0.5f * bottom + 0.0f;
    half = 0.5f * top - 0.5f * bottom;
  }
  const bool none = half < CodeMeaning::kLeast;
  return {none ? 0.0f : half / 127.0f, offset, none ? 0.0f : 127.0f / half};
}

// Numbers from -127 to 127 as the nearest whole ones: adding 3 * 2^22 rounds to these, which then
// stand in the low bits.
static inline Ints to_code(Floats v) { return (Ints)(v + 12582912.0f) - 0x4b400000; }

static inline void store_codes(int8_t *codes, Ints whole) {
  const Codes c = __builtin_convertvector(whole, Codes);
  __builtin_memcpy(codes, &c, sizeof c);
}

// Writes the codes of n elements of x and gives their sum. Those of a given scale may have to be
// held between -127 and 127.
template <bool kGiven, typename T>
static inline int32_t encode(const T *x, int64_t n, CodeMeaning meaning, int8_t *codes) {
  const Floats offset = splat(meaning.offset), inverse = splat(meaning.inverse);
  if (!kGiven && meaning.scale != meaning.scale) {
    __builtin_memset(codes, 0, static_cast<size_t>(n));
    return 0;
  }
  Ints total{};
  int32_t rest = 0;
  by_vector(n, [&](int64_t i, int64_t lanes) {
    Floats v = (load_lanes(x + i, lanes) - offset) * inverse;
    if (kGiven) {
      const Floats zero{}, most = zero + 127.0f;
      v = select(v == v, v, zero);
      v = select(v > most, most, v);
      v = select(v < -most, -most, v);
    }
    const Ints whole = to_code(v);
    if (lanes == kLanes) {
      store_codes(codes + i, whole);
      total += whole;
    } else {
      for (int64_t lane = 0; lane < lanes; lane++) {
        codes[i + lane] = static_cast<int8_t>(whole[lane]);
        rest += whole[lane];
      }
    }
  });
  return sum(total) + rest;
}

// Where a kernel writes rows as codes: [rows], of a stride, and what they mean.
struct TokenCodes {
  int8_t *codes;  // null for none
  int64_t stride;
  float *scales;   // a row's, or when given one for all that is read
  float *offsets;  // likewise; null where they are 0
  bool given;

  // Writes a row.
  template <typename T>
  void write(const T *x, int64_t n, int64_t row) const {
    if (given) {
      const float offset = offsets == nullptr ? 0.0f : offsets[0];
      encode<true>(x, n, CodeMeaning::given(scales[0], offset), codes + row * stride);
      return;
    }
    const CodeMeaning meaning = meaning_of(x, n, offsets == nullptr);
    encode<false>(x, n, meaning, codes + row * stride);
    scales[row] = meaning.scale;
    if (offsets != nullptr) {
      offsets[row] = meaning.offset;
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
