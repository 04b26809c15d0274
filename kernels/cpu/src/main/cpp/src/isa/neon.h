// The primitives by NEON, which every processor of aarch64 has; with the dot products of bytes and
// of bf16 (DOTPROD, I8MM, BF16) where the processor has them.
#ifndef GATUN_ISA_NEON_H
#define GATUN_ISA_NEON_H

#include <arm_neon.h>

#include <cstdint>

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kLanes = 4;
constexpr int kTileRows = 12;
constexpr int kBlockVectors = 4;
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

static inline Floats fma(Floats a, Floats b, Floats c) {
  return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
// The instruction for it gives NaN where either is.
static inline Floats max(Floats a, Floats b) { return select(a > b, a, b); }
static inline Floats min(Floats a, Floats b) { return select(a < b, a, b); }
static inline Floats round(Floats x) { return (Floats)vrndnq_f32((float32x4_t)x); }
static inline Floats scale(Floats x, Floats n) { return by_bits::scale(x, n); }
// An estimate of 8 bits, and Newton's step.
static inline Floats reciprocal(Floats x) {
  const float32x4_t v = (float32x4_t)x, estimate = vrecpeq_f32(v);
  return (Floats)vmulq_f32(estimate, vrecpsq_f32(v, estimate));
}

static inline Floats root(Floats x) { return (Floats)vsqrtq_f32((float32x4_t)x); }

static inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return (Doubles)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
static inline Doubles root(Doubles x) { return (Doubles)vsqrtq_f64((float64x2_t)x); }
static inline void to_doubles(Floats x, Doubles &lo, Doubles &hi) {
  lo = (Doubles)vcvt_f64_f32(vget_low_f32((float32x4_t)x));
  hi = (Doubles)vcvt_high_f64_f32((float32x4_t)x);
}
static inline Floats to_floats(Doubles lo, Doubles hi) {
  return (Floats)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)lo), (float64x2_t)hi);
}

static inline bool any(Ints mask) { return vmaxvq_u32((uint32x4_t)mask) != 0; }

static inline Bits widen(Halves h) { return (Bits)vmovl_u16((uint16x4_t)h); }
static inline Ints load_signed(const int8_t *p) {
  int32_t bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  const int16x8_t halves = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(bytes)));
  return (Ints)vmovl_s16(vget_low_s16(halves));
}
static inline Halves load_halves(const uint16_t *p, int64_t n) {
  return by_lane::load_halves(p, n);
}
static inline void store_halves_part(uint16_t *p, Halves v, int64_t n) {
  by_lane::store_halves(p, v, n);
}

static inline Halves to_bf16(Floats x) { return by_bits::to_bf16(x); }
static inline Floats from_f16(Halves h) {
  return (Floats)vcvt_f32_f16(vreinterpret_f16_u16((uint16x4_t)h));
}
static inline Halves to_f16(Floats x) {
  return (Halves)vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x));
}

static inline void stream(float *p, Floats v) { store(p, v); }
static inline void stream(uint16_t *p, Halves v) { store_halves(p, v); }
static inline void fence() {}

static inline Floats code4(Ints words, int at) { return by_bits::code4(words, at); }

// Each byte, of 0 to 15, becomes that of the table.
static inline Ints look_up(const int8_t *table, Ints bytes) {
  return (Ints)vqtbl1q_s8(vld1q_s8(table), (uint8x16_t)bytes);
}

namespace plain {

// Products of a byte and a signed one fit into 16 bits.
static inline Ints dot(Ints sums, Ints words, int32_t x) {
  const uint8x16_t w = (uint8x16_t)words;
  const int16x8_t four = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(x)));
  const int16x8_t first = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(w))), four);
  const int16x8_t second = vmulq_s16(vreinterpretq_s16_u16(vmovl_high_u8(w)), four);
  return sums + (Ints)vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second));
}

constexpr int kUnroll = 1;
constexpr bool kMakesBytes = true;

}  // namespace plain

#define GATUN_SIGNED_DOTS __attribute__((target("arch=armv8.2-a+dotprod")))
constexpr int32_t kSignedDots = GATUN_FEATURE_DOTPROD;

namespace signed_dots {

// Bytes less 128 are signed; what that takes off is two times 64 by the bytes of x.
GATUN_SIGNED_DOTS static inline Ints dot(Ints sums, Ints words, int32_t x) {
  const int8x16_t w = (int8x16_t)(words ^ static_cast<int32_t>(0x80808080u));
  const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(x)), half = vdupq_n_s8(64);
  return (Ints)vdotq_s32(vdotq_s32(vdotq_s32((int32x4_t)sums, w, four), half, four), half, four);
}

constexpr int kUnroll = 2;
constexpr bool kMakesBytes = true;

}  // namespace signed_dots

#define GATUN_MIXED_DOTS __attribute__((target("arch=armv8.2-a+i8mm")))
constexpr int32_t kMixedDots = GATUN_FEATURE_I8MM;

namespace mixed_dots {

GATUN_MIXED_DOTS static inline Ints dot(Ints sums, Ints words, int32_t x) {
  return (Ints)vusdotq_s32((int32x4_t)sums, (uint8x16_t)words,
                           vreinterpretq_s8_s32(vdupq_n_s32(x)));
}

constexpr int kUnroll = 4;
constexpr bool kMakesBytes = true;

}  // namespace mixed_dots

#define GATUN_PAIRS __attribute__((target("arch=armv8.2-a+bf16")))
constexpr int32_t kPairs = GATUN_FEATURE_ARM_BF16;

GATUN_PAIRS static inline Floats dot_pairs(Floats sums, Bits pairs, const uint16_t *pair) {
  uint32_t x;
  __builtin_memcpy(&x, pair, sizeof x);
  return (Floats)vbfdotq_f32((float32x4_t)sums, vreinterpretq_bf16_u32((uint32x4_t)pairs),
                             vreinterpretq_bf16_u32(vdupq_n_u32(x)));
}
GATUN_PAIRS static inline Halves narrow(Floats v) {
  return (Halves)vreinterpret_u16_bf16(vcvt_bf16_f32((float32x4_t)v));
}
GATUN_PAIRS static inline void store_narrow(uint16_t *p, Floats lo, Floats hi) {
  store_halves(p, narrow(lo));
  store_halves(p + kLanes, narrow(hi));
}

// The codes as bf16, the bytes of which come from two tables.
static inline Bits code_pairs(const uint8_t *words, int i) {
  const uint8x16_t low = {0x00, 0xe0, 0xc0, 0xa0, 0x80, 0x40, 0x00, 0x80,
                          0x00, 0x80, 0x00, 0x40, 0x80, 0xa0, 0xc0, 0xe0};
  const uint8x16_t high = {0xc1, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xbf,
                           0x00, 0x3f, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40};
  const uint16x8_t halves = vreinterpretq_u16_u8(vld1q_u8(words));
  const uint16x8_t index =
      vandq_u16(vshlq_u16(halves, vdupq_n_s16(static_cast<int16_t>(-4 * i))), vdupq_n_u16(15));
  // An index beyond the table gives 0.
  const uint16x8_t upper = vorrq_u16(vshlq_n_u16(index, 8), vdupq_n_u16(255));
  return (Bits)vorrq_u8(vqtbl1q_u8(low, vreinterpretq_u8_u16(index)),
                        vqtbl1q_u8(high, vreinterpretq_u8_u16(upper)));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "no_matrices.h"
#include "two_halves.h"

#endif
