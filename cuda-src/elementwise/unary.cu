// Functions of mathematics of each element: a thread an element of any strides, or sixteen bytes
// that lie without gaps, at addresses that are multiples of 16. y may be x.
#include "strided.h"
#include "unary_op.h"
#include "vectors.h"

using namespace gatun;

// kernels.list: unary 256 ppii{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    unary(const void* x, void* y, int dtype, int op, StridedLayout layout) {
  const long i = global_thread();
  if (i < layout.count) {
    const Places p = places(layout, i);
    store(y, p.of[1], dtype, apply(load(x, p.of[0], dtype), op));
  }
}

template <int Dtype>
static __device__ __forceinline__ void unary_vector(const void* x, void* y, int op, long count) {
  constexpr int kN = kLanes<Dtype>;
  const long i = global_thread() * kN;
  if (i < count) {
    float value[kN];
    load_vector<kN>(x, i, Dtype, value);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      value[k] = apply(value[k], op);
    }
    store_vector<Dtype>(y, i, value);
  }
}

// kernels.list: unary_f32 256 ppil
extern "C" __global__ void __launch_bounds__(256)
    unary_f32(const void* x, void* y, int op, long count) {
  unary_vector<kF32>(x, y, op, count);
}
// kernels.list: unary_bf16 256 ppil
extern "C" __global__ void __launch_bounds__(256)
    unary_bf16(const void* x, void* y, int op, long count) {
  unary_vector<kBf16>(x, y, op, count);
}
// kernels.list: unary_f16 256 ppil
extern "C" __global__ void __launch_bounds__(256)
    unary_f16(const void* x, void* y, int op, long count) {
  unary_vector<kF16>(x, y, op, count);
}

// Whole numbers, modulo 2 to the power of their bits. T: the type. Bits: the unsigned one of as
// many bits.
template <typename T, typename Bits>
static __device__ __forceinline__ void apply_whole(const void* x, long i, void* y, long to,
                                                   int op) {
  const T value = static_cast<const T*>(x)[i];
  const Bits bits = static_cast<Bits>(value), negated = static_cast<Bits>(0 - bits);
  const bool negative = value < static_cast<T>(1) && value != 0;
  T result;
  switch (op) {
    case kAbs:
      result = negative ? static_cast<T>(negated) : value;
      break;
    case kNegate:
      result = static_cast<T>(negated);
      break;
    case kSign:
      result = static_cast<T>(negative ? -1 : value != 0);
      break;
    default:
      result = static_cast<T>(bits * bits);
  }
  static_cast<T*>(y)[to] = result;
}

// Where both operands lie alike and without gaps the layout is not looked at.
// kernels.list: unary_whole 256 ppiii{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    unary_whole(const void* x, void* y, int dtype, int op, int plain, StridedLayout layout) {
  const long element = global_thread();
  if (element >= layout.count) {
    return;
  }
  const Places p = places(layout, element, plain);
  const long i = p.of[0], to = p.of[1];
  switch (dtype) {
    case kI64:
      return apply_whole<int64_t, uint64_t>(x, i, y, to, op);
    case kI32:
      return apply_whole<int32_t, uint32_t>(x, i, y, to, op);
    case kI8:
      return apply_whole<int8_t, uint8_t>(x, i, y, to, op);
    default:
      return apply_whole<uint8_t, uint8_t>(x, i, y, to, op);
  }
}
