// The primitives by AVX2, FMA and F16C; with AVX-VNNI where the processor has it.
#ifndef GATUN_ISA_AVX2_H
#define GATUN_ISA_AVX2_H

#include <immintrin.h>

#include <cstdint>

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kLanes = 8;
constexpr int kTileRows = 6;
constexpr int kBlockVectors = 2;
constexpr bool kScalesAll = false;
constexpr bool kStreams = true;

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
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
static inline Floats max(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
static inline Floats min(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
static inline Floats round(Floats x) { return by_bits::round(x); }
static inline Floats scale(Floats x, Floats n) { return by_bits::scale(x, n); }
static inline Floats reciprocal(Floats x) { return 1.0f / x; }
static inline Floats root(Floats x) { return (Floats)_mm256_sqrt_ps((__m256)x); }

static inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return (Doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
static inline Doubles root(Doubles x) { return (Doubles)_mm256_sqrt_pd((__m256d)x); }
static inline void to_doubles(Floats x, Doubles &lo, Doubles &hi) {
  lo = (Doubles)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
  hi = (Doubles)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
}
static inline Floats to_floats(Doubles lo, Doubles hi) {
  return (Floats)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)hi), _mm256_cvtpd_ps((__m256d)lo));
}

static inline bool any(Ints mask) { return _mm256_movemask_ps((__m256)mask) != 0; }

// Intrinsics, for g++ takes four instructions for the one, and a few for each lane of the other.
static inline Bits widen(Halves h) { return (Bits)_mm256_cvtepu16_epi32((__m128i)h); }
static inline Ints load_signed(const int8_t *p) {
  return (Ints)_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p)));
}
static inline Halves load_halves(const uint16_t *p, int64_t n) {
  return by_lane::load_halves(p, n);
}
static inline void store_halves_part(uint16_t *p, Halves v, int64_t n) {
  by_lane::store_halves(p, v, n);
}

static inline Halves to_bf16(Floats x) { return by_bits::to_bf16(x); }
static inline Floats from_f16(Halves h) { return (Floats)_mm256_cvtph_ps((__m128i)h); }
static inline Halves to_f16(Floats x) {
  return (Halves)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
}

static inline void stream(float *p, Floats v) { _mm256_stream_ps(p, (__m256)v); }
static inline void stream(uint16_t *p, Halves v) {
  _mm_stream_si128(reinterpret_cast<__m128i *>(p), (__m128i)v);
}
static inline void fence() { _mm_sfence(); }

static inline Floats code4(Ints words, int at) { return by_bits::code4(words, at); }

// Each byte, of 0 to 15, becomes that of the table.
static inline Ints look_up(const int8_t *table, Ints bytes) {
  const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i *>(table));
  return (Ints)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), (__m256i)bytes);
}

namespace plain {

static inline Ints dot(Ints sums, Ints words, int32_t x) {
  const __m256i w = (__m256i)words, four = _mm256_set1_epi32(x), low = _mm256_set1_epi32(0xff00ff);
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
  const __m256i first = _mm256_madd_epi16(_mm256_and_si256(w, low), even);
  const __m256i second = _mm256_madd_epi16(_mm256_srli_epi16(w, 8), _mm256_srai_epi16(four, 8));
  return sums + (Ints)first + (Ints)second;
}

constexpr int kUnroll = 1;
constexpr bool kMakesBytes = true;

}  // namespace plain

#define GATUN_MIXED_DOTS __attribute__((target("avxvnni")))
constexpr int32_t kMixedDots = GATUN_FEATURE_AVX_VNNI;

namespace mixed_dots {

GATUN_MIXED_DOTS static inline Ints dot(Ints sums, Ints words, int32_t x) {
  return (Ints)_mm256_dpbusd_avx_epi32((__m256i)sums, (__m256i)words, _mm256_set1_epi32(x));
}

constexpr int kUnroll = 8;
constexpr bool kMakesBytes = true;

}  // namespace mixed_dots

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "no_matrices.h"
#include "no_pairs.h"
#include "no_signed_dots.h"

#endif
