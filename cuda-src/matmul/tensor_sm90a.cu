// Products of BF16 by Hopper's warpgroups: y transposed is the weight times x transposed. The
// packed weight's pairs along k are what a warpgroup takes from registers, so they come from memory
// straight into them, a step ahead; rows of x come by TMA into a ring of tiles.
#include "activation.h"
#include "matmul/panels.h"
#include "matmul/ring_sm90a.h"
#include "vectors.h"

using namespace gatun;

constexpr int kTokens = 128, kSums = kTokens / 2, kDepth = 64, kSteps16 = kDepth / 16;
constexpr unsigned kTileBytes = kTokens * kDepth * 2;
static_assert(kPanel == kFeatures / kConsumerWarps, "a warp has a panel");

using Tiles = Ring<6, kTileBytes>;

// The weight's words for 64 input features: of each 16, the pairs of a lane for two products of 64
// features by a warpgroup.
struct Fragments {
  uint32_t word[kSteps16][2][4];
};

struct __align__(8) Pair {
  uint32_t word[2];
};

// Of a warp's panel the first product has features 0 to 15 and the second the others: rows g and
// g + 8 of a product's sixteen are features 2 g and 2 g + 1, so that what a lane reads at once are
// registers that follow each other.
static __device__ __forceinline__ void load_fragments(Fragments* to, const uint16_t* panel, long k0,
                                                      long k) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int s = 0; s < kSteps16; s++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const long pair = k0 / 2 + s * 8 + half * 4 + lane % 4;
      const bool valid = panel != nullptr && pair < (k + 1) / 2;
#pragma unroll
      for (int product = 0; product < 2; product++) {
        Pair w = {};
        if (valid) {
          w = *reinterpret_cast<const Pair*>(panel +
                                             (pair * kPanel + product * 16 + lane / 4 * 2) * 2);
        }
        to->word[s][product][2 * half] = w.word[0];
        to->word[s][product][2 * half + 1] = w.word[1];
      }
    }
  }
}

// Submits the products of a step, and waits for those of the one before it: their tile is free
// then, and the registers that they took.
static __device__ __forceinline__ void multiply(Tiles* ring, int step, const Fragments& a,
                                                Fragments& before, float* sums0, float* sums1) {
  const unsigned char* tile = ring->wait(step);
  wgmma_fence();
#pragma unroll
  for (int s = 0; s < kSteps16; s++) {
    const uint64_t b = matrix(tile + s * 32, 0, 1024, kSwizzle128);
    wgmma_bf16<kTokens>(sums0, a.word[s][0], b, step > 0 || s > 0);
    wgmma_bf16<kTokens>(sums1, a.word[s][1], b, step > 0 || s > 0);
  }
  wgmma_commit();
  wgmma_wait<1>();
  wgmma_registers<kSteps16 * 8>(&before.word[0][0][0]);
  if (step > 0) {
    ring->free(step - 1);
  }
}

// Not inlined, for it is called for each token of a thread.
static __device__ GATUN_NOINLINE void finish(float first, float second, const float* bias, void* y,
                                             int y_dtype, int activation, long feature, long n,
                                             long row) {
  const bool both = feature + 1 < n;
  if (bias != nullptr) {
    first += bias[feature];
    second += both ? bias[feature + 1] : 0;
  }
  first = activate(first, activation);
  second = activate(second, activation);
  const long place = row + feature;
  char* to = static_cast<char*>(y) + place * (y_dtype == kF32 ? 4 : 2);
  if (both && reinterpret_cast<uintptr_t>(to) % (y_dtype == kF32 ? 8 : 4) == 0) {
    if (y_dtype == kF32) {
      *reinterpret_cast<Pair*>(to) = {{word_of(first), word_of(second)}};
    } else {
      *reinterpret_cast<uint32_t*>(to) = to_bits(first, y_dtype) | to_bits(second, y_dtype) << 16;
    }
    return;
  }
  store(y, place, y_dtype, first);
  if (both) {
    store(y, place + 1, y_dtype, second);
  }
}

// x is a map of [m, k] with boxes of 128 tokens and 64 input features in swizzles of 128 bytes; the
// packed weight is aligned to 16 bytes. Grid: (n / 256, m / 128).
// kernels.list: matmul_bf16_sm90a 384 {TensorMap}pppiillll 99328 128x256x64
GATUN_TILE(matmul_bf16_sm90a, kTokens, kFeatures, kDepth, sizeof(Tiles))
extern "C" __global__ void __launch_bounds__(kThreads, 1)
    matmul_bf16_sm90a(const __grid_constant__ TensorMap x, const uint16_t* packed,
                      const float* bias, void* y, int y_dtype, int activation, long y_stride,
                      long m, long n, long k) {
  Tiles* ring = shared_memory<Tiles>(sizeof(Tiles));
  const int steps = static_cast<int>((k + kDepth - 1) / kDepth);
  ring->begin();
  if (threadIdx.x < kWarpgroup) {
    give_registers<kFeeds>();
    if (threadIdx.x == 0) {
      ring->feed(steps, [&](unsigned char* tile, uint64_t* barrier, int step) {
        tensor_load(tile, x, barrier, step * kDepth, static_cast<int>(blockIdx.y) * kTokens);
      });
    }
  } else {
    take_registers<kMultiplies>();
    const int warp = consumer_warp(), lane = threadIdx.x % 32;
    const long first = static_cast<long>(blockIdx.x) * kFeatures + warp * kPanel;
    const uint16_t* panel = first < n ? packed + panel_place(first, 0, k, kBf16) : nullptr;
    float sums0[kSums], sums1[kSums];
    Fragments even, odd = {};
    load_fragments(&even, panel, 0, k);
    for (int step = 0; step < steps; step += 2) {
      multiply(ring, step, even, odd, sums0, sums1);
      load_fragments(&odd, panel, (step + 1L) * kDepth, k);
      if (step + 1 < steps) {
        multiply(ring, step + 1, odd, even, sums0, sums1);
        load_fragments(&even, panel, (step + 2L) * kDepth, k);
      }
    }
    wgmma_wait<0>();
    wgmma_registers<kSums>(sums0);
    wgmma_registers<kSums>(sums1);
    const long feature = first + lane / 4 * 2;
#pragma unroll
    for (int j = 0; j < kTokens / 8; j++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const long token = static_cast<long>(blockIdx.y) * kTokens + j * 8 + lane % 4 * 2 + e;
        const int i = 4 * j + e;
        if (token < m && feature < n) {
          finish(sums0[i], sums0[i + 2], bias, y, y_dtype, activation, feature, n,
                 token * y_stride);
        }
        if (token < m && feature + 16 < n) {
          finish(sums1[i], sums1[i + 2], bias, y, y_dtype, activation, feature + 16, n,
                 token * y_stride);
        }
      }
    }
  }
}
