// What every kernel source includes: the level's namespace, its vectors, tasks and scratch.
//
// A level is these sources compiled with its own instructions. All that they define lies in the
// level's namespace, so that the linker never takes one level's function for another's.
#ifndef GATUN_LEVEL_H
#define GATUN_LEVEL_H

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "gatun_cpu.h"
#include "thread_pool.h"

#if defined(GATUN_LEVEL_avx2) || defined(GATUN_LEVEL_avx512)
#include <immintrin.h>
#endif

// Of functions of several vectors, which a call would pass through memory.
#define GATUN_INLINE __attribute__((always_inline))

namespace gatun {
namespace GATUN_LEVEL {

#define GATUN_KERNEL(name, parameters, arguments) int32_t name parameters;
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL

#if defined(GATUN_LEVEL_avx512)
constexpr int kLanes = 16;
#elif defined(GATUN_LEVEL_avx2)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));

static inline Floats splat(float x) { return x - Floats{}; }

static inline Floats load(const float *p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline void store(float *p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }

// The first n lanes; the others are 0.
static inline Floats load(const float *p, int64_t n) {
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
#else
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; i++) {
    lanes[i] = p[i];
  }
  return load(lanes);
#endif
}

static inline void store(float *p, Floats v, int64_t n) {
#if defined(GATUN_LEVEL_avx512)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
#else
  float lanes[kLanes];
  store(lanes, v);
  for (int64_t i = 0; i < n; i++) {
    p[i] = lanes[i];
  }
#endif
}

// a * b + c, rounded once where the level can.
static inline Floats fma(Floats a, Floats b, Floats c) {
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(GATUN_LEVEL_avx2)
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

static inline Floats select(Ints mask, Floats yes, Floats no) { return mask ? yes : no; }

// The larger and the smaller one; NaN where b is NaN.
static inline Floats max(Floats a, Floats b) {
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_maskz_max_ps(static_cast<__mmask16>(-1), (__m512)a, (__m512)b);
#elif defined(GATUN_LEVEL_avx2)
  return (Floats)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return select(a > b, a, b);
#endif
}

static inline Floats min(Floats a, Floats b) {
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_maskz_min_ps(static_cast<__mmask16>(-1), (__m512)a, (__m512)b);
#elif defined(GATUN_LEVEL_avx2)
  return (Floats)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return select(a < b, a, b);
#endif
}

static inline Floats magnitude(Floats a) { return (Floats)((Ints)a & 0x7fffffff); }

// Every lane combined with the one kWidth lanes away, then kWidth / 2 away, and so on.
template <int kWidth = kLanes / 2, typename Combine, int... kLane>
static inline Floats fold(Floats v, const Combine &combine,
                          std::integer_sequence<int, kLane...> lanes) {
  constexpr Ints other = {(kLane ^ kWidth)...};
  v = combine(v, __builtin_shuffle(v, other));
  if constexpr (kWidth > 1) {
    return fold<kWidth / 2>(v, combine, lanes);
  }
  return v;
}

using LaneNumbers = std::make_integer_sequence<int, kLanes>;

static inline float sum(Floats v) {
  return fold(
      v, [](Floats a, Floats b) { return a + b; }, LaneNumbers())[0];
}

// The largest lane; lanes that are NaN are skipped or not, as their place has it.
static inline float largest(Floats v) {
  return fold(
      v, [](Floats a, Floats b) { return max(a, b); }, LaneNumbers())[0];
}

// Calls body(i, n) for the vectors of count elements: i where one begins, n its lanes.
template <typename Body>
static inline void by_vector(int64_t count, const Body &body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    body(i, static_cast<int64_t>(kLanes));
  }
  if (i < count) {
    body(i, count - i);
  }
}

static inline Floats load_lanes(const float *p, int64_t n) {
  return n == kLanes ? load(p) : load(p, n);
}

static inline void store_lanes(float *p, Floats v, int64_t n) {
  if (n == kLanes) {
    store(p, v);
  } else {
    store(p, v, n);
  }
}

// v with `rest` in the lanes from n on.
static inline Floats keep(Floats v, int64_t n, float rest) {
  if (n == kLanes) {
    return v;
  }
#if defined(GATUN_LEVEL_avx512)
  return (Floats)_mm512_mask_mov_ps((__m512)splat(rest), static_cast<__mmask16>((1u << n) - 1),
                                    (__m512)v);
#else
  float lanes[kLanes];
  store(lanes, splat(rest));
  store(lanes, v, n);
  return load(lanes);
#endif
}

template <typename Body>
static inline void parallel(int64_t count, const Body &body) {
  run_tasks(
      count, [](const void *context, int64_t i) { (*static_cast<const Body *>(context))(i); },
      &body);
}

// Calls body(begin, end) for blocks of rows that are worth a task each.
template <typename Body>
static inline void parallel_rows(int64_t rows, int64_t columns, const Body &body) {
  // Elements: about 2 us of memory traffic, and up to 16 times that where there are many.
  constexpr int64_t kWorth = 16384;
  const int64_t share = rows * columns / 256;
  const int64_t worth = share < kWorth ? kWorth : share < 16 * kWorth ? share : 16 * kWorth;
  const int64_t block = columns >= worth ? 1 : worth / (columns < 1 ? 1 : columns);
  parallel((rows + block - 1) / block, [&](int64_t i) {
    const int64_t end = (i + 1) * block;
    body(i * block, end < rows ? end : rows);
  });
}

// A thread's memory for intermediate values, kept until the thread ends.
class Scratch {
 public:
  ~Scratch() { free(memory_); }

  // Floats aligned to 64 bytes, or null; what an earlier call gave is lost.
  float *floats(int64_t count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
    if (bytes > bytes_) {
      free(memory_);
      memory_ = aligned_alloc(64, bytes);
      bytes_ = memory_ == nullptr ? 0 : bytes;
    }
    return static_cast<float *>(memory_);
  }

 private:
  void *memory_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
