// W4A16 and W8A16 by mma: products of BF16 or F16 with codes as numbers of that type: sums of a
// group, which are exact but for their rounding to F32, and then its scale.
#ifndef GATUN_QUANTIZED_WEIGHT_ONLY_H
#define GATUN_QUANTIZED_WEIGHT_ONLY_H

#include "quantized/codes.h"
#include "quantized/scales.h"
#include "quantized/tile.h"

namespace gatun {

template <bool Bf16>
static __device__ __forceinline__ void multiply(float* d, const uint32_t* a, const uint32_t* b) {
  if (Bf16) {
    mma_bf16(d, a, b);
  } else {
    mma_f16(d, a, b);
  }
}

// The codes of the lane's four features in a chunk of 32 input features: for each of two steps of
// mma pairs 0 and 1, 2 and 3.
template <class S, bool Bf16>
static __device__ __forceinline__ void chunk_codes(typename S::Stage* stage, int chunk, int g,
                                                   int t, uint32_t (*pairs)[4]) {
#pragma unroll
  for (int i = 0; i < S::kBits / 4; i++) {
    const Words words = *reinterpret_cast<const Words*>(
        S::w_at(stage, S::panel(), chunk * S::kBits + 4 * i + t, g));
#pragma unroll
    for (int f = 0; f < 4; f++) {
      if constexpr (S::kBits == 8) {
        codes_of_8_bits<Bf16>(words.word[f], pairs[f] + 2 * i);
      } else {
        codes_of_4_bits<Bf16>(words.word[f], pairs[f]);
      }
    }
  }
}

// The lane's part of a token's chunk, for both steps: of 4 bits it has the input features 8t and on
// of 32, of 8 bits 4t and on of each 16.
template <class S>
static __device__ __forceinline__ void chunk_tokens(typename S::Stage* stage, int chunk, int first,
                                                    int g, int t, uint32_t* b) {
  if constexpr (S::kBits == 4) {
    const Words words = *reinterpret_cast<const Words*>(S::x_at(stage, chunk, first, g, t));
#pragma unroll
    for (int i = 0; i < 4; i++) {
      b[i] = words.word[i];
    }
  } else {
#pragma unroll
    for (int step = 0; step < 2; step++) {
      const uint64_t both = *reinterpret_cast<const uint64_t*>(
          S::x_at(stage, chunk, first, g, 2 * step + t / 2) + t % 2 * 8);
      b[2 * step] = static_cast<uint32_t>(both);
      b[2 * step + 1] = static_cast<uint32_t>(both >> 32);
    }
  }
}

template <class S, bool Bf16>
static __device__ __forceinline__ void weight_only_stage(typename S::Stage* stage,
                                                         const QuantizedProduct& p, long k0,
                                                         float (*main)[S::kTokenTiles][4]) {
  constexpr int T = S::kTokenTiles;
  const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  const int token0 = S::side() * 8 * T;
  const int header = header_bytes(p.scales);
  const bool minima = p.scales == kScaleF32Min;
  // Groups of 16 take one step of mma, and then the other.
  const bool halves = S::kBits == 8 && p.shift == 4;
  constexpr int kMine = S::kChunks / S::kSlices;
  float sums[2][T][4] = {};
  // Unrolled, the largest tiles' sums would not fit into registers.
#pragma unroll(T < 4 ? kMine : 1)
  for (int c = 0; c < kMine; c++) {
    const int chunk = S::slice() * kMine + c, first = chunk * 32;
    const unsigned char* beside =
        stage->h[S::panel()] + (p.shift < 16 ? (first >> p.shift) * header : 0);
#pragma unroll 1
    for (int half = 0; half < (halves ? 2 : 1); half++, beside += header) {
      uint32_t pairs[4][4];
      chunk_codes<S, Bf16>(stage, chunk, g, t, pairs);
      if (halves) {
#pragma unroll
        for (int f = 0; f < 4; f++) {
#pragma unroll
          for (int i = 0; i < 4; i++) {
            pairs[f][i] = i / 2 == half ? pairs[f][i] : 0;
          }
        }
      }
      const FourScales four = four_scales(beside, p.scales, g);
      if (S::kBits == 4 && p.scales == kScaleF16Zero) {
#pragma unroll
        for (int f = 0; f < 4; f++) {
          const uint32_t zero = both_halves<Bf16>(-four.more[f]);
#pragma unroll
          for (int i = 0; i < 4; i++) {
            pairs[f][i] = add_pairs<Bf16>(pairs[f][i], zero);
          }
        }
      }
#pragma unroll
      for (int j = 0; j < T; j++) {
        uint32_t b[4];
        chunk_tokens<S>(stage, chunk, token0 + 8 * j, g, t, b);
#pragma unroll
        for (int step = 0; step < 2; step++) {
#pragma unroll
          for (int u = 0; u < 2; u++) {
            const uint32_t a[4] = {pairs[2 * u][2 * step], pairs[2 * u + 1][2 * step],
                                   pairs[2 * u][2 * step + 1], pairs[2 * u + 1][2 * step + 1]};
            multiply<Bf16>(sums[u][j], a, b + 2 * step);
          }
        }
        if (minima) {
          // The sum of x, in every row.
          const uint32_t one = Bf16 ? 0x3f803f80 : 0x3c003c00;
          const uint32_t ones[4] = {one, one, one, one};
          float x_sums[4] = {};
          multiply<Bf16>(x_sums, ones, b);
          multiply<Bf16>(x_sums, ones, b + 2);
#pragma unroll
          for (int u = 0; u < 2; u++) {
#pragma unroll
            for (int q = 0; q < 4; q++) {
              main[u][j][q] += four.more[2 * u + q / 2] * x_sums[q % 2];
            }
          }
        }
      }
      const long after = k0 + first + 32;
      if (c == kMine - 1 || halves || (p.shift < 16 && (after & ((1L << p.shift) - 1)) == 0)) {
#pragma unroll
        for (int j = 0; j < T; j++) {
#pragma unroll
          for (int u = 0; u < 2; u++) {
#pragma unroll
            for (int q = 0; q < 4; q++) {
              main[u][j][q] += four.scale[2 * u + q / 2] * sums[u][j][q];
              sums[u][j][q] = 0;
            }
          }
        }
      }
    }
  }
}

// Rows of x and the packed weight are aligned to 16 bytes, k is a multiple of 8. Grid: (n tiles, m
// tiles, splits of k).
template <class S, bool Bf16, class Places>
static __device__ __forceinline__ void weight_only_product(const QuantizedProduct& p,
                                                           const Places& places) {
  typename S::Shared* shared = shared_memory<typename S::Shared>(sizeof(typename S::Shared));
  float main[2][S::kTokenTiles][4] = {};
  S::each_stage(shared, p, places, [&](typename S::Stage* stage, long k0) {
    weight_only_stage<S, Bf16>(stage, p, k0, main);
  });
  if (S::join(shared, p, places, &main[0][0][0], FloatSums())) {
    S::each_four(p, places, &main[0][0][0], [&](long row, long column, float* four) {
      finish_sums(p, places.bias, four, row, column);
    });
  }
}

template <class Shape>
using WeightOnlyTile = QuantizedTile<uint16_t, Shape>;

#define GATUN_WEIGHT_ONLY(name, X, Shape)                                              \
  GATUN_QUANTIZED_TILE(name, WeightOnlyTile<Shape>)                                    \
  extern "C" __global__ void __launch_bounds__(WeightOnlyTile<Shape>::kThreads,        \
                                               WeightOnlyTile<Shape>::kBlocks)         \
      name(const __grid_constant__ QuantizedProduct p) {                               \
    using S = WeightOnlyTile<Shape>;                                                   \
    weight_only_product<S, X::kIsBf16>(p, DensePlaces::of<S::kTokens>(p, blockIdx.y)); \
  }

// The same by experts. Grid: (n tiles, as many m tiles as the experts may have).
#define GATUN_GROUPED_WEIGHT_ONLY(name, X, Shape)                                       \
  GATUN_QUANTIZED_TILE(name, WeightOnlyTile<Shape>)                                     \
  extern "C" __global__ void __launch_bounds__(WeightOnlyTile<Shape>::kThreads,         \
                                               WeightOnlyTile<Shape>::kBlocks)          \
      name(const __grid_constant__ QuantizedProduct p,                                  \
           const __grid_constant__ ExpertRows experts) {                                \
    using S = WeightOnlyTile<Shape>;                                                    \
    const GroupedPlaces places = GroupedPlaces::of<S::kTokens>(p, experts, blockIdx.y); \
    if (places.begin < places.end) {                                                    \
      weight_only_product<S, X::kIsBf16>(p, places);                                    \
    }                                                                                   \
  }

}  // namespace gatun

#endif
