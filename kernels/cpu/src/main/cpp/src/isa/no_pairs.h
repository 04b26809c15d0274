// For levels without products of pairs of bf16: kernels ask kPairs, and go through floats.
#ifndef GATUN_ISA_NO_PAIRS_H
#define GATUN_ISA_NO_PAIRS_H

#include "two_halves.h"

#define GATUN_PAIRS

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kPairs = 0;

static inline Floats dot_pairs(Floats sums, Bits pairs, const uint16_t *pair) {
  const auto half = [](uint16_t bits) {
    return (Floats)(Bits{} + (static_cast<uint32_t>(bits) << 16));
  };
  return fma((Floats)(pairs & 0xffff0000), half(pair[1]),
             fma((Floats)(pairs << 16), half(pair[0]), sums));
}
static inline Halves narrow(Floats v) { return to_bf16(v); }
static inline void store_narrow(uint16_t *p, Floats lo, Floats hi) { store_bf16(p, lo, hi); }

// The code i of the lower and of the upper half of each word, a pair.
static inline Bits code_pairs(const uint8_t *words, int i) {
  Ints w;
  __builtin_memcpy(&w, words, sizeof w);
  return ((Bits)code4(w, 4 * i) >> 16) | ((Bits)code4(w, 4 * i + 16) & 0xffff0000);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
