// Products in float arithmetic: for F32, and for what the tensor cores' tiles do not take.
#include "activation.h"
#include "matmul/groups.h"
#include "matmul/panels.h"

using namespace gatun;

constexpr int kTile = 64, kDepth = 16, kSide = 16, kEach = kTile / kSide;

struct Tiles {
  float a[kDepth][kTile + 4];
  float b[kDepth][kTile + 4];
};

// Adds what the block's tiles give to each thread's part of the result.
static __device__ __forceinline__ void multiply(const Tiles* tiles, float sums[kEach][kEach]) {
  const int row = static_cast<int>(threadIdx.x) / kSide, column = threadIdx.x % kSide;
  for (int k = 0; k < kDepth; k++) {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
#pragma unroll
      for (int j = 0; j < kEach; j++) {
        sums[i][j] += tiles->a[k][row + i * kSide] * tiles->b[k][column + j * kSide];
      }
    }
  }
}

// y[m, n] = activation(sum of x[m, k] weight[n, k] + bias[n]), the weight in panels or in rows.
template <bool Rows>
static __device__ __forceinline__ void product(const void* x, const void* packed, const float* bias,
                                               void* y, int x_dtype, int weight_dtype, int y_dtype,
                                               int activation, long x_stride, long y_stride, long m,
                                               long n, long k) {
  Tiles* tiles = shared_memory<Tiles>(sizeof(Tiles));
  const long m0 = static_cast<long>(blockIdx.y) * kTile, n0 = static_cast<long>(blockIdx.x) * kTile;
  float sums[kEach][kEach] = {};
  for (long k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long row = m0 + i / kDepth, column = k0 + i % kDepth;
      float value = row < m && column < k ? load(x, row * x_stride + column, x_dtype) : 0;
      tiles->a[i % kDepth][i / kDepth] = weight_dtype == kBf16 ? from_bf16(to_bf16(value)) : value;
    }
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long feature = n0 + i % kTile, row = k0 + i / kTile;
      tiles->b[i / kTile][i % kTile] =
          feature < n && row < k
              ? load(packed, Rows ? feature * k + row : panel_place(feature, row, k, weight_dtype),
                     weight_dtype)
              : 0;
    }
    sync_block();
    multiply(tiles, sums);
    sync_block();
  }
  for (int i = 0; i < kEach; i++) {
    for (int j = 0; j < kEach; j++) {
      const long row = m0 + static_cast<int>(threadIdx.x) / kSide + i * kSide;
      const long column = n0 + threadIdx.x % kSide + j * kSide;
      if (row < m && column < n) {
        const float sum = bias == nullptr ? sums[i][j] : sums[i][j] + bias[column];
        store(y, row * y_stride + column, y_dtype, activate(sum, activation));
      }
    }
  }
}

// Grid: (n tiles, m tiles).
// kernels.list: matmul_simt 256 ppppiiiilllll 8704 64x64x16
GATUN_TILE(matmul_simt, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256)
    matmul_simt(const void* x, const void* packed, const float* bias, void* y, int x_dtype,
                int weight_dtype, int y_dtype, int activation, long x_stride, long y_stride, long m,
                long n, long k) {
  product<false>(x, packed, bias, y, x_dtype, weight_dtype, y_dtype, activation, x_stride, y_stride,
                 m, n, k);
}

// kernels.list: matmul_simt_rows 256 ppppiiiilllll 8704 64x64x16
GATUN_TILE(matmul_simt_rows, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256)
    matmul_simt_rows(const void* x, const void* packed, const float* bias, void* y, int x_dtype,
                     int weight_dtype, int y_dtype, int activation, long x_stride, long y_stride,
                     long m, long n, long k) {
  product<true>(x, packed, bias, y, x_dtype, weight_dtype, y_dtype, activation, x_stride, y_stride,
                m, n, k);
}

