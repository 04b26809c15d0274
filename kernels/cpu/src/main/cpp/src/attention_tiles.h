// Attention of many queries: tiles of scores by the register tile, keys and values read once for a
// chunk of queries.
#ifndef GATUN_ATTENTION_TILES_H
#define GATUN_ATTENTION_TILES_H

#include "attention.h"
#include "lanes.h"
#include "tile.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kTileQueries = 48, kChunkQueries = 8 * kTileQueries;

// A thread's intermediate values.
struct TileSpace {
  float *query;   // [kChunkQueries][head_size], scaled
  float *key;     // [head_size][kKeys], a block's keys transposed
  float *value;   // [kKeys][value_head_size]
  float *scores;  // [kTileQueries][kKeys]
  float *sums;    // [kChunkQueries][value_head_size]
  Softmax softmax[kChunkQueries];

  bool reserve(Scratch &scratch, int64_t size, int64_t value_size) {
    query = scratch.floats(kChunkQueries * (size + value_size) + kKeys * (size + value_size) +
                           kTileQueries * kKeys);
    key = query + kChunkQueries * size;
    value = key + kKeys * size;
    scores = value + kKeys * value_size;
    sums = scores + kTileQueries * kKeys;
    return query != nullptr;
  }
};

template <typename T>
class TileAttention {
 public:
  TileAttention(const Sequence<T> &sequence, int64_t head, int64_t first, TileSpace &space)
      : s(sequence),
        a(sequence.a),
        h(head),
        g(head / (a.heads / a.kv_heads)),
        first(first),
        space(space) {
    count = s.queries - first < kChunkQueries ? s.queries - first : kChunkQueries;
  }

  void run() {
    load_queries();
    for (int64_t i = 0; i < count; i++) {
      space.softmax[i] = Softmax();
    }
    __builtin_memset(space.sums, 0, count * a.value_head_size * sizeof(float));
    if (a.weights != nullptr) {
      clear_weights();
    }
    const int64_t end = s.end(first + count - 1);
    for (int64_t begin = s.begin(first) / kKeys * kKeys; begin < end; begin += kKeys) {
      const int64_t keys = end - begin < kKeys ? end - begin : kKeys;
      load_keys(begin, keys);
      const bool finite = load_values(begin, keys);
      for (int64_t tile = 0; tile < count; tile += kTileQueries) {
        const int64_t rows = count - tile < kTileQueries ? count - tile : kTileQueries;
        const int64_t seen = s.end(first + tile + rows - 1) - begin;
        if (seen > 0 && s.begin(first + tile) < begin + keys) {
          add(begin, seen < keys ? seen : keys, tile, rows, finite);
        }
      }
    }
    for (int64_t i = 0; i < count; i++) {
      finish(s, h, first + i, space.softmax[i], space.sums + i * a.value_head_size);
    }
  }

 private:
  const Sequence<T> &s;
  const gatun_attention &a;
  const int64_t h, g, first;
  TileSpace &space;
  int64_t count;

  void load_queries() {
    for (int64_t i = 0; i < count; i++) {
      const T *query = s.query(h, first + i);
      by_vector(a.head_size, [&](int64_t d, int64_t n) {
        store_lanes(space.query + i * a.head_size + d, load_lanes(query + d, n) * a.scale, n);
      });
    }
  }

  void clear_weights() {
    for (int64_t i = 0; i < count; i++) {
      float *row = a.weights + s.row(h, first + i) * a.key_length;
      by_vector(s.keys,
                [&](int64_t j, int64_t n) { store_lanes(row + j, splat(kMinusInfinity), n); });
    }
  }

  void load_keys(int64_t begin, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kLanes) {
      const int64_t m = keys - j < kLanes ? keys - j : kLanes;
      by_vector(a.head_size, [&](int64_t d, int64_t n) {
        Floats rows[kLanes];
        for (int64_t r = 0; r < kLanes; r++) {
          rows[r] = r < m ? load_lanes(s.key(g, begin + j + r) + d, n) : Floats{};
        }
        transpose(rows);
        for (int64_t r = 0; r < n; r++) {
          store(space.key + (d + r) * kKeys + j, rows[r]);
        }
      });
    }
  }

  // Copies a block's values, masked ones as zeros; whether all of them are finite.
  bool load_values(int64_t begin, int64_t keys) {
    Floats check{};
    for (int64_t j = 0; j < keys; j++) {
      const bool masked = s.is_masked(begin + j);
      const T *value = s.value(g, begin + j);
      by_vector(a.value_head_size, [&](int64_t d, int64_t n) {
        const Floats v = masked ? Floats{} : load_lanes(value + d, n);
        check += v * 0.0f;  // NaN from then on where v is not finite
        store_lanes(space.value + j * a.value_head_size + d, v, n);
      });
    }
    return sum(check) == 0.0f;
  }

  void add(int64_t begin, int64_t keys, int64_t tile, int64_t rows, bool finite) {
    const int64_t size = a.head_size, value_size = a.value_head_size;
    product(rows, keys, size, space.query + tile * size, size, space.key, kKeys, space.scores,
            kKeys, Into::kNew);
    for (int64_t r = 0; r < rows; r++) {
      const int64_t i = first + tile + r;
      float *row = space.scores + r * kKeys, *sums = space.sums + (tile + r) * value_size;
      adjust(s, h, i, begin, keys, row);
      if (a.weights != nullptr) {
        __builtin_memcpy(a.weights + s.row(h, i) * a.key_length + begin, row, keys * sizeof(float));
      }
      const float fade = space.softmax[tile + r].soften(row, keys);
      if (fade != 1.0f) {
        by_vector(value_size, [&](int64_t d, int64_t n) {
          store_lanes(sums + d, load_lanes(sums + d, n) * fade, n);
        });
      }
      if (a.dropout > 0.0f) {
        drop(s, h, i, begin, keys, row);
      }
    }
    if (finite) {
      product(rows, value_size, keys, space.scores, kKeys, space.value, value_size,
              space.sums + tile * value_size, value_size, Into::kOld);
      return;
    }
    // An unseen key's weight is 0, and 0 times NaN would be seen.
    for (int64_t r = 0; r < rows; r++) {
      const int64_t from =
          s.begin(first + tile + r) - begin < 0 ? 0 : s.begin(first + tile + r) - begin;
      const int64_t to =
          s.end(first + tile + r) - begin < keys ? s.end(first + tile + r) - begin : keys;
      if (from < to) {
        product(1, value_size, to - from, space.scores + r * kKeys + from, kKeys,
                space.value + from * value_size, value_size, space.sums + (tile + r) * value_size,
                value_size, Into::kOld);
      }
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
