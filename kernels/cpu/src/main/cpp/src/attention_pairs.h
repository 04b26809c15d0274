// Attention of bf16 queries, keys and values in pairs.
#ifndef GATUN_ATTENTION_PAIRS_H
#define GATUN_ATTENTION_PAIRS_H

#include "attention_tiles.h"
#include "dot_bf16.h"
#include "matrices.h"

namespace gatun {
namespace GATUN_LEVEL {

// A head's size in pairs, and its queries and keys.
class HeadPairs {
 public:
  const int64_t size, depth;

  explicit HeadPairs(int64_t head_size) : size(head_size), depth(pairs(head_size)) {}

  static int64_t pairs(int64_t size) { return (size + 1) / 2; }

  void copy(const Bf16 *from, uint32_t *to) const {
    if (size % 2 != 0) {
      to[depth - 1] = 0;
    }
    __builtin_memcpy(to, from, static_cast<size_t>(size) * sizeof(Bf16));
  }

  // Pairs d to d + n of a row, whose last one may be half of one.
  Floats load(const Bf16 *row, int64_t d, int64_t n) const {
    const int64_t left = size - 2 * d, halves = left < 2 * n ? left : 2 * n;
    Floats v{};
    if (halves == 2 * kLanes) {
      __builtin_memcpy(&v, row + 2 * d, sizeof v);
      return v;
    }
    uint32_t bits[kLanes] = {};
    __builtin_memcpy(bits, row + 2 * d, static_cast<size_t>(halves) * sizeof(Bf16));
    __builtin_memcpy(&v, bits, sizeof v);
    return v;
  }
};

// Makes a row [kKeys] of floats one of bf16 in place, with zeros up to a whole vector.
GATUN_PAIRS static inline void narrow_weights(int64_t keys, float *row) {
  for (int64_t j = 0; j < keys; j += kLanes) {
    const int64_t n = keys - j < kLanes ? keys - j : kLanes;
    store_halves(reinterpret_cast<uint16_t *>(row) + j, narrow(load_lanes(row + j, n)));
  }
}

// As FloatBlocks, with everything in pairs of bf16; probabilities are rounded to bf16.
class PairBlocks {
 public:
  static int64_t floats(int64_t size, int64_t value_size) {
    const int64_t depth = HeadPairs::pairs(size);
    return kChunkQueries * depth + kKeys * depth + kKeys / 2 * sum_columns(value_size);
  }
  static int64_t sum_columns(int64_t value_size) { return round_up(value_size, GATUN_PANEL); }

  PairBlocks(const Sequence<Bf16> &sequence, float *memory)
      : s(sequence),
        head(s.a.head_size),
        value_size(s.a.value_head_size),
        depth(head.depth),
        columns(sum_columns(value_size)) {
    key = reinterpret_cast<uint32_t *>(memory);
    value = key + kKeys * depth;
    query = value + kKeys / 2 * columns;
  }

  void load_query(int64_t i, const Bf16 *from) { head.copy(from, query + i * depth); }

  void load_keys(const Bf16 *const *from, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kLanes) {
      ask(from, j + kAsked, j + kAsked + kLanes, keys, head.size);
      const int64_t m = keys - j < kLanes ? keys - j : kLanes;
      uint32_t *out = key + j / GATUN_PANEL * GATUN_PANEL * depth + j % GATUN_PANEL;
      by_vector(depth, [&](int64_t d, int64_t n) {
        Floats rows[kLanes];  // pairs, of which only the places change
        for (int64_t r = 0; r < kLanes; r++) {
          rows[r] = r < m ? head.load(from[j + r], d, n) : Floats{};
        }
        transpose(rows);
        for (int64_t r = 0; r < n; r++) {
          __builtin_memcpy(out + (d + r) * GATUN_PANEL, &rows[r], sizeof rows[r]);
        }
      });
      if (j + kLanes >= keys) {
        zero_rest(out + kLanes, GATUN_PANEL - j % GATUN_PANEL - kLanes);
      }
    }
  }

