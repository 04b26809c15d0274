// Products by matrix registers, for processors that have them. Those of a word of 32 bits of x with
// one of a packed weight are pairs of bf16 or fours of bytes. What becomes of a row does not depend
// on the others.
#ifndef GATUN_MATRICES_H
#define GATUN_MATRICES_H

#include "tile.h"

namespace gatun {
namespace GATUN_LEVEL {

// A tile's rows: two registers of x and two of weights, and their four products.
constexpr int64_t kMatrixTileRows = 2 * kMatrixRows;
// Words of k of a panel that stay in the first cache, which two threads may share.
constexpr int64_t kMatrixBlock = 128;
static_assert(GATUN_PANEL == 2 * kMatrixWords, "a panel is two registers wide");

struct PairProducts {
  template <int kSums, int kX, int kWeights>
  static void dot() {
    dot_matrix_pairs<kSums, kX, kWeights>();
  }
};

struct ByteProducts {
  template <int kSums, int kX, int kWeights>
  static void dot() {
    dot_matrix_bytes<kSums, kX, kWeights>();
  }
};

struct SignedByteProducts {
  template <int kSums, int kX, int kWeights>
  static void dot() {
    dot_matrix_signed_bytes<kSums, kX, kWeights>();
  }
};

// A thread's matrix registers, for as long as this lives.
class Matrices {
 public:
  Matrices() = default;
  Matrices(const Matrices &) = delete;
  Matrices &operator=(const Matrices &) = delete;
  ~Matrices() {
    if (rows_ > 0) {
      release_matrices(before_);
    }
  }

  // Registers 0 to 3 are sums, 4 and 5 rows of x, 6 and 7 weights.
  void shape(int64_t rows, int64_t words) {
    const bool upper_fits = rows == kMatrixRows && rows_ > kMatrixRows;
    if (words == words_ && (rows == rows_ || upper_fits)) {
      return;
    }
    if (rows_ == 0) {
      before_ = matrix_configuration();
    }
    rows_ = rows;
    words_ = words;
    const int64_t upper = rows < kMatrixRows ? rows : kMatrixRows, lower = rows - upper;
    shape_matrices({{upper, kMatrixWords},
                    {upper, kMatrixWords},
                    {lower, lower == 0 ? 0 : kMatrixWords},
                    {lower, lower == 0 ? 0 : kMatrixWords},
                    {upper, words},
                    {lower, lower == 0 ? 0 : words},
                    {words, kMatrixWords},
                    {words, kMatrixWords}});
  }

  // sums[rows][PANEL] (+)= x[rows][words] * packed[words][PANEL], x and sums so many bytes a row.
  // One tile of rows asks for what follows it `kAhead` further on, of several each for its part of
  // what the next block needs.
  template <typename Products>
  void product(int64_t rows, const void *x, int64_t x_stride, const void *packed, int64_t words,
               void *sums, int64_t sums_stride, Into into, From from) {
    const char *in = static_cast<const char *>(x), *weights = static_cast<const char *>(packed);
    char *out = static_cast<char *>(sums);
    for (int64_t r = 0; r < rows && words == 0 && into == Into::kNew; r++) {
      __builtin_memset(out + r * sums_stride, 0, kLine);
    }
    for (int64_t depth = 0; depth < words;) {
      // The last words, fewer than a register holds, are a block of their own.
      const int64_t left = words - depth, whole = left / kMatrixWords * kMatrixWords;
      const int64_t length = whole == 0 ? left : whole < kMatrixBlock ? whole : kMatrixBlock;
      const int64_t steps = (length + kMatrixWords - 1) / kMatrixWords;
      const int64_t tiles = (rows + kMatrixTileRows - 1) / kMatrixTileRows;
      const char *block = weights + depth * kLine;
      for (int64_t t = 0; t < tiles; t++) {
        const int64_t row = t * kMatrixTileRows;
        const int64_t count = rows - row < kMatrixTileRows ? rows - row : kMatrixTileRows;
        const Ahead ahead = from == From::kCache
                                ? Ahead{block, 0}
                                : Ahead::share(block + (tiles == 1 ? kAhead : length * kLine),
                                               length * kLine, steps, tiles, t);
        shape(count, length < kMatrixWords ? length : kMatrixWords);
        tile<Products>(count, in + row * x_stride + depth * 4, x_stride, block, steps,
                       out + row * sums_stride, sums_stride, depth == 0 ? into : Into::kOld, ahead);
      }
      depth += length;
    }
  }

