// A kernel for each primitive of sm_90a, as primitives.cu has for the others.
#include "primitives_sm90.h"

using namespace gatun;

#define GATUN_PROBE(name) \
  extern "C" __global__ void __launch_bounds__(128) probe_##name(const uint32_t* in, uint32_t* out)

// In: for a and b where they begin, leading, stride and swizzle; whether to add; 512 words of a in
// registers, N * 64 of sums, and what shared memory holds.
constexpr int kHeader = 16, kFragments = 4 * 128, kImage = 48 << 10;

template <int N, class T, class Multiply>
static __device__ __forceinline__ void product(const uint32_t* in, uint32_t* out,
                                               Multiply multiply) {
  unsigned char* shared = shared_memory<unsigned char>(kImage);
  const uint32_t thread = threadIdx.x;
  const uint32_t* image = in + kHeader + kFragments + N * 64;
  for (uint32_t i = thread; i < kImage / 4; i += 128) {
    reinterpret_cast<uint32_t*>(shared)[i] = image[i];
  }
  fence_async();
  sync_block();
  const uint64_t a = matrix(shared + in[0], in[1], in[2], static_cast<Swizzle>(in[3]));
  const uint64_t b = matrix(shared + in[4], in[5], in[6], static_cast<Swizzle>(in[7]));
  uint32_t fragment[4];
  T d[N / 2];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    fragment[i] = in[kHeader + i * 128 + thread];
  }
#pragma unroll
  for (int i = 0; i < N / 2; i++) {
    memcpy(&d[i], &in[kHeader + kFragments + i * 128 + thread], 4);
  }
  wgmma_fence();
  multiply(d, fragment, a, b, in[8] != 0);
  wgmma_commit();
  wgmma_wait<0>();
  wgmma_registers<N / 2>(d);
  wgmma_registers<4>(fragment);
#pragma unroll
  for (int i = 0; i < N / 2; i++) {
    memcpy(&out[i * 128 + thread], &d[i], 4);
  }
}

#define GATUN_PRODUCT(name, n, type, ...)                                                 \
  struct Multiply_##name {                                                                \
    __device__ void operator()(type* d, const uint32_t* fragment, uint64_t a, uint64_t b, \
                               bool add) const {                                          \
      __VA_ARGS__;                                                                        \
      (void)fragment;                                                                     \
      (void)a;                                                                            \
    }                                                                                     \
  };                                                                                      \
  GATUN_PROBE(name) { product<n, type>(in, out, Multiply_##name()); }

// kernels.list: probe_wgmma_bf16_64 128 pp
// kernels.list: probe_wgmma_bf16_registers_64 128 pp
// kernels.list: probe_wgmma_bf16_128 128 pp
// kernels.list: probe_wgmma_bf16_transposed_128 128 pp
// kernels.list: probe_wgmma_f16_64 128 pp
// kernels.list: probe_wgmma_f16_registers_64 128 pp
// kernels.list: probe_wgmma_f16_128 128 pp
// kernels.list: probe_wgmma_f16_transposed_64 128 pp
// kernels.list: probe_wgmma_s8_256 128 pp
// kernels.list: probe_wgmma_s8_registers_64 128 pp
// kernels.list: probe_wgmma_s8_128 128 pp
GATUN_PRODUCT(wgmma_bf16_64, 64, float, wgmma_bf16<64>(d, a, b, add))
GATUN_PRODUCT(wgmma_bf16_registers_64, 64, float, wgmma_bf16<64>(d, fragment, b, add))
GATUN_PRODUCT(wgmma_bf16_128, 128, float, wgmma_bf16<128>(d, fragment, b, add))
GATUN_PRODUCT(wgmma_bf16_transposed_128, 128, float, (wgmma_bf16<128, true>(d, fragment, b, add)))
GATUN_PRODUCT(wgmma_f16_64, 64, float, wgmma_f16<64>(d, a, b, add))
GATUN_PRODUCT(wgmma_f16_registers_64, 64, float, wgmma_f16<64>(d, fragment, b, add))
GATUN_PRODUCT(wgmma_f16_128, 128, float, wgmma_f16<128>(d, fragment, b, add))
GATUN_PRODUCT(wgmma_f16_transposed_64, 64, float, (wgmma_f16<64, true>(d, fragment, b, add)))
GATUN_PRODUCT(wgmma_s8_256, 256, int32_t, wgmma_s8<256>(d, a, b, add))
GATUN_PRODUCT(wgmma_s8_registers_64, 64, int32_t, wgmma_s8<64>(d, fragment, b, add))
GATUN_PRODUCT(wgmma_s8_128, 128, int32_t, wgmma_s8<128>(d, fragment, b, add))

// In: where the box begins, and its bytes; shared memory as it lies goes to or comes from the rest.
template <bool Store>
static __device__ __forceinline__ void box(const TensorMap& map, const uint32_t* in, uint32_t* out,
                                           int rank) {
  unsigned char* shared = shared_memory<unsigned char>(kImage);
  uint64_t* barrier = reinterpret_cast<uint64_t*>(shared);
  uint32_t* tile = reinterpret_cast<uint32_t*>(shared + 1024);
  const uint32_t bytes = in[4];
  const int c0 = static_cast<int>(in[0]), c1 = static_cast<int>(in[1]),
            c2 = static_cast<int>(in[2]), c3 = static_cast<int>(in[3]);
  if (Store) {
    for (uint32_t i = threadIdx.x; i < bytes / 4; i += 128) {
      tile[i] = in[kHeader + i];
    }
    fence_async();
    sync_block();
    if (threadIdx.x == 0) {
      if (rank == 2) {
        tensor_store(map, tile, c0, c1);
      } else if (rank == 3) {
        tensor_store(map, tile, c0, c1, c2);
      } else {
        tensor_store(map, tile, c0, c1, c2, c3);
      }
      tensor_store_commit();
      tensor_store_wait_read<0>();
    }
    return;
  }
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    mbarrier_init_fence();
    mbarrier_arrive_expect(barrier, bytes);
    if (rank == 2) {
      tensor_load(tile, map, barrier, c0, c1);
    } else if (rank == 3) {
      tensor_load(tile, map, barrier, c0, c1, c2);
    } else {
      tensor_load(tile, map, barrier, c0, c1, c2, c3);
    }
  }
  sync_block();
  mbarrier_wait(barrier, 0);
  for (uint32_t i = threadIdx.x; i < bytes / 4; i += 128) {
    out[i] = tile[i];
  }
}

#define GATUN_BOX(name, store, rank)                                                           \
  extern "C" __global__ void __launch_bounds__(128)                                            \
      probe_##name(const __grid_constant__ TensorMap map, const uint32_t* in, uint32_t* out) { \
    box<store>(map, in, out, rank);                                                            \
  }

