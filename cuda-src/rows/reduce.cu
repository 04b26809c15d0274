// Reductions of one axis, a block an output.
#include "block_reduce.h"

using namespace gatun;

enum Reduction : int { kSum, kMean, kMax, kMin };

template <class Op>
static __device__ __forceinline__ float reduce_axis(const void* x, int dtype, long first,
                                                    long stride, long count) {
  float value = Op::nothing();
  for (long i = threadIdx.x; i < count; i += blockDim.x) {
    value = Op::of(value, load(x, first + i * stride, dtype));
  }
  return reduce_block<Op>(value);
}

// Grid: outer * inner.
// kernels.list: reduce 128 ppiiilllll
extern "C" __global__ void __launch_bounds__(128)
    reduce(const void* x, void* y, int x_dtype, int y_dtype, int reduction, long outer_stride,
           long stride, long inner_stride, long count, long inner) {
  const long first = blockIdx.x / inner * outer_stride + blockIdx.x % inner * inner_stride;
  float value;
  if (reduction == kMax) {
    value = reduce_axis<Largest>(x, x_dtype, first, stride, count);
  } else if (reduction == kMin) {
    value = reduce_axis<Smallest>(x, x_dtype, first, stride, count);
  } else {
    value = reduce_axis<Sum>(x, x_dtype, first, stride, count);
    value = reduction == kMean ? value / static_cast<float>(count) : value;
  }
  if (threadIdx.x == 0) {
    store(y, blockIdx.x, y_dtype, value);
  }
}
