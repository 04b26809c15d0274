// Numbers as signed bytes with a scale a token, as dev.gatun.kernels.api.call.matmul.TokenCodes
// says.
#ifndef GATUN_TOKEN_CODES_H
#define GATUN_TOKEN_CODES_H

#include "block_reduce.h"
#include "vectors.h"

namespace gatun {

// What codes mean, offset + scale * code, and what makes them.
struct CodeMeaning {
  float scale, offset, inverse;
};

// Below this an inverse might be infinite: 2^-120.
constexpr float kLeastScale = 7.52316385e-37f;

static __device__ __forceinline__ CodeMeaning meaning_of(float least, float most,
                                                         bool with_offset) {
  constexpr float kLargest = 3.402823466e38f;
  // Where any of the numbers is NaN both are.
  if (!(fabsf(least) <= kLargest && fabsf(most) <= kLargest)) {
    return {NAN, 0, 0};
  }
  // Adding 0 makes -0 it.
  const float offset = with_offset ? 0.5f * most + 0.5f * least + 0.0f : 0;
  const float half = with_offset ? 0.5f * most - 0.5f * least : larger(most, -least);
  const bool none = half < kLeastScale;
  return {none ? 0 : half / 127, offset, none ? 0 : 127 / half};
}

// The byte of a number; 0 where it is NaN.
static __device__ __forceinline__ uint32_t code_of(const CodeMeaning& meaning, float x) {
  const float code = rintf(multiply_rounded(x - meaning.offset, meaning.inverse));
  const float held = code != code ? 0 : code > 127 ? 127 : code < -127 ? -127 : code;
  // The lower bits of 1.5 * 2^23 + code.
  return word_of(held + 12582912.0f) & 0xff;
}

// Four codes, zeros past the last number.
static __device__ __forceinline__ uint32_t four_codes(const CodeMeaning& meaning, const float* x,
                                                      long count) {
  uint32_t word = 0;
#pragma unroll
  for (int q = 0; q < 4; q++) {
    word |= q < count ? code_of(meaning, x[q]) << (8 * q) : 0;
  }
  return word;
}

// Where the codes of rows go.
struct TokenCodes {
  uint8_t* codes;
  // A row's, or when calibrated one for all, which is read. Offsets are null where they are 0.
  float* scales;
  float* offsets;
  long stride;
  // Whether four codes may be written at once.
  int calibrated, words;
};

// The least and the largest of numbers that a thread sees.
struct Extremes {
  float least, most;

  // Of a row with so many numbers; without an offset 0 is one of them.
  __device__ __forceinline__ Extremes(const TokenCodes& to, long columns) {
    const bool any = to.offsets != nullptr && columns > 0;
    least = any ? Smallest::nothing() : 0;
    most = any ? Largest::nothing() : 0;
  }

  __device__ __forceinline__ void see(float x) {
    least = Smallest::of(least, x);
    most = Largest::of(most, x);
  }

  // What the codes of a row mean whose numbers a block's threads have seen; all of them call it.
  __device__ __forceinline__ CodeMeaning meaning(const TokenCodes& to, long row) const {
    if (to.calibrated != 0) {
      const float scale = to.scales[0];
      return {scale, to.offsets == nullptr ? 0 : to.offsets[0],
              fabsf(scale) < kLeastScale ? 0 : 1 / scale};
    }
    const float smallest = reduce_block<Smallest>(least), largest = reduce_block<Largest>(most);
    const CodeMeaning meaning = meaning_of(smallest, largest, to.offsets != nullptr);
    if (threadIdx.x == 0) {
      to.scales[row] = meaning.scale;
      if (to.offsets != nullptr) {
        to.offsets[row] = meaning.offset;
      }
    }
    return meaning;
  }
};

// Writes the codes of a column, a multiple of 4, and its neighbours, of x[4] of which count are
// numbers. As a word the others' are 0.
static __device__ __forceinline__ void store_codes(const TokenCodes& to, long row, long column,
                                                   const CodeMeaning& meaning, const float* x,
                                                   long count) {
  const uint32_t word = four_codes(meaning, x, count);
  uint8_t* at = to.codes + row * to.stride + column;
  if (to.words != 0) {
    *reinterpret_cast<uint32_t*>(at) = word;
    return;
  }
#pragma unroll
  for (int q = 0; q < 4; q++) {
    if (q < count) {
      at[q] = static_cast<uint8_t>(word >> (8 * q));
    }
  }
}

}  // namespace gatun

#endif
