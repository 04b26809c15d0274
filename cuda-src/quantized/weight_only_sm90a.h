// W4A16 and W8A16 by Hopper's warpgroups, warp-specialised: y transposed is the weight times x
// transposed. TMA loads bring codes and rows of x into a ring of tiles; codes become
// numbers in registers, from where a warpgroup takes the weight, while it multiplies those before.
//
// Sums are kept in units of the scale of the group that is added to them, and change to the next
// one's where that begins: so they need no others beside them.
#ifndef GATUN_QUANTIZED_WEIGHT_ONLY_SM90A_H
#define GATUN_QUANTIZED_WEIGHT_ONLY_SM90A_H

#include "matmul/ring_sm90a.h"
#include "quantized/codes.h"
#include "quantized/scales.h"
#include "quantized/split_k_sm90a.h"
#include "quantized/tile.h"

namespace gatun {

// Input features of a tile, and of the products that are submitted at once.
constexpr int kDepth = 64, kTurn = 32, kSteps16 = kTurn / 16;

template <bool Bf16, int Bits, int Tokens>
struct WarpgroupWeightOnly {
  static constexpr int kSums = Tokens / 2;
  static constexpr unsigned kTokenBytes = Tokens * kDepth * 2;
  // Of all panels' codes for a turn.
  static constexpr unsigned kTurnBytes = kConsumerWarps * Bits * kRowBytes;
  using Tiles = Ring<6, kTokenBytes + kDepth / kTurn * kTurnBytes>;

  // Of each 16 input features, what two products of 64 features take from registers.
  struct Fragments {
    uint32_t word[kSteps16][2][4];
  };

  // What stands beside a group's codes, as it lies: a lane's four scales, and its zero points.
  struct Beside {
    uint64_t scales;
    uint32_t zeros;
  };

  const QuantizedProduct& p;
  const uint8_t* panel;  // Null past the last feature.
  // Turns are counted from the block's first step on, which begins with a group.
  Steps steps;
  // Of the four features: of the group whose codes are next, and the unit of the sums.
  Beside ahead;
  float scale[4], unit[4];
  uint32_t zero[4];
  float sums0[kSums], sums1[kSums];

  static __device__ __forceinline__ int lane_row() { return threadIdx.x % 32 / 4; }
  static __device__ __forceinline__ int lane_part() { return threadIdx.x % 4; }

  __device__ __forceinline__ WarpgroupWeightOnly(const QuantizedProduct& product,
                                                 const uint8_t* mine)
      : p(product),
        panel(mine),
        steps(steps_of_block(product, kDepth)),
        ahead(),
        scale(),
        unit(),
        zero() {
    if (grouped()) {
      load_beside(static_cast<long>(steps.first) * kDepth >> p.shift);
    } else if (panel != nullptr) {
      const FourScales four = four_scales(panel, kScaleF32, lane_row());
#pragma unroll
      for (int f = 0; f < 4; f++) {
        unit[f] = four.scale[f];
      }
    }
  }

  __device__ __forceinline__ bool grouped() const { return p.shift < 16; }
  __device__ __forceinline__ bool begins_group(int turn) const {
    return grouped() && (turn * kTurn & ((1 << p.shift) - 1)) == 0;
  }

  __device__ __forceinline__ void load_beside(long group) {
    ahead = {};
    if (panel != nullptr && group << p.shift < p.k) {
      const uint8_t* record = panel + group * p.record;
      ahead.scales = reinterpret_cast<const uint64_t*>(record)[lane_row()];
      if (p.scales == kScaleF16Zero) {
        ahead.zeros = reinterpret_cast<const uint32_t*>(record + 2 * kPanelFeatures)[lane_row()];
      }
    }
  }

  __device__ __forceinline__ void begin_group(int turn) {
#pragma unroll
    for (int f = 0; f < 4; f++) {
      scale[f] = from_f16(static_cast<uint16_t>(ahead.scales >> (16 * f)));
      if (p.scales == kScaleF16Zero) {
        zero[f] =
            both_halves<Bf16>(-static_cast<float>(static_cast<int8_t>(ahead.zeros >> (8 * f))));
      }
    }
    load_beside(((static_cast<long>(steps.first) * kDepth + turn * kTurn) >> p.shift) + 1);
  }

