// Normalisations and softmax of rows that a block keeps in its registers, so that each is read
// once, sixteen bytes at a time. Grid: rows. Columns are a multiple of the numbers in 16 bytes, at
// most kKept of these for each thread, and every operand is aligned to 16 bytes. Codes made with a
// norm are those of its result to the bit, so norms say what is fused.
#include "block_reduce.h"
#include "token_codes.h"
#include "vectors.h"

using namespace gatun;

constexpr int kKept = 4;

template <int Dtype>
struct Kept {
  static constexpr int kN = kLanes<Dtype>;
  float value[kKept][kN];
};

// Calls body(vector, column) for the vectors that this thread has.
template <int Dtype, class Body>
static __device__ __forceinline__ void each_vector(long columns, Body body) {
#pragma unroll
  for (int v = 0; v < kKept; v++) {
    const long column = (static_cast<long>(v) * blockDim.x + threadIdx.x) * kLanes<Dtype>;
    if (column < columns) {
      body(v, column);
    }
  }
}

// The row with its residual, which is also written as the sum.
template <int Dtype>
static __device__ __forceinline__ void read_row(Kept<Dtype>& row, const void* x,
                                                const void* residual, void* sum, long first,
                                                long columns) {
  constexpr int kN = kLanes<Dtype>;
  each_vector<Dtype>(columns, [&](int v, long column) {
    load_vector<kN>(x, first + column, Dtype, row.value[v]);
    if (residual != nullptr) {
      float other[kN];
      load_vector<kN>(residual, first + column, Dtype, other);
#pragma unroll
      for (int k = 0; k < kN; k++) {
        row.value[v][k] += other[k];
      }
    }
    if (sum != nullptr) {
      store_vector<Dtype>(sum, first + column, row.value[v]);
    }
  });
}

// Writes vectors of y, and no codes.
struct Plain {
  template <int Dtype>
  __device__ __forceinline__ void vector(Kept<Dtype>&, int, void* y, long place, const float* out) {
    store_vector<Dtype>(y, place, out);
  }
  template <int Dtype>
  __device__ __forceinline__ void finish(const Kept<Dtype>&, long) {}
};

// Writes vectors of y, which may be null, keeps them as memory does, and then writes their codes.
struct Coded {
  const TokenCodes& to;
  Extremes extremes;

  __device__ __forceinline__ Coded(const TokenCodes& to, long columns)
      : to(to), extremes(to, columns) {}

  template <int Dtype>
  __device__ __forceinline__ void vector(Kept<Dtype>& row, int v, void* y, long place,
                                         const float* out) {
    if (y != nullptr) {
      store_vector<Dtype>(y, place, out);
    }
#pragma unroll
    for (int k = 0; k < kLanes<Dtype>; k++) {
      row.value[v][k] = rounded(out[k], Dtype);
      extremes.see(row.value[v][k]);
    }
  }

  template <int Dtype>
  __device__ __forceinline__ void finish(const Kept<Dtype>& row, long columns) {
    const CodeMeaning meaning = extremes.meaning(to, blockIdx.x);
    each_vector<Dtype>(columns, [&](int v, long column) {
#pragma unroll
      for (int k = 0; k < kLanes<Dtype>; k += 4) {
        store_codes(to, blockIdx.x, column + k, meaning, row.value[v] + k, 4);
      }
    });
  }
};

template <int Dtype, class Results>
static __device__ __forceinline__ void layer_norm_row(const void* x, const void* residual,
                                                      const void* weight, const void* bias, void* y,
                                                      void* sum, int parameter_dtype, long columns,
                                                      float eps, Results results) {
  constexpr int kN = kLanes<Dtype>;
  const long first = static_cast<long>(blockIdx.x) * columns;
  Kept<Dtype> row;
  read_row(row, x, residual, sum, first, columns);
  float total = 0;
  each_vector<Dtype>(columns, [&](int v, long) {
#pragma unroll
    for (int k = 0; k < kN; k++) {
      total += row.value[v][k];
    }
  });
  const float mean = reduce_block<Sum>(total) / static_cast<float>(columns);
  float squares = 0;
  each_vector<Dtype>(columns, [&](int v, long) {
#pragma unroll
    for (int k = 0; k < kN; k++) {
      row.value[v][k] -= mean;
      squares = multiply_add(row.value[v][k], row.value[v][k], squares);
    }
  });
  const float variance = reduce_block<Sum>(squares) / static_cast<float>(columns);
  const float scale = 1.0f / sqrtf(variance + eps);
  each_vector<Dtype>(columns, [&](int v, long column) {
    float w[kN], b[kN], out[kN];
    if (weight != nullptr) {
      load_vector<kN>(weight, column, parameter_dtype, w);
    }
    if (bias != nullptr) {
      load_vector<kN>(bias, column, parameter_dtype, b);
    }
#pragma unroll
    for (int k = 0; k < kN; k++) {
      out[k] = multiply_rounded(row.value[v][k], scale);
      out[k] = weight == nullptr ? out[k] : multiply_rounded(out[k], w[k]);
      out[k] = bias == nullptr ? out[k] : out[k] + b[k];
    }
    results.vector(row, v, y, first + column, out);
  });
  results.finish(row, columns);
}

