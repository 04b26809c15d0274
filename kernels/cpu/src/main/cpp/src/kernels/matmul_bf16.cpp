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

// Products of many rows without matrix registers: a task is some rows by some panels. Of x,
// kWideRows * kWideDepth pairs stay in the second cache while the panels pass, and a task's sums
// with them.
constexpr int64_t kWideRows = cut(132, 24), kWideDepth = cut(256, 16);
// Pairs from one row of a block to the next: a line more, for rows a power of two apart share few
// sets of the cache.
constexpr int64_t kWideStride = kWideDepth + 16;
// The most panels of a task; fewer, but not below kFewest, where that leaves less than kTasks.
constexpr int64_t kMost = cut(12, 4), kFewest = cut(3, 1), kTasks = cut(16, 2);

class WidePairs {
 public:
  WidePairs(const Product &p, const uint16_t *packed)
      : p_(p),
        packed_(packed),
        tiles_((p.m + kTile - 1) / kTile),
        blocks_((tiles_ + kTiles - 1) / kTiles),
        pairs_((p.k + 1) / 2) {
    for (each_ = kMost; each_ > kFewest && blocks_ * groups() < kTasks;) {
      each_ /= 2;
    }
  }

  bool serves() const {
    return p_.offsets == nullptr && p_.m > kWideRows && p_.k > 0 && !has(kMatrixPairs) &&
           blocks_ * groups() >= kTasks;
  }

  int32_t run() const {
    std::atomic<bool> failed{false};
    // Tasks that follow each other read the same rows of x.
    parallel(blocks_ * groups(), [&](int64_t task) {
      const int64_t block = task / groups(), first = task % groups() * each_;
      const int64_t row = tiles_ * block / blocks_ * kTile;
      const int64_t below = tiles_ * (block + 1) / blocks_ * kTile;
      const int64_t end = below < p_.m ? below : p_.m;
      const int64_t rest = panels(p_.n) - first;
      if (!multiply(row, end - row, first, rest < each_ ? rest : each_)) {
        failed.store(true);
      }
    });
    return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
  }

 private:
  static constexpr int64_t kTile = 12, kTiles = kWideRows / kTile;
  static_assert(kWideRows % kTile == 0, "a block of whole tiles");

  int64_t groups() const { return (panels(p_.n) + each_ - 1) / each_; }

  bool multiply(int64_t row, int64_t rows, int64_t panel, int64_t count) const {
    static thread_local Scratch scratch;
    float *sums = scratch.floats(kMost * kWideRows * GATUN_PANEL + kWideRows * kWideStride);
    if (sums == nullptr) {
      return false;
    }
    uint16_t *block = reinterpret_cast<uint16_t *>(sums + kMost * kWideRows * GATUN_PANEL);
    const bool direct = are_pairs(p_);
    for (int64_t depth = 0; depth < pairs_; depth += kWideDepth) {
      const int64_t length = pairs_ - depth < kWideDepth ? pairs_ - depth : kWideDepth;
      const uint16_t *x = static_cast<const uint16_t *>(p_.x) + row * p_.x_stride + 2 * depth;
      if (!direct) {
        const int64_t rest = p_.k - 2 * depth;
        narrow(row, rows, 2 * depth, rest < 2 * length ? rest : 2 * length, block);
        x = block;
      }
      for (int64_t f = 0; f < count; f++) {
        const uint16_t *weights = weights_at(panel + f, depth);
        const uint16_t *next =
            f + 1 < count ? weights_at(panel + f + 1, depth) : weights_at(panel, depth + length);
        const int64_t bytes = length * 4 * GATUN_PANEL;
        by_even_tile<kTile>(rows, [&](int64_t r, int64_t of, int64_t which, int64_t tiles) {
          bf16_tile<kTile>(of, x + r * (direct ? p_.x_stride : 2 * kWideStride),
                           direct ? p_.x_stride : 2 * kWideStride, weights, length,
                           sums + (f * kWideRows + r) * GATUN_PANEL, GATUN_PANEL,
                           depth == 0 ? Into::kNew : Into::kOld,
                           Ahead::share(next, bytes, length, tiles, which));
        });
      }
    }
    for (int64_t f = 0; f < count; f++) {
      finish_tile(p_, sums + f * kWideRows * GATUN_PANEL, row, rows, panel + f);
    }
    return true;
  }

  const uint16_t *weights_at(int64_t panel, int64_t pair) const {
    return packed_ + (panel * pairs_ + pair) * 2 * GATUN_PANEL;
  }

  // Elements of rows of x as pairs of bf16; 0 behind the last one of an odd count.
  void narrow(int64_t row, int64_t rows, int64_t first, int64_t count, uint16_t *block) const {
    for (int64_t r = 0; r < rows; r++) {
      uint16_t *to = block + r * 2 * kWideStride;
      narrow_elements(at(p_.row(row + r), p_.x_dtype, first), p_.x_dtype, count, to);
      if (count % 2 != 0) {
        to[count] = 0;
      }
    }
  }

  const Product &p_;
  const uint16_t *const packed_;
  const int64_t tiles_, blocks_, pairs_;
  int64_t each_ = kMost;
};

int32_t product_bf16(const Product &p, const uint16_t *packed) {
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (has(kPairs)) {
    const WidePairs wide(p, packed);
    if (wide.serves()) {
      return wide.run();
    }
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