  bool load_values(const Bf16 *const *from, int64_t begin, int64_t keys) {
    Floats check{};
    for (int64_t j = 0; j < keys; j += 2) {
      ask(from, j + kAsked, j + kAsked + 2, keys, value_size);
      const Bf16 *first = s.is_masked(begin + j) ? nullptr : from[j];
      const bool second_is = j + 1 < keys && !s.is_masked(begin + j + 1);
      const Bf16 *second = second_is ? from[j + 1] : nullptr;
      for (int64_t d = 0; d < columns; d += kLanes) {
        const Bits low = value_bits(first, d, check), high = value_bits(second, d, check);
        const Bits both = low | (high << 16);
        uint32_t *out =
            value + (d / GATUN_PANEL * kKeys / 2 + j / 2) * GATUN_PANEL + d % GATUN_PANEL;
        __builtin_memcpy(out, &both, sizeof both);
      }
    }
    return sum(check) == 0.0f;
  }

  template <typename Seen>
  void score(int64_t tile, int64_t rows, int64_t keys, const Seen &, float *scores) {
    for (int64_t j = 0; j < keys; j += GATUN_PANEL) {
      tiles(rows, query + tile * depth, depth, key + j * depth, depth, scores + j, kKeys,
            Into::kNew);
    }
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t j = r * kKeys; j < r * kKeys + keys; j += kLanes) {
        store(scores + j, load(scores + j) * s.a.scale);
      }
    }
  }

  template <typename Seen>
  void add_values(int64_t rows, int64_t keys, const Seen &, float *weights, float *sums) {
    for (int64_t r = 0; r < rows; r++) {
      narrow_weights(keys, weights + r * kKeys);
    }
    const uint32_t *narrowed = reinterpret_cast<const uint32_t *>(weights);
    for (int64_t d = 0; d < columns; d += GATUN_PANEL) {
      tiles(rows, narrowed, kKeys, value + d * kKeys / 2, (keys + 1) / 2, sums + d, columns,
            Into::kOld);
    }
  }

  Upcoming upcoming;

 private:
  const Sequence<Bf16> &s;
  const HeadPairs head;
  const int64_t value_size, depth, columns;
  uint32_t *query;  // [kChunkQueries][depth]
  uint32_t *key;    // [kKeys / PANEL][depth][PANEL]
  uint32_t *value;  // [columns / PANEL][kKeys / 2][PANEL]
  Matrices matrices;

  // The keys that a panel has no more of.
  void zero_rest(uint32_t *rest, int64_t keys) const {
    for (int64_t d = 0; keys > 0 && d < depth; d++) {
      __builtin_memset(rest + d * GATUN_PANEL, 0, static_cast<size_t>(keys) * sizeof *rest);
    }
  }

  Bits value_bits(const Bf16 *row, int64_t d, Floats &check) const {
    if (row == nullptr || d >= value_size) {
      return Bits{};
    }
    const int64_t n = value_size - d < kLanes ? value_size - d : kLanes;
    const uint16_t *from = reinterpret_cast<const uint16_t *>(row) + d;
    const Halves h = n == kLanes ? load_halves(from) : load_halves(from, n);
    check += from_bf16(h) * 0.0f;
    return __builtin_convertvector(h, Bits);
  }

  void tiles(int64_t rows, const uint32_t *x, int64_t x_stride, const uint32_t *packed,
             int64_t pairs, float *sums, int64_t sums_stride, Into into) {
    if (has(kMatrixPairs)) {
      matrices.product<PairProducts>(rows, x, 4 * x_stride, packed, pairs, sums, 4 * sums_stride,
                                     into, From::kCache);
      upcoming.ask(rows * pairs / kMatrixRows);
      return;
    }
    for (int64_t r = 0; r < rows; r += kTileRows) {
      const int64_t count = rows - r < kTileRows ? rows - r : kTileRows;
      bf16_tile<kTileRows>(count, reinterpret_cast<const uint16_t *>(x + r * x_stride),
                           2 * x_stride, reinterpret_cast<const uint16_t *>(packed), pairs,
                           sums + r * sums_stride, sums_stride, into);
      upcoming.ask(pairs);
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