  // Makes a turn's codes numbers. Rows g and g + 8 of the first product's sixteen are features 4 g
  // and 4 g + 1 of a warp's panel, and of the second the two after them. Of each eight input
  // features a lane has a pair.
  __device__ __forceinline__ void make(Fragments* to, const unsigned char* codes, int turn) {
    if (begins_group(turn)) {
      begin_group(turn);
    }
    const int part = lane_part(), shift = part / 2 * 4;
    const uint32_t selector = part % 2 == 0 ? 0x4140 : 0x4342;
    codes += consumer_warp() * Bits * kRowBytes + lane_row() * 16;
#pragma unroll
    for (int eight = 0; eight < kTurn / 8; eight++) {
      const int row = Bits == 4 ? eight : 2 * eight + part / 2;
      const Words words = *reinterpret_cast<const Words*>(codes + row * kRowBytes);
#pragma unroll
      for (int f = 0; f < 4; f++) {
        to->word[eight / 2][f / 2][eight % 2 * 2 + f % 2] =
            Bits == 4 ? pair_of_4_bits<Bf16>(words.word[f], shift, selector)
                      : pair_of_8_bits<Bf16>(words.word[f], selector);
      }
    }
    if (Bits == 4 && p.scales == kScaleF16Zero) {
#pragma unroll
      for (int i = 0; i < kSteps16 * 8; i++) {
        uint32_t& word = to->word[i / 8][i / 4 % 2][i % 4];
        word = add_pairs<Bf16>(word, zero[i / 4 % 2 * 2 + i % 2]);
      }
    }
    // Sums have no unit of 0, so that such a group's numbers are zeros.
    if (grouped() && any_lane(scale[0] == 0 || scale[1] == 0 || scale[2] == 0 || scale[3] == 0)) {
#pragma unroll
      for (int i = 0; i < kSteps16 * 8; i++) {
        uint32_t& word = to->word[i / 8][i / 4 % 2][i % 4];
        word = scale[i / 4 % 2 * 2 + i % 2] == 0 ? 0 : word;
      }
    }
    wgmma_registers<kSteps16 * 8>(&to->word[0][0][0]);
  }

  // Makes the sums' unit the scale of the group that begins.
  __device__ __forceinline__ void change_unit() {
    wgmma_wait<0>();
    wgmma_registers<kSums>(sums0);
    wgmma_registers<kSums>(sums1);
    float ratio[4];
#pragma unroll
    for (int f = 0; f < 4; f++) {
      const float to = scale[f] == 0 ? unit[f] : scale[f];
      ratio[f] = unit[f] / to;
      unit[f] = to;
    }
#pragma unroll
    for (int i = 0; i < kSums; i++) {
      sums0[i] *= ratio[i / 2 % 2];
      sums1[i] *= ratio[2 + i / 2 % 2];
    }
  }

  static __device__ __forceinline__ void add(float* d, const uint32_t* a, uint64_t b, bool more) {
    if (Bf16) {
      wgmma_bf16<Tokens>(d, a, b, more);
    } else {
      wgmma_f16<Tokens>(d, a, b, more);
    }
  }

  // Submits the products of a turn, and waits for those of the one before it: the registers that
  // they took are free then, and their tile after its last turn.
  template <bool First>
  __device__ __forceinline__ void multiply(Tiles* ring, int turn, const Fragments& a,
                                           Fragments& before) {
    if (turn > 0 && begins_group(turn)) {
      change_unit();
    }
    const unsigned char* tile = ring->at(turn / 2);
    wgmma_fence();
#pragma unroll
    for (int s = 0; s < kSteps16; s++) {
      const uint64_t b = matrix(tile + (First ? 0 : 2 * kTurn) + s * 32, 0, 1024, kSwizzle128);
      add(sums0, a.word[s][0], b, turn > 0 || s > 0);
      add(sums1, a.word[s][1], b, turn > 0 || s > 0);
    }
    wgmma_commit();
    wgmma_wait<1>();
    wgmma_registers<kSteps16 * 8>(&before.word[0][0][0]);
    if (First && turn > 0) {
      ring->free(turn / 2 - 1);
    }
  }

  __device__ __forceinline__ void multiply_all(Tiles* ring) {
    const long left = p.k - static_cast<long>(steps.first) * kDepth;
    const int all = steps.count * (kDepth / kTurn);
    const int turns = all * kTurn < left ? all : static_cast<int>((left + kTurn - 1) / kTurn);
    Fragments even, odd = {};
    make(&even, ring->wait(0) + kTokenBytes, 0);
    if (grouped()) {
#pragma unroll
      for (int f = 0; f < 4; f++) {
        unit[f] = scale[f] == 0 ? 1 : scale[f];
      }
    }
    // Left where the last turn is known to be, so that the compiler sees which products may be
    // under way.
    for (int turn = 0;; turn += 2) {
      multiply<true>(ring, turn, even, odd);
      if (turn + 1 == turns) {
        break;
      }
      make(&odd, ring->at(turn / 2) + kTokenBytes + kTurnBytes, turn + 1);
      multiply<false>(ring, turn + 1, odd, even);
      if (turn + 2 == turns) {
        break;
      }
      make(&even, ring->wait(turn / 2 + 1) + kTokenBytes, turn + 2);
    }
    wgmma_wait<0>();
    wgmma_registers<kSums>(sums0);
    wgmma_registers<kSums>(sums1);
  }

