// Products of BF16 or F16 with codes as numbers of that type: sums of a group, which are exact but
// for their rounding to F32, and then its scale.
#ifndef GATUN_QUANTIZED_EXACT_H
#define GATUN_QUANTIZED_EXACT_H

#include "quantized/codes.h"
#include "quantized/scales.h"
#include "quantized/tile.h"

namespace gatun {

template <class S, bool Bf16>
static __device__ __forceinline__ void multiply(float* d, const uint32_t* a, const uint32_t* b) {
  if (Bf16) {
    mma_bf16(d, a, b);
  } else {
    mma_f16(d, a, b);
  }
}

template <class S, bool Bf16>
static __device__ __forceinline__ void exact_stage(typename S::Stage* stage,
                                                   const QuantizedProduct& p, long k0,
                                                   float (*main)[S::kTokenTiles][4]) {
  constexpr int T = S::kTokenTiles;
  const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  const int token0 = S::side() * 8 * T;
  const int header = header_bytes(p.scales);
  const bool minima = p.scales == kScaleF32Min, zeros = p.scales == kScaleF16Zero;
  constexpr int kMine = S::kChunks / S::kSlices;
  float sums[2][T][4] = {}, x_sums[T][4] = {};
#pragma unroll
  for (int c = 0; c < kMine; c++) {
    const int chunk = S::slice() * kMine + c;
    const int first = chunk * 32;
    const unsigned char* mine =
        stage->h[S::panel()] + (p.shift < 16 ? ((first & (S::kDepth - 1)) >> p.shift) * header : 0);
    Words words;
    if (S::kBits == 4) {
      words = *reinterpret_cast<const Words*>(S::w_at(stage, S::panel(), chunk * 4 + t, g));
    }
#pragma unroll
    for (int step = 0; step < 2; step++) {
      uint32_t pairs[4][2];
      if (S::kBits == 8) {
        words = *reinterpret_cast<const Words*>(
            S::w_at(stage, S::panel(), chunk * 8 + step * 4 + t, g));
        if (p.shift == 4 && step == 1) {
          mine += header;
        }
      }
#pragma unroll
      for (int f = 0; f < 4; f++) {
        if (S::kBits == 8) {
          codes_of_8_bits<Bf16>(words.word[f], pairs[f]);
        } else {
          uint32_t all[4];
          codes_of_4_bits<Bf16>(words.word[f], all);
          pairs[f][0] = all[2 * step];
          pairs[f][1] = all[2 * step + 1];
        }
      }
      if (zeros) {
        const FourScales four = four_scales(mine, p.scales, g);
#pragma unroll
        for (int f = 0; f < 4; f++) {
          const uint32_t zero = both_halves<Bf16>(-four.more[f]);
          pairs[f][0] = add_pairs<Bf16>(pairs[f][0], zero);
          pairs[f][1] = add_pairs<Bf16>(pairs[f][1], zero);
        }
      }
#pragma unroll
      for (int j = 0; j < T; j++) {
        // Of 4 bits the lane has the input features 8t and on of 32, of 8 bits 4t and on of 16.
        const int token = token0 + 8 * j + g;
        const unsigned char* at = S::kBits == 4
                                      ? S::x_at(stage, chunk, token, t) + 8 * step
                                      : S::x_at(stage, chunk, token, 2 * step + t / 2) + t % 2 * 8;
        const uint64_t both = *reinterpret_cast<const uint64_t*>(at);
        const uint32_t b[2] = {static_cast<uint32_t>(both), static_cast<uint32_t>(both >> 32)};
#pragma unroll
        for (int u = 0; u < 2; u++) {
          const uint32_t a[4] = {pairs[2 * u][0], pairs[2 * u + 1][0], pairs[2 * u][1],
                                 pairs[2 * u + 1][1]};
          multiply<S, Bf16>(sums[u][j], a, b);
        }
        if (minima) {
          const uint32_t one = Bf16 ? 0x3f803f80 : 0x3c003c00;
          const uint32_t ones[4] = {one, one, one, one};
          multiply<S, Bf16>(x_sums[j], ones, b);
        }
      }
      const long after = k0 + first + 16 * (step + 1);
      const bool last = c == kMine - 1 && step == 1;
      if (last || (p.shift < 16 && (after & ((1L << p.shift) - 1)) == 0)) {
        const FourScales four = four_scales(mine, p.scales, g);
#pragma unroll
        for (int j = 0; j < T; j++) {
#pragma unroll
          for (int u = 0; u < 2; u++) {
#pragma unroll
            for (int q = 0; q < 4; q++) {
              const int f = 2 * u + q / 2;
              float sum = main[u][j][q] + four.scale[f] * sums[u][j][q];
              if (minima) {
                sum += four.more[f] * x_sums[j][q % 2];
              }
              main[u][j][q] = sum;
              sums[u][j][q] = 0;
            }
          }
#pragma unroll
          for (int q = 0; q < 4; q++) {
            x_sums[j][q] = 0;
          }
        }
      }
    }
  }
}

// Rows of x and the packed weight are aligned to 16 bytes, k is a multiple of 8. Grid: (n tiles, m
// tiles, splits of k).
template <class S, bool Bf16>
static __device__ __forceinline__ void exact_product(const QuantizedProduct& p) {
  typename S::Shared* shared = shared_memory<typename S::Shared>(sizeof(typename S::Shared));
  float main[2][S::kTokenTiles][4] = {};
  S::each_stage(shared, p, [&](typename S::Stage* stage, long k0) {
    exact_stage<S, Bf16>(stage, p, k0, main);
  });
  if (S::join(shared, p, &main[0][0][0], false)) {
    S::each_four(p, &main[0][0][0],
                 [&](long row, long column, float* four) { finish_sums(p, four, row, column); });
  }
}

template <int Bits, int TokenTiles, int Slices, int Sides, int Depth, int Stages>
using ExactTile = QuantizedTile<uint16_t, Bits, TokenTiles, Slices, Sides, Depth, Stages>;

#define GATUN_EXACT_PRODUCT(name, bf16, ...)                                     \
  extern "C" __global__ void __launch_bounds__(ExactTile<__VA_ARGS__>::kThreads) \
      name(const QuantizedProduct p) {                                           \
    exact_product<ExactTile<__VA_ARGS__>, bf16>(p);                              \
  }

}  // namespace gatun

#endif
