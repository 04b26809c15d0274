// What every kernel source includes: the level's namespace, its vectors, tasks and scratch.
//
// A level is these sources compiled with the primitives of isa/LEVEL.h and the instructions that
// they need. All that they define lies in the level's namespace, so that the linker never takes one
// level's function for another's.
#ifndef GATUN_LEVEL_H
#define GATUN_LEVEL_H

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "gatun_cpu.h"
#include "thread_pool.h"

#define GATUN_QUOTED(x) #x
#define GATUN_FILE(x) GATUN_QUOTED(x)
#include GATUN_FILE(GATUN_LEVEL.h)

namespace gatun {
namespace GATUN_LEVEL {

#define GATUN_KERNEL(name, parameters, arguments) int32_t name parameters;
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL

// Every lane combined with the one kWidth lanes away, then kWidth / 2 away, and so on.
template <int kWidth = kLanes / 2, typename Combine, int... kLane>
static inline Floats fold(Floats v, const Combine &combine,
                          std::integer_sequence<int, kLane...> lanes) {
  v = combine(v, __builtin_shufflevector(v, v, (kLane ^ kWidth)...));
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

// Where loops are cut. The library that tests build with GATUN_SMALL_CUTS has small cuts, so that
// small cases cross each of them several times.
#if defined(GATUN_SMALL_CUTS)
constexpr bool kSmallCuts = true;
#else
constexpr bool kSmallCuts = false;
#endif
static constexpr int64_t cut(int64_t usual, int64_t small) { return kSmallCuts ? small : usual; }

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
  return keep_lanes(v, n, rest);
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
  constexpr int64_t kWorth = cut(16384, 64);
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
