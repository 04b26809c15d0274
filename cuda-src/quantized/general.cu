// Products with codes in float arithmetic, for what the tensor cores' tiles do not take, and of
// codes with codes where groups are of any length.
#include "quantized/places.h"

using namespace gatun;

constexpr int kTile = 64, kDepth = 16, kSide = 16, kEach = kTile / kSide;

struct Tiles {
  float a[kDepth][kTile + 4];
  float b[kDepth][kTile + 4];
};

static __device__ __forceinline__ float weight_at(const QuantizedProduct& p, const uint8_t* packed,
                                                  long n, long k) {
  const long g = k / p.group;
  const int feature = static_cast<int>(n % kPanelFeatures);
  const uint8_t* record = packed + n / kPanelFeatures * p.panel + g * p.record;
  const int code = stored_code(record, feature, k - g * p.group, p.scales, p.bits) +
                   shift_of(record, feature, p.scales, p.bits);
  const float product = scale_of(record, feature, p.scales) * static_cast<float>(code);
  return p.scales == kScaleF32Min ? product + float_at(record + 4 * kPanelFeatures + 4 * feature)
                                  : product;
}

static __device__ __forceinline__ void finish_sum(const QuantizedProduct& p, const float* bias,
                                                  float sum, long row, long column) {
  sum = bias == nullptr ? sum : sum + bias[column];
  store(p.y, row * p.y_stride + column, p.y_dtype, finished(p, sum, row, column));
}

template <class Places>
static __device__ __forceinline__ void float_product(const QuantizedProduct& p,
                                                     const Places& places) {
  Tiles* tiles = shared_memory<Tiles>(sizeof(Tiles));
  const long m0 = places.begin, n0 = static_cast<long>(blockIdx.x) * kTile;
  const int row0 = static_cast<int>(threadIdx.x) / kSide, column0 = threadIdx.x % kSide;
  float sums[kEach][kEach] = {};
  for (long k0 = 0; k0 < p.k; k0 += kDepth) {
    for (int i = threadIdx.x; i < kTile * kDepth; i += blockDim.x) {
      const long row = m0 + i / kDepth, column = k0 + i % kDepth;
      const long source = row < places.end && column < p.k ? places.source(row) : -1;
      tiles->a[i % kDepth][i / kDepth] =
          source >= 0 ? load(p.x, source * p.x_stride + column, p.x_dtype) : 0;
      const long feature = n0 + i % kTile, k = k0 + i / kTile;
      tiles->b[i / kTile][i % kTile] =
          feature < p.n && k < p.k ? weight_at(p, places.packed, feature, k) : 0;
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
      if (row < places.end && column < p.n) {
        finish_sum(p, places.bias, sums[i][j], row, column);
      }
    }
  }
}

// Grid: (n tiles, m tiles).
// kernels.list: quantized_simt 256 {QuantizedProduct} 8704 64x64x16
GATUN_TILE(quantized_simt, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256) quantized_simt(const QuantizedProduct p) {
  float_product(p, DensePlaces::of<kTile>(p, blockIdx.y));
}

// The same by experts. Grid: (n tiles, as many m tiles as the experts may have).
// kernels.list: grouped_quantized_simt 256 {QuantizedProduct}{ExpertRows} 8704 64x64x16
GATUN_TILE(grouped_quantized_simt, kTile, kTile, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(256)
    grouped_quantized_simt(const QuantizedProduct p, const ExpertRows experts) {
  const GroupedPlaces places = GroupedPlaces::of<kTile>(p, experts, blockIdx.y);
  if (places.begin < places.end) {
    float_product(p, places);
  }
}

// An element of the only row of places.
template <class Places>
static __device__ __forceinline__ void code_product(const QuantizedProduct& p, const Places& places,
                                                    long n) {
  const long row = places.source(places.begin);
  const int8_t* x = static_cast<const int8_t*>(p.x) + row * p.x_stride;
  const int feature = static_cast<int>(n % kPanelFeatures);
  float sum = 0;
  for (long k = row < 0 ? p.k : 0; k < p.k;) {
    const long g = k / p.group;
    const uint8_t* record = places.packed + n / kPanelFeatures * p.panel + g * p.record;
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
  finish_sum(p, places.bias, sum, places.begin, n);
}

// A thread an element of y; x is codes. Grid: (rows, features / 256).
// kernels.list: quantized_codes 256 {QuantizedProduct} 0
extern "C" __global__ void __launch_bounds__(256) quantized_codes(const QuantizedProduct p) {
  const long n = static_cast<long>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (n < p.n) {
    code_product(p, DensePlaces::of<1>(p, blockIdx.x), n);
  }
}

// The same by experts. Grid: (rows, features / 256).
// kernels.list: grouped_quantized_codes 256 {QuantizedProduct}{ExpertRows} 0
extern "C" __global__ void __launch_bounds__(256)
    grouped_quantized_codes(const QuantizedProduct p, const ExpertRows experts) {
  const GroupedPlaces places = GroupedPlaces::of<1>(p, experts, blockIdx.x);
  const long n = static_cast<long>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (places.begin < places.end && n < p.n) {
    code_product(p, places, n);
  }
}

// Bytes to where they are aligned.
// kernels.list: copy_bytes 256 ppl 0
extern "C" __global__ void __launch_bounds__(256)
    copy_bytes(const uint8_t* from, uint8_t* to, long count) {
  const long i = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) {
    to[i] = from[i];
  }
}
