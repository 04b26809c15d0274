// CUDA C++'s built-ins and the primitives of cuda-src/include/primitives.h for g++: each CUDA
// thread is a fiber. Kernels are compiled with -fsanitize=thread, whose hooks (access.cpp) check
// every load and store; what is declared here is compiled without.
#ifndef GATUN_EMULATED_DEVICE_H
#define GATUN_EMULATED_DEVICE_H

#include <cmath>
#include <cstdint>
#include <cstring>

#define __device__
#define __forceinline__ inline
#define GATUN_NOINLINE __attribute__((noinline))
// What a kernel's line must say, which register.sh compares.
#define GATUN_SHARED(name, bytes) constexpr unsigned long shared_of_##name = bytes;
#define GATUN_TILE(name, m, n, k, bytes)      \
  constexpr int tile_of_##name[] = {m, n, k}; \
  GATUN_SHARED(name, bytes)
#define __align__(n) __attribute__((aligned(n)))
#ifndef GATUN_KEEP_KERNELS  // For register.sh, which reads these.
#define __global__ __attribute__((visibility("default")))
#define __launch_bounds__(...)
#endif
#define __restrict__ __restrict
#define __grid_constant__

namespace gatun {

struct Index3 {
  unsigned x, y, z;
};

namespace emulator {

// The place in a kernel that calls a primitive.
struct Site {
  const char* file;
  int line;
};

const Index3& thread_index();
const Index3& block_index();
const Index3& block_size();
const Index3& grid_size();
void* shared(unsigned bytes, Site site);
void sync_block(Site site);
void sync_warp(Site site);
uint32_t shuffle_xor(uint32_t value, int mask, Site site);
uint32_t shuffle(uint32_t value, int lane, Site site);
bool any_lane(bool value, Site site);
void ldmatrix(uint32_t* registers, int matrices, bool transposed, const void* row, Site site);
void mma(float* d, const uint32_t* a, const uint32_t* b, bool bf16, Site site);
void mma_s8(int32_t* d, const uint32_t* a, const uint32_t* b, Site site);
void copy_async(void* shared, const void* global, unsigned bytes, bool valid, Site site);
void copy_async_commit();
void copy_async_wait(int groups);
int atomic_add(int* address, int value, Site site);
int atomic_cas(int* address, int expected, int value, Site site);
unsigned long long atomic_min(unsigned long long* address, unsigned long long value, Site site);
void fence();
float load_fresh(const float* address, Site site);
void load_fresh_16(uint32_t* four, const void* address, Site site);

inline uint32_t bits(float value) {
  uint32_t result;
  __builtin_memcpy(&result, &value, 4);
  return result;
}

inline float number(uint32_t bits) {
  float result;
  __builtin_memcpy(&result, &bits, 4);
  return result;
}

}  // namespace emulator

#define threadIdx (::gatun::emulator::thread_index())
#define blockIdx (::gatun::emulator::block_index())
#define blockDim (::gatun::emulator::block_size())
#define gridDim (::gatun::emulator::grid_size())

#define GATUN_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void sync_block(GATUN_SITE) { emulator::sync_block({file, line}); }
inline void sync_warp(GATUN_SITE) { emulator::sync_warp({file, line}); }

template <class T>
inline T* shared_memory(unsigned bytes, GATUN_SITE) {
  return static_cast<T*>(emulator::shared(bytes, {file, line}));
}

inline float shuffle_xor(float value, int mask, GATUN_SITE) {
  return emulator::number(emulator::shuffle_xor(emulator::bits(value), mask, {file, line}));
}
inline int shuffle_xor(int value, int mask, GATUN_SITE) {
  return static_cast<int>(emulator::shuffle_xor(static_cast<uint32_t>(value), mask, {file, line}));
}
inline float shuffle(float value, int lane, GATUN_SITE) {
  return emulator::number(emulator::shuffle(emulator::bits(value), lane, {file, line}));
}
inline int shuffle(int value, int lane, GATUN_SITE) {
  return static_cast<int>(emulator::shuffle(static_cast<uint32_t>(value), lane, {file, line}));
}
inline bool any_lane(bool value, GATUN_SITE) { return emulator::any_lane(value, {file, line}); }

inline void ldmatrix_x4(uint32_t* registers, const void* row, GATUN_SITE) {
  emulator::ldmatrix(registers, 4, false, row, {file, line});
}
inline void ldmatrix_x4_transposed(uint32_t* registers, const void* row, GATUN_SITE) {
  emulator::ldmatrix(registers, 4, true, row, {file, line});
}
inline void mma_bf16(float* d, const uint32_t* a, const uint32_t* b, GATUN_SITE) {
  emulator::mma(d, a, b, true, {file, line});
}
inline void mma_f16(float* d, const uint32_t* a, const uint32_t* b, GATUN_SITE) {
  emulator::mma(d, a, b, false, {file, line});
}
inline void mma_s8(int32_t* d, const uint32_t* a, const uint32_t* b, GATUN_SITE) {
  emulator::mma_s8(d, a, b, {file, line});
}
inline void copy_async_16(void* shared, const void* global, bool valid, GATUN_SITE) {
  emulator::copy_async(shared, global, 16, valid, {file, line});
}
inline void copy_async_4(void* shared, const void* global, bool valid, GATUN_SITE) {
  emulator::copy_async(shared, global, 4, valid, {file, line});
}
inline void copy_async_commit() { emulator::copy_async_commit(); }
template <int Groups>
inline void copy_async_wait() {
  emulator::copy_async_wait(Groups);
}
inline int atomic_add(int* address, int value, GATUN_SITE) {
  return emulator::atomic_add(address, value, {file, line});
}
inline int atomic_cas(int* address, int expected, int value, GATUN_SITE) {
  return emulator::atomic_cas(address, expected, value, {file, line});
}
inline void atomic_min(unsigned long long* address, unsigned long long value, GATUN_SITE) {
  emulator::atomic_min(address, value, {file, line});
}
inline void fence_device() { emulator::fence(); }
inline float load_fresh(const float* address, GATUN_SITE) {
  return emulator::load_fresh(address, {file, line});
}
inline void load_fresh_16(uint32_t* four, const void* address, GATUN_SITE) {
  emulator::load_fresh_16(four, address, {file, line});
}

inline float multiply_rounded(float a, float b) { return a * b; }
inline double multiply_rounded(double a, double b) { return a * b; }
inline float multiply_add(float a, float b, float c) { return std::fmaf(a, b, c); }

inline float exp2_approximate(float x) { return exp2f(x); }

inline float from_bf16(uint16_t x) { return emulator::number(static_cast<uint32_t>(x) << 16); }

inline uint16_t to_bf16(float x) {
  const uint32_t u = emulator::bits(x);
  if ((u & 0x7fffffff) > 0x7f800000) {
    return 0x7fff;
  }
  return static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

inline float from_f16(uint16_t x) {
  const uint32_t sign = static_cast<uint32_t>(x & 0x8000) << 16, magnitude = x & 0x7fff;
  if (magnitude >= 0x7c00) {
    return emulator::number(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  }
  if (magnitude < 0x400) {
    return emulator::number(sign | emulator::bits(static_cast<float>(magnitude) * 0x1p-24f));
  }
  return emulator::number(sign | ((magnitude << 13) + 0x38000000));
}

inline uint16_t to_f16(float x) {
  const uint32_t u = emulator::bits(x), magnitude = u & 0x7fffffff;
  const uint16_t sign = static_cast<uint16_t>(u >> 16 & 0x8000);
  if (magnitude > 0x7f800000) {
    return 0x7fff;
  }
  if (magnitude >= 0x477ff000) {
    return sign | 0x7c00;
  }
  if (magnitude < 0x38800000) {
    // A subnormal: the sum with 0.5 rounds to a multiple of 2^-24, to even.
    const float sum = emulator::number(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (emulator::bits(sum) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

inline uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t which = selector >> (4 * i) & 7;
    result |= static_cast<uint32_t>(both >> (8 * which) & 0xff) << (8 * i);
  }
  return result;
}

inline uint32_t and_xor(uint32_t a, uint32_t b, uint32_t c) { return (a & b) ^ c; }

namespace emulator {

// The nearest float, but an odd one where there is none that is equal, so that what is rounded from
// it to fewer bits is rounded as from the number itself.
inline float odd(double x) {
  const float nearest = static_cast<float>(x);
  if (static_cast<double>(nearest) == x || x != x || (bits(nearest) & 1) != 0) {
    return nearest;
  }
  const bool larger = std::fabs(static_cast<double>(nearest)) > std::fabs(x);
  return number(larger ? bits(nearest) - 1 : bits(nearest) + 1);
}

template <class From, class To>
inline uint32_t fma_halves(uint32_t a, uint32_t b, uint32_t c, From from, To to) {
  uint32_t result = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const auto half = [&](uint32_t word) {
      return static_cast<double>(from(static_cast<uint16_t>(word >> shift)));
    };
    result |= static_cast<uint32_t>(to(odd(half(a) * half(b) + half(c)))) << shift;
  }
  return result;
}

}  // namespace emulator

inline uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c) {
  return emulator::fma_halves(a, b, c, from_f16, to_f16);
}
inline uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c) {
  return emulator::fma_halves(a, b, c, from_bf16, to_bf16);
}

}  // namespace gatun

#endif
