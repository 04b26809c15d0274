// What sm_90a alone gives, by name: mbarriers of shared memory, TMA's tensor copies, the
// warpgroup's products. Only sources whose name ends in _sm90a.cu include this; nvcc compiles them
// for 9.0a, the emulator brings its own. Kernels wait, arrive and multiply by whole warps.
#ifndef GATUN_PRIMITIVES_SM90_H
#define GATUN_PRIMITIVES_SM90_H

#include "primitives.h"

namespace gatun {

// How 16-byte units of a row of so many bytes change places, as matrix descriptors count.
enum Swizzle : int { kSwizzleNone = 0, kSwizzle128 = 1, kSwizzle64 = 2, kSwizzle32 = 3 };

// What the driver's cuTensorMapEncodeTiled makes; kernels take it by value, as __grid_constant__.
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

}  // namespace gatun

#ifndef __CUDACC__
#include "emulated_sm90.h"
#else

namespace gatun {

// Barriers of shared memory: a phase ends when so many have arrived and all bytes that are expected
// have come. Waiting for a parity is waiting for the end of the phase that has it; the first has 0.
static __device__ __forceinline__ void mbarrier_init(uint64_t* barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;"
               :
               : "r"(shared_address(barrier)), "r"(arrivals)
               : "memory");
}
// Makes what this thread initialised known to TMA, before the block's barrier.
static __device__ __forceinline__ void mbarrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
static __device__ __forceinline__ void mbarrier_arrive(uint64_t* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];"
               :
               : "r"(shared_address(barrier))
               : "memory");
}
static __device__ __forceinline__ void mbarrier_arrive_expect(uint64_t* barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
               :
               : "r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}
static __device__ __forceinline__ void mbarrier_wait(uint64_t* barrier, unsigned parity) {
  uint32_t done;
  do {
    asm volatile(
        "{ .reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p; }"
        : "=r"(done)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
  } while (done == 0);
}

// Barriers 1 to 15 of the block, for so many threads, a multiple of 32.
static __device__ __forceinline__ void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" : : "r"(id), "r"(threads) : "memory");
}
static __device__ __forceinline__ void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" : : "r"(id), "r"(threads) : "memory");
}

// Registers a thread of this warpgroup has from here on.
template <int Registers>
static __device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" : : "n"(Registers));
}
template <int Registers>
static __device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" : : "n"(Registers));
}

// Makes what this thread wrote to shared memory known to TMA and the tensor cores,
// before the barrier behind which they read it.
static __device__ __forceinline__ void fence_async() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// Copies a box that begins at these coordinates, innermost first, to or from shared memory; zeros
// where the tensor has ended. All its bytes come to the barrier.
static __device__ __forceinline__ void tensor_load(void* shared, const TensorMap& map,
                                                   uint64_t* barrier, int c0, int c1) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4}], [%2];"
      :
      : "r"(shared_address(shared)), "l"(&map), "r"(shared_address(barrier)), "r"(c0), "r"(c1)
      : "memory");
}
static __device__ __forceinline__ void tensor_load(void* shared, const TensorMap& map,
                                                   uint64_t* barrier, int c0, int c1, int c2) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5}], [%2];"
      :
      : "r"(shared_address(shared)), "l"(&map), "r"(shared_address(barrier)), "r"(c0), "r"(c1),
        "r"(c2)
      : "memory");
}
static __device__ __forceinline__ void tensor_load(void* shared, const TensorMap& map,
                                                   uint64_t* barrier, int c0, int c1, int c2,
                                                   int c3) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6}], [%2];"
      :
      : "r"(shared_address(shared)), "l"(&map), "r"(shared_address(barrier)), "r"(c0), "r"(c1),
        "r"(c2), "r"(c3)
      : "memory");
}
static __device__ __forceinline__ void tensor_store(const TensorMap& map, const void* shared,
                                                    int c0, int c1) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];"
               :
               : "l"(&map), "r"(shared_address(shared)), "r"(c0), "r"(c1)
               : "memory");
}
static __device__ __forceinline__ void tensor_store(const TensorMap& map, const void* shared,
                                                    int c0, int c1, int c2) {
  asm volatile(
      "cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4}], [%1];"
      :
      : "l"(&map), "r"(shared_address(shared)), "r"(c0), "r"(c1), "r"(c2)
      : "memory");
}
static __device__ __forceinline__ void tensor_store(const TensorMap& map, const void* shared,
                                                    int c0, int c1, int c2, int c3) {
  asm volatile(
      "cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4, %5}], [%1];"
      :
      : "l"(&map), "r"(shared_address(shared)), "r"(c0), "r"(c1), "r"(c2), "r"(c3)
      : "memory");
}
static __device__ __forceinline__ void tensor_store_commit() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
// Waits until all but so many of this thread's groups of stores have read their shared memory.
template <int Groups>
static __device__ __forceinline__ void tensor_store_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" : : "n"(Groups) : "memory");
}

