// Steps of Adafactor over lists of parameters (Shazeer and Stern, arXiv 1804.04235), in four
// launches: what the gradients' squares are by rows and slices of columns, by columns, the squares
// of updates, and the change. A launch has as many parameters as fit among its arguments. A block
// has some rows of a matrix, or elements of what is none; what blocks add up is joined in their
// order.
#include "optim.h"

using namespace gatun;

// Rows of a block, and elements where there are none.
constexpr long kRows = 16, kElements = 4096;

struct MatrixParameter {
  float* parameter;
  const float* gradient;
  float* row_squares;     // [batches][rows], or [columns] of what is no matrix
  float* column_squares;  // [batches][columns], or null
  float* mean;            // or null
  void* copy;             // or null
  long batches, rows, columns;
  long first;        // of its blocks
  long matrix;       // its first one, of those of the list
  long column_sums;  // where those of its blocks begin, [blocks][columns]
  float numbers[8];  // rate, decay, kept, 1 - kept, eps1, eps2, threshold, beta1

  __device__ __forceinline__ bool is_matrix() const { return column_squares != nullptr; }
  __device__ __forceinline__ long blocks_of_matrix() const {
    return is_matrix() ? (rows + kRows - 1) / kRows : (columns + kElements - 1) / kElements;
  }
  __device__ __forceinline__ bool scales() const { return numbers[5] >= 0; }
  __device__ __forceinline__ float mean_of(float old, float x) const {
    return numbers[2] * old + numbers[3] * x;
  }
};

struct MatrixList {
  MatrixParameter of[24];
};

// What the launches leave each other: sums of columns, means of each matrix's rows, and of each
// block the squares of parameters and of updates.
struct Found {
  float* column_sums;
  float* means;
  float* squares;  // [blocks][2]
};

// The part of a block.
struct Part {
  const MatrixParameter& p;
  long block, batch, within, begin, end;

  __device__ __forceinline__ explicit Part(const MatrixParameter& p)
      : p(p), block(static_cast<long>(blockIdx.x) - p.first) {
    const long each = p.blocks_of_matrix(), all = p.is_matrix() ? p.rows : p.columns;
    const long step = p.is_matrix() ? kRows : kElements;
    batch = block / each;
    within = block % each;
    begin = within * step;
    end = begin + step < all ? begin + step : all;
  }
  __device__ __forceinline__ long at(long row) const { return (batch * p.rows + row) * p.columns; }
  // Sums of columns of a block of this matrix; those of the first become factors.
  __device__ __forceinline__ float* sums(const Found& found, long of) const {
    return found.column_sums + p.column_sums + (batch * p.blocks_of_matrix() + of) * p.columns;
  }
  // What the gradients of a row are multiplied by for it.
  __device__ __forceinline__ float factor(const Found& found, long row) const {
    return 1.0f / sqrtf(p.row_squares[batch * p.rows + row] / found.means[p.matrix + batch]);
  }
};

static __device__ __forceinline__ void keep(const Found& found, float parameters, float updates) {
  if (threadIdx.x == 0) {
    found.squares[2 * static_cast<long>(blockIdx.x)] = parameters;
    found.squares[2 * static_cast<long>(blockIdx.x) + 1] = updates;
  }
}