template <int Dtype, class Results>
static __device__ __forceinline__ void rms_norm_row(const void* x, const void* residual,
                                                    const void* weight, void* y, void* sum,
                                                    int parameter_dtype, long columns, float shift,
                                                    float eps, Results results) {
  constexpr int kN = kLanes<Dtype>;
  const long first = static_cast<long>(blockIdx.x) * columns;
  Kept<Dtype> row;
  read_row(row, x, residual, sum, first, columns);
  float squares = 0;
  each_vector<Dtype>(columns, [&](int v, long) {
#pragma unroll
    for (int k = 0; k < kN; k++) {
      squares = multiply_add(row.value[v][k], row.value[v][k], squares);
    }
  });
  const float scale = 1.0f / sqrtf(reduce_block<Sum>(squares) / static_cast<float>(columns) + eps);
  each_vector<Dtype>(columns, [&](int v, long column) {
    float w[kN], out[kN];
    load_vector<kN>(weight, column, parameter_dtype, w);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      out[k] = multiply_rounded(multiply_rounded(row.value[v][k], scale), shift + w[k]);
    }
    results.vector(row, v, y, first + column, out);
  });
  results.finish(row, columns);
}

template <int Dtype>
static __device__ __forceinline__ void softmax_row(const void* x, void* y, int logarithm,
                                                   long columns) {
  constexpr int kN = kLanes<Dtype>;
  const long first = static_cast<long>(blockIdx.x) * columns;
  Kept<Dtype> row;
  read_row(row, x, nullptr, nullptr, first, columns);
  float top = Largest::nothing();
  each_vector<Dtype>(columns, [&](int v, long) {
#pragma unroll
    for (int k = 0; k < kN; k++) {
      top = larger(top, row.value[v][k]);
    }
  });
  top = reduce_block<Largest>(top);
  float total = 0;
  each_vector<Dtype>(columns, [&](int v, long) {
#pragma unroll
    for (int k = 0; k < kN; k++) {
      const float e = expf(row.value[v][k] - top);
      total += e;
      row.value[v][k] = logarithm ? row.value[v][k] - top : e;
    }
  });
  total = reduce_block<Sum>(total);
  const float log_total = logf(total), inverse = 1.0f / total;
  each_vector<Dtype>(columns, [&](int v, long column) {
    float out[kN];
#pragma unroll
    for (int k = 0; k < kN; k++) {
      out[k] = logarithm ? row.value[v][k] - log_total : row.value[v][k] * inverse;
    }
    store_vector<Dtype>(y, first + column, out);
  });
}

#define GATUN_KEPT_ROWS(name, dtype)                                                               \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      layer_norm_##name(const void* x, const void* residual, const void* weight, const void* bias, \
                        void* y, void* sum, int parameter_dtype, long columns, float eps) {        \
    layer_norm_row<dtype>(x, residual, weight, bias, y, sum, parameter_dtype, columns, eps,        \
                          Plain());                                                                \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) layer_norm_codes_##name(                       \
      const void* x, const void* residual, const void* weight, const void* bias, void* y,          \
      void* sum, int parameter_dtype, long columns, float eps, const TokenCodes to) {              \
    layer_norm_row<dtype>(x, residual, weight, bias, y, sum, parameter_dtype, columns, eps,        \
                          Coded(to, columns));                                                     \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      rms_norm_##name(const void* x, const void* residual, const void* weight, void* y, void* sum, \
                      int parameter_dtype, long columns, float shift, float eps) {                 \
    rms_norm_row<dtype>(x, residual, weight, y, sum, parameter_dtype, columns, shift, eps,         \
                        Plain());                                                                  \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256) rms_norm_codes_##name(                         \
      const void* x, const void* residual, const void* weight, void* y, void* sum,                 \
      int parameter_dtype, long columns, float shift, float eps, const TokenCodes to) {            \
    rms_norm_row<dtype>(x, residual, weight, y, sum, parameter_dtype, columns, shift, eps,         \
                        Coded(to, columns));                                                       \
  }                                                                                                \
  extern "C" __global__ void __launch_bounds__(256)                                                \
      softmax_##name(const void* x, void* y, int logarithm, long columns) {                        \
    softmax_row<dtype>(x, y, logarithm, columns);                                                  \
  }

// kernels.list: layer_norm_f32 256 ppppppilf
// kernels.list: layer_norm_codes_f32 256 ppppppilf{TokenCodes}
// kernels.list: rms_norm_f32 256 pppppilff
// kernels.list: rms_norm_codes_f32 256 pppppilff{TokenCodes}
// kernels.list: softmax_f32 256 ppil
GATUN_KEPT_ROWS(f32, kF32)
// kernels.list: layer_norm_bf16 256 ppppppilf
// kernels.list: layer_norm_codes_bf16 256 ppppppilf{TokenCodes}
// kernels.list: rms_norm_bf16 256 pppppilff
// kernels.list: rms_norm_codes_bf16 256 pppppilff{TokenCodes}
// kernels.list: softmax_bf16 256 ppil
GATUN_KEPT_ROWS(bf16, kBf16)
// kernels.list: layer_norm_f16 256 ppppppilf
// kernels.list: layer_norm_codes_f16 256 ppppppilf{TokenCodes}
// kernels.list: rms_norm_f16 256 pppppilff
// kernels.list: rms_norm_codes_f16 256 pppppilff{TokenCodes}
// kernels.list: softmax_f16 256 ppil
GATUN_KEPT_ROWS(f16, kF16)
