// The gradients of attention. Every sum has one order, whatever else is computed and by how many
// threads: that of a key over its group's heads and their queries, that of a query over its keys,
// that of a bias over what it was repeated for.
#include "../attention_backward.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_valid(const gatun_attention &a) {
  const int64_t sizes[] = {a.batch,      a.heads,     a.kv_heads,        a.query_length,
                           a.key_length, a.head_size, a.value_head_size, a.window};
  for (int64_t size : sizes) {
    if (size < 0) {
      return false;
    }
  }
  return a.causal >= GATUN_CAUSAL_NONE && a.causal <= GATUN_CAUSAL_BOTTOM_RIGHT &&
         a.softcap >= 0.0f && a.dropout >= 0.0f && a.dropout < 1.0f &&
         (a.heads == 0 || (a.kv_heads != 0 && a.heads % a.kv_heads == 0)) &&
         a.block_table == nullptr && a.key_scales == nullptr && a.value_scales == nullptr;
}

// Rows of queries that are asked for before their task begins.
constexpr int64_t kExpected = 256;

// Writes a row of sums times a factor.
template <typename T>
void write_row(const float *sums, float factor, T *to, int64_t count) {
  by_vector(count, [&](int64_t d, int64_t n) {
    store_lanes(to + d, load_lanes(sums + d, n) * factor, n);
  });
}

template <typename T>
class Backward {
 public:
  using S = BackwardSequence<T>;
  using Tile = BackwardTile<S>;

  Backward(const gatun_attention &args, const gatun_attention &gradients)
      : a(args), to(gradients), group(args.kv_heads == 0 ? 0 : args.heads / args.kv_heads) {}

  ~Backward() { gatun_free(query_sums); }

  int32_t run() {
    const int64_t rows = a.batch * a.heads * a.query_length;
    if (rows > 0) {
      query_sums =
          static_cast<QuerySums *>(gatun_allocate(rows * static_cast<int64_t>(sizeof(QuerySums))));
      if (query_sums == nullptr) {
        return GATUN_OUT_OF_MEMORY;
      }
    }
    // As many tasks as keep the threads of most machines, each of few enough floats: both ways give
    // the same bits.
    constexpr int64_t kMostFloats = cut(1 << 22, 1 << 12), kFewTasks = cut(8, 2);
    const int64_t tasks = a.batch * a.kv_heads;
    const bool together = tasks >= kFewTasks && group * a.query_length * a.head_size <= kMostFloats;
    const int64_t blocks = (a.key_length + kKeys - 1) / kKeys;
    const int64_t tiles = (a.query_length + kBackwardQueries - 1) / kBackwardQueries;
    if (together) {
      parallel(tasks, [&](int64_t task) { of_group(task, task + 1 < tasks ? task + 1 : task); });
    } else {
      parallel(a.batch * a.heads, [&](int64_t task) { find_sums(task / a.heads, task % a.heads); });
      parallel(tasks * blocks, [&](int64_t task) {
        of_block(task / blocks / a.kv_heads, task / blocks % a.kv_heads, task % blocks * kKeys);
      });
      parallel(a.batch * a.heads * tiles, [&](int64_t task) {
        of_queries(task / tiles / a.heads, task / tiles % a.heads, task % tiles * kBackwardQueries);
      });
    }
    if (to.bias != nullptr) {
      of_bias(tiles);
    }
    if (to.sinks != nullptr) {
      parallel(a.heads, [&](int64_t h) { of_sink(h); });
    }
    return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
  }

 private:
  const gatun_attention &a, &to;
  const int64_t group;
  QuerySums *query_sums = nullptr;  // [batch][heads][query_length]
  std::atomic<bool> failed{false};

  S sequence(int64_t b) const { return S(a, to, query_sums, b); }

  // This thread's memory for a tile and so many floats more; null, and the call has failed, where
  // there is none.
  float *reserve(int64_t more) {
    static thread_local Scratch scratch;
    float *memory = scratch.floats(Tile::floats(a) + more);
    if (memory == nullptr) {
      failed.store(true);
    }
    return memory;
  }

