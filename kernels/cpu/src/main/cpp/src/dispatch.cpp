// The C interface: each call goes to the level in use.
#include <atomic>
#include <cstdlib>

#include "gatun_cpu.h"
#include "thread_pool.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gatun {

struct Kernels {
#define GATUN_KERNEL(name, parameters, arguments) int32_t(*name) parameters;
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL
};

#define GATUN_LEVEL_TABLE(level) \
  namespace level {              \
  extern const Kernels kernels;  \
  }

GATUN_LEVEL_TABLE(portable)
#if defined(__x86_64__)
GATUN_LEVEL_TABLE(avx2)
GATUN_LEVEL_TABLE(avx512)
#endif

namespace {

const Kernels *table(int32_t level) {
  switch (level) {
    case GATUN_LEVEL_PORTABLE:
      return &portable::kernels;
#if defined(__x86_64__)
    case GATUN_LEVEL_AVX2:
      return &avx2::kernels;
    case GATUN_LEVEL_AVX512:
      return &avx512::kernels;
#endif
    default:
      return nullptr;
  }
}

int32_t detect() {
  int32_t features = 0;
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX)) {
    return 0;
  }
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const bool ymm = (low & 0x6) == 0x6, zmm = (low & 0xe6) == 0xe6;  // registers the system saves
  if (!ymm) {
    return 0;
  }
  features |= c & bit_FMA ? GATUN_FEATURE_FMA : 0;
  features |= c & bit_F16C ? GATUN_FEATURE_F16C : 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    features |= b & bit_AVX2 ? GATUN_FEATURE_AVX2 : 0;
    const unsigned all = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if (zmm && (b & all) == all) {
      features |= GATUN_FEATURE_AVX512;
      features |= c & bit_AVX512VNNI ? GATUN_FEATURE_AVX512_VNNI : 0;
    }
  }
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) {
    features |= a & (1u << 4) ? GATUN_FEATURE_AVX_VNNI : 0;
    features |=
        (features & GATUN_FEATURE_AVX512) && (a & (1u << 5)) ? GATUN_FEATURE_AVX512_BF16 : 0;
  }
#endif
  return features;
}

int32_t best(int32_t features) {
  const int32_t avx2 = GATUN_FEATURE_AVX2 | GATUN_FEATURE_FMA | GATUN_FEATURE_F16C;
  if ((features & avx2) != avx2) {
    return GATUN_LEVEL_PORTABLE;
  }
  return features & GATUN_FEATURE_AVX512 ? GATUN_LEVEL_AVX512 : GATUN_LEVEL_AVX2;
}

const int32_t features = detect();
std::atomic<int32_t> level{best(features)};
std::atomic<const Kernels *> kernels{table(best(features))};

}  // namespace
}  // namespace gatun

extern "C" {

#define GATUN_KERNEL(name, parameters, arguments)                          \
  int32_t gatun_##name parameters {                                        \
    return gatun::kernels.load(std::memory_order_relaxed)->name arguments; \
  }
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL

int32_t gatun_abi(void) { return GATUN_CPU_ABI; }

int32_t gatun_features(void) { return gatun::features; }

int32_t gatun_best_level(void) { return gatun::best(gatun::features); }

int32_t gatun_get_level(void) { return gatun::level.load(); }

int32_t gatun_set_level(int32_t level) {
  if (level < 0 || level > gatun_best_level()) {
    return GATUN_UNSUPPORTED_LEVEL;
  }
  gatun::kernels.store(gatun::table(level));
  gatun::level.store(level);
  return GATUN_OK;
}

int32_t gatun_get_threads(void) { return gatun::pool_threads(); }

int32_t gatun_set_threads(int32_t threads) {
  return gatun::set_pool_threads(threads) ? GATUN_OK : GATUN_INVALID_ARGUMENT;
}

void *gatun_allocate(int64_t bytes) {
  return bytes < 0 || bytes > INT64_MAX - 64 ? nullptr : aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void gatun_free(void *memory) { free(memory); }
}
