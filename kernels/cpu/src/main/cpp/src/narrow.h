// What the products with narrow weights share: their operands, how they are cut into tasks, and the
// way through f32 for processors without the instructions of narrow products.
#ifndef GATUN_NARROW_H
#define GATUN_NARROW_H

#include "halves.h"
#include "math.h"
#include "tile.h"

namespace gatun {
namespace GATUN_LEVEL {

// y[m][n] = activation(x[m][k] * weights^T + bias[n]).
struct Product {
  const void *x;
  int32_t x_dtype;
  int64_t x_stride;
  const float *bias;
  void *y;
  int32_t y_dtype;
  int64_t y_stride;
  int64_t m, n, k;
  int32_t activation;

  bool valid() const {
    return is_dtype(x_dtype) && is_dtype(y_dtype) && m >= 0 && n >= 0 && k >= 0 &&
           activation >= GATUN_ACTIVATION_NONE && activation <= GATUN_ACTIVATION_QUICK_GELU;
  }
  const void *row(int64_t r) const { return at(x, x_dtype, r * x_stride); }
};

// A task is a panel by this many rows; its sums lie in kRowBlock * GATUN_PANEL floats of stack.
constexpr int64_t kRowBlock = 128;
// Weights are made wide this many elements of k at a time, so that they stay in the first cache.
constexpr int64_t kDepthBlock = 256;
// Rows of x are converted this many at a time, which bounds the memory for them.
constexpr int64_t kChunk = 512;

static inline int64_t round_up(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }

// Elements of a byte size from one copied row to the next: rows a power of two apart would all fall
// into the same few sets of the cache.
static inline int64_t row_stride(int64_t k, int64_t bytes) {
  return round_up(k * bytes, 64) / bytes + 64 / bytes;
}

static inline int64_t panels(int64_t n) { return (n + GATUN_PANEL - 1) / GATUN_PANEL; }

// Calls body(row, rows, panel) for the tasks that make up m rows by n features.
template <typename Body>
static inline void parallel_tiles(int64_t m, int64_t n, const Body &body) {
  const int64_t blocks = (m + kRowBlock - 1) / kRowBlock;
  parallel(panels(n) * blocks, [&](int64_t task) {
    const int64_t row = task % blocks * kRowBlock;
    body(row, m - row < kRowBlock ? m - row : kRowBlock, task / blocks);
  });
}

// Adds the bias to sums[rows][GATUN_PANEL], applies the activation and stores them as y.
static inline void finish_panel(const Product &p, const float *sums, int64_t row, int64_t rows,
                                int64_t panel) {
  const int64_t first = panel * GATUN_PANEL;
  const int64_t columns = p.n - first < GATUN_PANEL ? p.n - first : GATUN_PANEL;
  for (int64_t r = 0; r < rows; r++) {
    by_vector(columns, [&](int64_t i, int64_t n) {
      Floats v = load(sums + r * GATUN_PANEL + i);
      if (p.bias != nullptr) {
        v += load_lanes(p.bias + first + i, n);
      }
      store_as(at(p.y, p.y_dtype, (row + r) * p.y_stride + first + i), p.y_dtype,
               activate(v, p.activation), n);
    });
  }
}

static inline void clear(float *sums, int64_t rows) {
  __builtin_memset(sums, 0, static_cast<size_t>(rows) * GATUN_PANEL * sizeof(float));
}

// Rows of x as floats, stride apart; rounded to bf16 where the product's definition asks for it.
static inline void widen_rows(const Product &p, int64_t row, int64_t rows, bool as_bf16,
                              float *wide, int64_t stride) {
  parallel_rows(rows, p.k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const void *in = p.row(row + r);
      by_vector(p.k, [&](int64_t i, int64_t n) {
        const Floats v = load_as(at(in, p.x_dtype, i), p.x_dtype, n);
        store_lanes(wide + r * stride + i, as_bf16 ? from_bf16(to_bf16(v)) : v, n);
      });
    }
  });
}

// The product by f32 arithmetic. widen(panel, depth, length, wide) writes a panel's weights of
// [depth, depth + length) as floats [length][GATUN_PANEL].
template <typename Widen>
static inline int32_t float_product(const Product &p, bool as_bf16, const Widen &widen) {
  static thread_local Scratch scratch;
  for (int64_t chunk = 0; chunk < p.m; chunk += kChunk) {
    const int64_t m = p.m - chunk < kChunk ? p.m - chunk : kChunk;
    const float *x = static_cast<const float *>(p.x);
    int64_t stride = p.x_stride;
    if (p.x_dtype != GATUN_DTYPE_F32 || as_bf16) {
      stride = row_stride(p.k, sizeof(float));
      float *wide = scratch.floats(m * stride);
      if (wide == nullptr) {
        return GATUN_OUT_OF_MEMORY;
      }
      widen_rows(p, chunk, m, as_bf16, wide, stride);
      x = wide;
    } else {
      x += chunk * stride;
    }
    parallel_tiles(m, p.n, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL], wide[kDepthBlock * GATUN_PANEL];
      clear(sums, rows);
      for (int64_t depth = 0; depth < p.k; depth += kDepthBlock) {
        const int64_t length = p.k - depth < kDepthBlock ? p.k - depth : kDepthBlock;
        widen(panel, depth, length, wide);
        product(rows, GATUN_PANEL, length, x + row * stride + depth, stride, wide, GATUN_PANEL,
                sums, GATUN_PANEL, Into::kOld);
      }
      finish_panel(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}

// Calls tile(row, rows) for tiles of at most kMost rows, as even as can be.
template <int kMost, typename Tile>
static inline void by_tile(int64_t rows, const Tile &tile) {
  const int64_t tiles = (rows + kMost - 1) / kMost;
  for (int64_t t = 0; t < tiles; t++) {
    const int64_t begin = rows * t / tiles;
    tile(begin, rows * (t + 1) / tiles - begin);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
