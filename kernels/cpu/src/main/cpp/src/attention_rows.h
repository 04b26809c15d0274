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

// A thread's intermediate values.
struct RowSpace {
  float *query;   // [rows][head_size], scaled
  float *scores;  // [rows][kKeys]
  float *sums;    // [rows][value_head_size]
  Softmax<kMaxRows> softmax;

  bool reserve(Scratch &scratch, int64_t size, int64_t value_size) {
    query = scratch.floats(kMaxRows * (size + kKeys + value_size));
    scores = query + kMaxRows * size;
    sums = scores + kMaxRows * kKeys;
    return query != nullptr;
  }
};

template <typename T>
class RowAttention {
 public:
  RowAttention(const Sequence<T> &sequence, int64_t group, RowSpace &space)
      : s(sequence),
        a(sequence.a),
        g(group),
        shared(a.heads / a.kv_heads),
        rows(shared * s.queries),
        space(space) {}

  void run() {
    for (int64_t r = 0; r < rows; r++) {
      const T *query = s.query(head(r), r % s.queries);
      by_vector(a.head_size, [&](int64_t d, int64_t n) {
        store_lanes(space.query + r * a.head_size + d, load_lanes(query + d, n) * a.scale, n);
      });
    }
    space.softmax.clear(rows);
    __builtin_memset(space.sums, 0, rows * a.value_head_size * sizeof(float));
    const int64_t begin = s.begin(0) / kLanes * kLanes, end = s.end(s.queries - 1);
    for (int64_t r = 0; a.weights != nullptr && r < rows; r++) {
      float *row = a.weights + s.row(head(r), r % s.queries) * a.key_length;
      by_vector(s.keys,
                [&](int64_t j, int64_t n) { store_lanes(row + j, splat(kMinusInfinity), n); });
    }
    for (int64_t j = begin; j < end; j += kKeys) {
      add(j, end - j < kKeys ? end - j : kKeys);
    }
    for (int64_t r = 0; r < rows; r++) {
      finish(s, head(r), r % s.queries, space.softmax.top[r], space.softmax.total[r],
             space.sums + r * a.value_head_size);
    }
  }

 private:
  const Sequence<T> &s;
  const gatun_attention &a;
  const int64_t g, shared, rows;
  RowSpace &space;

  int64_t head(int64_t r) const { return g * shared + r / s.queries; }

  void add(int64_t begin, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kLanes) {
      score(begin + j, keys - j < kLanes ? keys - j : kLanes, space.scores + j);
    }
    for (int64_t r = 0; r < rows; r++) {
      const int64_t h = head(r), i = r % s.queries;
      float *row = space.scores + r * kKeys;
      adjust(s, h, i, begin, keys, row);
      if (a.weights != nullptr) {
        __builtin_memcpy(a.weights + s.row(h, i) * a.key_length + begin, row, keys * sizeof(float));
      }
    }
    space.softmax.soften(0, rows, keys, space.scores, [&](int64_t r, float factor) {
      multiply(space.sums + r * a.value_head_size, a.value_head_size, factor);
    });
    for (int64_t r = 0; a.dropout > 0.0f && r < rows; r++) {
      drop(s, head(r), r % s.queries, begin, keys, space.scores + r * kKeys);
    }
    for (int64_t j = 0; j < keys; j += kLanes) {
      gather(begin + j, keys - j < kLanes ? keys - j : kLanes, space.scores + j);
    }
  }

  // Asks for a row ahead of its use: tokens lie too far apart for the processor to foresee.
  static void prefetch(const T *row, int64_t size) {
    constexpr int64_t kLine = 64 / sizeof(T);
    for (int64_t d = 0; d < size; d += kLine) {
      __builtin_prefetch(row + d);
    }
  }

  // The scores of every row and up to kLanes keys.
  void score(int64_t begin, int64_t keys, float *scores) {
    const T *key[kLanes];
    for (int64_t j = 0; j < kLanes; j++) {
      key[j] = s.key(g, begin + (j < keys ? j : keys - 1));
      const int64_t ahead = begin + kLanes + j;
      if (ahead < s.keys) {
        prefetch(s.key(g, ahead), a.head_size);
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      Floats sums[kLanes] = {};
      const float *query = space.query + r * a.head_size;
      by_vector(a.head_size, [&](int64_t d, int64_t n) {
        const Floats q = load_lanes(query + d, n);
        for (int64_t j = 0; j < kLanes; j++) {
          sums[j] = fma(q, load_lanes(key[j] + d, n), sums[j]);
        }
      });
      store_lanes(scores + r * kKeys, sum_each(sums), keys);
    }
  }

  // Adds up to kLanes values to every row's sums. A value of weight 0 is left out: it may be unseen
  // and not a number.
  void gather(int64_t begin, int64_t keys, const float *scores) {
    const T *value[kLanes];
    for (int64_t j = 0; j < keys; j++) {
      value[j] = s.value(g, begin + j);
      const int64_t ahead = begin + kLanes + j;
      if (ahead < s.keys) {
        prefetch(s.value(g, ahead), a.value_head_size);
      }
    }
    constexpr int kWide = 4;
    for (int64_t r = 0; r < rows; r++) {
      const float *p = scores + r * kKeys;
      float *sums = space.sums + r * a.value_head_size;
      int64_t d = 0;
      for (; d + kWide * kLanes <= a.value_head_size; d += kWide * kLanes) {
        Floats v[kWide];
        for (int w = 0; w < kWide; w++) {
          v[w] = load(sums + d + w * kLanes);
        }
        for (int64_t j = 0; j < keys; j++) {
          if (p[j] != 0.0f) {
            for (int w = 0; w < kWide; w++) {
              v[w] = fma(splat(p[j]), load_lanes(value[j] + d + w * kLanes, kLanes), v[w]);
            }
          }
        }
        for (int w = 0; w < kWide; w++) {
          store(sums + d + w * kLanes, v[w]);
        }
      }
      by_vector(a.value_head_size - d, [&](int64_t e, int64_t n) {
        Floats v = load_lanes(sums + d + e, n);
        for (int64_t j = 0; j < keys; j++) {
          if (p[j] != 0.0f) {
            v = fma(splat(p[j]), load_lanes(value[j] + d + e, n), v);
          }
        }
        store_lanes(sums + d + e, v, n);
      });
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
