// The register tile under every product: c[rows][columns] (+)= a[rows][k] * b[k][columns].
#ifndef GATUN_TILE_H
#define GATUN_TILE_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// Two vectors a row, kTileRows of them.
constexpr int kTileColumns = 2 * kLanes;

// Tells a tile what becomes of its sums: stored, or added to what is there.
enum class Into { kNew, kOld };

// Whether b comes from memory, so that the first tile of it asks for what follows.
enum class From { kCache, kMemory };

// Bytes ahead of what is read that are asked for, where the weights come from memory.
constexpr int64_t kAhead = 2048;

// The same where a tile of so many rows reads them as they come: with more rows than few it
// computes as long as it waits, and asks early enough for both to go on at once, as where it jumps
// and the processor asks for nothing by itself.
static inline int64_t ahead_of(int64_t rows, bool jumps = false) {
  return rows < 4 && !jumps ? kAhead : 4 * kAhead;
}

// Whether one tile of rows reads a panel's weights as they lie; narrower ones pass over it again.
constexpr bool kWholePanel = kTileColumns == GATUN_PANEL;

// Whether weights come at the speed of memory without being asked for: as they lie, for one row.
static inline bool comes_by_itself(int64_t rows) { return kWholePanel && rows == 1; }

// Memory that a tile asks for while it computes, a step of k after the other: weights that come
// from far, for a later tile.
struct Ahead {
  const char *from;
  int64_t step;  // bytes a step of k

  // Nothing.
  static Ahead nothing(const void *near) { return {static_cast<const char *>(near), 0}; }

  // `bytes` from `from` on, asked for by `tiles` tiles of `steps` steps; this is tile `which`.
  static Ahead share(const void *from, int64_t bytes, int64_t steps, int64_t tiles, int64_t which) {
    const int64_t asks = steps * tiles, step = asks == 0 ? 0 : (bytes + asks - 1) / asks;
    return {static_cast<const char *>(from) + which * steps * step, step};
  }

  void ask(int64_t i) const {
    // Into the second cache: the first one holds what is in use.
    __builtin_prefetch(from + i * step, 0, 2);
    if (step > 64) {
      __builtin_prefetch(from + i * step + 64, 0, 2);
    }
  }

  // The same where a step is many lines, kLines or more where one tile asks for all: a loop over
  // them ends with a branch that is not foreseen, at which what was begun ahead is lost.
  template <int kLines = 0>
  void ask_all(int64_t i) const {
    const char *line = from + i * step, *end = line + step;
    if (kLines > 0 && step >= 64 * kLines) {
#pragma GCC unroll 32
      for (int l = 0; l < kLines; l++, line += 64) {
        __builtin_prefetch(line, 0, 2);
      }
    }
    for (; line < end; line += 64) {
      __builtin_prefetch(line, 0, 2);
    }
  }
};

// How a lies: its rows a_stride apart, or its columns, which are the steps of k.
enum class Left { kRows, kColumns };

// Where a step of k reads a's rows: two addresses that move, and distances from them that do not,
// so that a tile's addresses stay in registers. As many as there are rows would not.
template <int kRows, Left kLeft>
struct Steps {
  static constexpr int kUpper = (kRows + 1) / 2;
  const float *upper, *lower;
  int64_t stride;

  Steps(const float *a, int64_t a_stride)
      : upper(a), lower(kLeft == Left::kRows ? a + kUpper * a_stride : a), stride(a_stride) {}

  float at(int r) const {
    if constexpr (kLeft == Left::kColumns) {
      return upper[r];
    }
    return r < kUpper ? upper[r * stride] : lower[(r - kUpper) * stride];
  }

  void next() {
    if constexpr (kLeft == Left::kColumns) {
      upper += stride;
    } else {
      upper++;
      lower++;
      // Else the compiler makes an address of each row again.
      __asm__("" : "+r"(upper), "+r"(lower));
    }
  }
};

