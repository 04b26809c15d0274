// The activation functions, numbered as dev.gatun.kernels.api.call.elementwise.Activation.
#ifndef GATUN_ACTIVATION_H
#define GATUN_ACTIVATION_H

#include "primitives.h"

namespace gatun {

enum Activation : int { kNone, kRelu, kGelu, kGeluTanh, kTanh, kSigmoid, kSilu, kQuickGelu };

static __device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

static __device__ __forceinline__ float activate(float x, int activation) {
  switch (activation) {
    case kRelu:
      return x < 0 ? 0 : x;
    case kGelu:
      return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
    case kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case kTanh:
      return tanhf(x);
    case kSigmoid:
      return sigmoid(x);
    case kSilu:
      return x * sigmoid(x);
    case kQuickGelu:
      return x * sigmoid(1.702f * x);
    default:
      return x;
  }
}

}  // namespace gatun

#endif
