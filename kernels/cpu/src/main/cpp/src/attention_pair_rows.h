// Attention of few bf16 queries in pairs.
#ifndef GATUN_ATTENTION_PAIR_ROWS_H
#define GATUN_ATTENTION_PAIR_ROWS_H

#include "attention_pairs.h"
#include "attention_rows.h"

namespace gatun {
namespace GATUN_LEVEL {

// As FloatRows, number for number as PairBlocks.
class PairRows {
 public:
  // As matrix registers add them.
  static constexpr int64_t kTogether = 2 * kMatrixWords;
  static int64_t floats(int64_t size) { return HeadPairs::pairs(size); }
  static int64_t sum_columns(int64_t value_size) { return round_up(value_size, kLanes); }

  PairRows(const Sequence<Bf16> &sequence, float *memory)
      : s(sequence),
        head(s.a.head_size),
        value_size(s.a.value_head_size),
        columns(sum_columns(value_size)),
        query(reinterpret_cast<uint32_t *>(memory)) {}

  void load_query(int64_t r, const Bf16 *from) { head.copy(from, query + r * head.depth); }

  GATUN_PAIRS void score(int64_t rows, const Bf16 *const *key, int64_t keys, float *scores) {
    alignas(64) Floats sums[kMaxRows];
    for (int64_t r = 0; r < rows; r++) {
      sums[r] = Floats{};
    }
    for (int64_t d = 0; d < head.depth; d += kLanes) {
      const int64_t n = head.depth - d < kLanes ? head.depth - d : kLanes;
      alignas(64) Floats columns_of[kLanes];
      for (int64_t j = 0; j < kLanes; j++) {
        columns_of[j] = head.load(key[j], d, n);
      }
      transpose(columns_of);
      if (has(kMatrixPairs)) {
        matrices.small_product<PairProducts>(rows, query + d, 4 * head.depth, columns_of, n, sums,
                                             sizeof(Floats), Into::kOld);
      } else {
        add_scores(rows, columns_of, d, n, sums);
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      store_lanes(scores + r * kKeys, sums[r] * s.a.scale, keys);
    }
  }

  void take_weights(int64_t rows, int64_t keys, float *weights) const {
    for (int64_t r = 0; r < rows; r++) {
      narrow_weights(keys, weights + r * kKeys);
    }
  }

  void add_values(int64_t rows, const Bf16 *const *value, int64_t keys, const float *weights,
                  int64_t first, float *sums) {
    const uint16_t *row = reinterpret_cast<const uint16_t *>(weights) + first;
    if (has(kMatrixPairs)) {
      add_by_matrices(rows, value, keys, row, sums);
      return;
    }
    bool all = true;
    for (int64_t r = 0; r < rows; r++) {
      const uint16_t *weight = row + 2 * r * kKeys;
      all &= keys == kTogether ? all_weigh<kTogether>(weight, keys) : all_weigh<0>(weight, keys);
    }
    add_rows(all, rows, value, keys, row, sums);
  }

 private:
  // Rows that are computed at once.
  static constexpr int kMostTogether = 8;

  const Sequence<Bf16> &s;
  const HeadPairs head;
  const int64_t value_size, columns;
  uint32_t *query;  // [rows][depth]
  Matrices matrices;

  // sums[rows] += n pairs of the queries and keys from d on, so many rows at a time that none waits
  // for its sum.
  template <int kRows = kMostTogether>
  void add_scores(int64_t rows, const Floats *columns_of, int64_t d, int64_t n, Floats *sums,
                  int64_t r = 0) const {
    for (; r + kRows <= rows; r += kRows) {
      if (n == kLanes) {
        add_scores_of<kRows, true>(r, columns_of, d, kLanes, sums);
      } else {
        add_scores_of<kRows, false>(r, columns_of, d, n, sums);
      }
    }
    if constexpr (kRows > 1) {
      add_scores<kRows / 2>(rows, columns_of, d, n, sums, r);
    }
  }

  template <int kRows, bool kWhole>
  GATUN_PAIRS void add_scores_of(int64_t row, const Floats *columns_of, int64_t d, int64_t n,
                                 Floats *sums) const {
    Floats sum[kRows];
    for (int r = 0; r < kRows; r++) {
      sum[r] = sums[row + r];
    }
    const uint16_t *q = reinterpret_cast<const uint16_t *>(query + row * head.depth + d);
#pragma GCC unroll 16
    for (int64_t i = 0; i < (kWhole ? kLanes : n); i++) {
      const Bits column = (Bits)columns_of[i];
#pragma GCC unroll 8
      for (int r = 0; r < kRows; r++) {
        sum[r] = dot_pairs(sum[r], column, q + 2 * (r * head.depth + i));
      }
    }
    for (int r = 0; r < kRows; r++) {
      sums[row + r] = sum[r];
    }
  }

  // Whether no weight of a row is 0; kCount is their number where it is known.
  template <int64_t kCount>
  static bool all_weigh(const uint16_t *weights, int64_t count) {
    uint16_t least = 0xffff;
    for (int64_t j = 0; j < (kCount > 0 ? kCount : count); j++) {
      least = weights[j] < least ? weights[j] : least;
    }
    return least != 0;
  }

  // As many rows at a time as there are where all weigh. A value of weight 0 is left out: it may be
  // unseen and not a number.
  template <int kRows = kMostTogether>
  void add_rows(bool all, int64_t rows, const Bf16 *const *value, int64_t keys,
                const uint16_t *weights, float *sums, int64_t r = 0) const {
    for (; r + kRows <= rows && (all || kRows == 1); r += kRows) {
      const uint16_t *weight = weights + 2 * r * kKeys;
      const Bf16 *open[kTogether];
      if (!all) {
        leave_unseen(1, value, keys, weight, open);
      }
      add_pairs<kRows>(all ? value : open, keys, weight, sums + r * columns);
    }
    if constexpr (kRows > 1) {
      add_rows<kRows / 2>(all, rows, value, keys, weights, sums, r);
    }
  }

  // The values that one of the rows gives a weight, and null for the others.
  static void leave_unseen(int64_t rows, const Bf16 *const *value, int64_t keys,
                           const uint16_t *weights, const Bf16 **open) {
    for (int64_t j = 0; j < keys; j++) {
      bool seen = false;
      for (int64_t r = 0; r < rows; r++) {
        seen |= weights[2 * r * kKeys + j] != 0;
      }
      open[j] = seen ? value[j] : nullptr;
    }
  }

  // sums[rows][columns] += values by weights[rows][2 * kKeys].
  void add_by_matrices(int64_t rows, const Bf16 *const *value, int64_t keys,
                       const uint16_t *weights, float *sums) {
    const Bf16 *open[kTogether];
    leave_unseen(rows, value, keys, weights, open);
    for (int64_t d = 0; d < columns; d += kLanes) {
      if (add_columns(rows, open, keys, weights, sums, d)) {
        continue;
      }
      for (int64_t r = 0; r < rows; r++) {
        const uint16_t *weight = weights + 2 * r * kKeys;
        const Bf16 *alone[kTogether];
        leave_unseen(1, value, keys, weight, alone);
        add_columns(1, alone, keys, weight, sums + r * columns, d);
      }
    }
  }

  // A vector of the columns, from d on; none where several rows meet a value that is not finite,
  // for it may be unseen by some.
  bool add_columns(int64_t rows, const Bf16 *const *value, int64_t keys, const uint16_t *weights,
                   float *sums, int64_t d) {
    static_assert(kMatrixPairs == 0 || kLanes == kMatrixWords, "a register is a vector wide");
    const int64_t n = value_size - d < kLanes ? value_size - d : kLanes;
    alignas(64) Bits pairs[kMatrixWords];
    Floats check{};
    for (int64_t j = 0; j < keys; j += 2) {
      const Bits low = bits(value[j], d, n);
      const Bits high = bits(j + 1 < keys ? value[j + 1] : nullptr, d, n);
      pairs[j / 2] = low | (high << 16);
      check += (Floats)(low << 16) * 0.0f + (Floats)(high << 16) * 0.0f;
    }
    if (rows > 1 && sum(check) != 0.0f) {
      return false;
    }
    matrices.small_product<PairProducts>(rows, weights, 4 * kKeys, pairs, (keys + 1) / 2, sums + d,
                                         4 * columns, Into::kOld);
    return true;
  }

  // sums[kRows][columns] += values, some of which may be null, by weights[kRows][2 * kKeys].
  template <int kRows>
  GATUN_PAIRS void add_pairs(const Bf16 *const *value, int64_t keys, const uint16_t *weights,
                             float *sums) const {
    int64_t d = 0;
    for (; d + 2 * kLanes <= value_size; d += 2 * kLanes) {
      Floats total[kRows][2];
      for (int r = 0; r < kRows; r++) {
        total[r][0] = load(sums + r * columns + d);
        total[r][1] = load(sums + r * columns + d + kLanes);
      }
      for (int64_t j = 0; j < keys; j += 2) {
        const Doubled even = doubled(value[j], d),
                      odd = doubled(j + 1 < keys ? value[j + 1] : nullptr, d);
        const Bits pairs[2] = {zipped<0>(even, odd, UnitNumbers()),
                               zipped<kLanes>(even, odd, UnitNumbers())};
#pragma GCC unroll 8
        for (int r = 0; r < kRows; r++) {
          const uint16_t *weight = weights + 2 * r * kKeys + j;
          total[r][0] = dot_pairs(total[r][0], pairs[0], weight);
          total[r][1] = dot_pairs(total[r][1], pairs[1], weight);
        }
      }
      for (int r = 0; r < kRows; r++) {
        store(sums + r * columns + d, total[r][0]);
        store(sums + r * columns + d + kLanes, total[r][1]);
      }
    }
    for (; d < columns; d += kLanes) {
      const int64_t n = value_size - d < kLanes ? value_size - d : kLanes;
      Floats total[kRows];
      for (int r = 0; r < kRows; r++) {
        total[r] = load(sums + r * columns + d);
      }
      for (int64_t j = 0; j < keys; j += 2) {
        const Bits low = bits(value[j], d, n),
                   high = bits(j + 1 < keys ? value[j + 1] : nullptr, d, n);
        for (int r = 0; r < kRows; r++) {
          total[r] = dot_pairs(total[r], low | (high << 16), weights + 2 * r * kKeys + j);
        }
      }
      for (int r = 0; r < kRows; r++) {
        store(sums + r * columns + d, total[r]);
      }
    }
  }

  // As many numbers as two vectors of floats have.
  typedef uint16_t Doubled __attribute__((vector_size(kLanes * 4)));
  using UnitNumbers = std::make_integer_sequence<int, 2 * kLanes>;

  static Doubled doubled(const Bf16 *row, int64_t d) {
    Doubled v{};
    if (row != nullptr) {
      __builtin_memcpy(&v, row + d, sizeof v);
    }
    return v;
  }

  // The numbers of two vectors in turn, kLanes of each from kFirst on.
  template <int kFirst, int... kUnit>
  static Bits zipped(Doubled a, Doubled b, std::integer_sequence<int, kUnit...>) {
    return (Bits)__builtin_shufflevector(a, b, (kFirst + kUnit / 2 + kUnit % 2 * 2 * kLanes)...);
  }

  static Bits bits(const Bf16 *row, int64_t d, int64_t n) {
    if (row == nullptr) {
      return Bits{};
    }
    const uint16_t *from = reinterpret_cast<const uint16_t *>(row) + d;
    return __builtin_convertvector(n == kLanes ? load_halves(from) : load_halves(from, n), Bits);
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
