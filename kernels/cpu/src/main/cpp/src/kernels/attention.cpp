// Attention in tiles of queries and keys with online softmax: a tile's scores are all that is kept.
#include "../math.h"
#include "../tile.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

constexpr int64_t kQueries = 48, kKeys = 64;
const float kMinusInfinity = -__builtin_inff();

// One head's tile of queries, and where its data lies.
struct Task {
  const gatun_attention *args;
  const float *query, *key, *value;
  float *output;
  const uint8_t *mask;
  const float *bias;
  float *lse, *weights;
  int64_t queries, keys;  // of the tile, of the sequence
  int64_t first;          // the tile's first query
  int64_t shift;          // query i sees the keys up to i + shift when causal

  // The end of the keys that a query of the tile sees by position.
  int64_t visible(int64_t i) const {
    if (args->causal == GATUN_CAUSAL_NONE) {
      return keys;
    }
    const int64_t end = first + i + shift + 1;
    return end < 0 ? 0 : end < keys ? end : keys;
  }
};

// A thread's intermediate values.
struct Space {
  float *query;   // [kQueries][head_size], scaled
  float *key;     // [head_size][kKeys], a tile's keys transposed
  float *value;   // [kKeys][value_head_size], a tile's values with those of masked keys 0
  float *scores;  // [kQueries][kKeys]
  float *output;  // [kQueries][value_head_size]
  float top[kQueries], total[kQueries];

  bool reserve(Scratch &scratch, int64_t head_size, int64_t value_head_size) {
    const int64_t q = kQueries * head_size, k = head_size * kKeys, v = kKeys * value_head_size;
    query = scratch.floats(q + k + v + kQueries * kKeys + kQueries * value_head_size);
    key = query + q;
    value = key + k;
    scores = value + v;
    output = scores + kQueries * kKeys;
    return query != nullptr;
  }
};

void load_queries(const Task &t, Space &s) {
  const int64_t size = t.args->head_size, stride = t.args->query_strides[1];
  for (int64_t i = 0; i < t.queries; i++) {
    by_vector(size, [&](int64_t d, int64_t n) {
      store_lanes(s.query + i * size + d, load_lanes(t.query + i * stride + d, n) * t.args->scale,
                  n);
    });
  }
}

void load_keys(const Task &t, Space &s, int64_t begin, int64_t count) {
  const int64_t size = t.args->head_size, stride = t.args->key_strides[1];
  for (int64_t j = 0; j < count; j++) {
    const float *key = t.key + (begin + j) * stride;
    for (int64_t d = 0; d < size; d++) {
      s.key[d * kKeys + j] = key[d];
    }
  }
}

// The tile's values: in place, or copied where masked ones could carry NaN into the sums.
const float *load_values(const Task &t, Space &s, int64_t begin, int64_t count, int64_t *stride) {
  const int64_t size = t.args->value_head_size;
  *stride = t.args->value_strides[1];
  const float *values = t.value + begin * *stride;
  bool masked = false;
  for (int64_t j = 0; t.mask != nullptr && j < count; j++) {
    masked |= t.mask[begin + j] == 0;
  }
  if (!masked) {
    return values;
  }
  for (int64_t j = 0; j < count; j++) {
    const bool seen = t.mask[begin + j] != 0;
    by_vector(size, [&](int64_t d, int64_t n) {
      store_lanes(s.value + j * size + d, seen ? load_lanes(values + j * *stride + d, n) : Floats{},
                  n);
    });
  }
  *stride = size;
  return s.value;
}

void add_bias_and_mask(const Task &t, Space &s, int64_t begin, int64_t count) {
  const int64_t *strides = t.args->bias_strides;
  for (int64_t i = 0; i < t.queries; i++) {
    float *row = s.scores + i * kKeys;
    if (t.bias != nullptr) {
      const float *bias = t.bias + i * strides[2] + begin * strides[3];
      if (strides[3] == 1) {
        by_vector(count, [&](int64_t j, int64_t n) {
          store_lanes(row + j, load_lanes(row + j, n) + load_lanes(bias + j, n), n);
        });
      } else {
        for (int64_t j = 0; j < count; j++) {
          row[j] += bias[j * strides[3]];
        }
      }
    }
    for (int64_t j = 0; t.mask != nullptr && j < count; j++) {
      row[j] = t.mask[begin + j] != 0 ? row[j] : kMinusInfinity;
    }
    for (int64_t j = t.visible(i) - begin < 0 ? 0 : t.visible(i) - begin; j < count; j++) {
      row[j] = kMinusInfinity;
    }
  }
}

