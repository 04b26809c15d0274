// The operations on two numbers, numbered as dev.gatun.kernels.api.call.elementwise.BinaryOp.
#ifndef GATUN_BINARY_OP_H
#define GATUN_BINARY_OP_H

#include "primitives.h"

namespace gatun {

enum BinaryOp : int {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMaximum,
  kMinimum,
  kEqual,
  kLess,
  kDivideByRoot,
  kKeepWhere,
  kRemainder
};

// By the sign where both are 0, for 0 is larger than -0.
static __device__ __forceinline__ bool negative(float x) { return x < 0 || (x == 0 && 1 / x < 0); }

static __device__ __forceinline__ float apply(float a, float b, int op) {
  switch (op) {
    case kAdd:
      return a + b;
    case kSubtract:
      return a - b;
    case kMultiply:
      return a * b;
    case kDivide:
      return a / b;
    case kMaximum:
      return a != a || b != b ? a + b : a == b ? (negative(a) ? b : a) : a > b ? a : b;
    case kMinimum:
      return a != a || b != b ? a + b : a == b ? (negative(a) ? a : b) : a < b ? a : b;
    case kEqual:
      return a == b ? 1.0f : 0.0f;
    case kLess:
      return a < b ? 1.0f : 0.0f;
    case kDivideByRoot:
      return a / sqrtf(b);
    default:
      return b != 0 ? a : 0.0f;
  }
}

}  // namespace gatun

#endif
