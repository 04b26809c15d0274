// Sums of products of four unsigned bytes with four signed ones, by what the processor has.
#ifndef GATUN_DOT_CODES_H
#define GATUN_DOT_CODES_H

#include "matrix_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

// Each way of the level's to multiply bytes: dot(sums, words, x) is sums + the products of each
// word's bytes and the bytes of x; kUnroll how many steps of a tile are written out, for what one
// takes apart of x needs registers; kMakesBytes whether a tile of bytes, which has more rows, is
// faster than one of words.

#define GATUN_DOT plain
#define GATUN_DOT_TARGET
#include "codes_tile.h"
#undef GATUN_DOT
#undef GATUN_DOT_TARGET

#define GATUN_DOT signed_dots
#define GATUN_DOT_TARGET GATUN_SIGNED_DOTS
#include "codes_tile.h"
#undef GATUN_DOT
#undef GATUN_DOT_TARGET

#define GATUN_DOT mixed_dots
#define GATUN_DOT_TARGET GATUN_MIXED_DOTS
#include "codes_tile.h"
#undef GATUN_DOT
#undef GATUN_DOT_TARGET

template <int kBits>
static inline int32_t quantized_codes(const Product &p, const Quantized &q, int32_t activations) {
  if (has(kMixedDots)) {
    return mixed_dots::quantized_codes<kBits>(p, q, activations);
  }
  if (has(kSignedDots)) {
    return signed_dots::quantized_codes<kBits>(p, q, activations);
  }
  return plain::quantized_codes<kBits>(p, q, activations);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
