// The gradients of attention, a tile of queries by a block of keys at a time: what becomes of their
// scores again, the gradients of these, and the products that make gradients of queries, keys and
// values of them (FlashAttention-2, Dao, arXiv 2307.08691).
#ifndef GATUN_ATTENTION_BACKWARD_H
#define GATUN_ATTENTION_BACKWARD_H

#include "attention.h"
#include "lanes.h"
#include "tile.h"
#include "upcoming.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kBackwardQueries = cut(64, 16);
// A log-sum-exp beyond it, as a float, says probabilities to less than 1 in 2^20.
constexpr float kExactLse = 16.0f;

// e to less than it is 0 as a float.
constexpr float kLogOfNothing = -104.0f;

// What the scores of a query need to become probabilities, e^(score - base) * share, and these to
// become gradients.
struct QuerySums {
  float base, share;  // the log-sum-exp and 1, or the largest score and the share of its key; base
                      // is -inf of a query that sees nothing
  float delta;        // the sum of probabilities times their gradients, less the gradient of the
                      // log-sum-exp

  bool is_blind() const { return base == kMinusInfinity; }
  // The exponents; -inf of what is not seen, even where the row has NaN.
  template <typename V>
  V exponents(V scores) const {
    return is_blind() ? like(scores, kMinusInfinity)
                      : select(scores == kMinusInfinity, scores, scores - base);
  }
};

// One sequence of the batch: what attention read, and in the same places the gradients, of which
// that of the output is read.
template <typename Number>
struct BackwardSequence : Sequence<Number> {
  using T = Number;
  using Base = Sequence<Number>;

  Base gradients;
  QuerySums *query_sums;  // [batch][heads][query_length]

  BackwardSequence(const gatun_attention &args, const gatun_attention &gradients,
                   QuerySums *query_sums, int64_t b)
      : Base(args, b), gradients(gradients, b), query_sums(query_sums) {}

  const T *d_output(int64_t h, int64_t i) const { return gradients.output(h, i); }
  T *d_query(int64_t h, int64_t i) const { return const_cast<T *>(gradients.query(h, i)); }
  T *d_key(int64_t g, int64_t j) const { return const_cast<T *>(gradients.key(g, j)); }
  T *d_value(int64_t g, int64_t j) const { return const_cast<T *>(gradients.value(g, j)); }

  // How far apart a head's rows lie.
  int64_t query_stride() const { return this->a.query_strides[1]; }
  int64_t output_stride() const { return this->a.output_strides[1]; }
  int64_t key_stride() const { return this->a.key_strides[1]; }
  int64_t value_stride() const { return this->a.value_strides[1]; }
  int64_t d_output_stride() const { return gradients.a.output_strides[1]; }
  int64_t d_query_stride() const { return gradients.a.query_strides[1]; }
  int64_t d_key_stride() const { return gradients.a.key_strides[1]; }
  int64_t d_value_stride() const { return gradients.a.value_strides[1]; }
};

// A thread's tile.
template <typename S>
class BackwardTile {
 public:
  using T = typename S::T;

  // Floats of memory that it needs.
  static int64_t floats(const gatun_attention &a) {
    return kKeys * (2 * a.head_size + a.value_head_size) +
           kBackwardQueries * (a.head_size + a.value_head_size + 2 * kKeys) + 2 * kKeys;
  }

  BackwardTile(const S &sequence, float *memory)
      : s(sequence), a(sequence.a), size(a.head_size), value_size(a.value_head_size) {
    key_rows = memory;
    keys_across = key_rows + kKeys * size;
    values_across = keys_across + kKeys * size;
    query = values_across + kKeys * value_size;
    d_output = query + kBackwardQueries * size;
    weights = d_output + kBackwardQueries * value_size;
    d_scores = weights + kBackwardQueries * kKeys;
    slopes = d_scores + kBackwardQueries * kKeys;
    kept = slopes + kKeys;
  }

