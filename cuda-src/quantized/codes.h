// Codes as numbers that tensor cores take, by bit patterns and without a conversion of integers.
#ifndef GATUN_QUANTIZED_CODES_H
#define GATUN_QUANTIZED_CODES_H

#include "primitives.h"

namespace gatun {

// The eight codes of a word as pairs (0, 1), (2, 3), (4, 5), (6, 7). In F16 the upper byte 0x64
// makes a lower byte b the number 1024 + b; in BF16 0x43 makes b < 128 the number 128 + b.
template <bool Bf16>
static __device__ __forceinline__ void codes_of_4_bits(uint32_t word, uint32_t* pairs) {
  if (Bf16) {
    const uint32_t low = word & 0x0f0f0f0f, high = word >> 4 & 0x0f0f0f0f;
    // 1 and -136.
    pairs[0] = fma_bf16x2(permute_bytes(low, 0x43434343, 0x4140), 0x3f803f80, 0xc308c308);
    pairs[1] = fma_bf16x2(permute_bytes(low, 0x43434343, 0x4342), 0x3f803f80, 0xc308c308);
    pairs[2] = fma_bf16x2(permute_bytes(high, 0x43434343, 0x4140), 0x3f803f80, 0xc308c308);
    pairs[3] = fma_bf16x2(permute_bytes(high, 0x43434343, 0x4342), 0x3f803f80, 0xc308c308);
  } else {
    const uint32_t first = permute_bytes(word, 0x64646464, 0x4140);
    const uint32_t second = permute_bytes(word, 0x64646464, 0x4342);
    // 1 and -1032 of the low half of a byte, 1 / 16 and -72 of the high one.
    pairs[0] = fma_f16x2(first & 0xff0fff0f, 0x3c003c00, 0xe408e408);
    pairs[1] = fma_f16x2(second & 0xff0fff0f, 0x3c003c00, 0xe408e408);
    pairs[2] = fma_f16x2(first & 0xfff0fff0, 0x2c002c00, 0xd480d480);
    pairs[3] = fma_f16x2(second & 0xfff0fff0, 0x2c002c00, 0xd480d480);
  }
}

// Two neighbours of a word's eight codes as a pair: the selector names bytes 0 and 1 or 2 and 3,
// and is 0x4140 or 0x4342; the shift is 0 for the first four codes and 4 for the others.
template <bool Bf16>
static __device__ __forceinline__ uint32_t pair_of_4_bits(uint32_t word, int shift,
                                                          uint32_t selector) {
  const uint32_t magic = Bf16 ? 0x43434343 : 0x64646464;
  const uint32_t pair = permute_bytes(word >> shift, magic, selector) & 0xff0fff0f;
  return Bf16 ? fma_bf16x2(pair, 0x3f803f80, 0xc308c308) : fma_f16x2(pair, 0x3c003c00, 0xe408e408);
}

// The same of a word's four codes.
template <bool Bf16>
static __device__ __forceinline__ uint32_t pair_of_8_bits(uint32_t word, uint32_t selector) {
  if (Bf16) {
    // 128 and the lower seven bits, less 128 where the eighth is set and 256 where not.
    const uint32_t pair = permute_bytes(word, 0x43434343, selector);
    return fma_bf16x2(pair & 0xff7fff7f, 0x3f803f80, and_xor(pair, 0x00800080, 0xc380c380));
  }
  return fma_f16x2(permute_bytes(word, 0x64646464, selector), 0x3c003c00, 0xe480e480);
}

// The four codes of a word as pairs.
template <bool Bf16>
static __device__ __forceinline__ void codes_of_8_bits(uint32_t word, uint32_t* pairs) {
  pairs[0] = pair_of_8_bits<Bf16>(word, 0x4140);
  pairs[1] = pair_of_8_bits<Bf16>(word, 0x4342);
}

// The same number in both halves of a word, which the type has exactly.
template <bool Bf16>
static __device__ __forceinline__ uint32_t both_halves(float x) {
  const uint32_t half = Bf16 ? to_bf16(x) : to_f16(x);
  return half | half << 16;
}

template <bool Bf16>
static __device__ __forceinline__ uint32_t add_pairs(uint32_t a, uint32_t b) {
  return Bf16 ? fma_bf16x2(a, 0x3f803f80, b) : fma_f16x2(a, 0x3c003c00, b);
}

// The four codes of half a word of 4 bits, or of a word of 8 bits, as signed bytes.
static __device__ __forceinline__ uint32_t low_bytes(uint32_t word) {
  return ((word & 0x0f0f0f0f) + 0x78787878) ^ 0x80808080;
}
static __device__ __forceinline__ uint32_t high_bytes(uint32_t word) {
  return low_bytes(word >> 4);
}
static __device__ __forceinline__ uint32_t signed_bytes(uint32_t word) { return word ^ 0x80808080; }

}  // namespace gatun

#endif
