// What the products with narrow weights share: their operands, how they are cut into tasks, and the
// way through f32 for processors without the instructions of narrow products.
#ifndef GATUN_NARROW_H
#define GATUN_NARROW_H

#include "halves.h"
#include "math.h"
#include "tile.h"

namespace gatun {
namespace GATUN_LEVEL {

static inline int64_t panels(int64_t n) { return (n + GATUN_PANEL - 1) / GATUN_PANEL; }

// Activations that are signed bytes already.
struct GivenCodes {
  const int8_t *codes;
  int64_t stride;
  const float *scales;   // null where activations are no codes
  const float *offsets;  // null where they are 0
  bool shared;           // whether there is one scale for all rows

  const int8_t *row(int64_t r) const { return codes + r * stride; }
  float scale(int64_t r) const { return scales[shared ? 0 : r]; }
  float offset(int64_t r) const { return offsets == nullptr ? 0.0f : offsets[shared ? 0 : r]; }
};

// y[m][n] = activation(x[m][k] * weights^T + bias[n]), or of several experts, each for its own rows
// of y with its own weights and bias: their panels lie one after another, as those of one weight.
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
  const int32_t *rows = nullptr;  // the row of x for each row of y; null where they are the same
  const int32_t *offsets =
      nullptr;  // where each expert's rows of y begin; null for one that has all
  int64_t experts = 1;
  const void *residual = nullptr;  // of y's dtype, added to what the activation gave; null for none
  int64_t residual_stride = 0;
  GivenCodes codes = {};

  // The same product by experts, who leave the rows of y behind their last one alone.
  Product grouped(const int32_t *x_rows, const int32_t *begins, int64_t count) const {
    Product p = *this;
    p.rows = x_rows;
    p.offsets = begins;
    p.experts = count;
    bool rising = count >= 1 && begins[0] == 0;
    for (int64_t e = 0; rising && e < count; e++) {
      rising = begins[e] <= begins[e + 1];
    }
    p.m = rising && begins[count] <= m ? begins[count] : -1;
    return p;
  }

  // The same of some features alone, of one expert.
  Product part(int64_t first, int64_t features) const {
    Product p = *this;
    p.y = at(y, y_dtype, first);
    p.bias = bias == nullptr ? nullptr : bias + first;
    p.n = features;
    return p;
  }

  bool valid() const {
    return is_dtype(x_dtype) && is_dtype(y_dtype) && m >= 0 && n >= 0 && k >= 0 &&
           activation >= GATUN_ACTIVATION_NONE && activation <= GATUN_ACTIVATION_QUICK_GELU;
  }
  const void *row(int64_t r) const {
    return at(x, x_dtype, (rows == nullptr ? r : rows[r]) * x_stride);
  }
  // v with n elements of the residual's row r from a feature on.
  Floats with_residual(Floats v, int64_t r, int64_t feature, int64_t n) const {
    return residual == nullptr
               ? v
               : v + load_as(at(residual, y_dtype, r * residual_stride + feature), y_dtype, n);
  }
  // The first feature of a panel among those of all experts, and the bias from there on.
  int64_t feature(int64_t panel) const { return panel % panels(n) * GATUN_PANEL; }
  const float *panel_bias(int64_t panel) const {
    return bias == nullptr ? nullptr : bias + panel / panels(n) * n + feature(panel);
  }
};

// A task is a panel by this many rows; its sums lie in kRowBlock * GATUN_PANEL floats of stack.
constexpr int64_t kRowBlock = cut(128, 32);
// Weights are made wide this many elements of k at a time, so that they stay in the first cache.
constexpr int64_t kDepthBlock = cut(256, 64);
// Rows of x are converted this many at a time, which bounds the memory for them.
constexpr int64_t kChunk = cut(512, 48);

static inline int64_t round_up(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }

// Elements of a byte size from one copied row to the next: rows a power of two apart would all fall
// into the same few sets of the cache.
static inline int64_t row_stride(int64_t k, int64_t bytes) {
  return round_up(k * bytes, 64) / bytes + 64 / bytes;
}

// The rows of the chunk that begins at a row: at most kChunk, and an expert's rows in one chunk
// where they fit, so that its weights are read once.
static inline int64_t chunk_rows(const Product &p, int64_t row) {
  const int64_t most = p.m - row < kChunk ? p.m - row : kChunk;
  int64_t whole = 0;
  for (int64_t e = 0; p.offsets != nullptr && e < p.experts; e++) {
    const int64_t rows = p.offsets[e + 1] - row;
    whole = rows > 0 && rows <= most ? rows : whole;
  }
  return whole > 0 ? whole : most;
}

// Rows of one expert, from the chunk's first on.
struct RowBlock {
  int64_t row, rows, expert;
};
// An expert has at most a block that is not full.
constexpr int64_t kBlocks = kChunk + kChunk / kRowBlock;

// Writes the blocks of the m rows of a chunk and gives their number.
static inline int64_t row_blocks(const Product &p, int64_t chunk, int64_t m, RowBlock *blocks) {
  int64_t count = 0;
  for (int64_t e = 0; e < p.experts; e++) {
    const int64_t begin = p.offsets == nullptr ? 0 : p.offsets[e] - chunk;
    const int64_t end = p.offsets == nullptr ? m : p.offsets[e + 1] - chunk;
    const int64_t last = end < m ? end : m;
    for (int64_t row = begin < 0 ? 0 : begin; row < last; row += kRowBlock) {
      blocks[count++] = {row, last - row < kRowBlock ? last - row : kRowBlock, e};
    }
  }
  return count;
}

// Calls body(row, rows, panel) for the tasks that make up the m rows of a chunk by all features;
// the panel is one of the weights of all experts.
template <typename Body>
static inline void parallel_tiles(const Product &p, int64_t chunk, int64_t m, const Body &body) {
  RowBlock blocks[kBlocks];
  const int64_t count = row_blocks(p, chunk, m, blocks), each = panels(p.n);
  parallel(each * count, [&](int64_t task) {
    const RowBlock &block = blocks[task % count];
    body(block.row, block.rows, block.expert * each + task / count);
  });
}

// Adds the bias to sums[rows][GATUN_PANEL], applies the activation, adds the residual and stores
// them as y.
static inline void finish_panel(const Product &p, const float *sums, int64_t row, int64_t rows,
                                int64_t panel) {
  const int64_t first = p.feature(panel);
  const int64_t columns = p.n - first < GATUN_PANEL ? p.n - first : GATUN_PANEL;
  const float *bias = p.panel_bias(panel);
  for (int64_t r = 0; r < rows; r++) {
    by_vector(columns, [&](int64_t i, int64_t n) {
      Floats v = load(sums + r * GATUN_PANEL + i);
      if (bias != nullptr) {
        v += load_lanes(bias + i, n);
      }
      store_as(at(p.y, p.y_dtype, (row + r) * p.y_stride + first + i), p.y_dtype,
               p.with_residual(activate(v, p.activation), row + r, first + i, n), n);
    });
  }
}

static inline void clear(float *sums, int64_t rows) {
  __builtin_memset(sums, 0, static_cast<size_t>(rows) * GATUN_PANEL * sizeof(float));
}

// Writes rows of x as floats, stride apart; rounded to bf16 where the product's definition asks for
// it.
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

// A chunk's rows of x as floats: in their place where they are that already.
struct WideRows {
  const float *x;
  int64_t stride;

