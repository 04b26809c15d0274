// Attention of many queries: tiles of scores by the register tile, keys and values read once for a
// chunk of queries.
#ifndef GATUN_ATTENTION_TILES_H
#define GATUN_ATTENTION_TILES_H

#include "attention.h"
#include "lanes.h"
#include "tile.h"
#include "upcoming.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kTileQueries = cut(48, 16), kChunkQueries = cut(8, 2) * kTileQueries;

// A head's queries, a block of keys and values, and their products, as floats.
template <typename S>
class FloatBlocks {
 public:
  using T = typename S::T;
  using Row = typename S::Row;

  // Floats of memory that it needs.
  static int64_t floats(int64_t size, int64_t value_size) {
    return kChunkQueries * size + kKeys * (size + panels(value_size) * kTileColumns);
  }
  // Columns of a query's sums.
  static int64_t sum_columns(int64_t value_size) { return value_size; }

  FloatBlocks(const S &sequence, float *memory)
      : s(sequence), size(s.a.head_size), value_size(s.a.value_head_size) {
    query = memory;
    key = query + kChunkQueries * size;
    value = key + kKeys * size;
  }

  void load_query(int64_t i, const T *from) {
    by_vector(size, [&](int64_t d, int64_t n) {
      store_lanes(query + i * size + d, load_lanes(from + d, n) * s.a.scale, n);
    });
  }

  void load_keys(const Row *from, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kLanes) {
      ask(from, j + kAsked, j + kAsked + kLanes, keys, size);
      const int64_t m = keys - j < kLanes ? keys - j : kLanes;
      by_vector(size, [&](int64_t d, int64_t n) {
        Floats rows[kLanes];
        for (int64_t r = 0; r < kLanes; r++) {
          rows[r] = r < m ? load_lanes(from[j + r] + d, n) : Floats{};
        }
        transpose(rows);
        float *out = key + j / kTileColumns * kTileColumns * size + j % kTileColumns;
        for (int64_t r = 0; r < n; r++) {
          store(out + (d + r) * kTileColumns, rows[r]);
        }
      });
    }
  }

  // Copies a block's values, masked ones as zeros; whether all of them are finite.
  bool load_values(const Row *from, int64_t begin, int64_t keys) {
    Floats check{};
    for (int64_t j = 0; j < keys; j++) {
      ask(from, j + kAsked, j + kAsked + 1, keys, value_size);
      const bool masked = s.is_masked(begin + j);
      by_vector(value_size, [&](int64_t d, int64_t n) {
        const Floats v = masked ? Floats{} : load_lanes(from[j] + d, n);
        check += v * 0.0f;  // NaN from then on where v is not finite
        float *panel = value + d / kTileColumns * kTileColumns * kKeys;
        store_lanes(panel + j * kTileColumns + d % kTileColumns, v, n);
      });
    }
    return sum(check) == 0.0f;
  }

  // scores[rows][kKeys] of the queries from `tile` on; those that seen(row) keys end before are of
  // no use.
  template <typename Seen>
  void score(int64_t tile, int64_t rows, int64_t keys, const Seen &seen, float *scores) {
    for (int64_t j = 0; j < keys; j += kTileColumns) {
      by_tile(rows, [&](int64_t i, int64_t m) {
        if (seen(i + m - 1) > j) {
          tile_dispatch<kTileRows>(m, query + (tile + i) * size, size, key + j * size, kTileColumns,
                                   scores + i * kKeys + j, kKeys, size, kTileColumns, Into::kNew,
                                   upcoming.asks());
        }
      });
    }
  }

  // sums[rows][sum_columns] += weights[rows][kKeys] * values, of which a row has seen(row) at most;
  // weights are lost.
  template <typename Seen>
  void add_values(int64_t rows, int64_t, const Seen &seen, float *weights, float *sums) {
    for (int64_t d = 0; d < value_size; d += kTileColumns) {
      const int64_t n = value_size - d < kTileColumns ? value_size - d : kTileColumns;
      by_tile(rows, [&](int64_t i, int64_t m) {
        const int64_t k = seen(i + m - 1);
        tile_dispatch<kTileRows>(m, weights + i * kKeys, kKeys, value + d * kKeys, kTileColumns,
                                 sums + i * value_size + d, value_size, k, n, Into::kOld,
                                 upcoming.asks());
      });
    }
  }

  Upcoming upcoming;

 private:
  const S &s;
  const int64_t size, value_size;
  float *query;  // [kChunkQueries][size], scaled
  float *key;    // [kKeys / kTileColumns][size][kTileColumns], a block's keys transposed
  float *value;  // [panels][kKeys][kTileColumns]

  template <typename Tile>
  static void by_tile(int64_t rows, const Tile &tile) {
    for (int64_t i = 0; i < rows; i += kTileRows) {
      tile(i, rows - i < kTileRows ? rows - i : kTileRows);
    }
  }

  static int64_t panels(int64_t columns) { return (columns + kTileColumns - 1) / kTileColumns; }
};

