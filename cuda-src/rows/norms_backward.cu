// Gradients of normalisations and of softmax. A block has so many rows, one after another; with
// sums over rows it adds its own in memory, each column by one thread, and the sums of all blocks
// are joined in their order.
#include "block_reduce.h"

using namespace gatun;

// What norms have in common; added, dx and the sums are null where there is none. A block's sums
// are those of the weight and of the bias, each [columns].
struct NormGradients {
  const void* dy;
  const void* x;
  const void* added;
  void* dx;
  float* dweight;
  float* dbias;
  long rows, columns, rows_of_block;
  int dtype, parameter_dtype;
  float eps, shift;
};

// Where a block adds a column's sums.
static __device__ __forceinline__ float* of_block(float* sums, const NormGradients& a) {
  return sums + static_cast<long>(blockIdx.x) * a.columns;
}

// Calls row(first element, whether it is the block's first row).
template <class Row>
static __device__ __forceinline__ void each_row(const NormGradients& a, Row row) {
  const long begin = static_cast<long>(blockIdx.x) * a.rows_of_block;
  const long end = begin + a.rows_of_block < a.rows ? begin + a.rows_of_block : a.rows;
  for (long r = begin; r < end; r++) {
    row(r * a.columns, r == begin);
  }
}

// Writes an element of dx, and takes dy into the sums; h is that of the normalised row.
static __device__ __forceinline__ void give(const NormGradients& a, long first, long i, bool fresh,
                                            float dy, float h, float value) {
  if (a.dx != nullptr) {
    store(a.dx, first + i, a.dtype,
          a.added == nullptr ? value : value + load(a.added, first + i, a.dtype));
  }
  if (a.dweight != nullptr) {
    float* sum = of_block(a.dweight, a) + i;
    *sum = (fresh ? 0 : *sum) + dy * h;
  }
  if (a.dbias != nullptr) {
    float* sum = of_block(a.dbias, a) + i;
    *sum = (fresh ? 0 : *sum) + dy;
  }
}

// Grid: blocks of rows.
// kernels.list: layer_norm_backward 256 {NormGradients}p
extern "C" __global__ void __launch_bounds__(256)
    layer_norm_backward(const NormGradients a, const void* weight) {
  const float count = static_cast<float>(a.columns);
  each_row(a, [&](long first, bool fresh) {
    float total = 0;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      total += load(a.x, first + i, a.dtype);
    }
    const float mean = reduce_block<Sum>(total) / count;
    float squares = 0;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float difference = load(a.x, first + i, a.dtype) - mean;
      squares += difference * difference;
    }
    const float scale = 1.0f / sqrtf(reduce_block<Sum>(squares) / count + a.eps);
    const auto weighted = [&](long i, float dy) {
      return weight == nullptr ? dy : dy * load(weight, i, a.parameter_dtype);
    };
    float ones = 0, products = 0;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float g = weighted(i, load(a.dy, first + i, a.dtype));
      ones += g;
      products += g * ((load(a.x, first + i, a.dtype) - mean) * scale);
    }
    const float of_ones = reduce_block<Sum>(ones) / count;
    const float of_row = reduce_block<Sum>(products) / count;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float dy = load(a.dy, first + i, a.dtype);
      const float h = (load(a.x, first + i, a.dtype) - mean) * scale;
      give(a, first, i, fresh, dy, h, (weighted(i, dy) - of_ones - h * of_row) * scale);
    }
  });
}

// Grid: blocks of rows.
// kernels.list: rms_norm_backward 256 {NormGradients}p
extern "C" __global__ void __launch_bounds__(256)
    rms_norm_backward(const NormGradients a, const void* weight) {
  const float count = static_cast<float>(a.columns);
  each_row(a, [&](long first, bool fresh) {
    float squares = 0;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float value = load(a.x, first + i, a.dtype);
      squares += value * value;
    }
    const float scale = 1.0f / sqrtf(reduce_block<Sum>(squares) / count + a.eps);
    const auto weighted = [&](long i, float dy) {
      return dy * (a.shift + load(weight, i, a.parameter_dtype));
    };
    float products = 0;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      products +=
          weighted(i, load(a.dy, first + i, a.dtype)) * (load(a.x, first + i, a.dtype) * scale);
    }
    const float of_row = reduce_block<Sum>(products) / count;
    for (long i = threadIdx.x; i < a.columns; i += blockDim.x) {
      const float dy = load(a.dy, first + i, a.dtype);
      const float h = load(a.x, first + i, a.dtype) * scale;
      give(a, first, i, fresh, dy, h, (weighted(i, dy) - h * of_row) * scale);
    }
  });
}

// sums[i] = the sum of parts[..blocks][i] in their order. Grid: 256 columns a block.
// kernels.list: norm_backward_sums 256 ppll 0
extern "C" __global__ void __launch_bounds__(256)
    norm_backward_sums(const float* parts, float* sums, long blocks, long columns) {
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= columns) {
    return;
  }
  float sum = 0;
  for (long b = 0; b < blocks; b++) {
    sum += parts[b * columns + i];
  }
  sums[i] = sum;
}

// Grid: rows. dx may be dy or y: each element is read and written by one thread.
// kernels.list: softmax_backward 256 pppiil
extern "C" __global__ void __launch_bounds__(256)
    softmax_backward(const void* dy, const void* y, void* dx, int dtype, int logarithm,
                     long columns) {
  const long first = static_cast<long>(blockIdx.x) * columns;
  float products = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float g = load(dy, first + i, dtype);
    products += logarithm ? g : g * load(y, first + i, dtype);
  }
  const float total = reduce_block<Sum>(products);
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float g = load(dy, first + i, dtype), p = load(y, first + i, dtype);
    store(dx, first + i, dtype, logarithm ? g - expf(p) * total : p * (g - total));
  }
}
