// Normalisations, a block a row.
#include "block_reduce.h"

using namespace gatun;

static __device__ __forceinline__ float sum_at(const void* x, const void* residual, long i,
                                               int dtype) {
  const float value = load(x, i, dtype);
  return residual == nullptr ? value : value + load(residual, i, dtype);
}

// Grid: rows. y may be x or residual: each element is read and written by one thread.
extern "C" __global__ void __launch_bounds__(256)
    layer_norm(const void* x, const void* residual, const void* weight, const void* bias, void* y,
               void* sum, int dtype, int parameter_dtype, long columns, float eps) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  float total = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    total += sum_at(x, residual, row + i, dtype);
  }
  const float mean = reduce_block<Sum>(total) / static_cast<float>(columns);
  float squares = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float difference = sum_at(x, residual, row + i, dtype) - mean;
    squares += difference * difference;
  }
  const float variance = reduce_block<Sum>(squares) / static_cast<float>(columns);
  const float scale = 1.0f / sqrtf(variance + eps);
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float s = sum_at(x, residual, row + i, dtype);
    if (sum != nullptr) {
      store(sum, row + i, dtype, s);
    }
    float value = (s - mean) * scale;
    value = weight == nullptr ? value : value * load(weight, i, parameter_dtype);
    value = bias == nullptr ? value : value + load(bias, i, parameter_dtype);
    store(y, row + i, dtype, value);
  }
}

// Grid: rows.
extern "C" __global__ void __launch_bounds__(256)
    rms_norm(const void* x, const void* residual, const void* weight, void* y, void* sum, int dtype,
             int parameter_dtype, long columns, float shift, float eps) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  float squares = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float s = sum_at(x, residual, row + i, dtype);
    squares += s * s;
  }
  const float scale = 1.0f / sqrtf(reduce_block<Sum>(squares) / static_cast<float>(columns) + eps);
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float s = sum_at(x, residual, row + i, dtype);
    if (sum != nullptr) {
      store(sum, row + i, dtype, s);
    }
    store(y, row + i, dtype, s * scale * (shift + load(weight, i, parameter_dtype)));
  }
}

// Grid: rows.
extern "C" __global__ void __launch_bounds__(256)
    l2_normalize(const void* x, void* y, int dtype, long columns, float eps) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  float squares = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float value = load(x, row + i, dtype);
    squares += value * value;
  }
  const float norm = sqrtf(reduce_block<Sum>(squares));
  const float divisor = norm < eps ? eps : norm;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    store(y, row + i, dtype, load(x, row + i, dtype) / divisor);
  }
}
