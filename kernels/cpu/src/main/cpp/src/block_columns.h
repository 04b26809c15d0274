// Rows of blocks as the words of a panel, of formats whose blocks have scales of their own.
//
// A vector has a feature in each lane. Sixteen bytes of as many rows as there are lanes become four
// vectors of words; what is done to codes and scales from there on is done to all rows at once, and
// is stored where products read it.
#ifndef GATUN_BLOCK_COLUMNS_H
#define GATUN_BLOCK_COLUMNS_H

#include "halves.h"
#include "packed_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kHighNibbles = ~kLowNibbles;
constexpr int32_t kSigns = static_cast<int32_t>(0x80808080);  // of bytes

// A block of each of kLanes rows, and the records of a panel that they become: one for each group,
// or one whose groups share a scale.
struct Columns {
  const uint8_t *in;
  int64_t stride;  // bytes from one row to the next
  uint8_t *out;    // the first record
  int64_t step;    // bytes from one group's words to the next one's
  int64_t header;  // bytes ahead of a record's words
  int64_t feature;

  // Sixteen bytes of each row.
  GATUN_INLINE void load(int64_t from, Ints *words) const;

  // Where the scales of the features are, of so many bytes each, and word w of group g.
  uint8_t *scales(int64_t bytes) const { return out + bytes * feature; }
  uint8_t *words(int64_t g, int64_t w) const {
    return out + g * step + header + w * kWordLine + 4 * feature;
  }
};

typedef int32_t Words16 __attribute__((vector_size(16)));

template <int... kLane>
GATUN_INLINE static inline Ints words_of(const uint8_t *in, int64_t stride,
                                         std::integer_sequence<int, kLane...>) {
  if constexpr (kLanes == 4) {
    return load_bytes<Ints>(in);
  } else if constexpr (kLanes == 8) {
    return __builtin_shufflevector(load_bytes<Words16>(in), load_bytes<Words16>(in + 4 * stride),
                                   kLane...);
  } else {
    typedef int32_t Words32 __attribute__((vector_size(32)));
    const Words32 lower = __builtin_shufflevector(
        load_bytes<Words16>(in), load_bytes<Words16>(in + 4 * stride), 0, 1, 2, 3, 4, 5, 6, 7);
    const Words32 upper =
        __builtin_shufflevector(load_bytes<Words16>(in + 8 * stride),
                                load_bytes<Words16>(in + 12 * stride), 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(lower, upper, kLane...);
  }
}

// Of each four lanes kFrom and kFrom + 1, of a and b in turn; of zip_pairs both of a, then of b.
template <int kFrom, int... kLane>
GATUN_INLINE static inline Ints zip_words(Ints a, Ints b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b,
                                 (kLane / 4 * 4 + kFrom + kLane % 4 / 2 + kLane % 2 * kLanes)...);
}

template <int kFrom, int... kLane>
GATUN_INLINE static inline Ints zip_pairs(Ints a, Ints b, std::integer_sequence<int, kLane...>) {
  return __builtin_shufflevector(a, b,
                                 (kLane / 4 * 4 + kFrom + kLane % 2 + kLane % 4 / 2 * kLanes)...);
}

// Lane f of words[i] has bytes 4 i to 4 i + 3 of what row f has from there on.
GATUN_INLINE inline void Columns::load(int64_t from, Ints *words) const {
  const LaneNumbers lanes;
  const uint8_t *first = in + from;
  const Ints a = words_of(first, stride, lanes), b = words_of(first + stride, stride, lanes);
  const Ints c = words_of(first + 2 * stride, stride, lanes);
  const Ints d = words_of(first + 3 * stride, stride, lanes);
  const Ints low_ab = zip_words<0>(a, b, lanes), high_ab = zip_words<2>(a, b, lanes);
  const Ints low_cd = zip_words<0>(c, d, lanes), high_cd = zip_words<2>(c, d, lanes);
  words[0] = zip_pairs<0>(low_ab, low_cd, lanes);
  words[1] = zip_pairs<2>(low_ab, low_cd, lanes);
  words[2] = zip_pairs<0>(high_ab, high_cd, lanes);
  words[3] = zip_pairs<2>(high_ab, high_cd, lanes);
}

// A number of each row as a line of bytes, behind so many lines.
GATUN_INLINE static inline void store_line(const Columns &c, int64_t lines, Ints numbers) {
  typedef int8_t Bytes __attribute__((vector_size(kLanes)));
  store_bytes(c.out + lines * GATUN_PANEL + c.feature, __builtin_convertvector(numbers, Bytes));
}

// The low halves of a block's bytes as words of eight codes, and the high ones.
GATUN_INLINE static inline void store_nibbles(const Ints *bytes, int count, uint8_t *low,
                                              uint8_t *high) {
#pragma GCC unroll 4
  for (int i = 0; i < count; i += 2, low += kWordLine, high += kWordLine) {
    const Ints a = bytes[i], b = bytes[i + 1];
    store_bytes(low, (a & kLowNibbles) | (b & kLowNibbles) << 4);
    store_bytes(high, (a >> 4 & kLowNibbles) | (b & kHighNibbles));
  }
}

GATUN_INLINE static inline Floats as_floats(Ints x) { return __builtin_convertvector(x, Floats); }

// -1 in the lanes of numbers that are infinite or none.
GATUN_INLINE static inline Ints not_finite(Floats x) {
  return ((Ints)x & 0x7f800000) == 0x7f800000;
}

// Those that follow write a scale, and give -1 in the lanes of those that are not finite.

// The F16 in the lower halves of words, as the file has it.
GATUN_INLINE static inline Ints store_half(const Columns &c, Ints words) {
  store_bytes(c.scales(2), __builtin_convertvector(words & 0xffff, Halves));
  return (words & 0x7c00) == 0x7c00;
}

