// Softmax and what ends in it, a block a row.
#include "block_reduce.h"

using namespace gatun;

static __device__ __forceinline__ float row_maximum(const void* x, long row, long columns,
                                                    int dtype) {
  float top = Largest::nothing();
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    top = larger(top, load(x, row + i, dtype));
  }
  return reduce_block<Largest>(top);
}

static __device__ __forceinline__ float row_exponentials(const void* x, long row, long columns,
                                                         int dtype, float top) {
  float total = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    total += expf(load(x, row + i, dtype) - top);
  }
  return reduce_block<Sum>(total);
}

// Grid: rows. y may be x.
extern "C" __global__ void __launch_bounds__(256)
    softmax(const void* x, void* y, int dtype, int logarithm, long columns) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  const float top = row_maximum(x, row, columns, dtype);
  const float total = row_exponentials(x, row, columns, dtype, top);
  const float log_total = logf(total);
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float difference = load(x, row + i, dtype) - top;
    store(y, row + i, dtype, logarithm ? difference - log_total : expf(difference) / total);
  }
}

// Grid: rows.
extern "C" __global__ void __launch_bounds__(256)
    cross_entropy(const void* logits, const long* targets, float* loss, int dtype, long columns,
                  long ignore_index) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  const long target = targets[blockIdx.x];
  if (target == ignore_index) {
    if (threadIdx.x == 0) {
      loss[blockIdx.x] = 0;
    }
    return;
  }
  const float top = row_maximum(logits, row, columns, dtype);
  const float total = row_exponentials(logits, row, columns, dtype, top);
  if (threadIdx.x == 0) {
    loss[blockIdx.x] = logf(total) - (load(logits, row + target, dtype) - top);
  }
}
