// GEMV with codes, of one row and of few: float arithmetic without tensor cores, for what counts is
// to read the codes.
#ifndef GATUN_QUANTIZED_GEMV_H
#define GATUN_QUANTIZED_GEMV_H

#include "quantized/places.h"
#include "quantized/scales.h"

namespace gatun {

// A block's warps take chunks of four rows of words in turn, each lane one row's word of four
// features, and the block sums what lanes and warps found in an order that never changes.
template <int Bits, int Rows>
struct Gemv {
  static constexpr int kWarps = 8, kThreads = 32 * kWarps, kEach = 32 / Bits, kRows = Rows;

  struct Shared {
    float sum[kWarps][Rows][kPanelFeatures];
  };

  // The numbers of a word's codes, less what is stored beside them: 2^23 + code is a byte under an
  // exponent, and taking 2^23 off is exact.
  static __device__ __forceinline__ void numbers(uint32_t word, float less, float* out) {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const uint32_t bytes = Bits == 8 ? word : (i < 4 ? word : word >> 4) & 0x0f0f0f0f;
      out[i] = float_of(permute_bytes(bytes, 0x4b000000, 0x7440 | i % 4)) - less;
    }
  }

  // The word's input features of each row, zeros past the last one; rows begin at `from`, -1 for
  // zeros.
  static __device__ __forceinline__ void load_x(const QuantizedProduct& p, const long* from, long k,
                                                float (*x)[kEach]) {
#pragma unroll
    for (int m = 0; m < Rows; m++) {
      if (p.wide_x != 0 && k + kEach <= p.k && from[m] >= 0) {
        load_vector<kEach>(p.x, from[m] + k, p.x_dtype, x[m]);
      } else {
#pragma unroll
        for (int i = 0; i < kEach; i++) {
          x[m][i] = k + i < p.k && from[m] >= 0 ? load(p.x, from[m] + k + i, p.x_dtype) : 0;
        }
      }
    }
  }

  template <class Places>
  static __device__ __forceinline__ void run(const QuantizedProduct& p, const Places& places) {
    Shared* shared = shared_memory<Shared>(sizeof(Shared));
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = threadIdx.x % 32;
    const int g = lane / 4, t = lane % 4, header = header_bytes(p.scales);
    const uint8_t* panel = places.packed + blockIdx.x * p.panel;
    const unsigned words = static_cast<unsigned>((p.k + kEach - 1) / kEach);
    const unsigned group_words = static_cast<unsigned>((p.group + kEach - 1) / kEach);
    long from[Rows];
#pragma unroll
    for (int m = 0; m < Rows; m++) {
      // Rows that are not there repeat the last one.
      const long row = places.begin + m, last = places.end - 1;
      const long source = places.source(row < last ? row : last);
      from[m] = source < 0 ? -1 : source * p.x_stride;
    }
    float sums[Rows][4] = {};
#pragma unroll(Rows < 4 ? 4 : 1)
    for (unsigned word = 4 * warp + t; word < words; word += 4 * kWarps) {
      const unsigned group = word / group_words;
      const uint8_t* record = panel + group * p.record;
      const Words codes = *reinterpret_cast<const Words*>(
          record + header + (word - group * group_words) * kRowBytes + 16 * g);
      const FourScales four = four_scales(record, p.scales, g);
      float x[Rows][kEach];
      load_x(p, from, static_cast<long>(word) * kEach, x);
#pragma unroll
      for (int f = 0; f < 4; f++) {
        const float zero = p.scales == kScaleF16Zero ? four.more[f] : 0;
        float weight[kEach];
        numbers(codes.word[f], 8388608.0f + (1 << (Bits - 1)) + zero, weight);
#pragma unroll
        for (int m = 0; m < Rows; m++) {
          float sum = 0, x_sum = 0;
#pragma unroll
          for (int i = 0; i < kEach; i++) {
            sum += x[m][i] * weight[i];
            x_sum += x[m][i];
          }
          sums[m][f] += four.scale[f] * sum;
          if (p.scales == kScaleF32Min) {
            sums[m][f] += four.more[f] * x_sum;
          }
        }
      }
    }
#pragma unroll
    for (int m = 0; m < Rows; m++) {
#pragma unroll
      for (int f = 0; f < 4; f++) {
        float sum = sums[m][f];
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        if (t == 0) {
          shared->sum[warp][m][4 * g + f] = sum;
        }
      }
    }
    sync_block();
    const long row = places.begin + warp;
    const long column = static_cast<long>(blockIdx.x) * kPanelFeatures + lane;
    if (warp < Rows && row < places.end && column < p.n) {
      float sum = shared->sum[0][warp][lane];
      for (int w = 1; w < kWarps; w++) {
        sum += shared->sum[w][warp][lane];
      }
      sum = places.bias == nullptr ? sum : sum + places.bias[column];
      store(p.y, row * p.y_stride + column, p.y_dtype, finished(p, sum, row, column));
    }
  }
};

// The packed weight is aligned to 16 bytes, k is not 0. Grid: panels.
#define GATUN_GEMV(name, bits, rows)                                       \
  GATUN_SHARED(name, sizeof(Gemv<bits, rows>::Shared))                     \
  extern "C" __global__ void __launch_bounds__(Gemv<bits, rows>::kThreads) \
      name(const __grid_constant__ QuantizedProduct p) {                   \
    using S = Gemv<bits, rows>;                                            \
    S::run(p, DensePlaces::of<S::kRows>(p, blockIdx.y));                   \
  }

// The same by experts. Grid: (panels, as many runs of rows as the experts may have).
#define GATUN_GROUPED_GEMV(name, bits, rows)                                                    \
  GATUN_SHARED(name, sizeof(Gemv<bits, rows>::Shared))                                          \
  extern "C" __global__ void __launch_bounds__(Gemv<bits, rows>::kThreads) name(                \
      const __grid_constant__ QuantizedProduct p, const __grid_constant__ ExpertRows experts) { \
    using S = Gemv<bits, rows>;                                                                 \
    const GroupedPlaces places = GroupedPlaces::of<S::kRows>(p, experts, blockIdx.y);           \
    if (places.begin < places.end) {                                                            \
      S::run(p, places);                                                                        \
    }                                                                                           \
  }

}  // namespace gatun

#endif
