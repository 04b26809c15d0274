// Weights of 16-bit floats.
#include "../dot_bf16.h"
#include "../matrices.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

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

// Pairs of k of a panel that stay in the first cache, which two threads may share.
constexpr int64_t kPairsBlock = cut(128, 8);

// Rows of x that are pairs already, and neither end inside of one nor fall into few sets of the
// cache.
bool are_pairs(const Product &p) {
  return p.x_dtype == GATUN_DTYPE_BF16 && p.rows == nullptr && p.k % 2 == 0 &&
         p.x_stride * 2 % 1024 != 0;
}

// sums[rows][PANEL] = x[rows][pairs] * weights[pairs][PANEL] without matrix registers.
void by_vectors(int64_t rows, const uint16_t *x, int64_t stride, const uint16_t *weights,
                int64_t pairs, float *sums) {
  for (int64_t depth = 0; depth < pairs; depth += kPairsBlock) {
    const int64_t length = pairs - depth < kPairsBlock ? pairs - depth : kPairsBlock;
    const uint16_t *block = weights + depth * 2 * GATUN_PANEL;
    const int64_t bytes = length * 4 * GATUN_PANEL;
    by_even_tile<12>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      // One tile reads the weights as they come, several share the next ones.
      const char *from =
          reinterpret_cast<const char *>(block) + (tiles == 1 ? ahead_of(rows) : bytes);
      bf16_tile<12>(count, x + r * stride + 2 * depth, stride, block, length,
                    sums + r * GATUN_PANEL, GATUN_PANEL, depth == 0 ? Into::kNew : Into::kOld,
                    comes_by_itself(rows) ? Ahead::nothing(from)
                                          : Ahead::share(from, bytes, length, tiles, which));
    });
  }
}

int32_t by_pairs(const Product &p, const uint16_t *packed) {
  static thread_local Scratch scratch;
  const bool direct = are_pairs(p);
  const int64_t pairs = (p.k + 1) / 2, stride = direct ? p.x_stride : row_stride(p.k, 2);
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    const uint16_t *x = static_cast<const uint16_t *>(p.x) + chunk * stride;
    if (!direct) {
      uint16_t *narrow = reinterpret_cast<uint16_t *>(scratch.floats(m * stride / 2));
      if (narrow == nullptr) {
        return GATUN_OUT_OF_MEMORY;
      }
      narrow_rows(p, chunk, m, stride, false, narrow);
      x = narrow;
    }
    parallel_tiles(p, chunk, m, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      const uint16_t *rows_of_x = x + row * stride,
                     *weights = packed + panel * pairs * 2 * GATUN_PANEL;
      if (pairs == 0) {
        clear(sums, rows);
      } else if (has(kMatrixPairs)) {
        Matrices().product<PairProducts>(rows, rows_of_x, 2 * stride, weights, pairs, sums,
                                         sizeof(float) * GATUN_PANEL, Into::kNew, From::kMemory);
      } else {
        by_vectors(rows, rows_of_x, stride, weights, pairs, sums);
      }
      finish_tile(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}

int32_t product_bf16(const Product &p, const uint16_t *packed) {
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
  return has(kPairs) ? by_pairs(p, packed) : by_float(p, packed);
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