// Turns a row of scores into its part of the softmax, and what is summed so far to the new maximum.
void soften(Space &s, int64_t i, int64_t count, int64_t value_size) {
  float *row = s.scores + i * kKeys;
  Floats best = splat(s.top[i]);
  by_vector(count, [&](int64_t j, int64_t n) {
    best = max(best, keep(load_lanes(row + j, n), n, kMinusInfinity));
  });
  float lanes[kLanes];
  store(lanes, best);
  float top = s.top[i];
  for (float lane : lanes) {
    top = lane > top ? lane : top;
  }
  // Where nothing is seen yet, -inf - -inf must not become NaN.
  const float base = top == kMinusInfinity ? 0.0f : top;
  Floats total{};
  by_vector(count, [&](int64_t j, int64_t n) {
    const Floats e = exp(load_lanes(row + j, n) - base);
    store_lanes(row + j, e, n);
    total += keep(e, n, 0.0f);
  });
  if (top != s.top[i]) {
    const float fade = s.top[i] == kMinusInfinity ? 0.0f : __builtin_expf(s.top[i] - base);
    s.total[i] *= fade;
    by_vector(value_size, [&](int64_t d, int64_t n) {
      float *out = s.output + i * value_size + d;
      store_lanes(out, load_lanes(out, n) * fade, n);
    });
    s.top[i] = top;
  }
  s.total[i] += sum(total);
}

void finish(const Task &t, const Space &s) {
  const int64_t size = t.args->value_head_size;
  for (int64_t i = 0; i < t.queries; i++) {
    const bool blind = s.top[i] == kMinusInfinity && s.total[i] == 0.0f;
    const float inverse = blind ? 0.0f : 1.0f / s.total[i];
    by_vector(size, [&](int64_t d, int64_t n) {
      store_lanes(t.output + i * t.args->output_strides[1] + d,
                  load_lanes(s.output + i * size + d, n) * inverse, n);
    });
    const float base = s.top[i] == kMinusInfinity ? 0.0f : s.top[i];
    const float lse = blind ? kMinusInfinity : base + __builtin_logf(s.total[i]);
    if (t.lse != nullptr) {
      t.lse[i] = lse;
    }
    if (t.weights != nullptr) {
      float *row = t.weights + i * t.args->key_length;
      by_vector(t.keys, [&](int64_t j, int64_t n) {
        const Floats score = load_lanes(row + j, n);
        // An unseen key's weight is 0 even where the row's other scores are NaN.
        const Floats p = select(score == kMinusInfinity, Floats{}, exp(score - base) * inverse);
        store_lanes(row + j, blind ? Floats{} : p, n);
      });
    }
  }
}