// A matrix in shared memory as wgmma takes it (PTX ISA, "Matrix Descriptor Format"). Along k, rows
// of 16 bytes times the swizzle's units, eight rows a group: `stride` is from group to group, and
// `leading` is not used. Transposed, rows along m or n: `leading` is from row to row, `stride` from
// eight k to the next.
static __device__ __forceinline__ uint64_t matrix(const void* shared, unsigned leading,
                                                  unsigned stride, Swizzle swizzle) {
  return static_cast<uint64_t>((shared_address(shared) & 0x3ffff) >> 4) |
         static_cast<uint64_t>(leading >> 4) << 16 | static_cast<uint64_t>(stride >> 4) << 32 |
         static_cast<uint64_t>(swizzle) << 62;
}

// Orders this thread's registers before the products that read or add to them.
static __device__ __forceinline__ void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
static __device__ __forceinline__ void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Waits until all but so many groups of products are done.
template <int Groups>
static __device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(Groups) : "memory");
}
// Keeps the compiler from using registers of products before the wait that stands above, and from
// making them ready after the fence that stands below.
template <int Count>
static __device__ __forceinline__ void wgmma_registers(float* d) {
#pragma unroll
  for (int i = 0; i < Count; i++) {
    asm volatile("" : "+f"(d[i])::"memory");
  }
}
template <int Count, class T>
static __device__ __forceinline__ void wgmma_registers(T* d) {
#pragma unroll
  for (int i = 0; i < Count; i++) {
    asm volatile("" : "+r"(d[i])::"memory");
  }
}

// The accumulators as operands of an asm statement.
#define GATUN_OPERANDS_8(c, d, i) \
  c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3]), c(d[i + 4]), c(d[i + 5]), c(d[i + 6]), c(d[i + 7])
#define GATUN_OPERANDS_32(c, d, i)                                                          \
  GATUN_OPERANDS_8(c, d, i), GATUN_OPERANDS_8(c, d, i + 8), GATUN_OPERANDS_8(c, d, i + 16), \
      GATUN_OPERANDS_8(c, d, i + 24)
#define GATUN_OPERANDS_64(c, d, i) GATUN_OPERANDS_32(c, d, i), GATUN_OPERANDS_32(c, d, i + 32)
#define GATUN_OPERANDS_128(c, d, i) GATUN_OPERANDS_64(c, d, i), GATUN_OPERANDS_64(c, d, i + 64)

#define GATUN_REGISTERS_32                                                                     \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"

#define GATUN_REGISTERS_64                                                                     \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, " \
  "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63"

#define GATUN_REGISTERS_128                                                                    \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, " \
  "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, " \
  "%74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, " \
  "%92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, "   \
  "%108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, " \
  "%123, %124, %125, %126, %127"