  // Copies a block's keys and values; masked ones are not read and become zeros.
  void load_keys(int64_t group, int64_t first, int64_t keys) {
    begin = first;
    count = keys;
    g = group;
    typename S::Row key[kKeys], value[kKeys];
    s.keys_from(g, begin, count, key);
    s.values_from(g, begin, count, value);
    ask(key, 0, kAsked, count, size);
    Floats check{};
    for (int64_t j = 0; j < count; j++) {
      ask(key, j + kAsked, j + kAsked + 1, count, size);
      const bool masked = s.is_masked(begin + j);
      by_vector(size, [&](int64_t d, int64_t n) {
        const Floats v = masked ? Floats{} : load_lanes(key[j] + d, n);
        check += v * 0.0f;  // NaN from then on where v is not finite
        store_lanes(key_rows + j * size + d, v, n);
      });
    }
    finite_keys = sum(check) == 0.0f;
    ask(value, 0, kAsked, count, value_size);
    across(size, keys_across,
           [&](int64_t j, int64_t d, int64_t n) { return load_lanes(key_rows + j * size + d, n); });
    across(value_size, values_across, [&](int64_t j, int64_t d, int64_t n) {
      if (d == 0) {
        ask(value, j + kAsked, j + kAsked + 1, count, value_size);
      }
      return s.is_masked(begin + j) ? Floats{} : load_lanes(value[j] + d, n);
    });
  }

  // Copies the queries of a head from `from` on, scaled, and the gradients of their outputs.
  void load_queries(int64_t head, int64_t from, int64_t many) {
    h = head;
    first = from;
    rows = many;
    Floats check{};
    for (int64_t r = 0; r < rows; r++) {
      // The row behind the last one is this one.
      const int64_t next = first + (r + kAsked < rows ? r + kAsked : r);
      prefetch(s.query(h, next), size);
      prefetch(s.d_output(h, next), value_size);
      const T *in = s.query(h, first + r), *out = s.d_output(h, first + r);
      by_vector(size, [&](int64_t d, int64_t n) {
        const Floats v = load_lanes(in + d, n) * a.scale;
        check += v * 0.0f;
        store_lanes(query + r * size + d, v, n);
      });
      by_vector(value_size, [&](int64_t d, int64_t n) {
        const Floats v = load_lanes(out + d, n);
        check += v * 0.0f;
        store_lanes(d_output + r * value_size + d, v, n);
      });
    }
    finite_queries = sum(check) == 0.0f;
  }

  // Whether a query of the tile, or of one that is not loaded yet, may see a key of the block, or
  // of another one, by position.
  bool meets(int64_t other, int64_t many) const { return meet(other, many, begin, count); }
  bool meets_keys(int64_t other, int64_t keys) const { return meet(first, rows, other, keys); }

  // The scores of the tile's queries, [rows][kKeys].
  float *score() {
    multiply_keys();
    for (int64_t r = 0; r < rows; r++) {
      adjust(s, h, first + r, begin, count, weights + r * kKeys);
    }
    return weights;
  }

  // The probabilities after dropout of the tile's queries, weights[rows][kKeys], and the gradients
  // of their scores, d_scores[rows][kKeys]: as they are before the bias is added, or of the product
  // of query and key alone.
  void differentiate(bool of_products) {
    multiply_keys();
    multiply(d_output, value_size, values_across, d_scores);
    for (int64_t r = 0; r < rows; r++) {
      differentiate_row(r, of_products);
    }
  }

  // sums[keys][value_size] += the values' gradients, and sums[keys][size] the keys'.
  void add_to_values(float *sums) {
    if (finite_queries) {
      add_to_block(weights, d_output, value_size, sums);
      return;
    }
    each_pair([&](int64_t r, int64_t j) {
      add_row(weights[r * kKeys + j], d_output + r * value_size, sums + j * value_size, value_size);
    });
  }

