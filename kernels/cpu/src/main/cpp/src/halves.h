// 16-bit floats as vectors: bf16 and f16 to and from f32, rounded to nearest even.
#ifndef GATUN_HALVES_H
#define GATUN_HALVES_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

typedef uint16_t Halves __attribute__((vector_size(kLanes * 2)));
typedef uint32_t Bits __attribute__((vector_size(kLanes * 4)));

// The conversions of vectors are intrinsics where g++ takes four instructions for one.
static inline Bits widen(Halves h) {
#if defined(GATUN_LEVEL_avx512)
  return (Bits)_mm512_maskz_cvtepu16_epi32(static_cast<__mmask16>(-1), (__m256i)h);
#elif defined(GATUN_LEVEL_avx2)
  return (Bits)_mm256_cvtepu16_epi32((__m128i)h);
#else
  return __builtin_convertvector(h, Bits);
#endif
}

static inline Floats from_bf16(Halves h) { return (Floats)(widen(h) << 16); }

static inline Halves to_bf16(Floats x) {
  const Bits bits = (Bits)x;
  const Bits rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Bits quiet = (bits >> 16) | 0x40;
  return __builtin_convertvector((x == x) ? rounded : quiet, Halves);
}

static inline Floats from_f16(Halves h) {
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_maskz_cvtph_ps(static_cast<__mmask16>(-1), (__m256i)h);
#elif defined(GATUN_LEVEL_avx2)
  return (Floats)_mm256_cvtph_ps((__m128i)h);
#else
  const Bits bits = __builtin_convertvector(h, Bits);
  const Floats scaled = (Floats)((bits & 0x7fff) << 13) * 0x1p112f;  // subnormals come out right
  const Bits special = (Bits)((bits & 0x7c00) == 0x7c00) & 0x7f800000;
  return (Floats)((Bits)scaled | special | ((bits & 0x8000) << 16));
#endif
}

static inline Halves to_f16(Floats x) {
#if defined(GATUN_LEVEL_avx512)
  return (Halves)_mm512_maskz_cvtps_ph(static_cast<__mmask16>(-1), (__m512)x,
                                       _MM_FROUND_TO_NEAREST_INT);
#elif defined(GATUN_LEVEL_avx2)
  return (Halves)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
#else
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
#endif
}

static inline Halves load_halves(const uint16_t *p, int64_t n) {
#if defined(GATUN_LEVEL_avx512)
  return (Halves)_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p);
#else
  uint16_t lanes[kLanes] = {};
  __builtin_memcpy(lanes, p, static_cast<size_t>(n) * 2);
  Halves v;
  __builtin_memcpy(&v, lanes, sizeof v);
  return v;
#endif
}

static inline Halves load_halves(const uint16_t *p) {
  Halves v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline void store_halves(uint16_t *p, Halves v, int64_t n) {
  if (n == kLanes) {
    __builtin_memcpy(p, &v, sizeof v);
  } else {
#if defined(GATUN_LEVEL_avx512)
    _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), (__m256i)v);
#else
    uint16_t lanes[kLanes];
    __builtin_memcpy(lanes, &v, sizeof v);
    __builtin_memcpy(p, lanes, static_cast<size_t>(n) * 2);
#endif
  }
}

static inline bool is_dtype(int32_t dtype) {
  return dtype >= GATUN_DTYPE_F32 && dtype <= GATUN_DTYPE_F16;
}

static inline const void *at(const void *p, int32_t dtype, int64_t element) {
  return static_cast<const char *>(p) + element * (dtype == GATUN_DTYPE_F32 ? 4 : 2);
}

static inline void *at(void *p, int32_t dtype, int64_t element) {
  return static_cast<char *>(p) + element * (dtype == GATUN_DTYPE_F32 ? 4 : 2);
}

// The n floats of the dtype from p on; the other lanes are 0.
static inline Floats load_as(const void *p, int32_t dtype, int64_t n) {
  if (dtype == GATUN_DTYPE_F32) {
    return load_lanes(static_cast<const float *>(p), n);
  }
  const uint16_t *halves = static_cast<const uint16_t *>(p);
  const Halves h = n == kLanes ? load_halves(halves) : load_halves(halves, n);
  return dtype == GATUN_DTYPE_BF16 ? from_bf16(h) : from_f16(h);
}

static inline void store_as(void *p, int32_t dtype, Floats v, int64_t n) {
  if (dtype == GATUN_DTYPE_F32) {
    store_lanes(static_cast<float *>(p), v, n);
  } else {
    store_halves(static_cast<uint16_t *>(p), dtype == GATUN_DTYPE_BF16 ? to_bf16(v) : to_f16(v), n);
  }
}

static inline float load_one(const void *p, int32_t dtype) { return load_as(p, dtype, 1)[0]; }

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
