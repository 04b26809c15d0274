// Products of codes by matrix registers. The sums of a run are whole numbers, so results are those
// of codes_tile.h to the bit.
#ifndef GATUN_MATRIX_CODES_H
#define GATUN_MATRIX_CODES_H

#include "activation_codes.h"
#include "matrices.h"

namespace gatun {
namespace GATUN_LEVEL {

// The rows of a task where a whole row is one run, as long_rows.
static inline void matrix_long_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                                    int64_t row, int64_t rows, float *sums) {
  const Groups all(q, panel, 0);
  Matrices().product<ByteProducts>(rows, a.codes + row * a.stride, a.stride, all.words(),
                                   q.records.words(), sums, sizeof(float) * GATUN_PANEL, Into::kNew,
                                   From::kMemory);
  for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
    const Floats scale = all.scale(j), weights = a.centred ? Floats{} : all.sum(j);
    for (int64_t r = 0; r < rows; r++) {
      float *sum = sums + r * GATUN_PANEL + j;
      const Ints part = load_words(sum) + a.begin[row + r];
      const Floats products = __builtin_convertvector(part, Floats) * scale;
      store(sum, fma(splat(a.offsets[row + r]), weights, products * a.scales[row + r]));
    }
  }
}

// Words of a run that a product takes at once; 0 where it cannot be cut so.
static inline int64_t run_words(int64_t run) {
  return run % 64 == 0 ? 16 : run % 32 == 0 ? 8 : run % 16 == 0 ? 4 : 0;
}

// Whether matrix_rows takes a task, and is faster: for one register of rows alone it is not worth
// to take the codes apart.
static inline bool fits_matrix_rows(const Quantized &q, const ActivationCodes &a, int64_t rows) {
  return rows > kMatrixRows && run_words(a.run) > 0 && q.group <= kDepthBlock &&
         a.has_whole_runs(q) && !q.has_sum() && has(kMatrixBytes);
}

// Products of kMatrixRows rows and kMatrixWords features in runs, one ahead: while the sums of a
// run are scaled the next one's products are under way.
class RunProducts {
 public:
  explicit RunProducts(const ActivationCodes &a)
      : stride_(a.stride), words_(run_words(a.run)), steps_(a.run / 4 / words_) {
    matrices_.shape(kMatrixRows, words_);
  }

  void begin(const int8_t *x, const int8_t *weights) {
    Matrices::run_product<SignedByteProducts>(x, stride_, weights, words_, steps_, parts_[at_]);
  }

  // The sums [kMatrixRows][kMatrixWords] of what was begun last, after beginning the next.
  const int32_t *sums(const int8_t *next_x, const int8_t *next_weights) {
    const int32_t *part = parts_[at_];
    at_ ^= 1;
    begin(next_x, next_weights);
    return part;
  }

 private:
  alignas(64) int32_t parts_[2][kMatrixRows * kMatrixWords];
  Matrices matrices_;
  int64_t stride_, words_, steps_;
  int at_ = 0;
};

// Where a tile's products begin.
struct RunStart {
  const int8_t *x, *weights;
};

