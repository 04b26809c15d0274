// Kernels of sm_90a with one mistake each: a warpgroup multiplies two tiles that the copy engine
// brings, x[64, 64] by the 64 rows after it, transposed.
#include "primitives_sm90.h"

using namespace gatun;

enum Mistake {
  kNone,
  kWrongParity,
  kMissingExpect,
  kExpectsTooMuch,
  kExpectsTooLittle,
  kTooManyArrivals,
  kMissingInitFence,
  kMissingInitBarrier,
  kWrongSwizzle,
  kWrongStride,
  kMisalignedTile,
  kMissingProductFence,
  kEarlyAccumulators,
  kEarlyFragments,
  kMissingAsyncFence,
  kOverwrittenTile,
  kLoadIntoTileInUse,
  kProductsNeverWaitedFor,
  kDivergentWarpgroup,
  kMissingStoreFence,
  kStoreNeverWaitedFor,
  kWrongNamedCount,
  kTooFewRegisters,
  kOtherMatrices,
  kLoadOverReadTile,
  kSumsBehindTheFence,
  kFragmentsBehindTheFence,
};

constexpr int kTile = 64 * 64 * 2;

template <int M>
static __device__ __forceinline__ void multiply(const TensorMap& map, const uint16_t* x, float* y) {
  constexpr int kShift = M == kMisalignedTile ? 128 : 0;
  unsigned char* shared = shared_memory<unsigned char>(1024 + 2 * kTile + 1024);
  uint64_t* barrier = reinterpret_cast<uint64_t*>(shared);
  unsigned char* a = shared + 1024 + kShift;
  unsigned char* b = a + kTile;
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    if (M != kMissingInitFence) {
      mbarrier_init_fence();
    }
  }
  if (M != kMissingInitBarrier) {
    sync_block();
  }
  if (threadIdx.x == 0) {
    if (M == kMissingExpect) {
      mbarrier_arrive(barrier);
    } else {
      mbarrier_arrive_expect(barrier, 2 * kTile + (M == kExpectsTooMuch     ? 16
                                                   : M == kExpectsTooLittle ? -16
                                                                            : 0));
    }
    if (M == kTooManyArrivals) {
      mbarrier_arrive(barrier);
    }
    tensor_load(a, map, barrier, 0, 0);
    tensor_load(b, map, barrier, 0, 64);
  }
  mbarrier_wait(barrier, M == kWrongParity ? 1 : 0);
  if (M == kMissingAsyncFence) {
    sync_block();
    reinterpret_cast<uint16_t*>(b)[threadIdx.x] = x[threadIdx.x];
    sync_block();
  }
  if (M == kDivergentWarpgroup && threadIdx.x >= 64) {
    return;
  }
  const Swizzle swizzle = M == kWrongSwizzle ? kSwizzle64 : kSwizzle128;
  const unsigned stride = M == kWrongStride ? 512 : 1024;
  float d[32];
  uint32_t fragment[4] = {0, 0, 0, 0};
  if (M != kMissingProductFence) {
    wgmma_fence();
  }
  if (M == kSumsBehindTheFence) {
    d[threadIdx.x % 32] = 0;
  }
  if (M == kFragmentsBehindTheFence) {
    fragment[threadIdx.x % 4] = 0;
  }
  for (int k = 0; k < 4; k++) {
    const unsigned other = M == kOtherMatrices && threadIdx.x >= 32 ? 32 : 0;
    wgmma_bf16<64>(d, matrix(a + k * 32 + other, 0, stride, swizzle),
                   matrix(b + k * 32, 0, stride, swizzle), k > 0);
  }
  if (M == kEarlyFragments || M == kFragmentsBehindTheFence) {
    wgmma_bf16<64>(d, fragment, matrix(b, 0, stride, swizzle), true);
  }
  wgmma_commit();
  if (M == kEarlyAccumulators) {
    y[threadIdx.x] = d[0];
  }
  if (M == kEarlyFragments) {
    fragment[threadIdx.x % 4] = threadIdx.x;
  }
  if (M == kOverwrittenTile) {
    reinterpret_cast<uint16_t*>(a)[threadIdx.x] = x[threadIdx.x];
  }
  if (M == kLoadIntoTileInUse && threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, kTile);
    tensor_load(a, map, barrier, 0, 0);
    mbarrier_wait(barrier, 1);
  }
  if (M == kProductsNeverWaitedFor) {
    return;
  }
  wgmma_wait<0>();
  if (M == kLoadOverReadTile) {
    // Every thread reads the tile, and one does not wait for the others.
    d[0] += reinterpret_cast<float*>(b)[threadIdx.x];
    if (threadIdx.x == 127) {
      mbarrier_arrive_expect(barrier, kTile);
      tensor_load(b, map, barrier, 0, 64);
    }
    mbarrier_wait(barrier, 1);
  }
  const int row = static_cast<int>(threadIdx.x) / 32 * 16 + threadIdx.x % 32 / 4;
  for (int i = 0; i < 32; i++) {
    y[(row + i / 2 % 2 * 8) * 64 + i / 4 * 8 + threadIdx.x % 4 * 2 + i % 2] =
        d[i] + (M == kEarlyFragments ? static_cast<float>(fragment[0]) : 0);
  }
  if (M == kWrongNamedCount) {
    named_barrier_sync(1, threadIdx.x < 32 ? 64 : 128);
  }
  if (M == kTooFewRegisters) {
    give_registers<16>();
  }
}