// Takes squares of gradients into the means of rows, or of elements, and adds up those of columns.
// kernels.list: adafactor_rows 256 {MatrixList}i{Clipping}{Found}
extern "C" __global__ void __launch_bounds__(256)
    adafactor_rows(const __grid_constant__ MatrixList list, int items, Clipping clipping,
                   Found found) {
  if (clipping.skips()) {
    return;
  }
  const float factor = clipping.factor();
  const Part part(list.of[item_of(list, items)]);
  const MatrixParameter& p = part.p;
  const float eps = p.numbers[4];
  float parameters = 0, updates = 0;
  if (!p.is_matrix()) {
    for (long i = part.begin + threadIdx.x; i < part.end; i += blockDim.x) {
      const float g = factor * p.gradient[i], x = p.parameter[i];
      const float v = p.mean_of(p.row_squares[i], fmaf(g, g, eps)), u = g / sqrtf(v);
      p.row_squares[i] = v;
      parameters = fmaf(x, x, parameters);
      updates = fmaf(u, u, updates);
    }
    updates = reduce_block<Sum>(updates);
    parameters = reduce_block<Sum>(parameters);
    keep(found, parameters, updates);
    return;
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  for (long r = part.begin + warp; r < part.end; r += blockDim.x / kWarpSize) {
    const long at = part.at(r);
    float total = 0;
    for (long j = threadIdx.x % kWarpSize; j < p.columns; j += kWarpSize) {
      const float g = factor * p.gradient[at + j];
      total += fmaf(g, g, eps);
      if (p.scales()) {
        const float x = p.parameter[at + j];
        parameters = fmaf(x, x, parameters);
      }
    }
    total = reduce_warp<Sum>(total);
    if (threadIdx.x % kWarpSize == 0) {
      float* row = p.row_squares + part.batch * p.rows + r;
      *row = p.mean_of(*row, total / static_cast<float>(p.columns));
    }
  }
  float* sums = part.sums(found, part.within);
  for (long j = threadIdx.x; j < p.columns; j += blockDim.x) {
    float total = 0;
    for (long r = part.begin; r < part.end; r++) {
      const float g = factor * p.gradient[part.at(r) + j];
      total += fmaf(g, g, eps);
    }
    sums[j] = total;
  }
  keep(found, reduce_block<Sum>(parameters), 0);
}

// Takes the sums of columns into their means, and makes factors of these. Grid: 256 columns of a
// matrix a block, for which `first` counts.
// kernels.list: adafactor_columns 256 {MatrixList}i{Clipping}{Found}
extern "C" __global__ void __launch_bounds__(256)
    adafactor_columns(const __grid_constant__ MatrixList list, int items, Clipping clipping,
                      Found found) {
  if (clipping.skips()) {
    return;
  }
  const MatrixParameter& p = list.of[item_of(list, items)];
  const long tasks = (p.columns + blockDim.x - 1) / blockDim.x;
  const long block = static_cast<long>(blockIdx.x) - p.first, batch = block / tasks;
  const long each = p.blocks_of_matrix();
  if (block % tasks == 0) {
    float total = 0;
    for (long r = threadIdx.x; r < p.rows; r += blockDim.x) {
      total += p.row_squares[batch * p.rows + r];
    }
    total = reduce_block<Sum>(total);
    if (threadIdx.x == 0) {
      found.means[p.matrix + batch] = total / static_cast<float>(p.rows);
    }
  }
  const long j = block % tasks * blockDim.x + threadIdx.x;
  if (j < p.columns) {
    float* sums = found.column_sums + p.column_sums + batch * each * p.columns + j;
    float total = 0;
    for (long i = 0; i < each; i++) {
      total += sums[i * p.columns];
    }
    float* column = p.column_squares + batch * p.columns + j;
    const float v = p.mean_of(*column, total / static_cast<float>(p.rows));
    *column = v;
    *sums = 1.0f / sqrtf(v);
  }
}

// The squares of matrices' updates.
// kernels.list: adafactor_sizes 256 {MatrixList}i{Clipping}{Found}
extern "C" __global__ void __launch_bounds__(256)
    adafactor_sizes(const __grid_constant__ MatrixList list, int items, Clipping clipping,
                    Found found) {
  const Part part(list.of[item_of(list, items)]);
  const MatrixParameter& p = part.p;
  if (clipping.skips() || !p.is_matrix()) {
    return;
  }
  const float factor = clipping.factor();
  const float* columns = part.sums(found, 0);
  float updates = 0;
  for (long r = part.begin; r < part.end; r++) {
    const float row = part.factor(found, r);
    for (long j = threadIdx.x; j < p.columns; j += blockDim.x) {
      const float u = factor * p.gradient[part.at(r) + j] * row * columns[j];
      updates = fmaf(u, u, updates);
    }
  }
  updates = reduce_block<Sum>(updates);
  if (threadIdx.x == 0) {
    found.squares[2 * static_cast<long>(blockIdx.x) + 1] = updates;
  }
}

// How far a parameter goes: what its update and it are multiplied by.
struct Distance {
  float share, left;
};

static __device__ __forceinline__ Distance distance(const MatrixParameter& p, const Found& found) {
  const float* squares = found.squares + 2 * p.first;
  float parameters = 0, updates = 0;
  for (long i = threadIdx.x; i < p.batches * p.blocks_of_matrix(); i += blockDim.x) {
    parameters += squares[2 * i];
    updates += squares[2 * i + 1];
  }
  const float elements = static_cast<float>(p.batches * p.rows * p.columns);
  const float own = sqrtf(reduce_block<Sum>(parameters) / elements);
  const float size = sqrtf(reduce_block<Sum>(updates) / elements) / p.numbers[6];
  // A NaN of either stays.
  const float scale = !p.scales() ? 1.0f : own <= p.numbers[5] ? p.numbers[5] : own;
  const float rate = p.numbers[0] * scale;
  return {rate / (size <= 1.0f ? 1.0f : size), 1.0f - p.numbers[1] * rate};
}

static __device__ __forceinline__ void change(const MatrixParameter& p, const Distance& distance,
                                              long i, int copy_dtype, float update) {
  float by = update * distance.share;
  if (p.mean != nullptr) {
    by = p.numbers[7] * p.mean[i] + (1.0f - p.numbers[7]) * by;
    p.mean[i] = by;
  }
  const float y = p.parameter[i] * distance.left - by;
  p.parameter[i] = y;
  if (p.copy != nullptr) {
    store(p.copy, i, copy_dtype, y);
  }
}

// kernels.list: adafactor_step 256 {MatrixList}ii{Clipping}{Found}
extern "C" __global__ void __launch_bounds__(256)
    adafactor_step(const __grid_constant__ MatrixList list, int items, int copy_dtype,
                   Clipping clipping, Found found) {
  if (clipping.skips()) {
    return;
  }
  const float factor = clipping.factor();
  const Part part(list.of[item_of(list, items)]);
  const MatrixParameter& p = part.p;
  const Distance to = distance(p, found);
  if (!p.is_matrix()) {
    for (long i = part.begin + threadIdx.x; i < part.end; i += blockDim.x) {
      change(p, to, i, copy_dtype, factor * p.gradient[i] / sqrtf(p.row_squares[i]));
    }
    return;
  }
  const float* columns = part.sums(found, 0);
  for (long r = part.begin; r < part.end; r++) {
    const float row = part.factor(found, r);
    for (long j = threadIdx.x; j < p.columns; j += blockDim.x) {
      const long i = part.at(r) + j;
      change(p, to, i, copy_dtype, factor * p.gradient[i] * row * columns[j]);
    }
  }
}