// kernels.list: probe_tensor_load_2d 128 {TensorMap}pp
// kernels.list: probe_tensor_load_3d 128 {TensorMap}pp
// kernels.list: probe_tensor_load_4d 128 {TensorMap}pp
// kernels.list: probe_tensor_store_2d 128 {TensorMap}pp
// kernels.list: probe_tensor_store_3d 128 {TensorMap}pp
// kernels.list: probe_tensor_store_4d 128 {TensorMap}pp
GATUN_BOX(tensor_load_2d, false, 2)
GATUN_BOX(tensor_load_3d, false, 3)
GATUN_BOX(tensor_load_4d, false, 4)
GATUN_BOX(tensor_store_2d, true, 2)
GATUN_BOX(tensor_store_3d, true, 3)
GATUN_BOX(tensor_store_4d, true, 4)

// One warpgroup hands words to another, twice, by an mbarrier's two phases; then both by a named
// one.
// kernels.list: probe_handover 256 pp
extern "C" __global__ void __launch_bounds__(256, 1)
    probe_handover(const uint32_t* in, uint32_t* out) {
  unsigned char* shared = shared_memory<unsigned char>(4096);
  uint64_t* barrier = reinterpret_cast<uint64_t*>(shared);
  uint32_t* words = reinterpret_cast<uint32_t*>(shared + 1024);
  const uint32_t i = threadIdx.x % 128;
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 128);
  }
  sync_block();
  if (threadIdx.x < 128) {
    give_registers<40>();
    for (int phase = 0; phase < 2; phase++) {
      words[phase * 128 + i] = in[phase * 128 + i];
      mbarrier_arrive(barrier);
      // Who waits for a phase must not be two phases behind.
      named_barrier_sync(1, 256);
    }
    named_barrier_sync(2, 256);
    out[256 + i] = words[256 + i];
  } else {
    take_registers<232>();
    for (int phase = 0; phase < 2; phase++) {
      mbarrier_wait(barrier, phase);
      out[phase * 128 + i] = words[phase * 128 + 127 - i];
      named_barrier_sync(1, 256);
    }
    words[256 + i] = in[i] + 1;
    named_barrier_arrive(2, 256);
  }
}
