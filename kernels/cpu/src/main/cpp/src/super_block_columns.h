// As block_columns.h, of the formats whose blocks are super-blocks of 256 elements.
#ifndef GATUN_SUPER_BLOCK_COLUMNS_H
#define GATUN_SUPER_BLOCK_COLUMNS_H

#include "block_columns.h"

namespace gatun {
namespace GATUN_LEVEL {

// Writes the scales and minima of the eight sub-blocks of Q4_K and Q5_K.
GATUN_INLINE static inline Ints store_scales(const Columns &c) {
  Ints words[4];
  c.load(0, words);
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const Ints first = words[1] >> 8 * j, second = words[2] >> 8 * j, third = words[3] >> 8 * j;
    store_line(c, 4 + j, first & 63);
    store_line(c, 8 + j, (third & 15) | (first >> 2 & 48));
    store_line(c, 12 + j, second & 63);
    store_line(c, 16 + j, (third >> 4 & 15) | (second >> 2 & 48));
  }
  return store_halves(c, words[0]);
}

GATUN_INLINE static inline Ints q4_k_columns(const Columns &c) {
#pragma GCC unroll 4
  for (int pair = 0; pair < 4; pair++) {
    Ints words[8];
    c.load(16 + 32 * pair, words);
    c.load(32 + 32 * pair, words + 4);
    store_nibbles(words, 8, c.words(2 * pair, 0), c.words(2 * pair + 1, 0));
  }
  return store_scales(c);
}

// The fifth bits lie a sub-block a bit; byte i of a pair of sub-blocks has a code of the first
// below one of the second.
GATUN_INLINE static inline Ints q5_k_columns(const Columns &c) {
  Ints fifths[8];
  c.load(16, fifths);
  c.load(32, fifths + 4);
  for (int pair = 0; pair < 4; pair++) {
    Ints words[8], first[8], second[8];
    c.load(48 + 32 * pair, words);
    c.load(64 + 32 * pair, words + 4);
#pragma GCC unroll 8
    for (int w = 0; w < 8; w++) {
      const Ints upper = fifths[w] >> 2 * pair;
      first[w] = (words[w] & kLowNibbles) | (upper & 0x01010101) << 4;
      second[w] = (words[w] >> 4 & kLowNibbles) | (upper & 0x02020202) << 3;
    }
    store_unit<5>(first, c.words(2 * pair, 0));
    store_unit<5>(second, c.words(2 * pair + 1, 0));
  }
  return store_scales(c);
}

// Of each 128 elements the first 64 are the low halves of 64 bytes, the others the high halves;
// four quarters of 32 share the 32 bytes with the upper bits.
GATUN_INLINE static inline Ints q6_k_columns(const Columns &c) {
  Ints words[4], last[4];
  c.load(192, words);
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      store_line(c, 2 + 4 * w + j, words[w] << (24 - 8 * j) >> 24);
    }
  }
  for (int half = 0; half < 2; half++) {
    for (int part = 0; part < 2; part++) {
      Ints first[4], second[4], upper[4];
      c.load(64 * half + 16 * part, first);
      c.load(64 * half + 32 + 16 * part, second);
      c.load(128 + 32 * half + 16 * part, upper);
      constexpr int32_t kUpper = 0x30303030;
      Ints quarters[4][4];
#pragma GCC unroll 4
      for (int w = 0; w < 4; w++) {
        quarters[0][w] = (first[w] & kLowNibbles) | (upper[w] << 4 & kUpper);
        quarters[1][w] = (second[w] & kLowNibbles) | (upper[w] << 2 & kUpper);
        quarters[2][w] = (first[w] >> 4 & kLowNibbles) | (upper[w] & kUpper);
        quarters[3][w] = (second[w] >> 4 & kLowNibbles) | (upper[w] >> 2 & kUpper);
      }
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; quarter++) {
        store_unit<6>(quarters[quarter], c.words(8 * half + part + 2 * quarter, 0));
      }
    }
  }
  c.load(194, last);
  return store_half(c, (Ints)((Bits)last[3] >> 16));
}

// Calls code(half, quarter, part, w, low) for codes of two bits, of which of each 128 elements four
// quarters of 32 share the 32 bytes from `from` on, and writes the groups of 16 codes of four bits
// that it makes of them.
template <typename Code>
GATUN_INLINE static inline void store_quarters(const Columns &c, int64_t from, const Code &code) {
  for (int half = 0; half < 2; half++) {
    for (int part = 0; part < 2; part++) {
      Ints low[4];
      c.load(from + 32 * half + 16 * part, low);
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; quarter++) {
        Ints codes[4];
#pragma GCC unroll 4
        for (int w = 0; w < 4; w++) {
          codes[w] = code(half, quarter, part, w, low[w] >> 2 * quarter & 0x03030303);
        }
        const int64_t g = 8 * half + 2 * quarter + part;
        store_bytes(c.words(g, 0), codes[0] | codes[1] << 4);
        store_bytes(c.words(g, 1), codes[2] | codes[3] << 4);
      }
    }
  }
}

GATUN_INLINE static inline Ints q2_k_columns(const Columns &c) {
  Ints words[4], last[4];
  c.load(0, words);
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const Ints both = words[w] >> 8 * j;
      store_line(c, 4 + 4 * w + j, both & 15);
      store_line(c, 20 + 4 * w + j, both >> 4 & 15);
    }
  }
  store_quarters(c, 16, [](int, int, int, int, Ints low) { return low; });
  c.load(68, last);
  return store_halves(c, last[3]);
}

// The third bits of elements 32 apart share a byte. Byte j of a word of scales is that of
// sub-blocks 4 apart.
GATUN_INLINE static inline Ints q3_k_columns(const Columns &c) {
  Ints words[4], last[4], thirds[2][4];
  c.load(92, words);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const Ints low = words[1 + i % 2] >> i / 2 * 4 & kLowNibbles;
    const Ints six = low | (words[3] >> 2 * i & 0x03030303) << 4;
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      store_line(c, 2 + 4 * i + j, (six >> 8 * j & 63) - 32);
    }
  }
  c.load(0, thirds[0]);
  c.load(16, thirds[1]);
  store_quarters(c, 32, [&](int half, int quarter, int part, int w, Ints low) {
    const Ints third = thirds[part][w] >> (4 * half + quarter) & 0x01010101;
    return (low | third << 2) + 0x04040404;
  });
  c.load(94, last);
  return store_half(c, (Ints)((Bits)last[3] >> 16));
}

GATUN_INLINE static inline Ints iq4_xs_columns(const Columns &c) {
  Ints words[4];
  c.load(0, words);
  for (int s = 0; s < 8; s++) {
    const Ints six = (words[1] >> 4 * s & 15) | (words[0] >> (16 + 2 * s) & 3) << 4;
    store_line(c, 2 + s, six - 32);
    store_steps(c, s, 8 + 16 * s, kUnevenSteps);
  }
  return store_half(c, words[0]);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