// Those in the lower and in the upper halves, of which one is the scale and one the minimum.
GATUN_INLINE static inline Ints store_halves(const Columns &c, Ints words) {
  store_bytes(c.scales(2) + 2 * GATUN_PANEL, __builtin_convertvector((Bits)words >> 16, Halves));
  return store_half(c, words) | ((words & 0x7c000000) == 0x7c000000);
}

GATUN_INLINE static inline Ints store_scale(const Columns &c, Floats scale) {
  store_bytes(c.scales(4), scale);
  return not_finite(scale);
}

// Those that follow write what a block becomes, as Pieces would have it.

// Those of our own formats have `block` elements.

GATUN_INLINE static inline void store_bytes_of(const Columns &c, int64_t from, int64_t block,
                                               int32_t flipped) {
  for (int64_t i = 0; i < block; i += 16) {
    Ints words[4];
    c.load(from + i, words);
#pragma GCC unroll 4
    for (int w = 0; w < 4; w++) {
      store_bytes(c.words(0, i / 4 + w), words[w] ^ flipped);
    }
  }
}

GATUN_INLINE static inline void store_nibbles_of(const Columns &c, int64_t from, int64_t block) {
  for (int64_t i = 0; i < block / 2; i += 16) {
    Ints words[4];
    c.load(from + i, words);
    store_nibbles(words, 4, c.words(0, i / 8), c.words(0, block / 16 + i / 8));
  }
}

GATUN_INLINE static inline Ints int8_columns(const Columns &c, int64_t block) {
  Ints words[4];
  c.load(0, words);
  store_bytes_of(c, 4, block, kSigns);
  return store_scale(c, (Floats)words[0]);
}

GATUN_INLINE static inline Ints int8_zero_columns(const Columns &c, int64_t block) {
  Ints words[4];
  c.load(0, words);
  store_bytes_of(c, 6, block, 0);
  // What a code of 0 means; not -0.
  const Floats scale = (Floats)words[0], zero = as_floats(128 - (words[1] << 16 >> 16));
  store_bytes(c.scales(4) + kWordLine, scale * zero + Floats{});
  return store_scale(c, scale);
}

GATUN_INLINE static inline Ints int4_columns(const Columns &c, int64_t block) {
  Ints words[4];
  c.load(0, words);
  store_nibbles_of(c, 2, block);
  return store_half(c, words[0]);
}

GATUN_INLINE static inline Ints int4_zero_columns(const Columns &c, int64_t block) {
  Ints words[4];
  c.load(0, words);
  store_nibbles_of(c, 3, block);
  store_line(c, 2, (words[0] >> 16 & 255) - 8);
  return store_half(c, words[0]);
}

GATUN_INLINE static inline Ints q4_1_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  store_nibbles_of(c, 4, 32);
  return store_halves(c, words[0]);
}

// Four bits of a word, the lowest of them 4 w, as the lowest of its bytes.
GATUN_INLINE static inline Ints bits_as_bytes(Ints bits, int w) {
  return (bits >> 4 * w & 15) * 0x00204081 & 0x01010101;
}

// The codes of Q5_0 and Q5_1, whose fifth bits are a word ahead of the others.
GATUN_INLINE static inline void store_fifths(const Columns &c, Ints fifths, int64_t from) {
  Ints words[4], fours[8];
  c.load(from, words);
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
    fours[w] = (words[w] & kLowNibbles) | bits_as_bytes(fifths, w) << 4;
    fours[4 + w] = (words[w] >> 4 & kLowNibbles) | bits_as_bytes(fifths, 4 + w) << 4;
  }
  store_unit<5>(fours, c.words(0, 0));
}

GATUN_INLINE static inline Ints q5_0_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  store_fifths(c, (Ints)((Bits)words[0] >> 16) | words[1] << 16, 6);
  return store_half(c, words[0]);
}

GATUN_INLINE static inline Ints q5_1_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  store_fifths(c, words[1], 8);
  return store_halves(c, words[0]);
}

GATUN_INLINE static inline Ints q8_0_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  store_bytes_of(c, 2, 32, kSigns);
  return store_half(c, words[0]);
}

// 32 codes of four bits as the steps that they mean, as q4_0 has them.
GATUN_INLINE static inline void store_steps(const Columns &c, int64_t g, int64_t from,
                                            const int8_t *steps) {
  Ints words[4];
  c.load(from, words);
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
    store_bytes(c.words(g, w), look_up(steps, words[w] & kLowNibbles) ^ kSigns);
    store_bytes(c.words(g, 4 + w), look_up(steps, words[w] >> 4 & kLowNibbles) ^ kSigns);
  }
}

GATUN_INLINE static inline Ints iq4_nl_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  store_steps(c, 0, 2, kUnevenSteps);
  return store_half(c, words[0]);
}

// Signed bytes of -16 to 15 as they are stored in five bits.
GATUN_INLINE static inline Ints five_bits(Ints bytes) { return (bytes & 0x1f1f1f1f) ^ 0x10101010; }

// The scale is as mxfp4_half_scale has it.
GATUN_INLINE static inline Ints mxfp4_columns(const Columns &c) {
  Ints words[4], fours[8];
  c.load(1, words);
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
    fours[w] = five_bits(look_up(kMxfp4, words[w] & kLowNibbles));
    fours[4 + w] = five_bits(look_up(kMxfp4, words[w] >> 4 & kLowNibbles));
  }
  store_unit<5>(fours, c.words(0, 0));
  c.load(0, words);
  const Ints exponent = words[0] & 255, none = (exponent == 255) & 0x7fc00000;
  const Ints bits = exponent < 2 ? (exponent + 1) << 21 : (exponent - 1) << 23;
  return store_scale(c, (Floats)(bits | none));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
