// Attention of few queries over many keys, as in decoding: every key and value is read once, for
// all the heads that share it.
#ifndef GATUN_ATTENTION_ROWS_H
#define GATUN_ATTENTION_ROWS_H

#include "attention.h"
#include "lanes.h"

namespace gatun {
namespace GATUN_LEVEL {

// Rows are (head of the group, query): at most this many.
constexpr int64_t kMaxRows = 16;

// The rows' queries, and how keys and values become scores and sums. What RowAttention asks of it
// is what TileAttention has of FloatBlocks, number for number and in the same order: a query's
// results do not depend on how many come with it.
template <typename S>
class FloatRows {
 public:
  using T = typename S::T;
  using Row = typename S::Row;
  // Values that are added at once.
  static constexpr int64_t kTogether = kLanes;
  // Floats of memory that a row's query needs.
  static int64_t floats(int64_t size) { return size; }
  // Columns of a row's sums.
  static int64_t sum_columns(int64_t value_size) { return value_size; }

  FloatRows(const S &sequence, float *memory)
      : s(sequence), size(s.a.head_size), value_size(s.a.value_head_size), query(memory) {}

  void load_query(int64_t r, const T *from) {
    by_vector(size, [&](int64_t d, int64_t n) {
      store_lanes(query + r * size + d, load_lanes(from + d, n) * s.a.scale, n);
    });
  }

  // scores[rows][kKeys] of up to kLanes keys, transposed on the way.
  void score(int64_t rows, const Row *key, int64_t keys, float *scores) const {
    Floats sums[kMaxRows];
    for (int64_t r = 0; r < rows; r++) {
      sums[r] = Floats{};
    }
    by_vector(size, [&](int64_t d, int64_t n) {
      Floats columns[kLanes];
      for (int64_t j = 0; j < kLanes; j++) {
        columns[j] = load_lanes(key[j] + d, n);
      }
      transpose(columns);
      for (int64_t r = 0; r < rows; r++) {
        const float *q = query + r * size + d;
        Floats sum = sums[r];
#pragma GCC unroll 16
        for (int64_t i = 0; i < n; i++) {
          sum = fma(splat(q[i]), columns[i], sum);
        }
        sums[r] = sum;
      }
    });
    for (int64_t r = 0; r < rows; r++) {
      store_lanes(scores + r * kKeys, sums[r], keys);
    }
  }

  // Makes weights[rows][kKeys] of a block's keys what add_values reads.
  void take_weights(int64_t, int64_t, float *) const {}

  // sums[rows][sum_columns] += up to kTogether values by the rows' weights from `first` on. A value
  // of weight 0 is left out: it may be unseen and not a number.
  void add_values(int64_t rows, const Row *value, int64_t keys, const float *weights, int64_t first,
                  float *sums) const {
    constexpr int kWide = 4;
    for (int64_t r = 0; r < rows; r++) {
      const float *p = weights + r * kKeys + first;
      float *out = sums + r * value_size;
      int64_t d = 0;
      for (; d + kWide * kLanes <= value_size; d += kWide * kLanes) {
        Floats v[kWide];
        for (int w = 0; w < kWide; w++) {
          v[w] = load(out + d + w * kLanes);
        }
        for (int64_t j = 0; j < keys; j++) {
          if (p[j] != 0.0f) {
            for (int w = 0; w < kWide; w++) {
              v[w] = fma(splat(p[j]), load_lanes(value[j] + d + w * kLanes, kLanes), v[w]);
            }
          }
        }
        for (int w = 0; w < kWide; w++) {
          store(out + d + w * kLanes, v[w]);
        }
      }
      by_vector(value_size - d, [&](int64_t e, int64_t n) {
        Floats v = load_lanes(out + d + e, n);
        for (int64_t j = 0; j < keys; j++) {
          if (p[j] != 0.0f) {
            v = fma(splat(p[j]), load_lanes(value[j] + d + e, n), v);
          }
        }
        store_lanes(out + d + e, v, n);
      });
    }
  }

 private:
  const S &s;
  const int64_t size, value_size;
  float *query;  // [rows][size], scaled
};

// A thread's intermediate values.
struct RowSpace {
  float *query;   // [rows], each as long as the arithmetic needs
  float *scores;  // [rows][kKeys]
  float *sums;    // [rows][columns]
  Softmax<kMaxRows> softmax;

