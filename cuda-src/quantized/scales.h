// What a lane needs beside the codes of its four features.
#ifndef GATUN_QUANTIZED_SCALES_H
#define GATUN_QUANTIZED_SCALES_H

#include "quantized/product.h"

namespace gatun {

struct FourScales {
  float scale[4];
  float more[4];  // A minimum, or a zero point.
};

static __device__ __forceinline__ FourScales four_scales(const unsigned char* header, int scales,
                                                         int g) {
  FourScales four;
  if (scales == kScaleF16 || scales == kScaleF16Zero) {
    const uint64_t word = *reinterpret_cast<const uint64_t*>(header + 8 * g);
#pragma unroll
    for (int f = 0; f < 4; f++) {
      four.scale[f] = from_f16(static_cast<uint16_t>(word >> (16 * f)));
      four.more[f] = 0;
    }
    if (scales == kScaleF16Zero) {
      const uint32_t zeros =
          *reinterpret_cast<const uint32_t*>(header + 2 * kPanelFeatures + 4 * g) ^ 0x80808080;
#pragma unroll
      for (int f = 0; f < 4; f++) {
        // 2^23 + 128 + zero.
        four.more[f] = float_of(0x4b000000 | (zeros >> (8 * f) & 0xff)) - 8388736.0f;
      }
    }
    return four;
  }
  const Words words = *reinterpret_cast<const Words*>(header + 16 * g);
  Words more = {};
  if (scales == kScaleF32Min) {
    more = *reinterpret_cast<const Words*>(header + 4 * kPanelFeatures + 16 * g);
  }
#pragma unroll
  for (int f = 0; f < 4; f++) {
    four.scale[f] = float_of(words.word[f]);
    four.more[f] = float_of(more.word[f]);
  }
  return four;
}

}  // namespace gatun

#endif
