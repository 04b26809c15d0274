// Sums of products of four unsigned bytes with four signed ones, by what the processor has.
#ifndef GATUN_DOT_CODES_H
#define GATUN_DOT_CODES_H

#include "activation_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace plain {

// sums + the products of each word's bytes and the bytes of x.
static inline Ints dot(Ints sums, Ints words, int32_t x) {
#if defined(GATUN_LEVEL_avx512)
  const __m512i w = (__m512i)words, four = _mm512_set1_epi32(x), low = _mm512_set1_epi32(0xff00ff);
  const __m512i even = _mm512_srai_epi16(_mm512_slli_epi16(four, 8), 8);
  const __m512i first = _mm512_madd_epi16(_mm512_and_si512(w, low), even);
  const __m512i second = _mm512_madd_epi16(_mm512_srli_epi16(w, 8), _mm512_srai_epi16(four, 8));
  return sums + (Ints)first + (Ints)second;
#elif defined(GATUN_LEVEL_avx2)
  const __m256i w = (__m256i)words, four = _mm256_set1_epi32(x), low = _mm256_set1_epi32(0xff00ff);
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
  const __m256i first = _mm256_madd_epi16(_mm256_and_si256(w, low), even);
  const __m256i second = _mm256_madd_epi16(_mm256_srli_epi16(w, 8), _mm256_srai_epi16(four, 8));
  return sums + (Ints)first + (Ints)second;
#else
  for (int i = 0; i < 4; i++) {
    sums += ((words >> 8 * i) & 255) * static_cast<int8_t>(x >> 8 * i);
  }
  return sums;
#endif
}

// How many steps of a tile are written out: what one takes apart of x needs registers.
constexpr int kUnroll = 1;
// Whether a tile of bytes, which has more rows, is faster than one of words.
constexpr bool kMakesBytes = true;

}  // namespace plain

#define GATUN_DOT plain
#define GATUN_DOT_TARGET
#include "codes_tile.h"
#undef GATUN_DOT
#undef GATUN_DOT_TARGET

#if defined(GATUN_LEVEL_avx512)
#define GATUN_DOT_TARGET __attribute__((target("avx512vnni")))
#elif defined(GATUN_LEVEL_avx2)
#define GATUN_DOT_TARGET __attribute__((target("avxvnni")))
#endif

#if defined(GATUN_DOT_TARGET)

namespace vnni {

GATUN_DOT_TARGET static inline Ints dot(Ints sums, Ints words, int32_t x) {
#if defined(GATUN_LEVEL_avx512)
  return (Ints)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)words, _mm512_set1_epi32(x));
#else
  return (Ints)_mm256_dpbusd_avx_epi32((__m256i)sums, (__m256i)words, _mm256_set1_epi32(x));
#endif
}

constexpr int kUnroll = 8;
constexpr bool kMakesBytes = kLanes < 16;

}  // namespace vnni

#define GATUN_DOT vnni
#include "codes_tile.h"
#undef GATUN_DOT

#endif

static inline bool has_vnni() {
#if defined(GATUN_LEVEL_avx512)
  return gatun_features() & GATUN_FEATURE_AVX512_VNNI;
#elif defined(GATUN_LEVEL_avx2)
  return gatun_features() & GATUN_FEATURE_AVX_VNNI;
#else
  return false;
#endif
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