  static bool in_place(const Product &p, bool as_bf16) {
    return p.x_dtype == GATUN_DTYPE_F32 && !as_bf16 && p.rows == nullptr;
  }
  // Floats of memory that m rows need.
  static int64_t floats(const Product &p, int64_t m, bool as_bf16) {
    return in_place(p, as_bf16) ? 0 : m * row_stride(p.k, sizeof(float));
  }
  static WideRows of(const Product &p, int64_t chunk, int64_t m, bool as_bf16, float *memory) {
    if (in_place(p, as_bf16)) {
      return {static_cast<const float *>(p.x) + chunk * p.x_stride, p.x_stride};
    }
    const int64_t stride = row_stride(p.k, sizeof(float));
    widen_rows(p, chunk, m, as_bf16, memory, stride);
    return {memory, stride};
  }
};

// sums[rows][GATUN_PANEL] = x * weights^T of a panel; widen is as float_product's.
template <typename Widen>
static inline void float_tile(const float *x, int64_t stride, int64_t rows, int64_t k,
                              int64_t panel, const Widen &widen, float *sums) {
  alignas(64) float wide[kDepthBlock * GATUN_PANEL];
  clear(sums, rows);
  for (int64_t depth = 0; depth < k; depth += kDepthBlock) {
    const int64_t length = k - depth < kDepthBlock ? k - depth : kDepthBlock;
    const float *weights = widen(panel, depth, length, wide);
    product(rows, GATUN_PANEL, length, x + depth, stride, weights, GATUN_PANEL, sums, GATUN_PANEL,
            Into::kOld, weights == wide ? From::kCache : From::kMemory);
  }
}

// The product by f32 arithmetic. widen(panel, depth, length, wide) gives a panel's weights of
// [depth, depth + length) as floats [length][GATUN_PANEL], which it may write to wide.
template <typename Widen>
static inline int32_t float_product(const Product &p, bool as_bf16, const Widen &widen) {
  static thread_local Scratch scratch;
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    float *memory = scratch.floats(WideRows::floats(p, m, as_bf16) + 1);
    if (memory == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    const WideRows wide = WideRows::of(p, chunk, m, as_bf16, memory);
    parallel_tiles(p, chunk, m, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      float_tile(wide.x + row * wide.stride, wide.stride, rows, p.k, panel, widen, sums);
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
