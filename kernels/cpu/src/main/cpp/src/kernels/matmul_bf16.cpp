// Weights of 16-bit floats.
#include "../dot_bf16.h"
#include "../matrices.h"
#include "../panel_rows.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

using PairPanels = Panels<2, Bf16>;
using HalfPanels = Panels<1, F16>;

int32_t by_float(const Product &p, const PairPanels &weight) {
  return float_product(p, true, [&](int64_t panel, int64_t depth, int64_t length, float *wide) {
    if (!weight.packed()) {
      weight.pack(panel, depth, depth + length, wide);
      return wide;
    }
    const Bf16 *in = weight.at(panel, depth, depth + length, nullptr);
    for (int64_t i = 0; i < length; i++) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        const uint32_t half = in[(i / 2 * GATUN_PANEL + f) * 2 + i % 2].bits;
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

const uint16_t *bits(const Bf16 *pairs) { return reinterpret_cast<const uint16_t *>(pairs); }

// Adds a pair of each row of x times those of the features to their sums.
template <int kRows>
GATUN_PAIRS GATUN_INLINE inline void add_pair(Floats *sums, Bits weights, const uint16_t *pair,
                                              int64_t x_stride) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r++) {
    sums[r] = dot_pairs(sums[r], weights, pair + r * x_stride);
  }
}

// sums[kRows][PANEL] = x[kRows][pairs] * a panel's rows, which are turned about in registers: pair
// after pair, as bf16_tile.
template <int kRows>
GATUN_PAIRS void by_turned(const uint16_t *x, int64_t x_stride, const PairPanels &weight,
                           int64_t panel, int64_t pairs, float *sums) {
  constexpr int64_t kPiece = kRowPiece / 2, kSoon = 2 * kPiece;
  alignas(64) Bf16 block[GATUN_PANEL][kRowPiece];
  Floats s[GATUN_PANEL / kLanes][kRows] = {};
  for (int64_t depth = 0; depth < pairs; depth += kPiece) {
    const int64_t length = pairs - depth < kPiece ? pairs - depth : kPiece;
    const Bf16 *from = weight.rows(panel, 2 * depth);
    const Bf16 *soon = weight.rows(panel, 2 * (depth + kSoon));
    int64_t stride = weight.row_stride();
    if (length < kPiece || !stay_in_cache(from, 2 * stride)) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        copy_piece(from + f * stride, 2 * length, block[f]);
      }
      from = block[0];
      stride = kRowPiece;
    }
    for (int64_t i = 0; i < length; i += kLanes) {
      const int64_t n = length - i < kLanes ? length - i : kLanes;
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        __builtin_prefetch(soon + f * weight.row_stride() + 2 * i, 0, 2);
      }
      const uint16_t *pair = x + 2 * (depth + i);
#pragma GCC unroll 8
      for (int f = 0; f < GATUN_PANEL / kLanes; f++) {
        Ints square[kLanes];
        load_square(from + f * kLanes * stride + 2 * i, stride / 2, square);
        turn_about(square);
        if (n == kLanes) {
#pragma GCC unroll 16
          for (int j = 0; j < kLanes; j++) {
            add_pair<kRows>(s[f], reinterpret_cast<Bits>(square[j]), pair + 2 * j, x_stride);
          }
        } else {
          for (int64_t j = 0; j < n; j++) {
            add_pair<kRows>(s[f], reinterpret_cast<Bits>(square[j]), pair + 2 * j, x_stride);
          }
        }
      }
    }
  }
  for (int f = 0; f < GATUN_PANEL / kLanes; f++) {
    for (int r = 0; r < kRows; r++) {
      store(sums + r * GATUN_PANEL + f * kLanes, s[f][r]);
    }
  }
}

// The most rows that weights are turned about for in registers.
constexpr int kTurned = 8;

template <int kRows = kTurned>
void by_turned(int64_t rows, const uint16_t *x, int64_t x_stride, const PairPanels &weight,
               int64_t panel, int64_t pairs, float *sums) {
  if (rows == kRows) {
    by_turned<kRows>(x, x_stride, weight, panel, pairs, sums);
  } else if constexpr (kRows > 1) {
    by_turned<kRows - 1>(rows, x, x_stride, weight, panel, pairs, sums);
  }
}

// sums[rows][PANEL] = x[rows][pairs] * a panel's weights[pairs][PANEL] without matrix registers.
void by_vectors(int64_t rows, const uint16_t *x, int64_t stride, const PairPanels &weight,
                int64_t panel, int64_t pairs, float *sums) {
  // A whole square of what is turned about, if blocks are less.
  constexpr int64_t kRoom = kPairsBlock < kLanes ? kLanes : kPairsBlock;
  alignas(64) Bf16 room[kRoom * 2 * GATUN_PANEL];
  const bool near = !weight.packed();
  for (int64_t depth = 0; depth < pairs; depth += kPairsBlock) {
    const int64_t length = pairs - depth < kPairsBlock ? pairs - depth : kPairsBlock;
    const uint16_t *block = bits(weight.at(panel, 2 * depth, 2 * (depth + length), room));
    const int64_t bytes = length * 4 * GATUN_PANEL;
    by_even_tile<12>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      // One tile reads the weights as they come, several share the next ones.
      const char *from =
          reinterpret_cast<const char *>(block) + (tiles == 1 ? ahead_of(rows) : bytes);
      bf16_tile<12>(count, x + r * stride + 2 * depth, stride, block, length,
                    sums + r * GATUN_PANEL, GATUN_PANEL, depth == 0 ? Into::kNew : Into::kOld,
                    near || comes_by_itself(rows)
                        ? Ahead::nothing(block)
                        : Ahead::share(from, bytes, length, tiles, which));
    });
  }
}

