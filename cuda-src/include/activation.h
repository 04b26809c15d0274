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

// sigmoid(x) and its derivative, which does not cancel: with q = e^-|x|, q / (1 + q)^2.
struct Logistic {
  float value, slope;

  __device__ __forceinline__ explicit Logistic(float x) {
    const float q = expf(-fabsf(x)), inverse = 1.0f / (1.0f + q);
    value = x < 0 ? q * inverse : inverse;
    slope = q * inverse * inverse;
  }
};

// x, or the nearest of what it may be at most; NaN stays.
static __device__ __forceinline__ float within(float x, float most) {
  return x > most ? most : x < -most ? -most : x;
}

// The derivative of an activation, at infinities its limit.
static __device__ __forceinline__ float slope(float x, int activation) {
  switch (activation) {
    case kRelu:
      return x <= 0 ? 0 : 1;
    case kGelu: {
      const float v = within(x, 13);
      const float density = 0.39894228040143268f * expf(-0.5f * v * v);
      return 0.5f * erfcf(-v * 0.70710678118654752f) + v * density;
    }
    case kGeluTanh: {
      const float v = within(x, 13), square = v * v;
      const Logistic s(1.5957691216057308f * v * (1.0f + 0.044715f * square));
      return s.value + v * (1.5957691216057308f * (1.0f + 0.134145f * square)) * s.slope;
    }
    case kTanh:
      return 4.0f * Logistic(2.0f * x).slope;
    case kSigmoid:
      return Logistic(x).slope;
    case kSilu: {
      const float v = within(x, 200);
      const Logistic s(v);
      return s.value + v * s.slope;
    }
    case kQuickGelu: {
      const float v = 1.702f * within(x, 200);
      const Logistic s(v);
      return s.value + v * s.slope;
    }
    default:
      return 1;
  }
}

}  // namespace gatun

#endif
