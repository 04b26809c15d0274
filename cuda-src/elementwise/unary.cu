// Functions of mathematics of each element: a thread an element of any strides, or sixteen bytes
// that lie without gaps, at addresses that are multiples of 16. y may be x.
#include "strided.h"
#include "unary_op.h"
#include "vectors.h"

using namespace gatun;

// kernels.list: unary 256 ppiis200
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