// c[i, m, n] = sum of a[i, m, k] b[i, n, k]; a and b have three strides each. Grid: (n tiles, m
// tiles, batch).
// kernels.list: batched_matmul 256 pppiiilllllllll 8704 64x64x16
GATUN_TILE(batched_matmul, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256)
    batched_matmul(const void* a, const void* b, void* c, int dtype, int c_dtype, int accumulate,
                   long a_batch, long a_row, long a_stride, long b_batch, long b_row, long b_stride,
                   long m, long n, long k) {
  Tiles* tiles = shared_memory<Tiles>(sizeof(Tiles));
  const long m0 = static_cast<long>(blockIdx.y) * kTile, n0 = static_cast<long>(blockIdx.x) * kTile;
  const long a0 = blockIdx.z * a_batch, b0 = blockIdx.z * b_batch;
  float sums[kEach][kEach] = {};
  for (long k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const int row = i / kDepth;
      const long column = k0 + i % kDepth;
      tiles->a[i % kDepth][row] = m0 + row < m && column < k
                                      ? load(a, a0 + (m0 + row) * a_row + column * a_stride, dtype)
                                      : 0;
      tiles->b[i % kDepth][row] = n0 + row < n && column < k
                                      ? load(b, b0 + (n0 + row) * b_row + column * b_stride, dtype)
                                      : 0;
    }
    sync_block();
    multiply(tiles, sums);
    sync_block();
  }
  for (int i = 0; i < kEach; i++) {
    for (int j = 0; j < kEach; j++) {
      const long row = m0 + static_cast<int>(threadIdx.x) / kSide + i * kSide;
      const long column = n0 + threadIdx.x % kSide + j * kSide;
      if (row < m && column < n) {
        const long place = (blockIdx.z * m + row) * n + column;
        const float sum = sums[i][j];
        store(c, place, c_dtype, accumulate != 0 ? load(c, place, c_dtype) + sum : sum);
      }
    }
  }
}

// matmul_simt by experts. Grid: (n tiles, as many m tiles as the experts may have).
// kernels.list: grouped_matmul_simt 256 ppppppiiiiillllll 8704 64x64x16
GATUN_TILE(grouped_matmul_simt, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256)
    grouped_matmul_simt(const void* x, const int* rows, const int* offsets, const void* packed,
                        const float* bias, void* y, int x_dtype, int weight_dtype, int y_dtype,
                        int activation, int experts, long x_rows, long x_stride, long y_stride,
                        long m, long n, long k) {
  Tiles* tiles = shared_memory<Tiles>(sizeof(Tiles));
  const GroupTile tile = group_tile<kTile>(offsets, experts, m, blockIdx.y);
  if (tile.expert < 0) {
    return;
  }
  const long n0 = static_cast<long>(blockIdx.x) * kTile;
  const long weight = tile.expert * packed_count(n, k, weight_dtype);
  float sums[kEach][kEach] = {};
  for (long k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long row = tile.begin + i / kDepth, column = k0 + i % kDepth;
      const long from = row >= tile.end ? -1 : rows == nullptr ? row : rows[row];
      const bool there = from >= 0 && from < x_rows && column < k;
      const float value = there ? load(x, from * x_stride + column, x_dtype) : 0;
      tiles->a[i % kDepth][i / kDepth] = weight_dtype == kBf16 ? from_bf16(to_bf16(value)) : value;
    }
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long feature = n0 + i % kTile, row = k0 + i / kTile;
      tiles->b[i / kTile][i % kTile] =
          feature < n && row < k
              ? load(packed, weight + panel_place(feature, row, k, weight_dtype), weight_dtype)
              : 0;
    }
    sync_block();
    multiply(tiles, sums);
    sync_block();
  }
  for (int i = 0; i < kEach; i++) {
    for (int j = 0; j < kEach; j++) {
      const long row = tile.begin + static_cast<int>(threadIdx.x) / kSide + i * kSide;
      const long column = n0 + threadIdx.x % kSide + j * kSide;
      if (row < tile.end && column < n) {
        const float sum =
            bias == nullptr ? sums[i][j] : sums[i][j] + bias[tile.expert * n + column];
        store(y, row * y_stride + column, y_dtype, activate(sum, activation));
      }
    }
  }
}
