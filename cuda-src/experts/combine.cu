// What the experts gave for each token, weighted and added up in the order of its experts.
#include "vectors.h"

using namespace gatun;

// Grid: (tokens, columns / 128).
// kernels.list: expert_combine 128 pppppiiilllll
extern "C" __global__ void __launch_bounds__(128)
    expert_combine(const void* x, const float* weights, const int* places, const void* residual,
                   void* y, int x_dtype, int y_dtype, int k, long x_rows, long x_stride,
                   long residual_stride, long y_stride, long columns) {
  const long token = blockIdx.x, column = static_cast<long>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (column >= columns) {
    return;
  }
  float total = residual == nullptr ? 0 : load(residual, token * residual_stride + column, y_dtype);
  for (long slot = token * k; slot < (token + 1) * k; slot++) {
    const long place = places[slot];
    if (place >= 0 && place < x_rows) {
      total += weights[slot] * load(x, place * x_stride + column, x_dtype);
    }
  }
  store(y, token * y_stride + column, y_dtype, total);
}

static __device__ __forceinline__ void store_eight(void* y, long i, int dtype, const float* in) {
  if (dtype == kF32) {
    store_vector<kF32>(y, i, in);
    store_vector<kF32>(y, i + 4, in + 4);
  } else if (dtype == kBf16) {
    store_vector<kBf16>(y, i, in);
  } else {
    store_vector<kF16>(y, i, in);
  }
}

// The same by eight columns a thread, where all is aligned to 16 bytes and strides and columns are
// multiples of 8. Grid: (tokens, columns / 1024).
// kernels.list: expert_combine_vectors 128 pppppiiilllll
extern "C" __global__ void __launch_bounds__(128)
    expert_combine_vectors(const void* x, const float* weights, const int* places,
                           const void* residual, void* y, int x_dtype, int y_dtype, int k,
                           long x_rows, long x_stride, long residual_stride, long y_stride,
                           long columns) {
  const long token = blockIdx.x;
  const long column = (static_cast<long>(blockIdx.y) * blockDim.x + threadIdx.x) * 8;
  if (column >= columns) {
    return;
  }
  float total[8] = {};
  if (residual != nullptr) {
    load_vector<8>(residual, token * residual_stride + column, y_dtype, total);
  }
  for (long slot = token * k; slot < (token + 1) * k; slot++) {
    const long place = places[slot];
    if (place >= 0 && place < x_rows) {
      float part[8];
      load_vector<8>(x, place * x_stride + column, x_dtype, part);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        total[i] += weights[slot] * part[i];
      }
    }
  }
  store_eight(y, token * y_stride + column, y_dtype, total);
}
