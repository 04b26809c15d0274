// W8A8 by Hopper's warpgroups, warp-specialised: y transposed is the weight times x transposed. A
// packed weight's words of four input features are what a warpgroup takes from registers, so they
// come from memory straight into them, a step ahead; codes of x come by TMA into a ring of tiles.
#include "matmul/ring_sm90a.h"
#include "quantized/int8_activations.h"
#include "quantized/split_k_sm90a.h"

using namespace gatun;

// Input features of a tile, and of the products that are submitted at once.
constexpr int kDepth = 128, kTurn = 64, kSteps32 = kTurn / 32;

template <int Tokens>
using Tiles = Ring<6, Tokens * kDepth>;

// The weight's words for a turn: of each 32 input features a lane's are two rows of four features.
struct Codes {
  Words row[2 * kSteps32];
};

// Of each 32, what two products of 64 features take from registers.
struct Fragments {
  uint32_t word[kSteps32][2][4];
};

static __device__ __forceinline__ void load_codes(Codes* to, const uint8_t* codes, int turn,
                                                  long k) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 2 * kSteps32; i++) {
    const int row = turn * (kTurn / 4) + i * 4 + lane % 4;
    to->row[i] = {};
    if (codes != nullptr && row < (k + 3) / 4) {
      to->row[i] = *reinterpret_cast<const Words*>(codes + static_cast<long>(row) * kRowBytes +
                                                   lane / 4 * 16);
    }
  }
}

// Submits the products of a turn, and waits for those of the one before it: the registers that they
// took are free then, and their tile after its last turn. Rows g and g + 8 of the first product's
// sixteen are features 4 g and 4 g + 1 of a warp's panel, and of the second the two after them, so
// that a lane reads words of four features at once.
template <int Tokens, bool First>
static __device__ __forceinline__ void multiply(Tiles<Tokens>* ring, int turn, const Codes& codes,
                                                Fragments& a, Fragments& before, int32_t* sums0,
                                                int32_t* sums1) {
#pragma unroll
  for (int i = 0; i < 2 * kSteps32; i++) {
#pragma unroll
    for (int f = 0; f < 4; f++) {
      a.word[i / 2][f / 2][i % 2 * 2 + f % 2] = signed_bytes(codes.row[i].word[f]);
    }
  }
  wgmma_registers<kSteps32 * 8>(&a.word[0][0][0]);
  const int step = turn / 2;
  const unsigned char* tile = First ? ring->wait(step) : ring->at(step);
  wgmma_fence();
#pragma unroll
  for (int s = 0; s < kSteps32; s++) {
    const uint64_t b = matrix(tile + (First ? 0 : kTurn) + s * 32, 0, 1024, kSwizzle128);
    wgmma_s8<Tokens>(sums0, a.word[s][0], b, turn > 0 || s > 0);
    wgmma_s8<Tokens>(sums1, a.word[s][1], b, turn > 0 || s > 0);
  }
  wgmma_commit();
  wgmma_wait<1>();
  wgmma_registers<kSteps32 * 8>(&before.word[0][0][0]);
  if (First && step > 0) {
    ring->free(step - 1);
  }
}

// x is a map of codes [m, k] with boxes of a block's tokens and 128 input features in swizzles of
// 128 bytes; a scale a feature and a token. Grid: (n / 256, m
// / Tokens).
template <int Tokens>
static __device__ __forceinline__ void warpgroup_int8_product(const TensorMap& x,
                                                              const QuantizedProduct& p) {
  constexpr int kSums = Tokens / 2;
  Tiles<Tokens>* ring = shared_memory<Tiles<Tokens>>(sizeof(Tiles<Tokens>));
  const Steps steps = steps_of_block(p, kDepth);
  ring->begin();
  if (threadIdx.x < kWarpgroup) {
    give_registers<kFeeds>();
    if (threadIdx.x == 0) {
      ring->feed(steps.count, [&](unsigned char* tile, uint64_t* barrier, int step) {
        tensor_load(tile, x, barrier, (steps.first + step) * kDepth,
                    static_cast<int>(blockIdx.y) * Tokens);
      });
    }
  } else {
    take_registers<kMultiplies>();
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const long first = static_cast<long>(blockIdx.x) * kFeatures + consumer_warp() * kPanelFeatures;
    const uint8_t* panel = first < p.n ? p.packed + first / kPanelFeatures * p.panel : nullptr;
    const uint8_t* codes = panel == nullptr ? nullptr : panel + header_bytes(kScaleF32Sum);
    int32_t sums0[kSums], sums1[kSums];
    // Turns are counted from the block's first on.
    const int first_turn = steps.first * (kDepth / kTurn);
    const long left = p.k - static_cast<long>(first_turn) * kTurn;
    const int all = steps.count * (kDepth / kTurn);
    const int turns = all * kTurn < left ? all : static_cast<int>((left + kTurn - 1) / kTurn);
    Codes even_codes, odd_codes;
    Fragments even, odd = {};
    load_codes(&even_codes, codes, first_turn, p.k);
    load_codes(&odd_codes, codes, first_turn + 1, p.k);
    for (int turn = 0;; turn += 2) {
      multiply<Tokens, true>(ring, turn, even_codes, even, odd, sums0, sums1);
      if (turn + 1 == turns) {
        break;
      }
      load_codes(&even_codes, codes, first_turn + turn + 2, p.k);
      multiply<Tokens, false>(ring, turn + 1, odd_codes, odd, even, sums0, sums1);
      if (turn + 2 == turns) {
        break;
      }
      load_codes(&odd_codes, codes, first_turn + turn + 3, p.k);
    }
    wgmma_wait<0>();
    wgmma_registers<kSums>(sums0);
    wgmma_registers<kSums>(sums1);
    const long feature = first + 4 * g;
    if (join_warpgroup_splits<kSums>(p, WholeSums(), sums0, sums1) && feature < p.n) {
      const FourScales four = whole_row_scales(panel, g);
#pragma unroll
      for (int i = 0; i < Tokens / 4; i++) {
        const int at = i / 2 * 4 + i % 2;
        const long token = static_cast<long>(blockIdx.y) * Tokens + i / 2 * 8 + 2 * t + i % 2;
        if (token < p.m) {
          const float scale = token_scale(p, token), offset = token_offset(p, token);
          float y[4];
#pragma unroll
          for (int f = 0; f < 4; f++) {
            y[f] = whole_row(four, f, (f < 2 ? sums0 : sums1)[at + f % 2 * 2], scale, offset);
          }
          finish_sums(p, p.bias, y, token, feature);
        }
      }
    }
  }
}

// kernels.list: w8a8_m64_sm90a 384 {TensorMap}{QuantizedProduct} 50176 64x256x128
GATUN_TILE(w8a8_m64_sm90a, 64, kFeatures, kDepth, sizeof(Tiles<64>))
extern "C" __global__ void __launch_bounds__(kThreads, 1)
    w8a8_m64_sm90a(const __grid_constant__ TensorMap x,
                   const __grid_constant__ QuantizedProduct p) {
  warpgroup_int8_product<64>(x, p);
}

// kernels.list: w8a8_m128_sm90a 384 {TensorMap}{QuantizedProduct} 99328 128x256x128
GATUN_TILE(w8a8_m128_sm90a, 128, kFeatures, kDepth, sizeof(Tiles<128>))
extern "C" __global__ void __launch_bounds__(kThreads, 1)
    w8a8_m128_sm90a(const __grid_constant__ TensorMap x,
                    const __grid_constant__ QuantizedProduct p) {
  warpgroup_int8_product<128>(x, p);
}