  bool reserve(Scratch &scratch, int64_t floats, int64_t columns) {
    query = scratch.floats(kMaxRows * (floats + kKeys + columns));
    scores = query + kMaxRows * floats;
    sums = scores + kMaxRows * kKeys;
    return query != nullptr;
  }
};

template <typename S, typename Arithmetic>
class RowAttention {
 public:
  RowAttention(const S &sequence, int64_t group, RowSpace &space)
      : s(sequence),
        a(sequence.a),
        g(group),
        shared(a.heads / a.kv_heads),
        rows(shared * s.queries),
        columns(Arithmetic::sum_columns(a.value_head_size)),
        space(space),
        arithmetic(sequence, space.query) {}

  void run() {
    for (int64_t r = 0; r < rows; r++) {
      arithmetic.load_query(r, s.query(head(r), r % s.queries));
    }
    space.softmax.clear(rows);
    __builtin_memset(space.sums, 0, static_cast<size_t>(rows * columns) * sizeof(float));
    for (int64_t r = 0; a.weights != nullptr && r < rows; r++) {
      float *row = a.weights + s.row(head(r), r % s.queries) * a.key_length;
      by_vector(s.keys,
                [&](int64_t j, int64_t n) { store_lanes(row + j, splat(kMinusInfinity), n); });
    }
    // Blocks begin where those of tiles do; what no row sees of the first one is passed over.
    const int64_t begin = s.begin(0) / kLanes * kLanes, end = s.end(s.queries - 1);
    find_keys(begin, end);
    for (int64_t block = begin / kKeys * kKeys; block < end; block += kKeys) {
      add(block, begin > block ? begin - block : 0, end);
    }
    for (int64_t r = 0; r < rows; r++) {
      finish(s, head(r), r % s.queries, space.softmax.top[r], space.softmax.total[r],
             space.sums + r * columns);
    }
  }

 private:
  using Row = typename S::Row;
  static_assert(kKeys % kLanes == 0, "whole vectors of keys");

  const S &s;
  const gatun_attention &a;
  const int64_t g, shared, rows, columns;
  RowSpace &space;
  Arithmetic arithmetic;
  Row key[kKeys], value[kKeys];

  int64_t head(int64_t r) const { return g * shared + r / s.queries; }

  // Finds where the keys from `begin` to the end of their block lie, of those before `end`, and
  // asks for the first ones.
  void find_keys(int64_t begin, int64_t end) {
    const int64_t first = begin % kKeys, count = end - begin;
    if (count > 0) {
      s.keys_from(g, begin, count < kKeys - first ? count : kKeys - first, key + first);
      ask(key, first, first + kAsked, first + count, a.head_size);
    }
  }

  // The keys of a block from `first` on, of those before `end`, which find_keys has found. While
  // keys are multiplied, the next ones and their values come, and while values are, the next
  // block's keys.
  void add(int64_t block, int64_t first, int64_t end) {
    const int64_t keys = end - block < kKeys ? end - block : kKeys;
    s.values_from(g, block + first, keys - first, value + first);
    for (int64_t j = first; j < keys; j += kLanes) {
      ask(key, j + kAsked, j + kAsked + kLanes, keys, a.head_size);
      ask(value, j, j + kLanes, keys, a.value_head_size);
      score(j, keys - j < kLanes ? keys - j : kLanes);
    }
    for (int64_t r = 0; r < rows; r++) {
      const int64_t h = head(r), i = r % s.queries;
      float *row = space.scores + r * kKeys;
      for (int64_t j = 0; j < first; j++) {
        row[j] = kMinusInfinity;
      }
      adjust(s, h, i, block + first, keys - first, row + first);
      if (a.weights != nullptr) {
        __builtin_memcpy(a.weights + s.row(h, i) * a.key_length + block, row, keys * sizeof(float));
      }
    }
    space.softmax.soften(0, rows, keys, space.scores, [&](int64_t r, float factor) {
      multiply(space.sums + r * columns, columns, factor);
    });
    for (int64_t r = 0; a.dropout > 0.0f && r < rows; r++) {
      drop(s, head(r), r % s.queries, block, keys, space.scores + r * kKeys);
    }
    find_keys(block + kKeys, end);
    arithmetic.take_weights(rows, keys, space.scores);
    constexpr int64_t kTogether = Arithmetic::kTogether;
    for (int64_t j = first / kTogether * kTogether; j < keys; j += kTogether) {
      add_values(j, keys - j < kTogether ? keys - j : kTogether, first - j);
    }
  }

  void score(int64_t first, int64_t keys) {
    for (int64_t j = keys; j < kLanes; j++) {
      key[first + j] = key[first + keys - 1];
    }
    arithmetic.score(rows, key + first, keys, space.scores + first);
  }

  // Those before `open` are seen by no row.
  void add_values(int64_t first, int64_t keys, int64_t open) {
    for (int64_t j = 0; j < open; j++) {
      value[first + j] = Row{};
    }
    arithmetic.add_values(rows, value + first, keys, space.scores, first, space.sums);
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