// A panel for matrix registers, which read all of it; null when there is no memory.
const uint16_t *whole_panel(const PairPanels &weight, int64_t panel, int64_t pairs) {
  static thread_local Scratch scratch;
  float *room = weight.packed() ? nullptr : scratch.floats(pairs * GATUN_PANEL);
  return !weight.packed() && room == nullptr
             ? nullptr
             : bits(weight.at(panel, 0, 2 * pairs, reinterpret_cast<Bf16 *>(room)));
}

int32_t by_pairs(const Product &p, const PairPanels &weight) {
  static thread_local Scratch scratch;
  std::atomic<bool> failed{false};
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
      const uint16_t *rows_of_x = x + row * stride;
      if (pairs == 0) {
        clear(sums, rows);
      } else if (has(kMatrixPairs)) {
        const uint16_t *weights = whole_panel(weight, panel, pairs);
        if (weights == nullptr) {
          failed.store(true);
          return;
        }
        Matrices().product<PairProducts>(rows, rows_of_x, 2 * stride, weights, pairs, sums,
                                         sizeof(float) * GATUN_PANEL, Into::kNew, From::kMemory);
      } else if (rows <= kTurned && weight.turns(panel)) {
        by_turned(rows, rows_of_x, stride, weight, panel, pairs, sums);
      } else {
        by_vectors(rows, rows_of_x, stride, weight, panel, pairs, sums);
      }
      finish_tile(p, sums, chunk + row, rows, panel);
    });
  }
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
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

int32_t multiply(const Product &p, const PairPanels &weight) {
  if (has(kPairs) && weight.packed()) {
    const WidePairs wide(p, bits(weight.all()));
    if (wide.serves()) {
      return wide.run();
    }
  }
  return has(kPairs) ? by_pairs(p, weight) : by_float(p, weight);
}

int32_t multiply(const Product &p, const HalfPanels &weight) {
  return float_product(p, false, [&](int64_t panel, int64_t depth, int64_t length, float *wide) {
    if (!weight.packed()) {
      weight.pack(panel, depth, depth + length, wide);
      return wide;
    }
    const F16 *in = weight.at(panel, depth, depth + length, nullptr);
    for (int64_t i = 0; i < length * GATUN_PANEL; i += kLanes) {
      store(wide + i, from_f16(load_halves(&in[i].bits)));
    }
    return wide;
  });
}

// Where several blocks of rows of x would each pack a panel, strips of the weight are packed once
// for all of them.
template <int kTogether, typename To>
int32_t product(const Product &p, const Panels<kTogether, To> &weight) {
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (weight.packed() || p.m <= kRowBlock) {
    return multiply(p, weight);
  }
  return weight.by_strips([&](const To *packed, int64_t first, int64_t features) {
    return multiply(p.part(first, features),
                    Panels<kTogether, To>(packed, GATUN_PACKED, features, p.k));
  });
}

}  // namespace

int32_t matmul_bf16(const void *x, int32_t x_dtype, int64_t x_stride, const uint16_t *weight,
                    int64_t weight_stride, const float *bias, void *y, int32_t y_dtype,
                    int64_t y_stride, int64_t m, int64_t n, int64_t k, int32_t activation) {
  return product({x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation},
                 PairPanels(weight, weight_stride, n, k));
}

int32_t matmul_f16(const void *x, int32_t x_dtype, int64_t x_stride, const uint16_t *weight,
                   int64_t weight_stride, const float *bias, void *y, int32_t y_dtype,
                   int64_t y_stride, int64_t m, int64_t n, int64_t k, int32_t activation) {
  return product({x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation},
                 HalfPanels(weight, weight_stride, n, k));
}

int32_t grouped_matmul_bf16(const void *x, int32_t x_dtype, int64_t x_stride, const int32_t *rows,
                            const int32_t *offsets, int64_t experts, const uint16_t *packed,
                            const float *bias, void *y, int32_t y_dtype, int64_t y_stride,
                            int64_t m, int64_t n, int64_t k, int32_t activation) {
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  return product(p.grouped(rows, offsets, experts), PairPanels(packed, GATUN_PACKED, n, k));
}

int32_t grouped_matmul_f16(const void *x, int32_t x_dtype, int64_t x_stride, const int32_t *rows,
                           const int32_t *offsets, int64_t experts, const uint16_t *packed,
                           const float *bias, void *y, int32_t y_dtype, int64_t y_stride, int64_t m,
                           int64_t n, int64_t k, int32_t activation) {
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  return product(p.grouped(rows, offsets, experts), HalfPanels(packed, GATUN_PACKED, n, k));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