// What is asked for at a step of k is an Ahead's, or of another type that has ask(step).
template <int kRows, bool kPartial, Left kLeft, typename Asks>
static inline void tile_rows(const float *a, int64_t a_stride, const float *b, int64_t b_stride,
                             float *c, int64_t c_stride, int64_t k, int64_t columns, Into into,
                             Asks ahead) {
  Floats sums[kRows][2];
  const int64_t n0 = columns < kLanes ? columns : kLanes, n1 = columns - n0;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++) {
    float *row = c + r * c_stride;
    if (into == Into::kNew) {
      sums[r][0] = sums[r][1] = Floats{};
    } else if (kPartial) {
      sums[r][0] = load(row, n0);
      sums[r][1] = n1 > 0 ? load(row + kLanes, n1) : Floats{};
    } else {
      sums[r][0] = load(row);
      sums[r][1] = load(row + kLanes);
    }
  }
  Steps<kRows, kLeft> steps(a, a_stride);
  for (int64_t i = 0; i < k; i++) {
    const float *line = b + i * b_stride;
    if (!kPartial) {
      ahead.ask(i);
    }
    Floats b0, b1;
    if (kPartial) {
      b0 = load(line, n0);
      b1 = n1 > 0 ? load(line + kLanes, n1) : Floats{};
    } else {
      b0 = load(line);
      b1 = load(line + kLanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r++) {
      const Floats x = splat(steps.at(r));
      sums[r][0] = fma(x, b0, sums[r][0]);
      sums[r][1] = fma(x, b1, sums[r][1]);
    }
    steps.next();
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++) {
    float *row = c + r * c_stride;
    if (kPartial) {
      store(row, sums[r][0], n0);
      if (n1 > 0) {
        store(row + kLanes, sums[r][1], n1);
      }
    } else {
      store(row, sums[r][0]);
      store(row + kLanes, sums[r][1]);
    }
  }
}

template <int kRows, Left kLeft = Left::kRows, typename Asks>
static inline void tile_dispatch(int64_t rows, const float *a, int64_t a_stride, const float *b,
                                 int64_t b_stride, float *c, int64_t c_stride, int64_t k,
                                 int64_t columns, Into into, Asks ahead) {
  if (rows == kRows) {
    if (columns == kTileColumns) {
      tile_rows<kRows, false, kLeft>(a, a_stride, b, b_stride, c, c_stride, k, columns, into,
                                     ahead);
    } else {
      tile_rows<kRows, true, kLeft>(a, a_stride, b, b_stride, c, c_stride, k, columns, into, ahead);
    }
  } else if constexpr (kRows > 1) {
    tile_dispatch<kRows - 1, kLeft>(rows, a, a_stride, b, b_stride, c, c_stride, k, columns, into,
                                    ahead);
  }
}

// Calls tile(row, rows, which, tiles) for tiles of at most kMost rows, as even as can be.
template <int kMost, typename Tile>
static inline void by_even_tile(int64_t rows, const Tile &tile) {
  const int64_t tiles = (rows + kMost - 1) / kMost;
  for (int64_t t = 0; t < tiles; t++) {
    const int64_t begin = rows * t / tiles;
    tile(begin, rows * (t + 1) / tiles - begin, t, tiles);
  }
}

// Any number of rows and columns; each element's sum runs over k in order.
template <Left kLeft = Left::kRows>
static inline void product(int64_t rows, int64_t columns, int64_t k, const float *a,
                           int64_t a_stride, const float *b, int64_t b_stride, float *c,
                           int64_t c_stride, Into into, From from = From::kCache) {
  for (int64_t j = 0; j < columns; j += kTileColumns) {
    const int64_t n = columns - j < kTileColumns ? columns - j : kTileColumns;
    for (int64_t i = 0; i < rows; i += kTileRows) {
      const int64_t m = rows - i < kTileRows ? rows - i : kTileRows;
      tile_dispatch<kTileRows, kLeft>(
          m, a + i * (kLeft == Left::kRows ? a_stride : 1), a_stride, b + j, b_stride,
          c + i * c_stride + j, c_stride, k, n, into,
          i == 0 && from == From::kMemory
              ? Ahead{reinterpret_cast<const char *>(b + j) + kAhead, b_stride * 4}
              : Ahead{reinterpret_cast<const char *>(b), 0});
    }
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
