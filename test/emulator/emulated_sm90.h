// The primitives of cuda-src/include/primitives_sm90.h for g++.
#ifndef GATUN_EMULATED_SM90_H
#define GATUN_EMULATED_SM90_H

#include "emulated_device.h"

#define __grid_constant__

namespace gatun {

namespace emulator {

uint32_t shared_address(const void* address, Site site);
void mbarrier_init(uint64_t* barrier, unsigned arrivals, Site site);
void mbarrier_arrive(uint64_t* barrier, unsigned bytes, Site site);
void mbarrier_wait(uint64_t* barrier, unsigned parity, Site site);
void named_barrier(int id, int threads, bool wait, Site site);
void set_registers(int registers, bool more, Site site);
void fence_async();
void tensor_load(void* shared, const TensorMap& map, uint64_t* barrier, const int* place, int rank,
                 Site site);
void tensor_store(const TensorMap& map, const void* shared, const int* place, int rank, Site site);
void tensor_store_commit();
void tensor_store_wait(int groups);
void wgmma_fence(Site site);
void wgmma_commit(Site site);
void wgmma_wait(int groups, Site site);
// kind: 0 of BF16, 1 of F16, 2 of bytes; a_words is null where a is in shared memory.
void wgmma(int kind, int n, uint32_t* d, const uint32_t* a_words, uint64_t a, uint64_t b,
           bool transposed_b, bool add, Site site);

}  // namespace emulator

inline void mbarrier_init(uint64_t* barrier, unsigned arrivals, GATUN_SITE) {
  emulator::mbarrier_init(barrier, arrivals, {file, line});
}
inline void mbarrier_init_fence() { emulator::fence_async(); }
inline void mbarrier_arrive(uint64_t* barrier, GATUN_SITE) {
  emulator::mbarrier_arrive(barrier, 0, {file, line});
}
inline void mbarrier_arrive_expect(uint64_t* barrier, unsigned bytes, GATUN_SITE) {
  emulator::mbarrier_arrive(barrier, bytes, {file, line});
}
inline void mbarrier_wait(uint64_t* barrier, unsigned parity, GATUN_SITE) {
  emulator::mbarrier_wait(barrier, parity, {file, line});
}
inline void named_barrier_sync(int id, int threads, GATUN_SITE) {
  emulator::named_barrier(id, threads, true, {file, line});
}
inline void named_barrier_arrive(int id, int threads, GATUN_SITE) {
  emulator::named_barrier(id, threads, false, {file, line});
}
template <int Registers>
inline void give_registers(GATUN_SITE) {
  emulator::set_registers(Registers, false, {file, line});
}
template <int Registers>
inline void take_registers(GATUN_SITE) {
  emulator::set_registers(Registers, true, {file, line});
}
inline void fence_async() { emulator::fence_async(); }

inline void tensor_load(void* shared, const TensorMap& map, uint64_t* barrier, int c0, int c1,
                        GATUN_SITE) {
  const int place[] = {c0, c1};
  emulator::tensor_load(shared, map, barrier, place, 2, {file, line});
}
inline void tensor_load(void* shared, const TensorMap& map, uint64_t* barrier, int c0, int c1,
                        int c2, GATUN_SITE) {
  const int place[] = {c0, c1, c2};
  emulator::tensor_load(shared, map, barrier, place, 3, {file, line});
}
inline void tensor_load(void* shared, const TensorMap& map, uint64_t* barrier, int c0, int c1,
                        int c2, int c3, GATUN_SITE) {
  const int place[] = {c0, c1, c2, c3};
  emulator::tensor_load(shared, map, barrier, place, 4, {file, line});
}
inline void tensor_store(const TensorMap& map, const void* shared, int c0, int c1, GATUN_SITE) {
  const int place[] = {c0, c1};
  emulator::tensor_store(map, shared, place, 2, {file, line});
}
inline void tensor_store(const TensorMap& map, const void* shared, int c0, int c1, int c2,
                         GATUN_SITE) {
  const int place[] = {c0, c1, c2};
  emulator::tensor_store(map, shared, place, 3, {file, line});
}
inline void tensor_store(const TensorMap& map, const void* shared, int c0, int c1, int c2, int c3,
                         GATUN_SITE) {
  const int place[] = {c0, c1, c2, c3};
  emulator::tensor_store(map, shared, place, 4, {file, line});
}
inline void tensor_store_commit() { emulator::tensor_store_commit(); }
template <int Groups>
inline void tensor_store_wait_read() {
  emulator::tensor_store_wait(Groups);
}

inline uint64_t matrix(const void* shared, unsigned leading, unsigned stride, Swizzle swizzle,
                       GATUN_SITE) {
  return static_cast<uint64_t>((emulator::shared_address(shared, {file, line}) & 0x3ffff) >> 4) |
         static_cast<uint64_t>(leading >> 4) << 16 | static_cast<uint64_t>(stride >> 4) << 32 |
         static_cast<uint64_t>(swizzle) << 62;
}

inline void wgmma_fence(GATUN_SITE) { emulator::wgmma_fence({file, line}); }
inline void wgmma_commit(GATUN_SITE) { emulator::wgmma_commit({file, line}); }
template <int Groups>
inline void wgmma_wait(GATUN_SITE) {
  emulator::wgmma_wait(Groups, {file, line});
}
template <int Count, class T>
inline void wgmma_registers(T*) {}

#define GATUN_WGMMA(name, kind, type)                                                         \
  template <int N, bool TransposedB = false>                                                  \
  inline void name(type* d, uint64_t a, uint64_t b, bool add, GATUN_SITE) {                   \
    emulator::wgmma(kind, N, reinterpret_cast<uint32_t*>(d), nullptr, a, b, TransposedB, add, \
                    {file, line});                                                            \
  }                                                                                           \
  template <int N, bool TransposedB = false>                                                  \
  inline void name(type* d, const uint32_t* a, uint64_t b, bool add, GATUN_SITE) {            \
    emulator::wgmma(kind, N, reinterpret_cast<uint32_t*>(d), a, 0, b, TransposedB, add,       \
                    {file, line});                                                            \
  }

GATUN_WGMMA(wgmma_bf16, 0, float)
GATUN_WGMMA(wgmma_f16, 1, float)
GATUN_WGMMA(wgmma_s8, 2, int32_t)

#undef GATUN_WGMMA

}  // namespace gatun

#endif