// sums[kMatrixRows][PANEL] += a * weights^T for the columns from j on of a panel's groups [first,
// last), whose products were begun; not of the first `done` rows, which have them already. The sums
// of these rows and columns fill the registers.
template <bool kMin>
static inline void matrix_tile(RunProducts &products, const Quantized &q, int64_t panel,
                               int64_t first, int64_t last, const ActivationCodes &a, int64_t row,
                               int64_t j, int64_t done, float *sums, RunStart here, RunStart next) {
  constexpr int kVectors = kMatrixWords < kLanes ? 1 : kMatrixWords / kLanes;
  const int64_t run = a.run, runs = q.group / run, all = a.runs, blocks = a.blocks;
  const int64_t shared = a.per_token() ? all : a.block / run, begin = first * runs;
  const float *by = a.scales + row * blocks + begin / shared;
  const float *shifts = a.shifts + row * all + begin;
  const bool per_token = a.per_token();
  Floats total[kMatrixRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kMatrixRows; r++) {
    for (int v = 0; v < kVectors; v++) {
      total[r][v] = load(sums + r * GATUN_PANEL + j + v * kLanes);
    }
  }
  int64_t left = shared, to_come = (last - first) * runs;
  Groups group(q, panel, first);
  for (int64_t g = first; g < last; g++, group.next()) {
    Floats scale[kVectors], min[kVectors];
    for (int v = 0; v < kVectors; v++) {
      scale[v] = group.scale(j + v * kLanes);
      min[v] = kMin ? group.min(j + v * kLanes, scale[v]) : Floats{};
    }
    for (int64_t i = 0; i < runs; i++, shifts++) {
      here = --to_come > 0 ? RunStart{here.x + run, here.weights + run * GATUN_PANEL} : next;
      const int32_t *part = products.sums(here.x, here.weights);
#pragma GCC unroll 16
      for (int r = 0; r < kMatrixRows; r++) {
        const Floats scaled = splat(per_token ? 1.0f : by[r * blocks]);
        for (int v = 0; v < kVectors; v++) {
          const Ints whole = load_words(part + r * kMatrixWords + v * kLanes);
          const Floats product = __builtin_convertvector(whole, Floats) * scaled;
          total[r][v] = fma(product, scale[v], total[r][v]);
          if (kMin) {
            total[r][v] = fma(splat(shifts[r * all]), min[v], total[r][v]);
          }
        }
      }
      if (--left == 0) {
        by++;
        left = shared;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kMatrixRows; r++) {
    for (int v = 0; v < kVectors && r >= done; v++) {
      store(sums + r * GATUN_PANEL + j + v * kLanes, total[r][v]);
    }
  }
}

// The rows of a task by way of bytes, as bytes_rows.
template <int kBits>
static inline void matrix_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                               int64_t row, int64_t rows, float *sums) {
  alignas(64) int8_t bytes[kDepthBlock * GATUN_PANEL];
  const int64_t together = kDepthBlock / q.group, halves = GATUN_PANEL / kMatrixWords;
  const int64_t tiles = (rows + kMatrixRows - 1) / kMatrixRows * halves;
  RunProducts products(a);
  clear(sums, rows);
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    code_bytes<kBits>(q, panel, g, last, bytes);
    const Quantized wide = with_wide_scales(q, panel, g, last);
    const char *following = reinterpret_cast<const char *>(q.place(panel, last));
    Ahead{following, q.bytes_of(last - g)}.ask_all(0);
    // The last rows are computed with some before them, for a register has so many.
    const auto top = [&](int64_t tile) {
      const int64_t first = tile / halves * kMatrixRows;
      return first + kMatrixRows <= rows ? first : rows - kMatrixRows;
    };
    const auto start = [&](int64_t tile) {
      return RunStart{a.codes + (row + top(tile)) * a.stride + g * q.group,
                      bytes + tile % halves * kMatrixWords * 4};
    };
    RunStart here = start(0);
    products.begin(here.x, here.weights);
    for (int64_t tile = 0; tile < tiles; tile++) {
      const int64_t at = top(tile), done = tile / halves * kMatrixRows - at;
      const int64_t j = tile % halves * kMatrixWords;
      const RunStart next = start(tile + 1 < tiles ? tile + 1 : 0);
      if (q.has_min()) {
        matrix_tile<true>(products, wide, panel, g, last, a, row + at, j, done,
                          sums + at * GATUN_PANEL, here, next);
      } else {
        matrix_tile<false>(products, wide, panel, g, last, a, row + at, j, done,
                           sums + at * GATUN_PANEL, here, next);
      }
      here = next;
    }
  }
  for (int64_t r = 0; a.per_token() && r < rows; r++) {
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      float *sum = sums + r * GATUN_PANEL + j;
      // As codes_tile, which adds an offset of 0.
      store(sum, load(sum) * a.scales[(row + r) * a.blocks] + Floats{});
    }
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
