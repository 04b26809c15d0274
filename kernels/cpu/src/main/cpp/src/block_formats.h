// Blocks of quantised weights: how long they are, and what they mean.
#ifndef GATUN_BLOCK_FORMATS_H
#define GATUN_BLOCK_FORMATS_H

#include "numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

// Elements of a super-block of the K formats, and the most that are taken apart at once.
constexpr int64_t kSuperBlock = 256;
constexpr int kMostGroups = 16;

// Rows of blocks of one format.
struct BlockFormat {
  int32_t kind;
  int64_t block;  // elements

  bool whole_row;

  static BlockFormat of(int32_t kind, int64_t block, int64_t k) {
    const bool whole = kind == GATUN_BLOCKS_INT8 && block == 0;
    return {kind, whole ? k : block, whole};
  }

  // Whether rows of k elements can be of the format.
  bool valid(int64_t k) const {
    if (k < 0 || kind < GATUN_BLOCKS_INT8 || kind > GATUN_BLOCKS_MXFP4) {
      return false;
    }
    if (whole_row || k == 0) {
      return true;
    }
    if (block <= 0 || k % block != 0) {
      return false;
    }
    switch (kind) {
      case GATUN_BLOCKS_INT8:
        return block == 16 || block == 32 || block == 64 || block == 128;
      case GATUN_BLOCKS_INT8_ZERO:
      case GATUN_BLOCKS_INT4:
      case GATUN_BLOCKS_INT4_ZERO:
        return block == 32 || block == 64 || block == 128;
      case GATUN_BLOCKS_Q4_K:
      case GATUN_BLOCKS_Q5_K:
      case GATUN_BLOCKS_Q6_K:
      case GATUN_BLOCKS_Q2_K:
      case GATUN_BLOCKS_Q3_K:
      case GATUN_BLOCKS_IQ4_XS:
        return block == kSuperBlock;
      default:
        return block == 32;
    }
  }

  int64_t bytes() const {
    switch (kind) {
      case GATUN_BLOCKS_INT8:
        return 4 + block;
      case GATUN_BLOCKS_INT8_ZERO:
        return 6 + block;
      case GATUN_BLOCKS_INT4:
      case GATUN_BLOCKS_Q4_0:
      case GATUN_BLOCKS_IQ4_NL:
        return 2 + block / 2;
      case GATUN_BLOCKS_INT4_ZERO:
        return 3 + block / 2;
      case GATUN_BLOCKS_Q4_1:
        return 4 + block / 2;
      case GATUN_BLOCKS_Q5_0:
        return 2 + block * 5 / 8;
      case GATUN_BLOCKS_Q5_1:
        return 4 + block * 5 / 8;
      case GATUN_BLOCKS_Q8_0:
        return 2 + block;
      case GATUN_BLOCKS_Q4_K:
        return 16 + block / 2;
      case GATUN_BLOCKS_Q5_K:
        return 16 + block * 5 / 8;
      case GATUN_BLOCKS_Q6_K:
        return 18 + block * 3 / 4;
      case GATUN_BLOCKS_Q2_K:
        return 20 + block / 4;
      case GATUN_BLOCKS_Q3_K:
        return 14 + block * 3 / 8;
      case GATUN_BLOCKS_IQ4_XS:
        return 8 + block / 2;
      default:
        return 1 + block / 2;
    }
  }

  // Of a row that is not empty.
  int64_t row_bytes(int64_t k) const { return k / block * bytes(); }

  // Elements that share a scale.
  int64_t group() const {
    switch (kind) {
      case GATUN_BLOCKS_Q2_K:
      case GATUN_BLOCKS_Q3_K:
      case GATUN_BLOCKS_Q6_K:
        return 16;
      case GATUN_BLOCKS_Q4_K:
      case GATUN_BLOCKS_Q5_K:
      case GATUN_BLOCKS_IQ4_XS:
        return 32;
      default:
        return block;
    }
  }
};

