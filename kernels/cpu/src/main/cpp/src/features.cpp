#include "features.h"

#include "gatun_cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

// Matrix registers are large, so Linux asks that a process says that it wants them.
static bool may_use_matrices() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}
#else
static bool may_use_matrices() { return false; }
#endif

int32_t gatun::detect_features() {
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
  int32_t features = 0;
  features |= c & bit_FMA ? GATUN_FEATURE_FMA : 0;
  features |= c & bit_F16C ? GATUN_FEATURE_F16C : 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    features |= b & bit_AVX2 ? GATUN_FEATURE_AVX2 : 0;
    const unsigned all = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if (zmm && (b & all) == all) {
      features |= GATUN_FEATURE_AVX512;
      features |= c & bit_AVX512VNNI ? GATUN_FEATURE_AVX512_VNNI : 0;
    }
    const bool saved = (low & 0x60000) == 0x60000, amx = d & (1u << 24);
    if (saved && amx && may_use_matrices()) {
      features |= d & (1u << 22) ? GATUN_FEATURE_AMX_BF16 : 0;
      features |= d & (1u << 25) ? GATUN_FEATURE_AMX_INT8 : 0;
    }
  }
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) {
    features |= a & (1u << 4) ? GATUN_FEATURE_AVX_VNNI : 0;
    features |=
        (features & GATUN_FEATURE_AVX512) && (a & (1u << 5)) ? GATUN_FEATURE_AVX512_BF16 : 0;
  }
  return features;
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

// By their bits, for the headers of older systems lack the names.
int32_t gatun::detect_features() {
  const unsigned long one = getauxval(AT_HWCAP), two = getauxval(AT_HWCAP2);
  int32_t features = GATUN_FEATURE_NEON;
  features |= one & (1ul << 20) ? GATUN_FEATURE_DOTPROD : 0;   // HWCAP_ASIMDDP
  features |= two & (1ul << 13) ? GATUN_FEATURE_I8MM : 0;      // HWCAP2_I8MM
  features |= two & (1ul << 14) ? GATUN_FEATURE_ARM_BF16 : 0;  // HWCAP2_BF16
  return features;
}

#elif defined(__aarch64__) && defined(__APPLE__)

#include <sys/sysctl.h>

static bool is_there(const char *name) {
  int32_t value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

int32_t gatun::detect_features() {
  int32_t features = GATUN_FEATURE_NEON;
  features |= is_there("hw.optional.arm.FEAT_DotProd") ? GATUN_FEATURE_DOTPROD : 0;
  features |= is_there("hw.optional.arm.FEAT_I8MM") ? GATUN_FEATURE_I8MM : 0;
  features |= is_there("hw.optional.arm.FEAT_BF16") ? GATUN_FEATURE_ARM_BF16 : 0;
  return features;
}

#else

int32_t gatun::detect_features() { return 0; }

#endif