// Writes a tile to shared memory and lets the copy engine store it: y of BF16, as x.
template <int M>
static __device__ __forceinline__ void store_tile(const TensorMap& map) {
  uint16_t* shared = shared_memory<uint16_t>(kTile);
  for (int i = threadIdx.x; i < 64 * 64; i += 128) {
    shared[i] = static_cast<uint16_t>(i);
  }
  if (M != kMissingStoreFence) {
    fence_async();
  }
  sync_block();
  if (threadIdx.x == 0) {
    tensor_store(map, shared, 0, 0);
    tensor_store_commit();
    if (M != kStoreNeverWaitedFor) {
      tensor_store_wait_read<0>();
    }
  }
}

#define GATUN_PLANTED(name, mistake)                                                        \
  extern "C" __global__ void name(const __grid_constant__ TensorMap map, const uint16_t* x, \
                                  float* y) {                                               \
    multiply<mistake>(map, x, y);                                                           \
  }
#define GATUN_PLANTED_STORE(name, mistake)                                                \
  extern "C" __global__ void name(const __grid_constant__ TensorMap map, const uint16_t*, \
                                  float*) {                                               \
    store_tile<mistake>(map);                                                             \
  }

// kernels.list: sound_product 128 {TensorMap}pp
// kernels.list: wrong_parity 128 {TensorMap}pp
// kernels.list: missing_expect 128 {TensorMap}pp
// kernels.list: expects_too_much 128 {TensorMap}pp
// kernels.list: expects_too_little 128 {TensorMap}pp
// kernels.list: too_many_arrivals 128 {TensorMap}pp
// kernels.list: missing_init_fence 128 {TensorMap}pp
// kernels.list: missing_init_barrier 128 {TensorMap}pp
// kernels.list: wrong_swizzle 128 {TensorMap}pp
// kernels.list: wrong_stride 128 {TensorMap}pp
// kernels.list: misaligned_tile 128 {TensorMap}pp
// kernels.list: missing_product_fence 128 {TensorMap}pp
// kernels.list: early_accumulators 128 {TensorMap}pp
// kernels.list: early_fragments 128 {TensorMap}pp
// kernels.list: missing_async_fence 128 {TensorMap}pp
// kernels.list: overwritten_tile 128 {TensorMap}pp
// kernels.list: load_into_tile_in_use 128 {TensorMap}pp
// kernels.list: products_never_waited_for 128 {TensorMap}pp
// kernels.list: divergent_warpgroup 128 {TensorMap}pp
// kernels.list: wrong_named_count 128 {TensorMap}pp
// kernels.list: too_few_registers 128 {TensorMap}pp
// kernels.list: other_matrices 128 {TensorMap}pp
// kernels.list: load_over_read_tile 128 {TensorMap}pp
// kernels.list: sums_behind_the_fence 128 {TensorMap}pp
// kernels.list: fragments_behind_the_fence 128 {TensorMap}pp
// kernels.list: sound_store 128 {TensorMap}pp
// kernels.list: missing_store_fence 128 {TensorMap}pp
// kernels.list: store_never_waited_for 128 {TensorMap}pp
GATUN_PLANTED(sound_product, kNone)
GATUN_PLANTED(wrong_parity, kWrongParity)
GATUN_PLANTED(missing_expect, kMissingExpect)
GATUN_PLANTED(expects_too_much, kExpectsTooMuch)
GATUN_PLANTED(expects_too_little, kExpectsTooLittle)
GATUN_PLANTED(too_many_arrivals, kTooManyArrivals)
GATUN_PLANTED(missing_init_fence, kMissingInitFence)
GATUN_PLANTED(missing_init_barrier, kMissingInitBarrier)
GATUN_PLANTED(wrong_swizzle, kWrongSwizzle)
GATUN_PLANTED(wrong_stride, kWrongStride)
GATUN_PLANTED(misaligned_tile, kMisalignedTile)
GATUN_PLANTED(missing_product_fence, kMissingProductFence)
GATUN_PLANTED(early_accumulators, kEarlyAccumulators)
GATUN_PLANTED(early_fragments, kEarlyFragments)
GATUN_PLANTED(missing_async_fence, kMissingAsyncFence)
GATUN_PLANTED(overwritten_tile, kOverwrittenTile)
GATUN_PLANTED(load_into_tile_in_use, kLoadIntoTileInUse)
GATUN_PLANTED(products_never_waited_for, kProductsNeverWaitedFor)
GATUN_PLANTED(divergent_warpgroup, kDivergentWarpgroup)
GATUN_PLANTED(wrong_named_count, kWrongNamedCount)
GATUN_PLANTED(too_few_registers, kTooFewRegisters)
GATUN_PLANTED(other_matrices, kOtherMatrices)
GATUN_PLANTED(load_over_read_tile, kLoadOverReadTile)
GATUN_PLANTED(sums_behind_the_fence, kSumsBehindTheFence)
GATUN_PLANTED(fragments_behind_the_fence, kFragmentsBehindTheFence)
GATUN_PLANTED_STORE(sound_store, kNone)
GATUN_PLANTED_STORE(missing_store_fence, kMissingStoreFence)
GATUN_PLANTED_STORE(store_never_waited_for, kStoreNeverWaitedFor)