  __device__ __forceinline__ void finish(long feature) {
#pragma unroll
    for (int i = 0; i < kSums; i++) {
      sums0[i] *= unit[i / 2 % 2];
      sums1[i] *= unit[2 + i / 2 % 2];
    }
    if (!join_warpgroup_splits<kSums>(p, FloatSums(), sums0, sums1) || feature >= p.n) {
      return;
    }
#pragma unroll
    for (int i = 0; i < Tokens / 4; i++) {
      const int at = i / 2 * 4 + i % 2;
      const long token =
          static_cast<long>(blockIdx.y) * Tokens + i / 2 * 8 + 2 * lane_part() + i % 2;
      if (token < p.m) {
        float y[4];
#pragma unroll
        for (int f = 0; f < 4; f++) {
          y[f] = (f < 2 ? sums0 : sums1)[at + f % 2 * 2];
        }
        finish_sums(p, p.bias, y, token, feature);
      }
    }
  }

  static __device__ __forceinline__ void feed(Tiles* ring, const TensorMap& x,
                                              const TensorMap& codes, const QuantizedProduct& p) {
    const Steps steps = steps_of_block(p, kDepth);
    const long header = header_bytes(p.scales);
    ring->feed(steps.count, [&](unsigned char* tile, uint64_t* barrier, int local) {
      const int step = steps.first + local;
      tensor_load(tile, x, barrier, step * kDepth, static_cast<int>(blockIdx.y) * Tokens);
#pragma unroll
      for (int turn = 0; turn < kDepth / kTurn; turn++) {
        const long k0 = static_cast<long>(step) * kDepth + turn * kTurn, group = k0 >> p.shift;
        const long place =
            group * p.record + header + (k0 - (group << p.shift)) / (32 / Bits) * kRowBytes;
        tensor_load(tile + kTokenBytes + turn * kTurnBytes, codes, barrier,
                    static_cast<int>(place / 4), static_cast<int>(blockIdx.x) * kConsumerWarps);
      }
    });
  }
};

// x is a map of [m, k] with boxes of a block's tokens and 64 input features in swizzles of 128
// bytes, and codes one of the packed weight's words [panels, words] with boxes of eight panels and
// 32 input features. Groups of F16 scales, or whole rows. Grid: (n / 256, m / Tokens, splits of k).
template <bool Bf16, int Bits, int Tokens>
static __device__ __forceinline__ void warpgroup_weight_only_product(const TensorMap& x,
                                                                     const TensorMap& codes,
                                                                     const QuantizedProduct& p) {
  using Product = WarpgroupWeightOnly<Bf16, Bits, Tokens>;
  using Tiles = typename Product::Tiles;
  Tiles* ring = shared_memory<Tiles>(sizeof(Tiles));
  ring->begin();
  if (threadIdx.x < kWarpgroup) {
    give_registers<kFeeds>();
    if (threadIdx.x == 0) {
      Product::feed(ring, x, codes, p);
    }
  } else {
    take_registers<kMultiplies>();
    const long first = static_cast<long>(blockIdx.x) * kFeatures + consumer_warp() * kPanelFeatures;
    Product product(p, first < p.n ? p.packed + first / kPanelFeatures * p.panel : nullptr);
    product.multiply_all(ring);
    product.finish(first + 4 * Product::lane_row());
  }
}

#define GATUN_WEIGHT_ONLY_SM90A(name, X, Shape)                                            \
  GATUN_TILE(name, Shape::kTokens, kFeatures, kDepth,                                      \
             sizeof(WarpgroupWeightOnly<X::kIsBf16, Shape::kBits, Shape::kTokens>::Tiles)) \
  extern "C" __global__ void __launch_bounds__(kThreads, 1)                                \
      name(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap codes,   \
           const __grid_constant__ QuantizedProduct p) {                                   \
    warpgroup_weight_only_product<X::kIsBf16, Shape::kBits, Shape::kTokens>(x, codes, p);  \
  }

}  // namespace gatun

#endif