void run(const Task &t, Space &s) {
  const int64_t size = t.args->head_size, value_size = t.args->value_head_size;
  load_queries(t, s);
  for (int64_t i = 0; i < t.queries; i++) {
    s.top[i] = kMinusInfinity;
    s.total[i] = 0.0f;
  }
  __builtin_memset(s.output, 0, t.queries * value_size * sizeof(float));
  const int64_t end = t.visible(t.queries - 1);
  for (int64_t begin = 0; begin < end; begin += kKeys) {
    const int64_t count = end - begin < kKeys ? end - begin : kKeys;
    load_keys(t, s, begin, count);
    product(t.queries, count, size, s.query, size, s.key, kKeys, s.scores, kKeys, Into::kNew);
    add_bias_and_mask(t, s, begin, count);
    for (int64_t i = 0; i < t.queries; i++) {
      if (t.weights != nullptr) {
        __builtin_memcpy(t.weights + i * t.args->key_length + begin, s.scores + i * kKeys,
                         count * sizeof(float));
      }
      soften(s, i, count, value_size);
    }
    int64_t stride;
    const float *values = load_values(t, s, begin, count, &stride);
    if (begin + count <= t.visible(0)) {
      product(t.queries, value_size, count, s.scores, kKeys, values, stride, s.output, value_size,
              Into::kOld);
    } else {  // on the diagonal each query has its own end: a later value could be NaN
      for (int64_t i = 0; i < t.queries; i++) {
        const int64_t seen = t.visible(i) - begin < count ? t.visible(i) - begin : count;
        if (seen > 0) {
          product(1, value_size, seen, s.scores + i * kKeys, kKeys, values, stride,
                  s.output + i * value_size, value_size, Into::kOld);
        }
      }
    }
  }
  for (int64_t i = 0; t.weights != nullptr && i < t.queries; i++) {
    for (int64_t j = end; j < t.keys; j++) {
      t.weights[i * t.args->key_length + j] = kMinusInfinity;
    }
  }
  finish(t, s);
}

}  // namespace

int32_t attention_f32(const gatun_attention *args) {
  const gatun_attention &a = *args;
  if (a.batch < 0 || a.heads < 0 || a.kv_heads < 0 || a.query_length < 0 || a.key_length < 0 ||
      a.head_size < 0 || a.value_head_size < 0 || a.causal < GATUN_CAUSAL_NONE ||
      a.causal > GATUN_CAUSAL_BOTTOM_RIGHT ||
      (a.heads > 0 && (a.kv_heads == 0 || a.heads % a.kv_heads))) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t tiles = (a.query_length + kQueries - 1) / kQueries;
  std::atomic<bool> failed{false};
  parallel(a.batch * a.heads * tiles, [&](int64_t task) {
    static thread_local Scratch scratch;
    // The last tiles first: under a causal mask they are the longest.
    const int64_t tile = tiles - 1 - task / (a.batch * a.heads);
    const int64_t b = task % (a.batch * a.heads) / a.heads, h = task % a.heads;
    const int64_t g = h / (a.heads / a.kv_heads);
    const bool ragged = a.query_offsets != nullptr;
    const int64_t queries = ragged ? a.query_offsets[b + 1] - a.query_offsets[b] : a.query_length;
    Task t{};
    t.args = args;
    t.first = tile * kQueries;
    if (t.first >= queries) {
      return;
    }
    t.queries = queries - t.first < kQueries ? queries - t.first : kQueries;
    t.keys = ragged ? a.key_offsets[b + 1] - a.key_offsets[b] : a.key_length;
    t.shift = a.causal == GATUN_CAUSAL_BOTTOM_RIGHT ? t.keys - queries : 0;
    const auto begin = [&](const int64_t *strides, const int32_t *offsets, int64_t head) {
      return (ragged ? offsets[b] * strides[1] : b * strides[0]) + head * strides[2];
    };
    t.query = a.query + begin(a.query_strides, a.query_offsets, h) + t.first * a.query_strides[1];
    t.key = a.key + begin(a.key_strides, a.key_offsets, g);
    t.value = a.value + begin(a.value_strides, a.key_offsets, g);
    t.output =
        a.output + begin(a.output_strides, a.query_offsets, h) + t.first * a.output_strides[1];
    t.mask = a.key_mask == nullptr ? nullptr : a.key_mask + b * a.key_length;
    t.bias = a.bias == nullptr ? nullptr
                               : a.bias + b * a.bias_strides[0] + h * a.bias_strides[1] +
                                     t.first * a.bias_strides[2];
    const int64_t row = (b * a.heads + h) * a.query_length + t.first;
    t.lse = a.lse == nullptr ? nullptr : a.lse + row;
    t.weights = a.weights == nullptr ? nullptr : a.weights + row * a.key_length;
    Space space;
    if (!space.reserve(scratch, a.head_size, a.value_head_size)) {
      failed.store(true);
      return;
    }
    run(t, space);
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
