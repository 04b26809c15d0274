// What kernels are written in beside CUDA C++: the few instructions that PTX alone gives, by name.
// nvcc compiles them for the device; the tests' emulator brings its own for g++.
#ifndef GATUN_PRIMITIVES_H
#define GATUN_PRIMITIVES_H

#ifndef __CUDACC__
#include "emulated_device.h"
#else

#include <cstdint>

#define GATUN_NOINLINE __noinline__
// Where the dynamic shared memory of a kernel's line, and its tile, come from: the emulator's build
// compares them.
#define GATUN_SHARED(name, bytes)
#define GATUN_TILE(name, m, n, k, bytes)

namespace gatun {

static __device__ __forceinline__ void sync_block() { __syncthreads(); }
static __device__ __forceinline__ void sync_warp() { __syncwarp(); }

// The block's dynamic shared memory, which the launch gives at least so many bytes.
template <class T>
static __device__ __forceinline__ T* shared_memory(unsigned) {
  extern __shared__ __align__(1024) unsigned char gatun_shared[];
  return reinterpret_cast<T*>(gatun_shared);
}

static __device__ __forceinline__ float shuffle_xor(float value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
static __device__ __forceinline__ int shuffle_xor(int value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
static __device__ __forceinline__ float shuffle(float value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}
static __device__ __forceinline__ int shuffle(int value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}
static __device__ __forceinline__ bool any_lane(bool value) {
  return __any_sync(0xffffffffu, value);
}

static __device__ __forceinline__ uint32_t shared_address(const void* address) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(address));
}

// Four 8 x 8 matrices of 16-bit elements; lane l gives the address of row l mod 8 of matrix l / 8.
static __device__ __forceinline__ void ldmatrix_x4(uint32_t* r, const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
static __device__ __forceinline__ void ldmatrix_x4_transposed(uint32_t* r, const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d[16, 8] += a[16, 16] b[16, 8] in the fragments of mma.m16n8k16.
static __device__ __forceinline__ void mma_bf16(float* d, const uint32_t* a, const uint32_t* b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
static __device__ __forceinline__ void mma_f16(float* d, const uint32_t* a, const uint32_t* b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// d[16, 8] += a[16, 32] b[32, 8] in the fragments of mma.m16n8k32.
static __device__ __forceinline__ void mma_s8(int32_t* d, const uint32_t* a, const uint32_t* b) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Copies 16 bytes, or writes zeros where the source is not valid; there by copy_async_wait.
static __device__ __forceinline__ void copy_async_16(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(shared_address(shared)), "l"(global), "r"(valid ? 16 : 0)
               : "memory");
}
// The same of 4 bytes.
static __device__ __forceinline__ void copy_async_4(void* shared, const void* global, bool valid) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
               :
               : "r"(shared_address(shared)), "l"(global), "r"(valid ? 4 : 0)
               : "memory");
}
static __device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
// Waits until at most so many of this thread's groups are under way.
template <int Groups>
static __device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}

static __device__ __forceinline__ int atomic_add(int* address, int value) {
  return atomicAdd(address, value);
}
// Writes a value where the expected one is; what was there.
static __device__ __forceinline__ int atomic_cas(int* address, int expected, int value) {
  return atomicCAS(address, expected, value);
}
static __device__ __forceinline__ void atomic_min(unsigned long long* address,
                                                  unsigned long long value) {
  atomicMin(address, value);
}
// Orders this thread's writes before what follows, for threads of other blocks.
static __device__ __forceinline__ void fence_device() { __threadfence(); }
// What another block wrote, past the first-level cache.
static __device__ __forceinline__ float load_fresh(const float* address) { return __ldcg(address); }
// The same of four neighbours, aligned to 16 bytes.
static __device__ __forceinline__ void load_fresh_16(uint32_t* four, const void* address) {
  const uint4 words = __ldcg(static_cast<const uint4*>(address));
  four[0] = words.x;
  four[1] = words.y;
  four[2] = words.z;
  four[3] = words.w;
}

// The bytes of a and then of b, 0 to 7, that the selector's four hexadecimal digits name.
static __device__ __forceinline__ uint32_t permute_bytes(uint32_t a, uint32_t b,
                                                         uint32_t selector) {
  return __byte_perm(a, b, selector);
}
// (a & b) ^ c, in one instruction.
static __device__ __forceinline__ uint32_t and_xor(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("lop3.b32 %0, %1, %2, %3, 0x6a;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
// a * b + c of the halves of a word, each rounded once.
static __device__ __forceinline__ uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
static __device__ __forceinline__ uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}

// Where kernels must agree to the bit the compiler may not choose what it fuses: a product that is
// rounded before anything is added, and a * b + c that is rounded once.
static __device__ __forceinline__ float multiply_rounded(float a, float b) {
  return __fmul_rn(a, b);
}
static __device__ __forceinline__ double multiply_rounded(double a, double b) {
  return __dmul_rn(a, b);
}
static __device__ __forceinline__ float multiply_add(float a, float b, float c) {
  return __fmaf_rn(a, b, c);
}

static __device__ __forceinline__ float exp2_approximate(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

static __device__ __forceinline__ float from_bf16(uint16_t x) {
  return __uint_as_float(static_cast<uint32_t>(x) << 16);
}
static __device__ __forceinline__ uint16_t to_bf16(float x) {
  uint16_t y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
static __device__ __forceinline__ float from_f16(uint16_t x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
  return y;
}
static __device__ __forceinline__ uint16_t to_f16(float x) {
  uint16_t y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}

}  // namespace gatun

#endif
#endif
