// How a packed weight's words hold codes, and its records words: dev.gatun.kernels.api.memory's
// PackedLayout.
#ifndef GATUN_PACKED_CODES_H
#define GATUN_PACKED_CODES_H

#include "block_formats.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kWordLine = 4 * GATUN_PANEL;  // bytes of a word of each feature
constexpr int32_t kLowNibbles = 0x0f0f0f0f;

// Elements that whole words hold with all of their bits, and these words: those with the low four
// bits, then of 5 and 6 one with the upper ones.
template <int kBits>
constexpr int kUnit = kBits == 4   ? 8
                      : kBits == 5 ? 32
                      : kBits == 6 ? 16
                                   : 4;
template <int kBits>
constexpr int kUnitWords = kUnit<kBits> *kBits / 32;

// Calls body with the number of bits as a constant.
template <typename Body>
static inline auto with_bits(int32_t bits, const Body &body) {
  switch (bits) {
    case 4:
      return body(std::integral_constant<int, 4>());
    case 5:
      return body(std::integral_constant<int, 5>());
    case 6:
      return body(std::integral_constant<int, 6>());
    default:
      return body(std::integral_constant<int, 8>());
  }
}

// The words of kLanes features.
static inline Ints load_words(const void *words) {
  Ints w;
  __builtin_memcpy(&w, words, sizeof w);
  return w;
}

// Elements 4 i to 4 i + 3 of a unit, a byte each, unsigned as they are kept.
template <int kBits>
GATUN_INLINE static inline Ints four_codes(const uint8_t *unit, int i) {
  if constexpr (kBits == 8) {
    return load_words(unit);
  } else {
    const Ints low = (load_words(unit + i / 2 * kWordLine) >> i % 2 * 4) & kLowNibbles;
    if constexpr (kBits == 4) {
      return low;
    } else {
      constexpr int kUpper = kBits - 4;
      constexpr int32_t kMask = ((1 << kUpper) - 1) * 0x10101010;
      const Ints upper = load_words(unit + (kUnitWords<kBits> - 1) * kWordLine);
      const int at = kUpper * i;
      return low | ((at < 4 ? upper << (4 - at) : upper >> (at - 4)) & kMask);
    }
  }
}

// Element i of a unit as a float.
template <int kBits>
GATUN_INLINE static inline Floats code(const uint8_t *unit, int i) {
  const Ints word = load_words(unit + i / 8 * kWordLine);
  const int at = i % 4 * 8 + i % 8 / 4 * 4;
  if constexpr (kBits == 8) {
    return __builtin_convertvector(((word >> 8 * i) & 255) - 128, Floats);
  } else if constexpr (kBits == 4) {
    return code4(word, at);
  } else {
    constexpr int kUpper = kBits - 4;
    const Ints upper = load_words(unit + (kUnitWords<kBits> - 1) * kWordLine);
    const Ints bits = (upper >> (i % 4 * 8 + i / 4 * kUpper)) & ((1 << kUpper) - 1);
    const Ints stored = ((word >> at) & 15) | bits << 4;
    return __builtin_convertvector(stored - (1 << (kBits - 1)), Floats);
  }
}

// Writes a unit, of which fours[i] has the elements 4 i to 4 i + 3 of kLanes features.
template <int kBits>
GATUN_INLINE static inline void store_unit(const Ints *fours, uint8_t *unit) {
  if constexpr (kBits == 8) {
    store_bytes(unit, fours[0]);
  } else {
    constexpr int kFours = kUnit<kBits> / 4;
#pragma GCC unroll 4
    for (int w = 0; w < kFours / 2; w++) {
      const Ints low = fours[2 * w] & kLowNibbles, high = fours[2 * w + 1] & kLowNibbles;
      store_bytes(unit + w * kWordLine, low | high << 4);
    }
    if constexpr (kBits > 4) {
      constexpr int kUpper = kBits - 4;
      Ints upper{};
#pragma GCC unroll 8
      for (int i = 0; i < kFours; i++) {
        const Ints bits = (fours[i] >> 4) & ((1 << kUpper) - 1) * 0x01010101;
        upper |= (Ints)((Bits)bits << kUpper * i);
      }
      store_bytes(unit + (kUnitWords<kBits> - 1) * kWordLine, upper);
    }
  }
}

// What a packed weight's records are made of.
struct PackedRecords {
  int32_t bits;
  int32_t scales;  // gatun_scales
  int64_t group;   // input features that share a scale, or its byte

  // Whether groups share what their bytes are taken times.
  bool shared() const {
    return scales == GATUN_SCALES_F16_BYTE || scales == GATUN_SCALES_F16_BYTE_MIN;
  }
  // Groups of a record.
  int64_t together() const { return shared() ? kSuperBlock / group : 1; }
  // Bytes ahead of a record's words.
  int64_t header() const {
    constexpr int64_t kBytes[] = {4, 2, 3, 8, 8, 4, 2, 4};
    constexpr int64_t kGroupBytes[] = {0, 0, 0, 0, 0, 0, 1, 2};
    return GATUN_PANEL * (kBytes[scales] + together() * kGroupBytes[scales]);
  }
  // Words of one output feature in a group.
  int64_t words() const {
    return with_bits(bits,
                     [&](auto b) { return (group + kUnit<b> - 1) / kUnit<b> * kUnitWords<b>; });
  }
  int64_t group_bytes() const { return words() * kWordLine; }
  int64_t record_bytes() const { return header() + together() * group_bytes(); }
  // Bytes from the words of one group to those of the next, of a record where groups share one.
  int64_t step() const { return shared() ? group_bytes() : record_bytes(); }

  bool valid(int64_t k) const {
    const bool known = bits == 4 || bits == 5 || bits == 6 || bits == 8;
    if (!known || scales < GATUN_SCALES_F32 || scales > GATUN_SCALES_F16_BYTE_MIN || group < 0) {
      return false;
    }
    if (shared() && (group < 16 || kSuperBlock % group != 0 || k % kSuperBlock != 0)) {
      return false;
    }
    const int64_t unit = with_bits(bits, [](auto b) { return static_cast<int64_t>(kUnit<b>); });
    return (group == 0 || k % group == 0) && (bits == 8 || group % unit == 0);
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
