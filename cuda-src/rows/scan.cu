// Sums and products of all elements up to each, a block a line of the axis.
#include "numbers.h"

using namespace gatun;

enum ScanOp : int { kSum, kProduct };

constexpr int kThreads = 256;

template <typename T>
static __device__ __forceinline__ T combine(T before, T next, bool product) {
  return product ? before * next : before + next;
}

static __device__ __forceinline__ double number_at(const void* x, long i, int dtype, double) {
  return load(x, i, dtype);
}
static __device__ __forceinline__ uint64_t number_at(const void* x, long i, int, uint64_t) {
  return static_cast<const uint64_t*>(x)[i];
}
static __device__ __forceinline__ void set_number(void* y, long i, int dtype, double value) {
  store(y, i, dtype, static_cast<float>(value));
}
static __device__ __forceinline__ void set_number(void* y, long i, int, uint64_t value) {
  static_cast<uint64_t*>(y)[i] = value;
}

// Parts of a line one after another: within a part each thread takes in what is 1, 2, 4 ... before
// it (Hillis and Steele, CACM 1986), then all parts before.
template <typename T>
static __device__ __forceinline__ void scan_line(const void* x, void* y, int dtype, bool product,
                                                 long first, long stride, long to, long inner,
                                                 long length, T nothing) {
  T* shared = shared_memory<T>(2 * kThreads * sizeof(T));
  const int thread = static_cast<int>(threadIdx.x);
  T before = nothing;
  for (long begin = 0; begin < length; begin += kThreads) {
    const long i = begin + thread;
    T value = i < length ? number_at(x, first + i * stride, dtype, nothing) : nothing;
    T* now = shared;
    T* next = shared + kThreads;
    now[thread] = value;
    for (int step = 1; step < kThreads; step *= 2) {
      sync_block();
      if (thread >= step) {
        value = combine(now[thread - step], value, product);
      }
      next[thread] = value;
      T* const was = now;
      now = next;
      next = was;
    }
    sync_block();
    if (i < length) {
      set_number(y, to + i * inner, dtype, combine(before, value, product));
    }
    before = combine(before, now[kThreads - 1], product);
    sync_block();
  }
}

// Grid: outer * inner.
// kernels.list: scan 256 ppiilllll 4096
extern "C" __global__ void __launch_bounds__(256)
    scan(const void* x, void* y, int dtype, int op, long outer_stride, long stride,
         long inner_stride, long length, long inner) {
  const long o = blockIdx.x / inner, i = blockIdx.x % inner;
  const long first = o * outer_stride + i * inner_stride, to = o * length * inner + i;
  if (dtype == kI64) {
    scan_line<uint64_t>(x, y, dtype, op == kProduct, first, stride, to, inner, length,
                        op == kProduct ? 1 : 0);
  } else {
    // -0 is what changes no number by being added.
    scan_line<double>(x, y, dtype, op == kProduct, first, stride, to, inner, length,
                      op == kProduct ? 1.0 : -0.0);
  }
}
