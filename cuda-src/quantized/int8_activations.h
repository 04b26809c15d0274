// W4A8 and W8A8 by mma: products of codes with codes: whole numbers over each run of input features
// that shares the scales of both sides, and floats over the runs.
#ifndef GATUN_QUANTIZED_INT8_ACTIVATIONS_H
#define GATUN_QUANTIZED_INT8_ACTIVATIONS_H

#include "quantized/codes.h"
#include "quantized/scales.h"
#include "quantized/tile.h"

namespace gatun {

// 1.5 * 2^23: below 2^22 a whole number that it is added to is the float of its bits, less that.
constexpr uint32_t kMagic = 0x4b400000;

static __device__ __forceinline__ float magic_float(int32_t sum) {
  return float_of(static_cast<uint32_t>(sum)) - 12582912.0f;
}

// Adds a stage. With `whole` the sums are of whole rows, and go on in `main` as whole numbers.
template <class S>
static __device__ __forceinline__ void int8_stage(typename S::Stage* stage,
                                                  const QuantizedProduct& p, long k0, bool whole,
                                                  float (*main)[S::kTokenTiles][4],
                                                  int32_t (*sums)[S::kTokenTiles][4]) {
  constexpr int T = S::kTokenTiles;
  const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  const int token0 = S::side() * 8 * T;
  const int header = header_bytes(p.scales);
  const bool corrected = p.scales == kScaleF32Min || p.scales == kScaleF16Zero;
  constexpr int kMine = S::kDepth / 32 / S::kSlices;
  int32_t x_sums[T][2];
  const auto begin = [&]() {
#pragma unroll
    for (int j = 0; j < T; j++) {
#pragma unroll
      for (int q = 0; q < 4; q++) {
        sums[0][j][q] = sums[1][j][q] = x_sums[j][q % 2] = static_cast<int32_t>(kMagic);
      }
    }
  };
  if (!whole) {
    begin();
  }
#pragma unroll(T < 4 ? kMine : 1)
  for (int c = 0; c < kMine; c++) {
    const int block = S::slice() * kMine + c, first = block * 32;
    uint32_t a[2][4];
    if constexpr (S::kBits == 4) {
      const Words words =
          *reinterpret_cast<const Words*>(S::w_at(stage, S::panel(), block * 4 + t, g));
#pragma unroll
      for (int f = 0; f < 4; f++) {
        a[f / 2][f % 2] = low_bytes(words.word[f]);
        a[f / 2][2 + f % 2] = high_bytes(words.word[f]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const Words words =
            *reinterpret_cast<const Words*>(S::w_at(stage, S::panel(), block * 8 + 2 * t + i, g));
#pragma unroll
        for (int f = 0; f < 4; f++) {
          a[f / 2][2 * i + f % 2] = signed_bytes(words.word[f]);
        }
      }
    }
    // Groups of 16 take one half of the 32 input features after the other: lanes 0 and 1 of four
    // have the first.
#pragma unroll 1
    for (int half = 0; half < (p.shift == 4 ? 2 : 1); half++) {
      const uint32_t mask = p.shift == 4 && t / 2 != half ? 0 : 0xffffffff;
      const uint32_t one = 0x01010101 & mask;
      const uint32_t ones[4] = {one, 0, one, 0};
      uint32_t part[2][4];
#pragma unroll
      for (int i = 0; i < 8; i++) {
        part[i / 4][i % 4] = a[i / 4][i % 4] & mask;
      }
#pragma unroll
      for (int j = 0; j < T; j++) {
        const unsigned char* at =
            S::x_at(stage, block / 2, token0 + 8 * j, g, block % 2 * 2 + t / 2) + t % 2 * 8;
        const uint64_t both = *reinterpret_cast<const uint64_t*>(at);
        const uint32_t b[2] = {static_cast<uint32_t>(both), static_cast<uint32_t>(both >> 32)};
        mma_s8(sums[0][j], part[0], b);
        mma_s8(sums[1][j], part[1], b);
        if (corrected) {
          // Ones in the first rows alone, so that the other rows' sums are 0.
          int32_t both_sums[4] = {x_sums[j][0], x_sums[j][1], 0, 0};
          mma_s8(both_sums, ones, b);
          x_sums[j][0] = both_sums[0];
          x_sums[j][1] = both_sums[1];
        }
      }
      const long after = k0 + first + 32;
      if (whole || !(p.blocks != 0 || c == kMine - 1 || p.shift <= 5 ||
                     (p.shift < 16 && (after & ((1L << p.shift) - 1)) == 0))) {
        continue;
      }
      const int group = p.shift < 16 ? (first + 16 * half) >> p.shift : 0;
      const FourScales four = four_scales(stage->h[S::panel()] + group * header, p.scales, g);
#pragma unroll
      for (int j = 0; j < T; j++) {
        float x_scale[2] = {1, 1};
        if (p.blocks != 0) {
          x_scale[0] = stage->x_scale[block][token0 + 8 * j + 2 * t];
          x_scale[1] = stage->x_scale[block][token0 + 8 * j + 2 * t + 1];
        }
#pragma unroll
        for (int u = 0; u < 2; u++) {
#pragma unroll
          for (int q = 0; q < 4; q++) {
            const int f = 2 * u + q / 2;
            float run = four.scale[f] * magic_float(sums[u][j][q]);
            if (corrected) {
              const float each =
                  p.scales == kScaleF16Zero ? -four.scale[f] * four.more[f] : four.more[f];
              run += each * magic_float(x_sums[j][q % 2]);
            }
            main[u][j][q] += x_scale[q % 2] * run;
          }
        }
      }
      begin();
    }
  }
}

// What stands beside whole rows of codes: scales, and sums of the elements.
static __device__ __forceinline__ FourScales whole_row_scales(const uint8_t* header, int g) {
  FourScales four = four_scales(header, kScaleF32, g);
#pragma unroll
  for (int f = 0; f < 4; f++) {
    four.more[f] = reinterpret_cast<const float*>(header + 4 * kPanelFeatures)[4 * g + f];
  }
  return four;
}

// What a sum of products of whole rows of codes means, of a token's codes that mean offset + scale
// * code.
static __device__ __forceinline__ float whole_row(const FourScales& four, int f, int32_t sum,
                                                  float scale, float offset) {
  const float products = four.scale[f] * static_cast<float>(sum);
  return scale * products + offset * four.more[f];
}

// x is codes, their rows and the packed weight aligned to 16 bytes, with zeros past k up to a
// multiple of 16. Grid: (n tiles, m tiles, splits of k).
template <class S, class Places>
static __device__ __forceinline__ void int8_product(const QuantizedProduct& p,
                                                    const Places& places) {
  typename S::Shared* shared = shared_memory<typename S::Shared>(sizeof(typename S::Shared));
  float main[2][S::kTokenTiles][4] = {};
  int32_t sums[2][S::kTokenTiles][4] = {};
  const bool whole = p.blocks == 0 && p.shift >= 16;
  S::each_stage(shared, p, places, [&](typename S::Stage* stage, long k0) {
    int8_stage<S>(stage, p, k0, whole, main, sums);
  });
  if (whole) {
#pragma unroll
    for (int i = 0; i < 2 * S::kTokenTiles * 4; i++) {
      main[i / (S::kTokenTiles * 4)][i / 4 % S::kTokenTiles][i % 4] = float_of(
          static_cast<uint32_t>(sums[i / (S::kTokenTiles * 4)][i / 4 % S::kTokenTiles][i % 4]));
    }
  }
  if (!S::join(shared, p, places, &main[0][0][0], SomeSums{whole})) {
    return;
  }
  FourScales four = {};
  if (whole) {
    const long panel = static_cast<long>(blockIdx.x) * S::kPanels + S::panel();
    if (panel * kPanelFeatures < p.n) {
      four = whole_row_scales(places.packed + panel * p.panel, threadIdx.x % 32 / 4);
    }
  }
  S::each_four(p, places, &main[0][0][0], [&](long row, long column, float* sums_of_row) {
    if (p.blocks == 0) {
      const long source = places.source(row);
      const bool none = Places::kGrouped && source < 0;
      const float scale = none ? 0 : token_scale(p, source);
      const float offset = none ? 0 : token_offset(p, source);
#pragma unroll
      for (int f = 0; f < 4; f++) {
        sums_of_row[f] =
            whole ? whole_row(four, f, static_cast<int32_t>(word_of(sums_of_row[f])), scale, offset)
                  : sums_of_row[f] * scale;
      }
    }
    finish_sums(p, places.bias, sums_of_row, row, column);
  });
}

template <class Shape>
using Int8Tile = QuantizedTile<int8_t, Shape>;

#define GATUN_INT8(name, Shape)                                           \
  GATUN_QUANTIZED_TILE(name, Int8Tile<Shape>)                             \
  extern "C" __global__ void __launch_bounds__(Int8Tile<Shape>::kThreads, \
                                               Int8Tile<Shape>::kBlocks)  \
      name(const __grid_constant__ QuantizedProduct p) {                  \
    using S = Int8Tile<Shape>;                                            \
    int8_product<S>(p, DensePlaces::of<S::kTokens>(p, blockIdx.y));       \
  }

// The same by experts. Grid: (n tiles, as many m tiles as the experts may have).
#define GATUN_GROUPED_INT8(name, Shape)                                                 \
  GATUN_QUANTIZED_TILE(name, Int8Tile<Shape>)                                           \
  extern "C" __global__ void __launch_bounds__(Int8Tile<Shape>::kThreads,               \
                                               Int8Tile<Shape>::kBlocks)                \
      name(const __grid_constant__ QuantizedProduct p,                                  \
           const __grid_constant__ ExpertRows experts) {                                \
    using S = Int8Tile<Shape>;                                                          \
    const GroupedPlaces places = GroupedPlaces::of<S::kTokens>(p, experts, blockIdx.y); \
    if (places.begin < places.end) {                                                    \
      int8_product<S>(p, places);                                                       \
    }                                                                                   \
  }

}  // namespace gatun

#endif
