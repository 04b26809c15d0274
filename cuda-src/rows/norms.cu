// Normalisations, a block a row. Codes made with a norm are those of its result to the bit, so
// norms say what is fused.
#include "block_reduce.h"
#include "token_codes.h"

using namespace gatun;

static __device__ __forceinline__ float sum_at(const void* x, const void* residual, long i,
                                               int dtype) {
  const float value = load(x, i, dtype);
  return residual == nullptr ? value : value + load(residual, i, dtype);
}

// Writes a row of y, which may be null, and its codes, where they go somewhere. value(i, last)
// gives element i; it is the last time that it is asked for where `last` is true.
template <class Value>
static __device__ __forceinline__ void write_row(void* y, int dtype, const TokenCodes& to,
                                                 long columns, Value value) {
  const long row = static_cast<long>(blockIdx.x);
  const bool coded = to.codes != nullptr;
  Extremes extremes(to, columns);
  CodeMeaning meaning = {};
  // One piece of code for both passes, and without codes, so that all round alike.
#pragma unroll 1
  for (int pass = coded && to.calibrated == 0 ? 0 : 1; pass < 2; pass++) {
    const bool last = pass == 1;
    if (last && coded) {
      meaning = extremes.meaning(to, row);
    }
    for (long i = threadIdx.x; i < columns; i += blockDim.x) {
      const float number = rounded(value(i, last), dtype);
      if (!last) {
        extremes.see(number);
        continue;
      }
      if (y != nullptr) {
        store(y, row * columns + i, dtype, number);
      }
      if (coded) {
        to.codes[row * to.stride + i] = static_cast<uint8_t>(code_of(meaning, number));
      }
    }
  }
}

// Grid: rows. y may be x or residual: each element is read and written by one thread.
// kernels.list: layer_norm 256 ppppppiilf{TokenCodes}
extern "C" __global__ void __launch_bounds__(256)
    layer_norm(const void* x, const void* residual, const void* weight, const void* bias, void* y,
               void* sum, int dtype, int parameter_dtype, long columns, float eps,
               const TokenCodes to) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  float total = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    total += sum_at(x, residual, row + i, dtype);
  }
  const float mean = reduce_block<Sum>(total) / static_cast<float>(columns);
  float squares = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float difference = sum_at(x, residual, row + i, dtype) - mean;
    squares = multiply_add(difference, difference, squares);
  }
  const float variance = reduce_block<Sum>(squares) / static_cast<float>(columns);
  const float scale = 1.0f / sqrtf(variance + eps);
  write_row(y, dtype, to, columns, [&](long i, bool last) {
    const float s = sum_at(x, residual, row + i, dtype);
    if (sum != nullptr && last) {
      store(sum, row + i, dtype, s);
    }
    float value = multiply_rounded(s - mean, scale);
    value = weight == nullptr ? value : multiply_rounded(value, load(weight, i, parameter_dtype));
    return bias == nullptr ? value : value + load(bias, i, parameter_dtype);
  });
}

// Grid: rows.
// kernels.list: rms_norm 256 pppppiilff{TokenCodes}
extern "C" __global__ void __launch_bounds__(256)
    rms_norm(const void* x, const void* residual, const void* weight, void* y, void* sum, int dtype,
             int parameter_dtype, long columns, float shift, float eps, const TokenCodes to) {
  const long row = static_cast<long>(blockIdx.x) * columns;
  float squares = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float s = sum_at(x, residual, row + i, dtype);
    squares = multiply_add(s, s, squares);
  }
  const float scale = 1.0f / sqrtf(reduce_block<Sum>(squares) / static_cast<float>(columns) + eps);
  write_row(y, dtype, to, columns, [&](long i, bool last) {
    const float s = sum_at(x, residual, row + i, dtype);
    if (sum != nullptr && last) {
      store(sum, row + i, dtype, s);
    }
    return multiply_rounded(multiply_rounded(s, scale), shift + load(weight, i, parameter_dtype));
  });
}

// Grid: rows.
// kernels.list: l2_normalize 256 ppilf
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
