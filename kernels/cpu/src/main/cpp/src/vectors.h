// The vectors of a level, and what they do in the same way on all of them. An isa header says how
// many lanes they have, kLanes, and includes this.
#ifndef GATUN_VECTORS_H
#define GATUN_VECTORS_H

#include <cstdint>

#include "gatun_cpu.h"

// Of functions of several vectors, which a call would pass through memory.
#define GATUN_INLINE __attribute__((always_inline))

namespace gatun {
namespace GATUN_LEVEL {

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef uint32_t Bits __attribute__((vector_size(kLanes * 4)));
typedef uint16_t Halves __attribute__((vector_size(kLanes * 2)));
// Half as many numbers of twice the width.
typedef double Doubles __attribute__((vector_size(kLanes * 4)));
typedef int64_t Longs __attribute__((vector_size(kLanes * 4)));
typedef uint64_t LongBits __attribute__((vector_size(kLanes * 4)));

// Matrix registers, of processors that have them: so many, of at most this many rows and words of
// 32 bits in a row.
constexpr int kMatrices = 8, kMatrixRows = 16, kMatrixWords = 16;

struct MatrixShape {
  int64_t rows, words;
};

// Whether the processor has an instruction set beyond the level's own; 0 names one that no
// processor of the level has.
static inline bool has(int32_t feature) {
  return feature != 0 && (gatun_features() & feature) != 0;
}

static inline Floats splat(float x) { return x - Floats{}; }

static inline Floats load(const float *p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline void store(float *p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }

static inline Halves load_halves(const uint16_t *p) {
  Halves v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline void store_halves(uint16_t *p, Halves v) { __builtin_memcpy(p, &v, sizeof v); }

// Pairs of bf16, the first of each in the lower half.
static inline Bits load_pairs(const void *p) {
  Bits v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline Floats select(Ints mask, Floats yes, Floats no) { return mask ? yes : no; }

static inline Doubles select(Longs mask, Doubles yes, Doubles no) { return mask ? yes : no; }

static inline Floats magnitude(Floats a) { return (Floats)((Ints)a & 0x7fffffff); }

// For levels without masks: the first n lanes, one by one.
namespace by_lane {

static inline Floats load(const float *p, int64_t n) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; i++) {
    lanes[i] = p[i];
  }
  return GATUN_LEVEL::load(lanes);
}

static inline void store(float *p, Floats v, int64_t n) {
  float lanes[kLanes];
  GATUN_LEVEL::store(lanes, v);
  for (int64_t i = 0; i < n; i++) {
    p[i] = lanes[i];
  }
}

static inline Floats root(Floats v) {
  for (int i = 0; i < kLanes; i++) {
    v[i] = __builtin_sqrtf(v[i]);
  }
  return v;
}

static inline Doubles root(Doubles v) {
  for (int i = 0; i < kLanes / 2; i++) {
    v[i] = __builtin_sqrt(v[i]);
  }
  return v;
}

static inline Floats keep(Floats v, int64_t n, float rest) {
  float lanes[kLanes];
  GATUN_LEVEL::store(lanes, splat(rest));
  by_lane::store(lanes, v, n);
  return GATUN_LEVEL::load(lanes);
}

static inline Halves load_halves(const uint16_t *p, int64_t n) {
  uint16_t lanes[kLanes] = {};
  __builtin_memcpy(lanes, p, static_cast<size_t>(n) * 2);
  return GATUN_LEVEL::load_halves(lanes);
}

static inline void store_halves(uint16_t *p, Halves v, int64_t n) {
  uint16_t lanes[kLanes];
  GATUN_LEVEL::store_halves(lanes, v);
  __builtin_memcpy(p, lanes, static_cast<size_t>(n) * 2);
}

}  // namespace by_lane

// For levels without instructions for it.
namespace by_bits {

// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
constexpr float kMagic = 12582912.0f;

static inline Floats round(Floats x) { return (x + kMagic) - kMagic; }

// x * 2^n for a whole number n of -126 to 129, as two factors, for 2^128 is not a float.
static inline Floats scale(Floats x, Floats n) {
  const Ints whole = (Ints)(n + kMagic) - (Ints)splat(kMagic), half = whole >> 1;
  return x * (Floats)((half + 127) << 23) * (Floats)((whole - half + 127) << 23);
}

static inline Halves to_bf16(Floats x) {
  const Bits bits = (Bits)x;
  const Bits rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Bits quiet = (bits >> 16) | 0x40;
  return __builtin_convertvector((x == x) ? rounded : quiet, Halves);
}

// A code of 4 bits of each word as a number from -8 to 7.
static inline Floats code4(Ints words, int at) {
  return __builtin_convertvector(((words >> at) & 15) - 8, Floats);
}

}  // namespace by_bits

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