#define GATUN_FLOAT(x) "+f"(x)
#define GATUN_WORD(x) "+r"(x)
// d[64, N] = (add ? d : 0) + a[64, 16] b[16, N], a in shared memory; there by wgmma_wait.
template <int N, bool TransposedB = false>
static __device__ __forceinline__ void wgmma_bf16(float* d, uint64_t a, uint64_t b, bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" GATUN_REGISTERS_32
        "}, %32, %33, p, 1, 1, 0, %35; }"
        : GATUN_OPERANDS_32(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" GATUN_REGISTERS_64
        "}, %64, %65, p, 1, 1, 0, %67; }"
        : GATUN_OPERANDS_64(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" GATUN_REGISTERS_128
        "}, %128, %129, p, 1, 1, 0, %131; }"
        : GATUN_OPERANDS_128(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  }
}
// d[64, N] = (add ? d : 0) + a[64, 16] b[16, N], a in registers; there by wgmma_wait.
template <int N, bool TransposedB = false>
static __device__ __forceinline__ void wgmma_bf16(float* d, const uint32_t* a, uint64_t b,
                                                  bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" GATUN_REGISTERS_32
        "}, {%32, %33, %34, %35}, %36, p, 1, 1, %38; }"
        : GATUN_OPERANDS_32(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" GATUN_REGISTERS_64
        "}, {%64, %65, %66, %67}, %68, p, 1, 1, %70; }"
        : GATUN_OPERANDS_64(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %133, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" GATUN_REGISTERS_128
        "}, {%128, %129, %130, %131}, %132, p, 1, 1, %134; }"
        : GATUN_OPERANDS_128(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  }
}
// d[64, N] = (add ? d : 0) + a[64, 16] b[16, N], a in shared memory; there by wgmma_wait.
template <int N, bool TransposedB = false>
static __device__ __forceinline__ void wgmma_f16(float* d, uint64_t a, uint64_t b, bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" GATUN_REGISTERS_32
        "}, %32, %33, p, 1, 1, 0, %35; }"
        : GATUN_OPERANDS_32(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" GATUN_REGISTERS_64
        "}, %64, %65, p, 1, 1, 0, %67; }"
        : GATUN_OPERANDS_64(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {" GATUN_REGISTERS_128
        "}, %128, %129, p, 1, 1, 0, %131; }"
        : GATUN_OPERANDS_128(GATUN_FLOAT, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(TransposedB ? 1 : 0));
  }
}
// d[64, N] = (add ? d : 0) + a[64, 16] b[16, N], a in registers; there by wgmma_wait.
template <int N, bool TransposedB = false>
static __device__ __forceinline__ void wgmma_f16(float* d, const uint32_t* a, uint64_t b,
                                                 bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" GATUN_REGISTERS_32
        "}, {%32, %33, %34, %35}, %36, p, 1, 1, %38; }"
        : GATUN_OPERANDS_32(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" GATUN_REGISTERS_64
        "}, {%64, %65, %66, %67}, %68, p, 1, 1, %70; }"
        : GATUN_OPERANDS_64(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %133, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {" GATUN_REGISTERS_128
        "}, {%128, %129, %130, %131}, %132, p, 1, 1, %134; }"
        : GATUN_OPERANDS_128(GATUN_FLOAT, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)),
          "n"(TransposedB ? 1 : 0));
  }
}
// d[64, N] = (add ? d : 0) + a[64, 32] b[32, N], a in shared memory; there by wgmma_wait.
template <int N>
static __device__ __forceinline__ void wgmma_s8(int32_t* d, uint64_t a, uint64_t b, bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {" GATUN_REGISTERS_32 "}, %32, %33, p; }"
        : GATUN_OPERANDS_32(GATUN_WORD, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {" GATUN_REGISTERS_64 "}, %64, %65, p; }"
        : GATUN_OPERANDS_64(GATUN_WORD, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {" GATUN_REGISTERS_128
        "}, %128, %129, p; }"
        : GATUN_OPERANDS_128(GATUN_WORD, d, 0)
        : "l"(a), "l"(b), "r"(static_cast<int>(add)));
  }
}
// d[64, N] = (add ? d : 0) + a[64, 32] b[32, N], a in registers; there by wgmma_wait.
template <int N>
static __device__ __forceinline__ void wgmma_s8(int32_t* d, const uint32_t* a, uint64_t b,
                                                bool add) {
  static_assert(N == 64 || N == 128 || N == 256, "widths that are written out below");
  if constexpr (N == 64) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {" GATUN_REGISTERS_32
        "}, {%32, %33, %34, %35}, %36, p; }"
        : GATUN_OPERANDS_32(GATUN_WORD, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
  } else if constexpr (N == 128) {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {" GATUN_REGISTERS_64
        "}, {%64, %65, %66, %67}, %68, p; }"
        : GATUN_OPERANDS_64(GATUN_WORD, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
  } else {
    asm volatile(
        "{ .reg .pred p; setp.ne.b32 p, %133, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {" GATUN_REGISTERS_128
        "}, {%128, %129, %130, %131}, %132, p; }"
        : GATUN_OPERANDS_128(GATUN_WORD, d, 0)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)));
  }
}

}  // namespace gatun

#endif
#endif