  // Of each query of a head what its scores are made probabilities by, and the sum of the
  // probabilities' gradients times the probabilities, which is that of the output times the output,
  // less the gradient of its log-sum-exp.
  void find_sums(int64_t b, int64_t h) {
    const S s = sequence(b);
    for (int64_t first = 0; first < s.queries; first += kLanes) {
      const int64_t some = s.queries - first < kLanes ? s.queries - first : kLanes;
      alignas(64) float totals[kLanes];
      store(totals, products(s, h, first, some));
      for (int64_t r = 0; r < some; r++) {
        const int64_t at = s.row(h, first + r);
        query_sums[at] = {a.lse[at], 1.0f, totals[r] - (to.lse == nullptr ? 0.0f : to.lse[at])};
      }
    }
    each_tile(s, [&](int64_t first, int64_t rows) {
      bool any = false;
      for (int64_t r = 0; r < rows; r++) {
        any = any || is_found_again(a.lse[s.row(h, first + r)]);
      }
      float *memory = any ? reserve(0) : nullptr;
      if (memory != nullptr) {
        Tile tile(s, memory);
        tile.load_queries(h, first, rows);
        find_softmax(s, h, first, rows, tile);
        find_delta(s, h, first, rows, tile);
      }
    });
  }

  // Whether the probabilities that a log-sum-exp gives might not add up to what the output was made
  // by: where it is large, or where gradients of theirs are given.
  bool is_found_again(float lse) const {
    const float size = __builtin_fabsf(lse);
    return size < __builtin_inff() && (size > kExactLse || to.weights != nullptr);
  }