  void add_to_keys(float *sums) {
    if (finite_queries) {
      add_to_block(d_scores, query, size, sums);
      return;
    }
    each_pair([&](int64_t r, int64_t j) {
      add_row(d_scores[r * kKeys + j], query + r * size, sums + j * size, size);
    });
  }

  // sums[rows][size] += the queries' gradients, but for the scale.
  void add_to_queries(float *sums) {
    if (finite_keys) {
      for (int64_t d = 0; d < size; d += kTileColumns) {
        const int64_t n = size - d < kTileColumns ? size - d : kTileColumns;
        for (int64_t i = 0; i < rows; i += kTileRows) {
          const int64_t m = rows - i < kTileRows ? rows - i : kTileRows;
          tile_dispatch<kTileRows>(m, d_scores + i * kKeys, kKeys, key_rows + d, size,
                                   sums + i * size + d, size, seen_by(i), n, Into::kOld,
                                   upcoming.asks());
        }
      }
      return;
    }
    each_pair([&](int64_t r, int64_t j) {
      add_row(d_scores[r * kKeys + j], key_rows + j * size, sums + r * size, size);
    });
  }

  // Of a query the gradients of the scores of the block's keys, those before seen_by(r); it may see
  // none of the others.
  const float *d_scores_of(int64_t r) const { return d_scores + r * kKeys; }
  int64_t seen_by(int64_t r) const { return ends[r / kTileRows]; }

  Upcoming upcoming;

 private:
  const S &s;
  const gatun_attention &a;
  const int64_t size, value_size;
  int64_t g = 0, begin = 0, count = 0, h = 0, first = 0, rows = 0;
  int64_t seen = 0;  // keys of the block up to the last that any query of the tile may see
  // The same of as many queries as a register tile has.
  int64_t ends[(kBackwardQueries + kTileRows - 1) / kTileRows];
  bool finite_keys = true, finite_queries = true;
  float *key_rows;       // [kKeys][size]
  float *keys_across;    // [kKeys / kTileColumns][size][kTileColumns]
  float *values_across;  // [kKeys / kTileColumns][value_size][kTileColumns]
  float *query;          // [kBackwardQueries][size], scaled
  float *d_output;       // [kBackwardQueries][value_size]
  float *weights;        // [kBackwardQueries][kKeys]
  float *d_scores;       // [kBackwardQueries][kKeys]
  float *slopes;         // [kKeys], those of the cap where a row's scores are
  float *kept;           // [kKeys], what dropout multiplies by

  bool meet(int64_t i, int64_t many, int64_t j, int64_t keys) const {
    return s.end(i + many - 1) > j && s.begin(i) < j + keys;
  }

  // Rows that load(key, element, n) gives, as columns of panels.
  template <typename Load>
  void across(int64_t width, float *to, const Load &load_row) {
    for (int64_t j = 0; j < count; j += kLanes) {
      const int64_t m = count - j < kLanes ? count - j : kLanes;
      by_vector(width, [&](int64_t d, int64_t n) {
        Floats lines[kLanes];
        for (int64_t r = 0; r < kLanes; r++) {
          lines[r] = r < m ? load_row(j + r, d, n) : Floats{};
        }
        transpose(lines);
        float *out = to + j / kTileColumns * kTileColumns * width + j % kTileColumns;
        for (int64_t r = 0; r < n; r++) {
          store(out + (d + r) * kTileColumns, lines[r]);
        }
      });
    }
  }

  // The queries times the keys that they may see, [rows][kKeys], of a tile that meets the block.
  void multiply_keys() {
    for (int64_t i = 0; i < rows; i += kTileRows) {
      const int64_t last = i + kTileRows < rows ? i + kTileRows : rows;
      const int64_t end = s.end(first + last - 1) - begin;
      seen = end < 0 ? 0 : end < count ? end : count;
      ends[i / kTileRows] = seen;
    }
    multiply(query, size, keys_across, weights);
  }