// A thread's intermediate values.
struct TileSpace {
  float *blocks;
  float *scores;  // [kTileQueries][kKeys]
  float *sums;    // [kChunkQueries][columns]
  Softmax<kChunkQueries> softmax;

  bool reserve(Scratch &scratch, int64_t floats, int64_t columns) {
    const int64_t space = (floats + 15) / 16 * 16;
    blocks = scratch.floats(space + kTileQueries * kKeys + kChunkQueries * columns);
    scores = blocks + space;
    sums = scores + kTileQueries * kKeys;
    return blocks != nullptr;
  }
};

template <typename S, typename Blocks>
class TileAttention {
 public:
  // Of a chunk of a head's queries; `next` and `next_head` say whose it is that follows.
  TileAttention(const S &sequence, int64_t head, const S &next, int64_t next_head, int64_t first,
                TileSpace &space)
      : s(sequence),
        next(next),
        next_head(next_head),
        a(sequence.a),
        h(head),
        g(head / (a.heads / a.kv_heads)),
        first(first),
        columns(Blocks::sum_columns(a.value_head_size)),
        space(space),
        blocks(sequence, space.blocks) {
    count = s.queries - first < kChunkQueries ? s.queries - first : kChunkQueries;
  }

  void run() {
    for (int64_t i = 0; i < count; i++) {
      // The last ones ask for themselves: nothing follows them.
      prefetch(s.query(h, first + (i + kAsked < count ? i + kAsked : i)), a.head_size);
      blocks.load_query(i, s.query(h, first + i));
    }
    expect_task(next, next_head);
    space.softmax.clear(count);
    __builtin_memset(space.sums, 0, static_cast<size_t>(count * columns) * sizeof(float));
    if (a.weights != nullptr) {
      clear_weights();
    }
    const int64_t end = s.end(first + count - 1);
    for (int64_t begin = s.begin(first) / kKeys * kKeys; begin < end; begin += kKeys) {
      const int64_t keys = end - begin < kKeys ? end - begin : kKeys;
      s.keys_from(g, begin, keys, key);
      s.values_from(g, begin, keys, value);
      ask(key, 0, kAsked, keys, a.head_size);
      blocks.load_keys(key, keys);
      ask(value, 0, kAsked, keys, a.value_head_size);
      const bool finite = blocks.load_values(value, begin, keys);
      blocks.upcoming.soon.forget();
      if (end - begin > keys) {
        expect_keys(s, g, begin + keys, end, blocks.upcoming.soon);
      }
      for (int64_t tile = 0; tile < count; tile += kTileQueries) {
        const int64_t rows = count - tile < kTileQueries ? count - tile : kTileQueries;
        const int64_t seen = s.end(first + tile + rows - 1) - begin;
        if (seen > 0 && s.begin(first + tile) < begin + keys) {
          add(begin, seen < keys ? seen : keys, tile, rows, finite);
        }
      }
    }
    for (int64_t i = 0; i < count; i++) {
      finish(s, h, first + i, space.softmax.top[i], space.softmax.total[i],
             space.sums + i * columns);
    }
  }

