// Which experts each token is given, and the order of the tokens by expert.
#include "block_reduce.h"
#include "ranked.h"

using namespace gatun;

// The first of a row's elements that come after `last`, all of them when that is none; the same for
// every lane of a warp.
static __device__ __forceinline__ Ranked next(const void* x, long row, int columns, int dtype,
                                              Ranked last) {
  Ranked best = {0, -1};
  for (int i = threadIdx.x % kWarpSize; i < columns; i += kWarpSize) {
    const Ranked candidate = {load(x, row + i, dtype), i};
    if ((last.place < 0 || before(last, candidate)) && before(candidate, best)) {
      best = candidate;
    }
  }
#pragma unroll
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    const Ranked other = {shuffle_xor(best.value, mask), shuffle_xor(best.place, mask)};
    best = before(other, best) ? other : best;
  }
  return best;
}

// A warp a token.
// kernels.list: expert_choice 256 pppiiiillf
extern "C" __global__ void __launch_bounds__(256)
    expert_choice(const void* logits, int* experts, float* weights, int dtype, int renormalize,
                  int columns, int k, long stride, long tokens, float scale) {
  const int warps = static_cast<int>(blockDim.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  const long token = static_cast<long>(blockIdx.x) * warps + threadIdx.x / kWarpSize;
  if (token >= tokens) {
    return;
  }
  const long row = token * stride;
  Ranked chosen = {0, -1};
  float top = 0, total = 0;
  for (int i = 0; i < k; i++) {
    chosen = next(logits, row, columns, dtype, chosen);
    top = i == 0 ? chosen.value : top;
    total += expf(chosen.value - top);
    if (i % kWarpSize == lane) {
      experts[token * k + i] = chosen.place;
      weights[token * k + i] = chosen.value;
    }
  }
  if (!renormalize) {
    total = 0;
    for (int i = lane; i < columns; i += kWarpSize) {
      total += expf(load(logits, row + i, dtype) - top);
    }
    total = reduce_warp<Sum>(total);
  }
  // Each lane goes over what it wrote.
  for (int i = lane; i < k; i += kWarpSize) {
    weights[token * k + i] = expf(weights[token * k + i] - top) / total * scale;
  }
}

// What the threads before this one have, and all of the block.
struct Prefix {
  int before, all;
};

static __device__ __forceinline__ Prefix block_prefix(int count) {
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  int* partial = shared_memory<int>(static_cast<unsigned>(warps * sizeof(int)));
  int upto = count;
#pragma unroll
  for (int step = 1; step < kWarpSize; step *= 2) {
    const int other = shuffle(upto, lane >= step ? lane - step : lane);
    upto += lane >= step ? other : 0;
  }
  if (lane == kWarpSize - 1) {
    partial[warp] = upto;
  }
  sync_block();
  Prefix prefix = {upto - count, 0};
  for (int i = 0; i < warps; i++) {
    prefix.before += i < warp ? partial[i] : 0;
    prefix.all += partial[i];
  }
  // The next prefix is written where this one is read.
  sync_block();
  return prefix;
}

// The slots of all tokens, each with its expert.
struct Slots {
  const int* experts;
  const int* sequences;  // Offsets of the tokens that share a capacity; null without one.
  long count, sequence_count, capacity;
  int k;
};

// Calls visit(slot, place) for an expert's slots: places count from 0 in the order of the slots, -1
// where the expert was full. Gives the number of places. For all threads of a block.
template <class Visit>
static __device__ __forceinline__ long visit_slots(const Slots& slots, int expert,
                                                   const Visit& visit) {
  constexpr int kEach = 8;
  long places = 0;
  for (long sequence = 0; sequence < slots.sequence_count; sequence++) {
    const bool cut = slots.sequences != nullptr;
    const long first = cut ? static_cast<long>(slots.sequences[sequence]) * slots.k : 0;
    const long last =
        cut ? static_cast<long>(slots.sequences[sequence + 1]) * slots.k : slots.count;
    long taken = 0;
    for (long chunk = first; chunk < last; chunk += blockDim.x * kEach) {
      const long mine = chunk + threadIdx.x * kEach;
      unsigned hits = 0;
      int count = 0;
#pragma unroll
      for (int i = 0; i < kEach; i++) {
        const bool hit = mine + i < last && slots.experts[mine + i] == expert;
        hits |= static_cast<unsigned>(hit) << i;
        count += hit;
      }
      const Prefix prefix = block_prefix(count);
      long rank = taken + prefix.before;
#pragma unroll
      for (int i = 0; i < kEach; i++) {
        if (hits >> i & 1) {
          visit(mine + i, !cut || rank < slots.capacity ? places + rank : -1);
          rank++;
        }
      }
      taken += prefix.all;
    }
    places += !cut || taken < slots.capacity ? taken : slots.capacity;
  }
  return places;
}

// Grid: experts. Shared memory: an int for each warp.
// kernels.list: expert_count 256 pppilll 32
extern "C" __global__ void __launch_bounds__(256)
    expert_count(const int* chosen, const int* sequences, int* counts, int k, long slots,
                 long sequence_count, long capacity) {
  const long places = visit_slots({chosen, sequences, slots, sequence_count, capacity, k},
                                  static_cast<int>(blockIdx.x), [](long, long) {});
  if (threadIdx.x == 0) {
    counts[blockIdx.x] = static_cast<int>(places);
  }
}

// The same grid; counts are expert_count's.
// kernels.list: expert_order 256 ppppppiilll 32
extern "C" __global__ void __launch_bounds__(256)
    expert_order(const int* chosen, const int* sequences, const int* counts, int* rows, int* places,
                 int* offsets, int k, int experts, long slots, long sequence_count, long capacity) {
  const int expert = static_cast<int>(blockIdx.x);
  int sum = 0;
  for (int i = threadIdx.x; i < expert; i += blockDim.x) {
    sum += counts[i];
  }
  const long begin = block_prefix(sum).all;
  const long count = visit_slots({chosen, sequences, slots, sequence_count, capacity, k}, expert,
                                 [&](long slot, long place) {
                                   places[slot] = place < 0 ? -1 : static_cast<int>(begin + place);
                                   if (place >= 0) {
                                     rows[begin + place] = static_cast<int>(slot / k);
                                   }
                                 });
  if (threadIdx.x == 0) {
    offsets[expert] = static_cast<int>(begin);
  }
  if (expert == experts - 1) {
    if (threadIdx.x == 0) {
      offsets[experts] = static_cast<int>(begin + count);
    }
    for (long i = begin + count + threadIdx.x; i < slots; i += blockDim.x) {
      rows[i] = -1;
    }
  }
}