  // to[rows][kKeys] = from[rows][width] times the columns of panels, of the keys that are seen.
  void multiply(const float *from, int64_t width, const float *panels, float *to) {
    for (int64_t j = 0; j < seen; j += kTileColumns) {
      for (int64_t i = 0; i < rows; i += kTileRows) {
        if (seen_by(i) > j) {
          const int64_t m = rows - i < kTileRows ? rows - i : kTileRows;
          tile_dispatch<kTileRows>(m, from + i * width, width, panels + j * width, kTileColumns,
                                   to + i * kKeys + j, kKeys, width, kTileColumns, Into::kNew,
                                   upcoming.asks());
        }
      }
    }
  }

  // sums[keys][width] += factors[rows][kKeys] turned about times from[rows][width]: of each tile of
  // keys from the first query on that may see one of them.
  void add_to_block(const float *factors, const float *from, int64_t width, float *sums) {
    for (int64_t d = 0; d < width; d += kTileColumns) {
      const int64_t n = width - d < kTileColumns ? width - d : kTileColumns;
      for (int64_t j = 0, r = 0; j < seen; j += kTileRows) {
        const int64_t m = seen - j < kTileRows ? seen - j : kTileRows;
        while (s.end(first + r) <= begin + j) {
          r++;
        }
        tile_dispatch<kTileRows, Left::kColumns>(m, factors + r * kKeys + j, kKeys,
                                                 from + r * width + d, width, sums + j * width + d,
                                                 width, rows - r, n, Into::kOld, upcoming.asks());
      }
    }
  }

  void differentiate_row(int64_t r, bool of_products) {
    const int64_t i = first + r, at = s.row(h, i), own = seen_by(r);
    float *row = weights + r * kKeys, *d_row = d_scores + r * kKeys;
    const bool capped = of_products && a.softcap > 0.0f, drops = a.dropout > 0.0f;
    if (capped) {
      by_vector(own, [&](int64_t j, int64_t n) {
        // 1 - tanh^2, which cancels where that is near 1.
        const Floats e = exp(magnitude(load_lanes(row + j, n) / a.softcap) * -2.0f);
        store_lanes(slopes + j, 4.0f * e / ((1.0f + e) * (1.0f + e)), n);
      });
    }
    if (drops) {
      by_vector(own, [&](int64_t j, int64_t n) { store_lanes(kept + j, splat(1.0f), n); });
      drop(s, h, i, begin, own, kept);
    }
    const float *d_weights = s.gradients.a.weights == nullptr
                                 ? nullptr
                                 : s.gradients.a.weights + at * a.key_length + begin;
    const QuerySums sums = s.query_sums[at];
    adjust(s, h, i, begin, own, row);
    by_block(own, [&](auto at) {
      using V = decltype(at.load(row));
      const V x = sums.exponents(at.load(row)), p = exp(x) * sums.share;
      V d = at.load(d_row), w = p;
      if (d_weights != nullptr) {
        d = d + at.load(d_weights);
      }
      if (drops) {
        const V z = at.load(kept);
        d = d * z;
        w = w * z;
      }
      d = p * (d - sums.delta);
      if (capped) {
        d = d * at.load(slopes);
      }
      at.store(row, w);
      // What has no part in the output has no gradient, even where its row or value has NaN.
      at.store(d_row, select(x < kLogOfNothing, V{}, d));
    });
    // Products go over whole tiles of keys.
    for (int64_t j = own; j < own + kTileRows - 1 && j < seen; j++) {
      row[j] = d_row[j] = 0.0f;
    }
  }

  // Nothing of a factor of 0: it may be that of what is not seen, and 0 times NaN would be seen.
  static void add_row(float factor, const float *from, float *to, int64_t width) {
    if (factor != 0.0f) {
      by_vector(width, [&](int64_t d, int64_t n) {
        store_lanes(to + d, fma(splat(factor), load_lanes(from + d, n), load_lanes(to + d, n)), n);
      });
    }
  }

  template <typename Body>
  void each_pair(const Body &body) const {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t j = 0; j < seen_by(r); j++) {
        body(r, j);
      }
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
