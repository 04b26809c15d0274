// The functions of a number, numbered as dev.gatun.kernels.api.call.elementwise.UnaryOp.
#ifndef GATUN_UNARY_OP_H
#define GATUN_UNARY_OP_H

#include "primitives.h"

namespace gatun {

enum UnaryOp : int {
  kAbs,
  kNegate,
  kSign,
  kSquare,
  kReciprocal,
  kSqrt,
  kRsqrt,
  kCbrt,
  kFloor,
  kCeil,
  kRound,
  kTrunc,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kLog2,
  kLog10,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kErf
};

// No part of its caller: the code of all functions would stand there once an element.
static __device__ GATUN_NOINLINE float apply(float x, int op) {
  switch (op) {
    case kAbs:
      return fabsf(x);
    case kNegate:
      return -x;
    case kSign:
      return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f;
    case kSquare:
      return x * x;
    case kReciprocal:
      return 1.0f / x;
    case kSqrt:
      return sqrtf(x);
    case kRsqrt:
      return 1.0f / sqrtf(x);
    case kCbrt:
      return cbrtf(x);
    case kFloor:
      return floorf(x);
    case kCeil:
      return ceilf(x);
    case kRound:
      return rintf(x);
    case kTrunc:
      return truncf(x);
    case kExp:
      return expf(x);
    case kExpm1:
      return expm1f(x);
    case kLog:
      return logf(x);
    case kLog1p:
      return log1pf(x);
    case kLog2:
      return log2f(x);
    case kLog10:
      return log10f(x);
    case kSin:
      return sinf(x);
    case kCos:
      return cosf(x);
    case kTan:
      return tanf(x);
    case kAsin:
      return asinf(x);
    case kAcos:
      return acosf(x);
    case kAtan:
      return atanf(x);
    case kSinh:
      return sinhf(x);
    case kCosh:
      return coshf(x);
    case kAsinh:
      return asinhf(x);
    case kAcosh:
      return acoshf(x);
    case kAtanh:
      return atanhf(x);
    default:
      return erff(x);
  }
}

}  // namespace gatun

#endif
