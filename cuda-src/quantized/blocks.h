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
  kQ6_K
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
    default:
      return {f16_at(block), 0, 0};
  }
}

// The low half of bytes holds the first half of the elements.
static __device__ __forceinline__ int nibble(const uint8_t* at, int size, int i) {
  return i < size / 2 ? at[i] & 15 : at[i - size / 2] >> 4;
}

// The fifth bits of 32 elements, ahead of the others.
static __device__ __forceinline__ int five_bits(const uint8_t* at, int i) {
  return nibble(at + 4, 32, i) | (at[i / 8] >> (i % 8) & 1) << 4;
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
    default: {
      const int low = block[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
      const int upper = block[128 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
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
    default:
      return 0;
  }
}

}  // namespace gatun

#endif
