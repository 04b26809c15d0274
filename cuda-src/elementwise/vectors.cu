// Kernels of each element on its own, sixteen bytes a thread: operands lie without gaps where a
// vector goes over them, counts and strides are multiples of the numbers in 16 bytes, addresses
// of 16.
#include "activation.h"
#include "binary_op.h"
#include "strided.h"
#include "vectors.h"

using namespace gatun;

template <int Dtype>
static __device__ __forceinline__ void apply_vector(const void* a, const void* b, void* y, int op,
                                                    long count) {
  constexpr int kN = kLanes<Dtype>;
  const long i = global_thread() * kN;
  if (i < count) {
    float left[kN], right[kN];
    load_vector<kN>(a, i, Dtype, left);
    load_vector<kN>(b, i, Dtype, right);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      left[k] = apply(left[k], right[k], op);
    }
    store_vector<Dtype>(y, i, left);
  }
}

template <int Dtype>
static __device__ __forceinline__ void activate_vector(const void* x, void* y, int activation,
                                                       long count) {
  constexpr int kN = kLanes<Dtype>;
  const long i = global_thread() * kN;
  if (i < count) {
    float value[kN];
    load_vector<kN>(x, i, Dtype, value);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      value[k] = activate(value[k], activation);
    }
    store_vector<Dtype>(y, i, value);
  }
}

template <int Dtype>
static __device__ __forceinline__ void gate_vector(const void* gate, const void* up, void* y,
                                                   int activation, long gate_stride, long up_stride,
                                                   long columns, long count) {
  constexpr int kN = kLanes<Dtype>;
  const long i = global_thread() * kN;
  if (i < count) {
    const long row = i / columns, column = i % columns;
    float value[kN], other[kN];
    load_vector<kN>(gate, row * gate_stride + column, Dtype, value);
    load_vector<kN>(up, row * up_stride + column, Dtype, other);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      value[k] = activate(value[k], activation) * other[k];
    }
    store_vector<Dtype>(y, i, value);
  }
}

// y may be an input: a thread reads all of its numbers before it writes.
#define GATUN_VECTORS(name, dtype)                                                          \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      elementwise_##name(const void* a, const void* b, void* y, int op, long count) {       \
    apply_vector<dtype>(a, b, y, op, count);                                                \
  }                                                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      activate_elements_##name(const void* x, void* y, int activation, long count) {        \
    activate_vector<dtype>(x, y, activation, count);                                        \
  }                                                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      gated_activation_##name(const void* gate, const void* up, void* y, int activation,    \
                              long gate_stride, long up_stride, long columns, long count) { \
    gate_vector<dtype>(gate, up, y, activation, gate_stride, up_stride, columns, count);    \
  }

// kernels.list: elementwise_f32 256 pppil
// kernels.list: activate_elements_f32 256 ppil
// kernels.list: gated_activation_f32 256 pppillll
GATUN_VECTORS(f32, kF32)
// kernels.list: elementwise_bf16 256 pppil
// kernels.list: activate_elements_bf16 256 ppil
// kernels.list: gated_activation_bf16 256 pppillll
GATUN_VECTORS(bf16, kBf16)
// kernels.list: elementwise_f16 256 pppil
// kernels.list: activate_elements_f16 256 ppil
// kernels.list: gated_activation_f16 256 pppillll
GATUN_VECTORS(f16, kF16)
