// Softmax and what ends in it, a block a row: rows that kept_rows.cu does not take, for their
// length or for where they lie. A row is read 16 bytes at a time from the first place where that
// may be, several of them at once, and its maximum and the sum of its exponentials are found in one
// pass.
#include "block_reduce.h"
#include "index_fault.h"
#include "vectors.h"

using namespace gatun;

// Vectors that a thread asks for before it looks at the first of them.
constexpr int kAtOnce = 4;

// Where the vectors of a row are: from `head` on, so many; the rest lies before and behind them.
template <int Dtype>
struct Vectors {
  long head, count;

  __device__ __forceinline__ Vectors(const void* x, long first, long columns) {
    constexpr int kBytes = Dtype == kF32 ? 4 : 2;
    const long past = (reinterpret_cast<long>(x) + first * kBytes) & 15;
    head = (16 - past) % 16 / kBytes;
    head = head < columns ? head : columns;
    count = (columns - head) / kLanes<Dtype>;
  }

  // Calls body(column) for this thread's columns outside of the vectors.
  template <class Body>
  __device__ __forceinline__ void each_other(long columns, Body body) const {
    // Not unrolled: that would divide to count the turns.
#pragma unroll 1
    for (long i = threadIdx.x; i < head; i += blockDim.x) {
      body(i);
    }
#pragma unroll 1
    for (long i = head + count * kLanes<Dtype> + threadIdx.x; i < columns; i += blockDim.x) {
      body(i);
    }
  }
};

// The largest number so far and the sum of the exponentials of all less it (Milakov and Gimelshein,
// arXiv 1805.02867). NaN goes into the sum.
struct OnlineSum {
  float top = -INFINITY, total = 0;

  // Takes 0 in place of a maximum that nothing can be subtracted from.
  static __device__ __forceinline__ float base(float top) { return top == -INFINITY ? 0 : top; }

  // Prepares for numbers up to `most`; what is to be subtracted from them.
  __device__ __forceinline__ float raise(float most) {
    const float next = fmaxf(top, most);
    const float to = base(next);
    total *= expf(top - to);
    top = next;
    return to;
  }

  __device__ __forceinline__ void see(float x) {
    const float to = raise(x);
    total += expf(x - to);
  }

  template <int Count, int N>
  __device__ __forceinline__ void see(const float (&x)[Count][N]) {
    float most = x[0][0];
#pragma unroll
    for (int v = 0; v < Count; v++) {
#pragma unroll
      for (int k = 0; k < N; k++) {
        most = fmaxf(most, x[v][k]);
      }
    }
    const float to = raise(most);
#pragma unroll
    for (int v = 0; v < Count; v++) {
      float sum = 0;
#pragma unroll
      for (int k = 0; k < N; k++) {
        sum += expf(x[v][k] - to);
      }
      total += sum;
    }
  }

  // Joins what a block's threads have seen.
  __device__ __forceinline__ void join() {
    const float mine = top;
    top = reduce_block<Largest>(mine);
    total = reduce_block<Sum>(total * expf(mine - base(top)));
  }
};

template <int Dtype>
static __device__ __forceinline__ OnlineSum online_sum(const void* x, long first, long columns,
                                                       const Vectors<Dtype>& vectors) {
  constexpr int kN = kLanes<Dtype>;
  OnlineSum sum;
  long v = threadIdx.x;
#pragma unroll 1
  for (; v + (kAtOnce - 1) * blockDim.x < vectors.count; v += kAtOnce * blockDim.x) {
    float values[kAtOnce][kN];
#pragma unroll
    for (int i = 0; i < kAtOnce; i++) {
      load_vector<kN>(x, first + vectors.head + (v + i * blockDim.x) * kN, Dtype, values[i]);
    }
    sum.see(values);
  }
#pragma unroll 1
  for (; v < vectors.count; v += blockDim.x) {
    float values[1][kN];
    load_vector<kN>(x, first + vectors.head + v * kN, Dtype, values[0]);
    sum.see(values);
  }
  vectors.each_other(columns, [&](long i) { sum.see(load(x, first + i, Dtype)); });
  sum.join();
  return sum;
}

template <int Dtype>
static __device__ __forceinline__ void softmax_row(const void* x, void* y, int logarithm,
                                                   long columns) {
  constexpr int kN = kLanes<Dtype>;
  const long first = static_cast<long>(blockIdx.x) * columns;
  Vectors<Dtype> vectors(x, first, columns);
  const OnlineSum sum = online_sum<Dtype>(x, first, columns, vectors);
  const float log_total = logf(sum.total), inverse = 1.0f / sum.total;
  const auto result = [&](float value) {
    const float difference = value - sum.top;
    return logarithm ? difference - log_total : expf(difference) * inverse;
  };
  if (((reinterpret_cast<long>(x) ^ reinterpret_cast<long>(y)) & 15) != 0) {
    vectors.head = columns;
    vectors.count = 0;
  }
  // What was read last is read first, while a cache may have it.
#pragma unroll 1
  for (long v = vectors.count - 1 - threadIdx.x; v >= 0; v -= blockDim.x) {
    const long place = first + vectors.head + v * kN;
    float values[kN];
    load_vector<kN>(x, place, Dtype, values);
#pragma unroll
    for (int k = 0; k < kN; k++) {
      values[k] = result(values[k]);
    }
    store_vector<Dtype>(y, place, values);
  }
  vectors.each_other(
      columns, [&](long i) { store(y, first + i, Dtype, result(load(x, first + i, Dtype))); });
}

// Grid: rows. y may be x.
// kernels.list: softmax 1024 ppiil
extern "C" __global__ void __launch_bounds__(1024)
    softmax(const void* x, void* y, int dtype, int logarithm, long columns) {
  if (dtype == kF32) {
    softmax_row<kF32>(x, y, logarithm, columns);
  } else if (dtype == kBf16) {
    softmax_row<kBf16>(x, y, logarithm, columns);
  } else {
    softmax_row<kF16>(x, y, logarithm, columns);
  }
}

template <int Dtype>
static __device__ __forceinline__ OnlineSum row_sum(const void* x, long columns) {
  const long first = static_cast<long>(blockIdx.x) * columns;
  return online_sum<Dtype>(x, first, columns, Vectors<Dtype>(x, first, columns));
}

// Grid: rows.
// kernels.list: cross_entropy 1024 pppill{IndexReport}
extern "C" __global__ void __launch_bounds__(1024)
    cross_entropy(const void* logits, const long* targets, float* loss, int dtype, long columns,
                  long ignore_index, const IndexReport report) {
  const long target = targets[blockIdx.x];
  if (target == ignore_index) {
    if (threadIdx.x == 0) {
      loss[blockIdx.x] = 0;
    }
    return;
  }
  if (!report.allows(0, blockIdx.x, target, columns, threadIdx.x == 0)) {
    return;
  }
  const OnlineSum sum = dtype == kF32    ? row_sum<kF32>(logits, columns)
                        : dtype == kBf16 ? row_sum<kBf16>(logits, columns)
                                         : row_sum<kF16>(logits, columns);
  if (threadIdx.x == 0) {
    const float own = load(logits, static_cast<long>(blockIdx.x) * columns + target, dtype);
    loss[blockIdx.x] = logf(sum.total) - (own - sum.top);
  }
}