  // Of the queries of a tile that want it the largest score and the sum of the others'
  // exponentials.
  void find_softmax(const S &s, int64_t h, int64_t first, int64_t rows, Tile &tile) {
    Softmax<kBackwardQueries> softmax;
    softmax.clear(kBackwardQueries);
    each_block(s, [&](int64_t begin, int64_t keys) {
      if (tile.meets_keys(begin, keys)) {
        tile.load_keys(h / group, begin, keys);
        softmax.soften(0, rows, keys, tile.score(), [](int64_t, float) {});
      }
    });
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = s.row(h, first + r);
      if (is_found_again(a.lse[at])) {
        const float most = softmax.top[r], sink = a.sinks == nullptr ? kMinusInfinity : a.sinks[h];
        const float top = sink > most ? sink : most;
        const float rest = sink == kMinusInfinity ? 0.0f : __builtin_expf(sink - top);
        const float total = softmax.total[r] * (most == top ? 1.0f : __builtin_expf(most - top));
        query_sums[at] = {top, 1.0f / (total + rest), 0.0f};
      }
    }
  }

  // Of the same queries the sum of probabilities times their gradients.
  void find_delta(const S &s, int64_t h, int64_t first, int64_t rows, Tile &tile) {
    float totals[kBackwardQueries] = {};
    each_block(s, [&](int64_t begin, int64_t keys) {
      if (!tile.meets_keys(begin, keys)) {
        return;
      }
      tile.load_keys(h / group, begin, keys);
      tile.differentiate(false);
      for (int64_t r = 0; r < rows; r++) {
        Floats total{};
        by_vector(tile.seen_by(r),
                  [&](int64_t j, int64_t n) { total += load_lanes(tile.d_scores_of(r) + j, n); });
        totals[r] += sum(total);
      }
    });
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = s.row(h, first + r);
      if (is_found_again(a.lse[at])) {
        query_sums[at].delta = totals[r] - (to.lse == nullptr ? 0.0f : to.lse[at]);
      }
    }
  }

  // Of some queries the products of output and its gradient, summed up in the order of the products
  // with values: where a query sees one value alone both are the same number.
  static Floats products(const S &s, int64_t h, int64_t first, int64_t some) {
    Floats total{};
    for (int64_t r = first + kLanes; r < first + 2 * kLanes && r < s.queries; r++) {
      prefetch(s.output(h, r), s.a.value_head_size);
      prefetch(s.d_output(h, r), s.a.value_head_size);
    }
    by_vector(s.a.value_head_size, [&](int64_t d, int64_t n) {
      Floats output[kLanes], d_output[kLanes];
      for (int64_t r = 0; r < kLanes; r++) {
        output[r] = r < some ? load_lanes(s.output(h, first + r) + d, n) : Floats{};
        d_output[r] = r < some ? load_lanes(s.d_output(h, first + r) + d, n) : Floats{};
      }
      transpose(output);
      transpose(d_output);
      for (int64_t i = 0; i < n; i++) {
        total = fma(d_output[i], output[i], total);
      }
    });
    return total;
  }

  template <typename Body>
  static void each_tile(const S &s, const Body &body) {
    for (int64_t first = 0; first < s.queries; first += kBackwardQueries) {
      const int64_t rest = s.queries - first;
      body(first, rest < kBackwardQueries ? rest : kBackwardQueries);
    }
  }

  template <typename Body>
  static void each_block(const S &s, const Body &body) {
    for (int64_t begin = 0; begin < s.keys; begin += kKeys) {
      const int64_t rest = s.keys - begin;
      body(begin, rest < kKeys ? rest : kKeys);
    }
  }

  // The gradients of a head of keys and values, and of the queries that share it.
  void of_group(int64_t task, int64_t next) {
    const int64_t b = task / a.kv_heads, g = task % a.kv_heads;
    const S s = sequence(b), after = sequence(next / a.kv_heads);
    for (int64_t h = g * group; h < (g + 1) * group; h++) {
      find_sums(b, h);
    }
    const int64_t size = a.head_size, floats = sums_of_keys() + group * s.queries * size;
    float *memory = reserve(floats);
    if (memory == nullptr) {
      return;
    }
    Tile tile(s, memory);
    float *sums = memory + Tile::floats(a), *d_query = sums + sums_of_keys();
    __builtin_memset(d_query, 0, static_cast<size_t>(group * s.queries * size) * sizeof(float));
    each_block(s, [&](int64_t begin, int64_t keys) {
      tile.upcoming.later.forget();
      expect_results(s, g, begin, keys, tile.upcoming);
      if (begin + keys < s.keys) {
        expect_keys(s, g, begin + keys, tile.upcoming);
      } else {
        expect_group(after, next % a.kv_heads, tile.upcoming);
      }
      add_block(s, g, begin, tile, sums, d_query);
    });
    clear_rest(s, g);
    for (int64_t h = 0; h < group; h++) {
      for (int64_t i = 0; i < s.queries; i++) {
        write_row(d_query + (h * s.queries + i) * size, a.scale, s.d_query(g * group + h, i), size);
      }
    }
  }

  static void expect_results(const S &s, int64_t g, int64_t begin, int64_t keys,
                             Upcoming &upcoming) {
    upcoming.later.add(s.d_key(g, begin), s.d_key_stride(), keys, s.a.head_size);
    upcoming.later.add(s.d_value(g, begin), s.d_value_stride(), keys, s.a.value_head_size);
  }

  static void expect_keys(const S &s, int64_t g, int64_t begin, Upcoming &upcoming) {
    const int64_t rest = s.keys - begin, keys = rest < kKeys ? rest : kKeys;
    upcoming.later.add(s.key(g, begin), s.key_stride(), keys, s.a.head_size);
    upcoming.later.add(s.value(g, begin), s.value_stride(), keys, s.a.value_head_size);
  }

  // What the first steps of another task read.
  void expect_group(const S &s, int64_t g, Upcoming &upcoming) const {
    const int64_t some = s.queries < kExpected ? s.queries : kExpected, h = g * group;
    upcoming.later.add(s.output(h, 0), s.output_stride(), some, a.value_head_size);
    upcoming.later.add(s.d_output(h, 0), s.d_output_stride(), some, a.value_head_size);
    expect_keys(s, g, 0, upcoming);
    upcoming.later.add(s.query(h, 0), s.query_stride(), some, a.head_size);
  }

  int64_t sums_of_keys() const { return kKeys * (a.head_size + a.value_head_size); }

  // The gradients of a block of keys and values, and, where they go somewhere, what it adds to
  // those of the queries.
  void add_block(const S &s, int64_t g, int64_t begin, Tile &tile, float *sums, float *d_query) {
    const int64_t size = a.head_size, value_size = a.value_head_size;
    const int64_t keys = s.keys - begin < kKeys ? s.keys - begin : kKeys;
    float *d_key = sums, *d_value = sums + kKeys * size;
    __builtin_memset(sums, 0, static_cast<size_t>(sums_of_keys()) * sizeof(float));
    tile.load_keys(g, begin, keys);
    for (int64_t h = g * group; h < (g + 1) * group; h++) {
      each_tile(s, [&](int64_t first, int64_t rows) {
        if (!tile.meets(first, rows)) {
          return;
        }
        tile.load_queries(h, first, rows);
        expect_queries(s, h, first, rows, d_query != nullptr && begin + keys == s.keys,
                       tile.upcoming);
        tile.differentiate(true);
        tile.add_to_values(d_value);
        tile.add_to_keys(d_key);
        if (d_query != nullptr) {
          tile.add_to_queries(d_query + ((h - g * group) * s.queries + first) * size);
        }
      });
    }
    for (int64_t j = 0; j < keys; j++) {
      write_row(d_key + j * size, 1.0f, s.d_key(g, begin + j), size);
      write_row(d_value + j * value_size, 1.0f, s.d_value(g, begin + j), value_size);
    }
  }

  // What follows a tile of queries: the next one, and that its gradients are written.
  static void expect_queries(const S &s, int64_t h, int64_t first, int64_t rows, bool written,
                             Upcoming &upcoming) {
    const int64_t next = first + rows, rest = s.queries - next;
    const int64_t some = rest < kBackwardQueries ? rest : kBackwardQueries;
    upcoming.soon.forget();
    if (some > 0) {
      upcoming.soon.add(s.query(h, next), s.query_stride(), some, s.a.head_size);
      upcoming.soon.add(s.d_output(h, next), s.d_output_stride(), some, s.a.value_head_size);
    }
    if (written) {
      upcoming.soon.add(s.d_query(h, first), s.d_query_stride(), rows, s.a.head_size);
    }
  }

  // Keys beyond those in use have no gradient.
  void clear_rest(const S &s, int64_t g) {
    const int64_t room = a.key_lengths == nullptr ? s.keys : a.key_length;
    for (int64_t j = s.keys; j < room; j++) {
      const auto clear = [](T *row, int64_t count) {
        by_vector(count, [&](int64_t d, int64_t n) { store_lanes(row + d, Floats{}, n); });
      };
      clear(s.d_key(g, j), a.head_size);
      clear(s.d_value(g, j), a.value_head_size);
    }
  }

  void of_block(int64_t b, int64_t g, int64_t begin) {
    const S s = sequence(b);
    if (begin == 0) {
      clear_rest(s, g);
    }
    float *memory = begin < s.keys ? reserve(sums_of_keys()) : nullptr;
    if (memory != nullptr) {
      Tile tile(s, memory);
      add_block(s, g, begin, tile, memory + Tile::floats(a), nullptr);
    }
  }

  void of_queries(int64_t b, int64_t h, int64_t first) {
    const S s = sequence(b);
    const int64_t size = a.head_size, rest = s.queries - first;
    const int64_t rows = rest < kBackwardQueries ? rest : kBackwardQueries;
    float *memory = rows > 0 ? reserve(kBackwardQueries * size) : nullptr;
    if (memory == nullptr) {
      return;
    }
    Tile tile(s, memory);
    float *sums = memory + Tile::floats(a);
    __builtin_memset(sums, 0, static_cast<size_t>(rows * size) * sizeof(float));
    tile.load_queries(h, first, rows);
    each_block(s, [&](int64_t begin, int64_t keys) {
      if (tile.meets_keys(begin, keys)) {
        tile.load_keys(h / group, begin, keys);
        tile.differentiate(true);
        tile.add_to_queries(sums);
      }
    });
    for (int64_t r = 0; r < rows; r++) {
      write_row(sums + r * size, a.scale, s.d_query(h, first + r), size);
    }
  }

  // The bias's gradient: sums over the axes that it is repeated on, which have a stride of 0.
  void of_bias(int64_t tiles) {
    const int64_t *strides = to.bias_strides;
    const int64_t batch = strides[0] == 0 ? 1 : a.batch, heads = strides[1] == 0 ? 1 : a.heads;
    const int64_t chunks = strides[2] == 0 ? 1 : tiles;
    float *bias = const_cast<float *>(to.bias);
    parallel(batch * heads * chunks, [&](int64_t task) {
      const int64_t bb = task / chunks / heads, hb = task / chunks % heads;
      const int64_t first = task % chunks * kBackwardQueries;
      const int64_t last = chunks == 1 ? a.query_length : first + kBackwardQueries;
      float *own = bias + bb * strides[0] + hb * strides[1];
      const int64_t rows = strides[2] == 0 ? 1 : last < a.query_length ? last : a.query_length;
      for (int64_t i = strides[2] == 0 ? 0 : first; i < rows; i++) {
        __builtin_memset(own + i * strides[2], 0, (strides[3] == 0 ? 1 : a.key_length) * 4);
      }
      for (int64_t b = bb; b < (strides[0] == 0 ? a.batch : bb + 1); b++) {
        const S s = sequence(b);
        for (int64_t h = hb; h < (strides[1] == 0 ? a.heads : hb + 1); h++) {
          add_to_bias(s, h, first, last < s.queries ? last : s.queries, own);
        }
      }
    });
  }

  // Adds what the queries of a head from `begin` to before `end` give.
  void add_to_bias(const S &s, int64_t h, int64_t begin, int64_t end, float *bias) {
    const int64_t *strides = to.bias_strides;
    float *memory = begin < end ? reserve(0) : nullptr;
    if (memory == nullptr) {
      return;
    }
    Tile tile(s, memory);
    for (int64_t first = begin; first < end; first += kBackwardQueries) {
      const int64_t rows = end - first < kBackwardQueries ? end - first : kBackwardQueries;
      tile.load_queries(h, first, rows);
      each_block(s, [&](int64_t key, int64_t keys) {
        if (!tile.meets_keys(key, keys)) {
          return;
        }
        tile.load_keys(h / group, key, keys);
        tile.differentiate(false);
        for (int64_t r = 0; r < rows; r++) {
          const float *d_scores = tile.d_scores_of(r);
          float *row = bias + (first + r) * strides[2] + key * strides[3];
          Floats total{};
          by_vector(tile.seen_by(r), [&](int64_t j, int64_t n) {
            const Floats d = load_lanes(d_scores + j, n);
            if (strides[3] == 0) {
              total += d;
            } else {
              store_lanes(row + j, load_lanes(row + j, n) + d, n);
            }
          });
          *row += strides[3] == 0 ? sum(total) : 0.0f;
        }
      });
    }
  }

  void of_sink(int64_t h) {
    float total = 0.0f;
    for (int64_t b = 0; b < a.batch; b++) {
      const S s = sequence(b);
      for (int64_t i = 0; i < s.queries; i++) {
        const QuerySums &of = query_sums[s.row(h, i)];
        if (!of.is_blind()) {
          total -= __builtin_expf(a.sinks[h] - of.base) * of.share * of.delta;
        }
      }
    }
    const_cast<float *>(to.sinks)[h] = total;
  }
};

}  // namespace

int32_t attention_backward(const gatun_attention *args, const gatun_attention *gradients) {
  if (!is_valid(*args)) {
    return GATUN_INVALID_ARGUMENT;
  }
  switch (args->dtype) {
    case GATUN_DTYPE_F32:
      return Backward<float>(*args, *gradients).run();
    case GATUN_DTYPE_BF16:
      return Backward<Bf16>(*args, *gradients).run();
    case GATUN_DTYPE_F16:
      return Backward<F16>(*args, *gradients).run();
    default:
      return GATUN_INVALID_ARGUMENT;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
