// The C interface: each call goes to the level in use.
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>

#include "features.h"
#include "gatun_cpu.h"
#include "recording.h"
#include "thread_pool.h"

// The levels of this machine and the instruction sets that make up each, the best one first.
#if defined(__x86_64__)
#define GATUN_LEVELS(LEVEL)                                                                  \
  LEVEL(avx512, GATUN_LEVEL_AVX512,                                                          \
        GATUN_FEATURE_AVX512 | GATUN_FEATURE_AVX2 | GATUN_FEATURE_FMA | GATUN_FEATURE_F16C)  \
  LEVEL(avx2, GATUN_LEVEL_AVX2, GATUN_FEATURE_AVX2 | GATUN_FEATURE_FMA | GATUN_FEATURE_F16C) \
  LEVEL(portable, GATUN_LEVEL_PORTABLE, 0)
#elif defined(__aarch64__)
#define GATUN_LEVELS(LEVEL)                         \
  LEVEL(neon, GATUN_LEVEL_NEON, GATUN_FEATURE_NEON) \
  LEVEL(portable, GATUN_LEVEL_PORTABLE, 0)
#else
#define GATUN_LEVELS(LEVEL) LEVEL(portable, GATUN_LEVEL_PORTABLE, 0)
#endif

namespace gatun {

struct Kernels {
#define GATUN_KERNEL(name, parameters, arguments) int32_t(*name) parameters;
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL
};

#define GATUN_TABLE(name, number, needs) \
  namespace name {                       \
  extern const Kernels kernels;          \
  }
GATUN_LEVELS(GATUN_TABLE)
#undef GATUN_TABLE

namespace {

struct Level {
  int32_t number;
  int32_t needs;
  const Kernels *kernels;
};

const Level levels[] = {
#define GATUN_ENTRY(name, number, needs) {number, needs, &name::kernels},
    GATUN_LEVELS(GATUN_ENTRY)
#undef GATUN_ENTRY
};

const int32_t there = detect_features();
std::atomic<int32_t> features{there};

bool runs(const Level &l) { return (there & l.needs) == l.needs; }

// The last one needs nothing.
const Level *best() {
  const Level *l = levels;
  while (!runs(*l)) {
    l++;
  }
  return l;
}

// Null where the library has none of the number.
const Level *find(int32_t number) {
  for (const Level &l : levels) {
    if (l.number == number) {
      return &l;
    }
  }
  return nullptr;
}

std::atomic<int32_t> level{best()->number};
std::atomic<const Kernels *> kernels{best()->kernels};

template <typename... A>
int32_t call(gatun_recording *recording, int32_t (*Kernels::*kernel)(A...), A... arguments) {
  if (recording != nullptr) {
    return recording->add(kernel, arguments...) ? GATUN_OK : GATUN_OUT_OF_MEMORY;
  }
  return (kernels.load(std::memory_order_relaxed)->*kernel)(arguments...);
}

}  // namespace
}  // namespace gatun

extern "C" {

#define GATUN_KERNEL(name, parameters, arguments)                               \
  int32_t gatun_##name(gatun_recording *recording, GATUN_LIST parameters) {     \
    return gatun::call(recording, &gatun::Kernels::name, GATUN_LIST arguments); \
  }
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL

gatun_recording *gatun_new_recording(void) {
  void *memory = gatun_allocate(sizeof(gatun_recording));
  return memory == nullptr ? nullptr : new (memory) gatun_recording();
}

void gatun_free_recording(gatun_recording *recording) {
  recording->~gatun_recording();
  gatun_free(recording);
}

int32_t gatun_run_recording(const gatun_recording *recording, int64_t *failed) {
  return recording->run(*gatun::kernels.load(std::memory_order_relaxed), failed);
}

int32_t gatun_abi(void) { return GATUN_CPU_ABI; }

int32_t gatun_features(void) { return gatun::features.load(std::memory_order_relaxed); }

int32_t gatun_set_features(int32_t features) {
  if (features != -1 && (features & ~gatun::there) != 0) {
    return GATUN_UNSUPPORTED_LEVEL;
  }
  gatun::features.store(features & gatun::there);
  return GATUN_OK;
}

int32_t gatun_level_needs(int32_t level) {
  const gatun::Level *l = gatun::find(level);
  return l == nullptr ? -1 : l->needs;
}

int32_t gatun_levels(void) {
  int32_t numbers = 0;
  for (const gatun::Level &l : gatun::levels) {
    numbers |= gatun::runs(l) ? 1 << l.number : 0;
  }
  return numbers;
}

int32_t gatun_best_level(void) { return gatun::best()->number; }

int32_t gatun_get_level(void) { return gatun::level.load(); }

int32_t gatun_set_level(int32_t level) {
  const gatun::Level *l = gatun::find(level);
  if (l == nullptr || !gatun::runs(*l)) {
    return GATUN_UNSUPPORTED_LEVEL;
  }
  gatun::kernels.store(l->kernels);
  gatun::level.store(level);
  return GATUN_OK;
}

int32_t gatun_get_threads(void) { return gatun::pool_threads(); }

int32_t gatun_set_threads(int32_t threads) {
  return gatun::set_pool_threads(threads) ? GATUN_OK : GATUN_INVALID_ARGUMENT;
}

void *gatun_allocate(int64_t bytes) {
  // From here on pages of 2 MB are asked for: the system gives them 512 times less often, and the
  // processor's table of pages holds more of them.
  constexpr int64_t kHugePage = int64_t{2} << 20, kLarge = 2 * kHugePage;
  if (bytes < 0 || bytes > INT64_MAX - kHugePage) {
    return nullptr;
  }
  const size_t size = (static_cast<size_t>(bytes) + 63) / 64 * 64;
  void *memory = nullptr;
  if (posix_memalign(&memory, bytes < kLarge ? 64 : kHugePage, size) != 0) {
    return nullptr;
  }
#ifdef MADV_HUGEPAGE
  if (bytes >= kLarge) {
    madvise(memory, size, MADV_HUGEPAGE);
  }
#endif
  return memory;
}

void gatun_free(void *memory) { free(memory); }
}
