// Lays weights out for products: panels of 32 output features.
//
// A panel's features are neighbours, so packing transposes. Of each of its rows some lines are
// brought to a block that stays in the first cache, converted on the way, and the block is turned
// about: rows whose length is a power of two would otherwise share few sets of the cache.
#include <type_traits>

#include "../numbers.h"
#include "../transpose.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Elements of a row that are taken at once.
constexpr int64_t kDepth = cut(128, 32);

struct Weight {
  const void *elements;
  int32_t dtype;
  int64_t row_stride;
  int64_t stride;  // of neighbours in a row
};

// The elements from `first` on of a row, in the packed type; 0 behind `count` of them.
template <typename From, typename To>
GATUN_INLINE inline void convert(const Weight &weight, int64_t first, int64_t count, To *line) {
  const From *from = static_cast<const From *>(weight.elements) + first;
  if constexpr (std::is_same_v<From, To>) {
    if (weight.stride == 1) {
      __builtin_memcpy(line, from, static_cast<size_t>(count) * sizeof(To));
    } else {
      for (int64_t i = 0; i < count; i++) {
        line[i] = from[i * weight.stride];
      }
    }
  } else {
    by_vector(count, [&](int64_t i, int64_t n) {
      store_lanes(line + i,
                  weight.stride == 1 ? load_lanes(from + i, n)
                                     : load_strided(from + i * weight.stride, weight.stride, n),
                  n);
    });
  }
  for (int64_t i = count; i < kDepth; i++) {
    line[i] = To{};
  }
}

// Writes packed[k / together][PANEL][together] of a block of a panel.
template <int kTogether, typename To>
void turn(const To (*block)[kDepth], int64_t groups, To *packed) {
  if constexpr (sizeof(To) * kTogether == 4) {
    int64_t g = 0;
    for (; g + kLanes <= groups; g += kLanes) {
      for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
        transpose(block[f] + g * kTogether, kDepth / kTogether,
                  packed + (g * GATUN_PANEL + f) * kTogether, GATUN_PANEL);
      }
    }
    block = reinterpret_cast<const To(*)[kDepth]>(block[0] + g * kTogether);
    packed += g * GATUN_PANEL * kTogether;
    groups -= g;
  }
  for (int64_t g = 0; g < groups; g++) {
    for (int64_t f = 0; f < GATUN_PANEL; f++) {
      __builtin_memcpy(packed + (g * GATUN_PANEL + f) * kTogether, block[f] + g * kTogether,
                       sizeof(To) * kTogether);
    }
  }
}

// Packs a panel; k is rounded up to a whole group.
template <int kTogether, typename From, typename To>
void pack_panel(const Weight &weight, int64_t first, int64_t features, int64_t k, To *packed) {
  const int64_t depth = (k + kTogether - 1) / kTogether * kTogether;
  alignas(64) To block[GATUN_PANEL][kDepth] = {};
  for (int64_t begin = 0; begin < depth; begin += kDepth) {
    const int64_t count = k - begin < kDepth ? k - begin : kDepth;
    const int64_t groups = (depth - begin < kDepth ? depth - begin : kDepth) / kTogether;
    for (int64_t f = 0; f < features; f++) {
      const int64_t at = (first + f) * weight.row_stride + begin * weight.stride;
      convert<From>(weight, at, count, block[f]);
    }
    turn<kTogether>(block, groups, packed + begin * GATUN_PANEL);
  }
}

// The halves of n numbers as bf16; 0 in the other lanes.
GATUN_INLINE inline Bits as_bf16(const float *p, int64_t n) {
  return widen(to_bf16(load_lanes(p, n)));
}
GATUN_INLINE inline Bits as_bf16(const F16 *p, int64_t n) {
  return widen(to_bf16(load_lanes(p, n)));
}
GATUN_INLINE inline Bits as_bf16(const Bf16 *p, int64_t n) {
  return widen(n == kLanes ? load_halves(&p->bits) : load_halves(&p->bits, n));
}

// Packs a panel whose features are neighbours in memory, so that nothing is turned about.
template <int kTogether, typename From, typename To>
void pack_lines(const Weight &weight, int64_t first, int64_t features, int64_t k, To *packed) {
  static_assert(kTogether == 2 || std::is_same_v<To, float>, "pairs of bf16, or floats");
  const From *from = static_cast<const From *>(weight.elements) + first;
  for (int64_t i = 0; i < k; i += kTogether, packed += kTogether * GATUN_PANEL) {
    const From *line = from + i * weight.stride;
    for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
      const int64_t rest = features - f, n = rest < 0 ? 0 : rest < kLanes ? rest : kLanes;
      if constexpr (kTogether == 1) {
        store(packed + f, load_lanes(line + f, n));
      } else {
        const Bits low = as_bf16(line + f, n);
        const Bits high = i + 1 < k ? as_bf16(line + weight.stride + f, n) : Bits{};
        const Bits pairs = low | high << 16;
        __builtin_memcpy(packed + 2 * f, &pairs, sizeof pairs);
      }
    }
  }
}

template <int kTogether, typename To>
int32_t pack(const Weight &weight, int64_t n, int64_t k, To *packed) {
  if (n < 0 || k < 0 || !is_dtype(weight.dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t size = (k + kTogether - 1) / kTogether * kTogether * GATUN_PANEL;
  by_dtype(weight.dtype, [&](auto number) {
    parallel((n + GATUN_PANEL - 1) / GATUN_PANEL, [&](int64_t panel) {
      const int64_t first = panel * GATUN_PANEL;
      const int64_t features = n - first < GATUN_PANEL ? n - first : GATUN_PANEL;
      To *to = packed + panel * size;
      if constexpr (!std::is_same_v<To, F16>) {
        if (weight.row_stride == 1 && weight.stride != 1) {
          return pack_lines<kTogether, decltype(number)>(weight, first, features, k, to);
        }
      }
      pack_panel<kTogether, decltype(number)>(weight, first, features, k, to);
    });
  });
  return GATUN_OK;
}

}  // namespace

int32_t matmul_pack_f32(const void *weight, int32_t dtype, int64_t weight_stride,
                        int64_t element_stride, int64_t n, int64_t k, float *packed) {
  return pack<1>({weight, dtype, weight_stride, element_stride}, n, k, packed);
}

int32_t matmul_pack_bf16(const void *weight, int32_t dtype, int64_t weight_stride,
                         int64_t element_stride, int64_t n, int64_t k, uint16_t *packed) {
  return pack<2>({weight, dtype, weight_stride, element_stride}, n, k,
                 reinterpret_cast<Bf16 *>(packed));
}

int32_t matmul_pack_f16(const void *weight, int32_t dtype, int64_t weight_stride,
                        int64_t element_stride, int64_t n, int64_t k, uint16_t *packed) {
  return pack<1>({weight, dtype, weight_stride, element_stride}, n, k,
                 reinterpret_cast<F16 *>(packed));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
