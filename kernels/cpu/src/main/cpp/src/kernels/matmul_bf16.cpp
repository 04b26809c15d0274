// Weights of 16-bit floats.
#include "../dot_bf16.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Writes packed[panels][ceil(k / together)][PANEL][together]. together is 1 or 2.
int32_t pack(const void *weight, int32_t dtype, int64_t weight_stride, int64_t element_stride,
             int64_t n, int64_t k, uint16_t *packed, int32_t packed_dtype, int64_t together) {
  if (n < 0 || k < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t size = round_up(k, together) * GATUN_PANEL;
  parallel(panels(n), [&](int64_t panel) {
    uint16_t *out = packed + panel * size;
    const int64_t first = panel * GATUN_PANEL;
    for (int64_t i = 0; i < round_up(k, together); i++) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        uint16_t half[2] = {};
        if (first + f < n && i < k) {
          const void *element = at(weight, dtype, (first + f) * weight_stride + i * element_stride);
          if (dtype == packed_dtype) {
            half[0] = *static_cast<const uint16_t *>(element);
          } else {
            store_as(half, packed_dtype, load_as(element, dtype, 1), 1);
          }
        }
        out[(i / together * GATUN_PANEL + f) * together + i % together] = half[0];
      }
    }
  });
  return GATUN_OK;
}

int32_t by_float(const Product &p, const uint16_t *packed) {
  const int64_t size = round_up(p.k, 2) * GATUN_PANEL;
  return float_product(p, true, [&](int64_t panel, int64_t depth, int64_t length, float *wide) {
    const uint16_t *in = packed + panel * size + depth * GATUN_PANEL;
    for (int64_t i = 0; i < length; i++) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        const uint32_t half = in[(i / 2 * GATUN_PANEL + f) * 2 + i % 2];
        const uint32_t bits = half << 16;
        __builtin_memcpy(wide + i * GATUN_PANEL + f, &bits, sizeof bits);
      }
    }
    return wide;
  });
}

#if defined(GATUN_LEVEL_avx512)
int32_t by_pairs(const Product &p, const uint16_t *packed) {
  static thread_local Scratch scratch;
  const int64_t pairs_end = round_up(p.k, 2), stride = row_stride(p.k, 2);
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    uint16_t *x = reinterpret_cast<uint16_t *>(scratch.floats(m * stride / 2));
    if (x == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    narrow_rows(p, chunk, m, stride, false, x);
    parallel_tiles(p, chunk, m, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      if (pairs_end == 0) {
        clear(sums, rows);
      }
      for (int64_t depth = 0; depth < pairs_end; depth += kDepthBlock) {
        const int64_t length = pairs_end - depth < kDepthBlock ? pairs_end - depth : kDepthBlock;
        const uint16_t *weights = packed + (panel * pairs_end + depth) * GATUN_PANEL;
        by_tile<12>(rows, [&](int64_t r, int64_t count) {
          bf16_tile<12>(count, x + (row + r) * stride + depth, stride, weights, length / 2,
                        sums + r * GATUN_PANEL, GATUN_PANEL, depth == 0 ? Into::kNew : Into::kOld);
        });
      }
      finish_panel(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}
#endif

int32_t product_bf16(const Product &p, const uint16_t *packed) {
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
#if defined(GATUN_LEVEL_avx512)
  if (has_bf16()) {
    return by_pairs(p, packed);
  }
#endif
  return by_float(p, packed);
}

int32_t product_f16(const Product &p, const uint16_t *packed) {
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
  return float_product(p, false, [&](int64_t panel, int64_t depth, int64_t length, float *wide) {
    const uint16_t *in = packed + (panel * p.k + depth) * GATUN_PANEL;
    for (int64_t i = 0; i < length * GATUN_PANEL; i += kLanes) {
      store(wide + i, from_f16(load_halves(in + i)));
    }
    return wide;
  });
}

}  // namespace

int32_t matmul_pack_bf16(const void *weight, int32_t dtype, int64_t weight_stride,
                         int64_t element_stride, int64_t n, int64_t k, uint16_t *packed) {
  return pack(weight, dtype, weight_stride, element_stride, n, k, packed, GATUN_DTYPE_BF16, 2);
}

int32_t matmul_pack_f16(const void *weight, int32_t dtype, int64_t weight_stride,
                        int64_t element_stride, int64_t n, int64_t k, uint16_t *packed) {
  return pack(weight, dtype, weight_stride, element_stride, n, k, packed, GATUN_DTYPE_F16, 1);
}

int32_t matmul_bf16(const void *x, int32_t x_dtype, int64_t x_stride, const uint16_t *packed,
                    const float *bias, void *y, int32_t y_dtype, int64_t y_stride, int64_t m,
                    int64_t n, int64_t k, int32_t activation) {
  return product_bf16({x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation},
                      packed);
}

int32_t matmul_f16(const void *x, int32_t x_dtype, int64_t x_stride, const uint16_t *packed,
                   const float *bias, void *y, int32_t y_dtype, int64_t y_stride, int64_t m,
                   int64_t n, int64_t k, int32_t activation) {
  return product_f16({x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation},
                     packed);
}

int32_t grouped_matmul_bf16(const void *x, int32_t x_dtype, int64_t x_stride, const int32_t *rows,
                            const int32_t *offsets, int64_t experts, const uint16_t *packed,
                            const float *bias, void *y, int32_t y_dtype, int64_t y_stride,
                            int64_t m, int64_t n, int64_t k, int32_t activation) {
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  return product_bf16(p.grouped(rows, offsets, experts), packed);
}

int32_t grouped_matmul_f16(const void *x, int32_t x_dtype, int64_t x_stride, const int32_t *rows,
                           const int32_t *offsets, int64_t experts, const uint16_t *packed,
                           const float *bias, void *y, int32_t y_dtype, int64_t y_stride, int64_t m,
                           int64_t n, int64_t k, int32_t activation) {
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  return product_f16(p.grouped(rows, offsets, experts), packed);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
