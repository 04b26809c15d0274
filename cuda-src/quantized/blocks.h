// Blocks of quantised weights as they lie in files: dev.gatun.kernels.api.memory.BlockFormat's own,
// and GGML's. An element is scale * (code - zero) + min, with the codes centred where there is no
// minimum.
#ifndef GATUN_QUANTIZED_BLOCKS_H
#define GATUN_QUANTIZED_BLOCKS_H

#include "vectors.h"

namespace gatun {

// Numbered as BlockFormat.Kind.
enum BlockKind : int {
  kInt8,
  kInt8Zero,
  kInt4,
  kInt4Zero,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kQ2_K,
  kQ3_K,
  kIQ4_NL,
  kIQ4_XS,
  kMXFP4
};

// Blocks begin at any byte.
static __device__ __forceinline__ uint32_t half_word(const uint8_t* at) {
  return at[0] | static_cast<uint32_t>(at[1]) << 8;
}
static __device__ __forceinline__ float f16_at(const uint8_t* at) {
  return from_f16(static_cast<uint16_t>(half_word(at)));
}
static __device__ __forceinline__ float f32_at(const uint8_t* at) {
  return float_of(half_word(at) | half_word(at + 2) << 16);
}

// What belongs to a group of a block's elements.
struct BlockGroup {
  float scale, min;
  int zero;
};

// Half the scale that MXFP4 says, whose least one is a subnormal number; 255 is no number.
static __device__ __forceinline__ float mxfp4_half_scale(uint32_t exponent) {
  return float_of(exponent == 255 ? 0x7fc00000
                  : exponent < 2  ? 0x00200000u << exponent
                                  : (exponent - 1) << 23);
}

static __device__ __forceinline__ BlockGroup block_group(int kind, const uint8_t* block, int g) {
  switch (kind) {
    case kInt8:
      return {f32_at(block), 0, 0};
    case kInt8Zero:
      return {f32_at(block), 0, static_cast<int16_t>(half_word(block + 4)) - 128};
    case kInt4Zero:
      return {f16_at(block), 0, block[2] - 8};
    case kQ4_1:
    case kQ5_1:
      return {f16_at(block), f16_at(block + 2), 0};
    case kQ4_K:
    case kQ5_K: {
      const uint8_t* six = block + 4;
      const int scale = g < 4 ? six[g] & 63 : (six[g + 4] & 15) | six[g - 4] >> 6 << 4;
      const int min = g < 4 ? six[g + 4] & 63 : six[g + 4] >> 4 | six[g] >> 6 << 4;
      return {f16_at(block) * static_cast<float>(scale),
              -(f16_at(block + 2) * static_cast<float>(min)), 0};
    }
    case kQ6_K:
      return {f16_at(block + 208) * static_cast<float>(static_cast<int8_t>(block[192 + g])), 0, 0};
    case kQ2_K:
      return {f16_at(block + 80) * static_cast<float>(block[g] & 15),
              -(f16_at(block + 82) * static_cast<float>(block[g] >> 4)), 0};
    case kQ3_K: {
      const int low = block[96 + g % 8] >> (g / 8 * 4) & 15;
      const int upper = block[104 + g % 4] >> (g / 4 * 2) & 3;
      return {f16_at(block + 108) * static_cast<float>((low | upper << 4) - 32), 0, 0};
    }
    case kIQ4_XS: {
      const int low = block[4 + g / 2] >> (g % 2 * 4) & 15;
      const int upper = static_cast<int>(half_word(block + 2)) >> (2 * g) & 3;
      return {f16_at(block) * static_cast<float>((low | upper << 4) - 32), 0, 0};
    }
    case kMXFP4:
      return {mxfp4_half_scale(block[0]), 0, 0};
    default:
      return {f16_at(block), 0, 0};
  }
}

// The low half of bytes holds the first half of the elements.
static __device__ __forceinline__ int nibble(const uint8_t* at, int size, int i) {
  return i < size / 2 ? at[i] & 15 : at[i - size / 2] >> 4;
}

// Of each 128 elements four quarters of 32 share 32 bytes.
static __device__ __forceinline__ int two_bits(const uint8_t* at, int i) {
  return at[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

// The fifth bits of 32 elements, ahead of the others.
static __device__ __forceinline__ int five_bits(const uint8_t* at, int i) {
  return nibble(at + 4, 32, i) | (at[i / 8] >> (i % 8) & 1) << 4;
}

// Each byte has what a code means: of codes below 8 those of `low`. A choice, since a table that is
// indexed would lie in memory.
static __device__ __forceinline__ int by_table(uint64_t low, uint64_t high, int code) {
  return static_cast<int8_t>((code < 8 ? low : high) >> (8 * (code % 8)));
}

// What codes of four bits mean in IQ4_NL and IQ4_XS: -127, -104, -83, -65, -49, -35, -22, -10, 1,
// 13, 25, 38, 53, 69, 89, 113.
static __device__ __forceinline__ int uneven_step(int code) {
  return by_table(0xf6eaddcfbfad9881, 0x7159453526190d01, code);
}

// Twice what they mean in MXFP4: 0, 1, 2, 3, 4, 6, 8, 12, and the same less than 0.
static __device__ __forceinline__ int mxfp4_step(int code) {
  return by_table(0x0c08060403020100, 0xf4f8fafcfdfeff00, code);
}

// The code of an element of a block of `size`.
static __device__ __forceinline__ int block_code(int kind, const uint8_t* block, int size, int i) {
  switch (kind) {
    case kInt8:
      return static_cast<int8_t>(block[4 + i]);
    case kInt8Zero:
      return block[6 + i] - 128;
    case kInt4:
    case kQ4_0:
      return nibble(block + 2, size, i) - 8;
    case kInt4Zero:
      return nibble(block + 3, size, i) - 8;
    case kQ4_1:
      return nibble(block + 4, size, i);
    case kQ5_0:
      return five_bits(block + 2, i) - 16;
    case kQ5_1:
      return five_bits(block + 4, i);
    case kQ8_0:
      return static_cast<int8_t>(block[2 + i]);
    case kQ4_K:
      return block[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
    case kQ5_K:
      return (block[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15) |
             (block[16 + i % 32] >> (i / 32) & 1) << 4;
    case kQ2_K:
      return two_bits(block + 16, i);
    case kQ3_K:
      return (two_bits(block + 32, i) | (block[i % 32] >> (i / 32) & 1) << 2) - 4;
    case kIQ4_NL:
      return uneven_step(nibble(block + 2, 32, i));
    case kIQ4_XS:
      return uneven_step(nibble(block + 8 + i / 32 * 16, 32, i % 32));
    case kMXFP4:
      return mxfp4_step(nibble(block + 1, 32, i));
    default: {
      const int low = block[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
      const int upper = two_bits(block + 128, i);
      return (low | upper << 4) - 32;
    }
  }
}

// What packing takes off the codes of formats with a minimum, so that they lie about 0.
static __device__ __forceinline__ int centre_of(int kind) {
  switch (kind) {
    case kQ4_1:
    case kQ4_K:
      return 8;
    case kQ5_1:
    case kQ5_K:
      return 16;
    case kQ2_K:
      return 2;
    default:
      return 0;
  }
}

}  // namespace gatun

#endif