template <typename T>
static inline T load_bytes(const uint8_t *p) {
  T value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

template <typename T>
static inline void store_bytes(uint8_t *p, T value) {
  __builtin_memcpy(p, &value, sizeof value);
}

static inline float load_f16(const uint8_t *p) {
  const uint16_t half = load_bytes<uint16_t>(p);
  return load_one(&half, GATUN_DTYPE_F16);
}

// Writes x as f16 and gives what it became.
static inline float store_f16(uint8_t *p, float x) {
  const Halves half = to_f16(splat(x));
  store_bytes(p, static_cast<uint16_t>(half[0]));
  return from_f16(half)[0];
}

static inline bool is_finite(float x) { return __builtin_isfinite(x); }

// Neighbours of a row, taken apart: element i is scales[g] * (codes[i] - zeros[g]) + mins[g], with
// g = i / group.
struct Piece {
  int8_t codes[kSuperBlock];
  float scales[kMostGroups];
  float mins[kMostGroups];
  int32_t zeros[kMostGroups];
  // Where groups share a scale and a minimum, these as F16, and what each is of them.
  uint16_t shared[2];
  int8_t times[kMostGroups];
  int8_t less[kMostGroups];

  void share(const uint8_t *scale, const uint8_t *min) {
    shared[0] = load_bytes<uint16_t>(scale);
    shared[1] = min == nullptr ? 0 : load_bytes<uint16_t>(min);
  }

  void set(int g, int scale_times, int min_less) {
    times[g] = static_cast<int8_t>(scale_times);
    less[g] = static_cast<int8_t>(min_less);
    scales[g] = half(0) * static_cast<float>(scale_times);
    mins[g] = -(half(1) * static_cast<float>(min_less));
  }

 private:
  float half(int i) const { return load_one(&shared[i], GATUN_DTYPE_F16); }
};

// Codes of four bits, less an offset: byte i has code i below code i + size / 2.
static inline void load_nibbles(const uint8_t *in, int64_t size, int offset, int8_t *codes) {
  for (int64_t i = 0; i < size / 2; i++) {
    codes[i] = static_cast<int8_t>((in[i] & 15) - offset);
    codes[i + size / 2] = static_cast<int8_t>((in[i] >> 4) - offset);
  }
}

// Of five bits: 32 fifth bits in a word, then the low four.
static inline void load_fifths(const uint8_t *in, int offset, int8_t *codes) {
  const uint32_t fifths = load_bytes<uint32_t>(in);
  load_nibbles(in + 4, 32, offset, codes);
  for (int i = 0; i < 32; i++) {
    codes[i] = static_cast<int8_t>(codes[i] + (fifths >> i & 1) * 16);
  }
}

// The scales and least values of Q4_K and Q5_K.
static inline void super_block_scales(const uint8_t *in, Piece *piece) {
  piece->share(in, in + 2);
  for (int j = 0; j < 4; j++) {
    const int a = in[4 + j], b = in[8 + j], c = in[12 + j];
    piece->set(j, a & 63, b & 63);
    piece->set(4 + j, (c & 15) | a >> 6 << 4, c >> 4 | b >> 6 << 4);
  }
  for (int s = 0; s < 8; s++) {
    piece->zeros[s] = 0;
  }
}

// Q4_K and Q5_K: eight sub-blocks of 32.
static inline void load_super_block(const uint8_t *in, int bits, Piece *piece) {
  super_block_scales(in, piece);
  const uint8_t *fifths = in + 16, *low = bits == 5 ? in + 48 : in + 16;
  for (int s = 0; s < 8; s++) {
    for (int i = 0; i < 32; i++) {
      const int fifth = bits == 5 ? fifths[i] >> s & 1 : 0;
      const int code = (low[s / 2 * 32 + i] >> 4 * (s % 2) & 15) | fifth << 4;
      piece->codes[s * 32 + i] = static_cast<int8_t>(code);
    }
  }
}

static inline void q6_k_scales(const uint8_t *in, Piece *piece) {
  piece->share(in + 208, nullptr);
  for (int s = 0; s < 16; s++) {
    piece->set(s, static_cast<int8_t>(in[192 + s]), 0);
  }
}

// Q6_K. Of each 128 elements the first 64 are the low halves of 64 bytes, the others the high
// halves; four quarters of 32 share the 32 bytes with the upper bits.
static inline void load_q6_k(const uint8_t *in, Piece *piece) {
  q6_k_scales(in, piece);
  for (int i = 0; i < kSuperBlock; i++) {
    const int low = in[i / 128 * 64 + i % 64] >> i % 128 / 64 * 4 & 15;
    const int upper = in[128 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
    piece->codes[i] = static_cast<int8_t>((low | upper << 4) - 32);
  }
}

// Q2_K: sixteen sub-blocks of 16, two bits of whose elements lie as the upper bits of Q6_K.
static inline void load_q2_k(const uint8_t *in, Piece *piece) {
  piece->share(in + 80, in + 82);
  for (int s = 0; s < 16; s++) {
    piece->set(s, in[s] & 15, in[s] >> 4);
  }
  for (int i = 0; i < kSuperBlock; i++) {
    piece->codes[i] = static_cast<int8_t>(in[16 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3);
  }
}

// Q3_K: the third bits of elements 32 apart share a byte; six bits a sub-block for its scale.
static inline void load_q3_k(const uint8_t *in, Piece *piece) {
  piece->share(in + 108, nullptr);
  for (int s = 0; s < 16; s++) {
    const int low = in[96 + s % 8] >> s / 8 * 4 & 15, upper = in[104 + s % 4] >> s / 4 * 2 & 3;
    piece->set(s, (low | upper << 4) - 32, 0);
  }
  for (int i = 0; i < kSuperBlock; i++) {
    const int low = in[32 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
    piece->codes[i] = static_cast<int8_t>((low | (in[i % 32] >> i / 32 & 1) << 2) - 4);
  }
}

// What codes of four bits mean in IQ4_NL and IQ4_XS, and in MXFP4, there twice the values.
constexpr int8_t kUnevenSteps[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};
constexpr int8_t kMxfp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// 32 elements by a table: byte i has element i below element i + 16.
static inline void load_by_table(const uint8_t *in, const int8_t *table, int8_t *codes) {
  for (int i = 0; i < 16; i++) {
    codes[i] = table[in[i] & 15];
    codes[i + 16] = table[in[i] >> 4];
  }
}

// IQ4_XS: eight sub-blocks of 32.
static inline void load_iq4_xs(const uint8_t *in, Piece *piece) {
  piece->share(in, nullptr);
  const int uppers = load_bytes<uint16_t>(in + 2);
  for (int s = 0; s < 8; s++) {
    const int low = in[4 + s / 2] >> s % 2 * 4 & 15, upper = uppers >> 2 * s & 3;
    piece->set(s, (low | upper << 4) - 32, 0);
    load_by_table(in + 8 + 16 * s, kUnevenSteps, piece->codes + 32 * s);
  }
}

// Half the scale that MXFP4 says, whose least one is a subnormal number; 255 is no number.
static inline float mxfp4_half_scale(int exponent) {
  const uint32_t bits = exponent == 255 ? 0x7fc00000
                        : exponent < 2  ? 0x00200000u << exponent
                                        : static_cast<uint32_t>(exponent - 1) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  return scale;
}

// Takes `count` elements from `from` on of a block apart; all of it where it is no INT8.
static inline void load_piece(const BlockFormat &format, const uint8_t *in, int64_t from,
                              int64_t count, Piece *piece) {
  for (int g = 0; g < kMostGroups; g++) {
    piece->mins[g] = 0;
    piece->zeros[g] = 0;
  }
  switch (format.kind) {
    case GATUN_BLOCKS_INT8:
      piece->scales[0] = load_bytes<float>(in);
      __builtin_memcpy(piece->codes, in + 4 + from, static_cast<size_t>(count));
      break;
    case GATUN_BLOCKS_INT8_ZERO:
      piece->scales[0] = load_bytes<float>(in);
      piece->zeros[0] = load_bytes<int16_t>(in + 4) - 128;
      for (int64_t i = 0; i < count; i++) {
        piece->codes[i] = static_cast<int8_t>(in[6 + i] - 128);
      }
      break;
    case GATUN_BLOCKS_INT4:
    case GATUN_BLOCKS_Q4_0:
      piece->scales[0] = load_f16(in);
      load_nibbles(in + 2, count, 8, piece->codes);
      break;
    case GATUN_BLOCKS_INT4_ZERO:
      piece->scales[0] = load_f16(in);
      piece->zeros[0] = in[2] - 8;
      load_nibbles(in + 3, count, 8, piece->codes);
      break;
    case GATUN_BLOCKS_Q4_1:
      piece->scales[0] = load_f16(in);
      piece->mins[0] = load_f16(in + 2);
      load_nibbles(in + 4, count, 0, piece->codes);
      break;
    case GATUN_BLOCKS_Q5_0:
      piece->scales[0] = load_f16(in);
      load_fifths(in + 2, 16, piece->codes);
      break;
    case GATUN_BLOCKS_Q5_1:
      piece->scales[0] = load_f16(in);
      piece->mins[0] = load_f16(in + 2);
      load_fifths(in + 4, 0, piece->codes);
      break;
    case GATUN_BLOCKS_Q8_0:
      piece->scales[0] = load_f16(in);
      __builtin_memcpy(piece->codes, in + 2, static_cast<size_t>(count));
      break;
    case GATUN_BLOCKS_Q4_K:
      load_super_block(in, 4, piece);
      break;
    case GATUN_BLOCKS_Q5_K:
      load_super_block(in, 5, piece);
      break;
    case GATUN_BLOCKS_Q6_K:
      load_q6_k(in, piece);
      break;
    case GATUN_BLOCKS_Q2_K:
      load_q2_k(in, piece);
      break;
    case GATUN_BLOCKS_Q3_K:
      load_q3_k(in, piece);
      break;
    case GATUN_BLOCKS_IQ4_NL:
      piece->scales[0] = load_f16(in);
      load_by_table(in + 2, kUnevenSteps, piece->codes);
      break;
    case GATUN_BLOCKS_IQ4_XS:
      load_iq4_xs(in, piece);
      break;
    default:
      piece->scales[0] = mxfp4_half_scale(in[0]);
      load_by_table(in + 1, kMxfp4, piece->codes);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
