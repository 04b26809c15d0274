// Products with codes in float arithmetic, for what the tensor cores' tiles do not take, and of
// codes with codes where groups are of any length.
#include "quantized/product.h"

using namespace gatun;

constexpr int kTile = 64, kDepth = 16, kSide = 16, kEach = kTile / kSide;

struct Tiles {
  float a[kDepth][kTile + 4];
  float b[kDepth][kTile + 4];
};

static __device__ __forceinline__ float weight_at(const QuantizedProduct& p, long n, long k) {
  const long g = k / p.group;
  const int feature = static_cast<int>(n % kPanelFeatures);
  const uint8_t* record = p.packed + n / kPanelFeatures * p.panel + g * p.record;
  const int code = stored_code(record, feature, k - g * p.group, p.scales, p.bits) +
                   shift_of(record, feature, p.scales, p.bits);
  const float product = scale_of(record, feature, p.scales) * static_cast<float>(code);
  return p.scales == kScaleF32Min ? product + float_at(record + 4 * kPanelFeatures + 4 * feature)
                                  : product;
}

static __device__ __forceinline__ void finish_sum(const QuantizedProduct& p, float sum, long row,
                                                  long column) {
  sum = p.bias == nullptr ? sum : sum + p.bias[column];
  store(p.y, row * p.y_stride + column, p.y_dtype, finished(p, sum, row, column));
}

// Grid: (n tiles, m tiles).
extern "C" __global__ void __launch_bounds__(256) quantized_simt(const QuantizedProduct p) {
  Tiles* tiles = shared_memory<Tiles>(sizeof(Tiles));
  const long m0 = static_cast<long>(blockIdx.y) * kTile, n0 = static_cast<long>(blockIdx.x) * kTile;
  const int row0 = static_cast<int>(threadIdx.x) / kSide, column0 = threadIdx.x % kSide;
  float sums[kEach][kEach] = {};
  for (long k0 = 0; k0 < p.k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long row = m0 + i / kDepth, column = k0 + i % kDepth;
      tiles->a[i % kDepth][i / kDepth] =
          row < p.m && column < p.k ? load(p.x, row * p.x_stride + column, p.x_dtype) : 0;
      const long feature = n0 + i % kTile, k = k0 + i / kTile;
      tiles->b[i / kTile][i % kTile] = feature < p.n && k < p.k ? weight_at(p, feature, k) : 0;
    }
    sync_block();
    for (int k = 0; k < kDepth; k++) {
#pragma unroll
      for (int i = 0; i < kEach; i++) {
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          sums[i][j] += tiles->a[k][row0 + i * kSide] * tiles->b[k][column0 + j * kSide];
        }
      }
    }
    sync_block();
  }
  for (int i = 0; i < kEach; i++) {
    for (int j = 0; j < kEach; j++) {
      const long row = m0 + row0 + i * kSide, column = n0 + column0 + j * kSide;
      if (row < p.m && column < p.n) {
        finish_sum(p, sums[i][j], row, column);
      }
    }
  }
}

// A thread an element of y; x is codes. Grid: (features / 256, rows).
extern "C" __global__ void __launch_bounds__(256) quantized_codes(const QuantizedProduct p) {
  const long row = blockIdx.y, n = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (n >= p.n) {
    return;
  }
  const int8_t* x = static_cast<const int8_t*>(p.x) + row * p.x_stride;
  const int feature = static_cast<int>(n % kPanelFeatures);
  float sum = 0;
  for (long k = 0; k < p.k;) {
    const long g = k / p.group;
    const uint8_t* record = p.packed + n / kPanelFeatures * p.panel + g * p.record;
    const int shift = shift_of(record, feature, p.scales, p.bits);
    long end = (g + 1) * p.group;
    end = p.blocks != 0 && end > (k / 32 + 1) * 32 ? (k / 32 + 1) * 32 : end;
    const float x_scale =
        p.blocks != 0 ? p.x_scales[k / 32 * p.padded_rows + row] : token_scale(p, row);
    int products = 0, x_sum = 0;
    for (; k < end; k++) {
      products += x[k] * (stored_code(record, feature, k - g * p.group, p.scales, p.bits) + shift);
      x_sum += x[k];
    }
    float run = scale_of(record, feature, p.scales) * static_cast<float>(products);
    if (p.scales == kScaleF32Min) {
      run += float_at(record + 4 * kPanelFeatures + 4 * feature) * static_cast<float>(x_sum);
    }
    sum += x_scale * run;
    if (p.scales == kScaleF32Sum && p.blocks == 0) {
      sum += token_offset(p, row) * float_at(record + 4 * kPanelFeatures + 4 * feature);
    }
  }
  finish_sum(p, sum, row, n);
}

// Bytes to where they are aligned.
extern "C" __global__ void __launch_bounds__(256)
    copy_bytes(const uint8_t* from, uint8_t* to, long count) {
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) {
    to[i] = from[i];
  }
}
