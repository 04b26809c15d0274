// Lays weights out for products: panels of 32 output features.
#include "../panel_rows.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

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
      pack_piece<kTogether, decltype(number)>(weight, first, features, k, 0, k, to);
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
