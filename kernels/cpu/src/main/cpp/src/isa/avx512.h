// The primitives by AVX-512 F, BW, DQ and VL; with VNNI, BF16 and AMX where the processor has them.
#ifndef GATUN_ISA_AVX512_H
#define GATUN_ISA_AVX512_H

#include <immintrin.h>

#include <cstdint>

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kLanes = 16;
constexpr int kTileRows = 12;
constexpr int kBlockVectors = 4;
constexpr bool kScalesAll = true;
constexpr bool kStreams = true;

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "../vectors.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr __mmask16 kAll = static_cast<__mmask16>(-1);
constexpr __mmask8 kHalf = static_cast<__mmask8>(-1);
static inline __mmask16 lanes_before(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }

static inline Floats load(const float *p, int64_t n) {
  return (Floats)_mm512_maskz_loadu_ps(lanes_before(n), p);
}
static inline void store(float *p, Floats v, int64_t n) {
  _mm512_mask_storeu_ps(p, lanes_before(n), (__m512)v);
}
static inline Floats keep_lanes(Floats v, int64_t n, float rest) {
  return (Floats)_mm512_mask_mov_ps((__m512)splat(rest), lanes_before(n), (__m512)v);
}

// Where g++ warns of undefined lanes of an intrinsic, it is the one with a mask.
static inline Floats fma(Floats a, Floats b, Floats c) {
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
static inline Floats max(Floats a, Floats b) {
  return (Floats)_mm512_maskz_max_ps(kAll, (__m512)a, (__m512)b);
}
static inline Floats min(Floats a, Floats b) {
  return (Floats)_mm512_maskz_min_ps(kAll, (__m512)a, (__m512)b);
}
static inline Floats round(Floats x) {
  return (Floats)_mm512_maskz_roundscale_ps(kAll, (__m512)x,
                                            _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline Floats scale(Floats x, Floats n) {
  return (Floats)_mm512_maskz_scalef_ps(kAll, (__m512)x, (__m512)n);
}
static inline Floats reciprocal(Floats x) { return (Floats)_mm512_maskz_rcp14_ps(kAll, (__m512)x); }
static inline Floats root(Floats x) { return (Floats)_mm512_maskz_sqrt_ps(kAll, (__m512)x); }

static inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return (Doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
static inline Doubles root(Doubles x) { return (Doubles)_mm512_maskz_sqrt_pd(kHalf, (__m512d)x); }
// By shuffles, for the intrinsics have undefined lanes.
static inline void to_doubles(Floats x, Doubles &lo, Doubles &hi) {
  const __m256 lower = (__m256)__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 upper = (__m256)__builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  lo = (Doubles)_mm512_maskz_cvtps_pd(kHalf, lower);
  hi = (Doubles)_mm512_maskz_cvtps_pd(kHalf, upper);
}
static inline Floats to_floats(Doubles lo, Doubles hi) {
  typedef float Lower __attribute__((vector_size(32)));
  const Lower lower = (Lower)_mm512_maskz_cvtpd_ps(kHalf, (__m512d)lo);
  const Lower upper = (Lower)_mm512_maskz_cvtpd_ps(kHalf, (__m512d)hi);
  return __builtin_shufflevector(lower, upper, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                 15);
}

static inline bool any(Ints mask) { return _mm512_movepi32_mask((__m512i)mask) != 0; }

static inline Bits widen(Halves h) { return (Bits)_mm512_maskz_cvtepu16_epi32(kAll, (__m256i)h); }
static inline Ints load_signed(const int8_t *p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
  return (Ints)_mm512_maskz_cvtepi8_epi32(kAll, bytes);
}
static inline Halves load_halves(const uint16_t *p, int64_t n) {
  return (Halves)_mm256_maskz_loadu_epi16(lanes_before(n), p);
}
static inline void store_halves_part(uint16_t *p, Halves v, int64_t n) {
  _mm256_mask_storeu_epi16(p, lanes_before(n), (__m256i)v);
}

// Rounds to bf16, which are then the upper halves.
static inline Bits round_to_bf16(Floats x) {
  // A NaN, of either kind, becomes itself, quiet.
  constexpr int32_t kNans = 0x22;
  const __m512i bits = (__m512i)x;
  const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
  const __m512i down = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
  const __m512i even = _mm512_mask_add_epi32(down, odd, down, _mm512_set1_epi32(1));
  return (Bits)_mm512_mask_fixupimm_ps((__m512)even, kAll, (__m512)x, _mm512_set1_epi32(kNans), 0);
}

static inline Halves to_bf16(Floats x) {
  return (Halves)_mm512_maskz_cvtepi32_epi16(kAll, (__m512i)(round_to_bf16(x) >> 16));
}
static inline Floats from_f16(Halves h) { return (Floats)_mm512_maskz_cvtph_ps(kAll, (__m256i)h); }
static inline Halves to_f16(Floats x) {
  return (Halves)_mm512_maskz_cvtps_ph(kAll, (__m512)x, _MM_FROUND_TO_NEAREST_INT);
}

static inline void stream(float *p, Floats v) { _mm512_stream_ps(p, (__m512)v); }
static inline void stream(uint16_t *p, Halves v) {
  _mm256_stream_si256(reinterpret_cast<__m256i *>(p), (__m256i)v);
}
static inline void fence() { _mm_sfence(); }

// Both vectors as one of bf16.
static inline __m512i both_to_bf16(Floats lo, Floats hi) {
  static const uint16_t kUpper[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                      23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                      45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  return _mm512_permutex2var_epi16((__m512i)round_to_bf16(lo), _mm512_loadu_si512(kUpper),
                                   (__m512i)round_to_bf16(hi));
}
static inline void store_bf16(uint16_t *p, Floats lo, Floats hi) {
  _mm512_storeu_si512(p, both_to_bf16(lo, hi));
}
static inline void stream_bf16(uint16_t *p, Floats lo, Floats hi) {
  _mm512_stream_si512(reinterpret_cast<__m512i *>(p), both_to_bf16(lo, hi));
}

// Both in the elements' order: the words of a lane from their place, below them 0.
static inline void load_bf16(const uint16_t *p, Floats &lo, Floats &hi) {
  const Bits lower = {0,       1 << 16, 2 << 16,  3 << 16,  4 << 16,  5 << 16,  6 << 16,  7 << 16,
                      8 << 16, 9 << 16, 10 << 16, 11 << 16, 12 << 16, 13 << 16, 14 << 16, 15 << 16};
  constexpr __mmask32 kUppers = 0xaaaaaaaa;
  const __m512i both = _mm512_loadu_si512(p), upper = (__m512i)(lower + (16 << 16));
  lo = (Floats)_mm512_maskz_permutexvar_epi16(kUppers, (__m512i)lower, both);
  hi = (Floats)_mm512_maskz_permutexvar_epi16(kUppers, upper, both);
}
// The even elements of bf16, and the odd ones.
static inline void take_bf16(const uint16_t *p, Floats &lo, Floats &hi) {
  const __m512i both = _mm512_loadu_si512(p);
  lo = (Floats)_mm512_maskz_slli_epi32(kAll, both, 16);
  hi = (Floats)_mm512_and_si512(both, _mm512_set1_epi32(static_cast<int32_t>(0xffff0000)));
}
// Rounded to nearest even. A NaN that computations made of numbers of bf16 has no bits below
// theirs, and stays one.
static inline __m512i together(Floats lo, Floats hi) {
  const auto rounded = [](Floats x) {
    const Bits bits = (Bits)x;
    return bits + ((bits >> 16) & 1) + 0x7fff;
  };
  return (__m512i)((rounded(lo) >> 16) | (rounded(hi) & 0xffff0000));
}
static inline void give_bf16(uint16_t *p, Floats lo, Floats hi) {
  _mm512_storeu_si512(p, together(lo, hi));
}
static inline void give_stream_bf16(uint16_t *p, Floats lo, Floats hi) {
  _mm512_stream_si512(reinterpret_cast<__m512i *>(p), together(lo, hi));
}

static inline Floats code4(Ints words, int at) {
  const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i index = (__m512i)((Bits)words >> at);
  return (Floats)_mm512_maskz_permutexvar_ps(kAll, index, table);
}

// Each byte, of 0 to 15, becomes that of the table.
static inline Ints look_up(const int8_t *table, Ints bytes) {
  const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i *>(table));
  const __m512i all = _mm512_maskz_broadcast_i32x4(kAll, sixteen);
  return (Ints)_mm512_shuffle_epi8(all, (__m512i)bytes);
}

namespace plain {

static inline Ints dot(Ints sums, Ints words, int32_t x) {
  const __m512i w = (__m512i)words, four = _mm512_set1_epi32(x), low = _mm512_set1_epi32(0xff00ff);
  const __m512i even = _mm512_srai_epi16(_mm512_slli_epi16(four, 8), 8);
  const __m512i first = _mm512_madd_epi16(_mm512_and_si512(w, low), even);
  const __m512i second = _mm512_madd_epi16(_mm512_srli_epi16(w, 8), _mm512_srai_epi16(four, 8));
  return sums + (Ints)first + (Ints)second;
}

constexpr int kUnroll = 1;
constexpr bool kMakesBytes = true;

}  // namespace plain

#define GATUN_MIXED_DOTS __attribute__((target("avx512vnni")))
constexpr int32_t kMixedDots = GATUN_FEATURE_AVX512_VNNI;

namespace mixed_dots {

GATUN_MIXED_DOTS static inline Ints dot(Ints sums, Ints words, int32_t x) {
  return (Ints)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)words, _mm512_set1_epi32(x));
}

constexpr int kUnroll = 8;
constexpr bool kMakesBytes = false;

}  // namespace mixed_dots

#define GATUN_PAIRS __attribute__((target("avx512bf16")))
constexpr int32_t kPairs = GATUN_FEATURE_AVX512_BF16;

GATUN_PAIRS static inline Floats dot_pairs(Floats sums, Bits pairs, const uint16_t *pair) {
  int32_t x;
  __builtin_memcpy(&x, pair, sizeof x);
  return (Floats)_mm512_dpbf16_ps((__m512)sums, (__m512bh)pairs, (__m512bh)_mm512_set1_epi32(x));
}
GATUN_PAIRS static inline Halves narrow(Floats v) { return (Halves)_mm512_cvtneps_pbh((__m512)v); }
GATUN_PAIRS static inline void store_narrow(uint16_t *p, Floats lo, Floats hi) {
  const __m512bh v = _mm512_cvtne2ps_pbh((__m512)hi, (__m512)lo);
  __builtin_memcpy(p, &v, sizeof v);
}

// The codes as bf16, twice: the index has a fifth bit, which belongs to the code above.
alignas(64) static const uint16_t kCodesAsBf16[32] = {
    0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040, 0xc000, 0xbf80, 0x0000, 0x3f80, 0x4000,
    0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, 0xc100, 0xc0e0, 0xc0c0, 0xc0a0, 0xc080, 0xc040,
    0xc000, 0xbf80, 0x0000, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0};

GATUN_PAIRS static inline Bits code_pairs(const uint8_t *words, int i) {
  const __m512i table = _mm512_load_si512(kCodesAsBf16);
  return (Bits)_mm512_permutexvar_epi16(_mm512_srli_epi16(_mm512_loadu_si512(words), 4 * i), table);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#include "amx.h"
#include "no_signed_dots.h"

#endif
