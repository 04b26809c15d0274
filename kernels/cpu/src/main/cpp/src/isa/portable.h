// The primitives in C++ alone, for every processor.
#ifndef GATUN_ISA_PORTABLE_H
#define GATUN_ISA_PORTABLE_H

#include <cstdint>

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kLanes = 4;
constexpr int kTileRows = 4;
constexpr int kBlockVectors = 2;
constexpr bool kScalesAll = false;
constexpr bool kStreams = false;

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "../vectors.h"

namespace gatun {
namespace GATUN_LEVEL {

static inline Floats load(const float *p, int64_t n) { return by_lane::load(p, n); }
static inline void store(float *p, Floats v, int64_t n) { by_lane::store(p, v, n); }
static inline Floats keep_lanes(Floats v, int64_t n, float rest) {
  return by_lane::keep(v, n, rest);
}

static inline Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
static inline Floats max(Floats a, Floats b) { return select(a > b, a, b); }
static inline Floats min(Floats a, Floats b) { return select(a < b, a, b); }
static inline Floats round(Floats x) { return by_bits::round(x); }
static inline Floats scale(Floats x, Floats n) { return by_bits::scale(x, n); }
static inline Floats reciprocal(Floats x) { return 1.0f / x; }
static inline Floats root(Floats x) { return by_lane::root(x); }

static inline Doubles fma(Doubles a, Doubles b, Doubles c) { return a * b + c; }
static inline Doubles root(Doubles x) { return by_lane::root(x); }
static inline void to_doubles(Floats x, Doubles &lo, Doubles &hi) {
  lo = Doubles{x[0], x[1]};
  hi = Doubles{x[2], x[3]};
}
static inline Floats to_floats(Doubles lo, Doubles hi) {
  return Floats{static_cast<float>(lo[0]), static_cast<float>(lo[1]), static_cast<float>(hi[0]),
                static_cast<float>(hi[1])};
}

static inline bool any(Ints mask) {
  uint64_t halves[2];
  __builtin_memcpy(halves, &mask, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

static inline Bits widen(Halves h) { return __builtin_convertvector(h, Bits); }
static inline Ints load_signed(const int8_t *p) { return Ints{p[0], p[1], p[2], p[3]}; }
static inline Halves load_halves(const uint16_t *p, int64_t n) {
  return by_lane::load_halves(p, n);
}
static inline void store_halves_part(uint16_t *p, Halves v, int64_t n) {
  by_lane::store_halves(p, v, n);
}

static inline Halves to_bf16(Floats x) { return by_bits::to_bf16(x); }

static inline Floats from_f16(Halves h) {
  const Bits bits = __builtin_convertvector(h, Bits);
  const Floats scaled = (Floats)((bits & 0x7fff) << 13) * 0x1p112f;  // subnormals come out right
  const Bits special = (Bits)((bits & 0x7c00) == 0x7c00) & 0x7f800000;
  return (Floats)((Bits)scaled | special | ((bits & 0x8000) << 16));
}

static inline Halves to_f16(Floats x) {
  const Bits bits = (Bits)x, size = bits & 0x7fffffff;
  // Normal numbers: rebias the exponent and round; those that round past 65504 become infinity.
  const Bits normal = (size + 0xc8000fff + ((size >> 13) & 1)) >> 13;
  // Subnormal ones: adding 0.5 rounds to multiples of 2^-24, which then stand in the low bits.
  const Bits small = (Bits)((Floats)size + 0.5f) - 0x3f000000;
  const Bits nan = 0x7e00 | ((size >> 13) & 0x1ff);
  Bits y = (size < 0x38800000) ? small : normal;
  y = (size >= 0x47800000) ? (Bits{} + 0x7c00) : y;
  y = (size > 0x7f800000) ? nan : y;
  return __builtin_convertvector(y | ((bits >> 16) & 0x8000), Halves);
}

static inline void stream(float *p, Floats v) { store(p, v); }
static inline void stream(uint16_t *p, Halves v) { store_halves(p, v); }
static inline void fence() {}

static inline Floats code4(Ints words, int at) { return by_bits::code4(words, at); }

// Each byte, of 0 to 15, becomes that of the table: of two neighbours the lowest bit takes one, of
// two of those that it leaves the next bit.
static inline Ints look_up(const int8_t *table, Ints bytes) {
  typedef int8_t Bytes __attribute__((vector_size(4 * kLanes)));
  Bytes left[16];
  for (int i = 0; i < 16; i++) {
    left[i] = Bytes{} + table[i];
  }
  for (int bit = 0; bit < 4; bit++) {
    const Bytes odd = ((Bytes)bytes & static_cast<int8_t>(1 << bit)) != 0;
    for (int i = 0; i < 8 >> bit; i++) {
      left[i] = odd ? left[2 * i + 1] : left[2 * i];
    }
  }
  return (Ints)left[0];
}

namespace plain {

static inline Ints dot(Ints sums, Ints words, int32_t x) {
  for (int i = 0; i < 4; i++) {
    sums += ((words >> 8 * i) & 255) * static_cast<int8_t>(x >> 8 * i);
  }
  return sums;
}

constexpr int kUnroll = 1;
constexpr bool kMakesBytes = true;

}  // namespace plain

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "no_matrices.h"
#include "no_mixed_dots.h"
#include "no_pairs.h"
#include "no_signed_dots.h"

#endif