 private:
  const S &s, &next;
  const int64_t next_head;
  const gatun_attention &a;
  const int64_t h, g, first, columns;
  TileSpace &space;
  Blocks blocks;
  int64_t count;
  typename S::Row key[kKeys], value[kKeys];

  // Keys and values of the block that begins there, which are in use up to `end`.
  void expect_keys(const S &of, int64_t group, int64_t begin, int64_t end, RowQueue &queue) {
    if constexpr (std::is_pointer_v<typename S::Row>) {
      const int64_t rest = end - begin, keys = rest < kKeys ? rest : kKeys;
      if (a.block_table == nullptr) {
        queue.add(of.key(group, begin), a.key_strides[1], keys, a.head_size);
        queue.add(of.value(group, begin), a.value_strides[1], keys, a.value_head_size);
      }
    }
  }

  // What this task writes, and what the next one reads first.
  void expect_task(const S &of, int64_t head) {
    const int64_t rest = of.queries - first, some = rest < kChunkQueries ? rest : kChunkQueries;
    blocks.upcoming.later.add(s.output(h, first), a.output_strides[1], count, a.value_head_size);
    blocks.upcoming.later.add(of.query(head, first), a.query_strides[1], some, a.head_size);
    const int64_t begin = of.begin(first) / kKeys * kKeys;
    expect_keys(of, head / (a.heads / a.kv_heads), begin, of.keys, blocks.upcoming.later);
  }

  void clear_weights() {
    for (int64_t i = 0; i < count; i++) {
      float *row = a.weights + s.row(h, first + i) * a.key_length;
      by_vector(s.keys,
                [&](int64_t j, int64_t n) { store_lanes(row + j, splat(kMinusInfinity), n); });
    }
  }

  void add(int64_t begin, int64_t keys, int64_t tile, int64_t rows, bool finite) {
    const auto seen = [&](int64_t r) {
      const int64_t end = s.end(first + tile + r) - begin;
      return end < 0 ? 0 : end < keys ? end : keys;
    };
    blocks.score(tile, rows, keys, seen, space.scores);
    for (int64_t r = 0; r < rows; r++) {
      const int64_t i = first + tile + r;
      float *row = space.scores + r * kKeys;
      adjust(s, h, i, begin, keys, row);
      if (a.weights != nullptr) {
        __builtin_memcpy(a.weights + s.row(h, i) * a.key_length + begin, row, keys * sizeof(float));
      }
    }
    space.softmax.soften(tile, rows, keys, space.scores, [&](int64_t r, float factor) {
      multiply(space.sums + (tile + r) * columns, columns, factor);
    });
    for (int64_t r = 0; a.dropout > 0.0f && r < rows; r++) {
      drop(s, h, first + tile + r, begin, keys, space.scores + r * kKeys);
    }
    if (finite) {
      blocks.add_values(rows, keys, seen, space.scores, space.sums + tile * columns);
      return;
    }
    for (int64_t r = 0; r < rows; r++) {
      add_seen(begin, keys, first + tile + r, space.scores + r * kKeys,
               space.sums + (tile + r) * columns);
    }
  }

  // Adds the values that a query sees alone: an unseen key's weight is 0, and 0 times NaN would be
  // seen.
  void add_seen(int64_t begin, int64_t keys, int64_t i, const float *weights, float *sums) {
    for (int64_t j = 0; j < keys; j++) {
      if (begin + j < s.begin(i) || begin + j >= s.end(i) || s.is_masked(begin + j)) {
        continue;
      }
      const typename S::Row value = s.value(g, begin + j);
      by_vector(a.value_head_size, [&](int64_t d, int64_t n) {
        store_lanes(sums + d,
                    fma(splat(weights[j]), load_lanes(value + d, n), load_lanes(sums + d, n)), n);
      });
    }
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