  // The same of one register each: for at most kMatrixRows rows, kMatrixWords words and columns.
  template <typename Products>
  void small_product(int64_t rows, const void *x, int64_t x_stride, const void *weights,
                     int64_t words, void *sums, int64_t sums_stride, Into into) {
    shape(rows, words);
    if (into == Into::kNew) {
      clear_matrix<0>();
    } else {
      load_matrix<0>(sums, sums_stride);
    }
    load_matrix<4>(x, x_stride);
    load_matrix<6>(weights, 4 * kMatrixWords);
    Products::template dot<0, 4, 6>();
    store_matrix<0>(sums, sums_stride);
  }

  // sums[kMatrixRows][kMatrixWords] = x[kMatrixRows][steps * words] * packed[steps * words][..],
  // kMatrixWords of a panel's columns; after shape(kMatrixRows, words).
  template <typename Products>
  static void run_product(const void *x, int64_t x_stride, const void *packed, int64_t words,
                          int64_t steps, int32_t *sums) {
    const char *in = static_cast<const char *>(x), *weights = static_cast<const char *>(packed);
    clear_matrix<0>();
    for (int64_t i = 0; i < steps; i++, in += 4 * words, weights += words * kLine) {
      load_matrix<6>(weights, kLine);
      load_matrix<4>(in, x_stride);
      Products::template dot<0, 4, 6>();
    }
    store_matrix<0>(sums, 4 * kMatrixWords);
  }

 private:
  static constexpr int64_t kLine = 4 * GATUN_PANEL;

  int64_t rows_ = 0, words_ = 0;
  MatrixConfiguration before_;

  template <typename Products>
  static void tile(int64_t rows, const char *x, int64_t x_stride, const char *weights,
                   int64_t steps, char *sums, int64_t sums_stride, Into into, Ahead ahead) {
    if (rows > kMatrixRows) {
      tile<Products, true>(x, x_stride, weights, steps, sums, sums_stride, into, ahead);
    } else {
      tile<Products, false>(x, x_stride, weights, steps, sums, sums_stride, into, ahead);
    }
  }

  template <typename Products, bool kLower>
  static void tile(const char *x, int64_t x_stride, const char *weights, int64_t steps, char *sums,
                   int64_t sums_stride, Into into, Ahead ahead) {
    constexpr int64_t kHalf = kLine / 2;
    char *lower_sums = sums + kMatrixRows * sums_stride;
    if (into == Into::kNew) {
      clear_matrix<0>();
      clear_matrix<1>();
      if constexpr (kLower) {
        clear_matrix<2>();
        clear_matrix<3>();
      }
    } else {
      load_matrix<0>(sums, sums_stride);
      load_matrix<1>(sums + kHalf, sums_stride);
      if constexpr (kLower) {
        load_matrix<2>(lower_sums, sums_stride);
        load_matrix<3>(lower_sums + kHalf, sums_stride);
      }
    }
    for (int64_t i = 0; i < steps; i++, x += 4 * kMatrixWords, weights += kMatrixWords * kLine) {
      ahead.ask_all(i);
      load_matrix<6>(weights, kLine);
      load_matrix<4>(x, x_stride);
      Products::template dot<0, 4, 6>();
      load_matrix<7>(weights + kHalf, kLine);
      Products::template dot<1, 4, 7>();
      if constexpr (kLower) {
        load_matrix<5>(x + kMatrixRows * x_stride, x_stride);
        Products::template dot<2, 5, 6>();
        Products::template dot<3, 5, 7>();
      }
    }
    store_matrix<0>(sums, sums_stride);
    store_matrix<1>(sums + kHalf, sums_stride);
    if constexpr (kLower) {
      store_matrix<2>(lower_sums, sums_stride);
      store_matrix<3>(lower_sums + kHalf, sums_stride);
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
