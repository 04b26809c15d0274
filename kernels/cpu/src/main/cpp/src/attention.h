// What both ways of computing attention share: where a sequence's data lies, what becomes of a row
// of scores, and the running softmax.
#ifndef GATUN_ATTENTION_H
#define GATUN_ATTENTION_H

#include "blocks.h"
#include "lanes.h"
#include "math.h"
#include "philox.h"
#include "token_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kKeys = cut(128, 64);  // scores that are computed before they are summed up
const float kMinusInfinity = -__builtin_inff();

// A row of signed bytes, which mean as many times their scale.
struct ScaledCodes {
  const int8_t *codes;
  const float *scale;

  ScaledCodes operator+(int64_t elements) const { return {codes + elements, scale}; }
};

static inline Floats load_lanes(ScaledCodes row, int64_t n) {
  int8_t some[kLanes] = {};
  if (n < kLanes) {
    __builtin_memcpy(some, row.codes, static_cast<size_t>(n));
  }
  const Ints codes = load_signed(n < kLanes ? some : row.codes);
  return __builtin_convertvector(codes, Floats) * *row.scale;
}

// Asks for a row ahead of its use.
template <typename T>
static inline void prefetch(const T *row, int64_t size) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t d = 0; d < size; d += kLine) {
    __builtin_prefetch(row + d);
  }
}

static inline void prefetch(ScaledCodes row, int64_t size) {
  prefetch(row.codes, size);
  __builtin_prefetch(row.scale);
}

// Asks for the rows [from, to) of those that there are `count` of. Tokens lie too far apart for the
// processor to foresee.
template <typename Row>
static inline void ask(const Row *of, int64_t from, int64_t to, int64_t count, int64_t size) {
  for (int64_t j = from; j < to && j < count; j++) {
    prefetch(of[j], size);
  }
}

// How rows of keys and values are read: of numbers, and of signed bytes. The next one is so many
// elements and scales on.
template <typename Stored>
struct Rows {
  using Row = const Stored *;
  static Row at(const void *memory, int64_t element, const float *, int64_t) {
    return static_cast<Row>(memory) + element;
  }
  static Row next(Row row, int64_t elements, int64_t) { return row + elements; }
};

template <>
struct Rows<int8_t> {
  using Row = ScaledCodes;
  static Row at(const void *memory, int64_t element, const float *scales, int64_t scale) {
    return {static_cast<const int8_t *>(memory) + element, scales + scale};
  }
  static Row next(Row row, int64_t elements, int64_t count) {
    return {row.codes + elements, row.scale + count};
  }
};

// One sequence of the batch: queries and output are of Number, keys and values of Stored.
template <typename Number, typename Stored = Number>
struct Sequence {
  using T = Number;
  using Row = typename Rows<Stored>::Row;

  const gatun_attention &a;
  int64_t b, queries, keys;
  int64_t shift;  // query i stands at key i + shift

  Sequence(const gatun_attention &args, int64_t sequence) : a(args), b(sequence) {
    queries =
        a.query_offsets != nullptr ? a.query_offsets[b + 1] - a.query_offsets[b] : a.query_length;
    keys = a.key_lengths != nullptr   ? a.key_lengths[b]
           : a.key_offsets != nullptr ? a.key_offsets[b + 1] - a.key_offsets[b]
                                      : a.key_length;
    shift = a.causal == GATUN_CAUSAL_BOTTOM_RIGHT ? keys - queries : 0;
  }

  const T *query(int64_t h, int64_t i) const {
    return static_cast<const T *>(a.query) + token(a.query_strides, a.query_offsets, i) +
           h * a.query_strides[2];
  }

  T *output(int64_t h, int64_t i) const {
    return static_cast<T *>(a.output) + token(a.output_strides, a.query_offsets, i) +
           h * a.output_strides[2];
  }

  Row key(int64_t g, int64_t j) const {
    return cached(a.key, a.key_strides, a.key_scales, g, place(j));
  }

  Row value(int64_t g, int64_t j) const {
    return cached(a.value, a.value_strides, a.value_scales, g, place(j));
  }

  // The rows of head g's keys [begin, begin + count), and of its values.
  void keys_from(int64_t g, int64_t begin, int64_t count, Row *rows) const {
    rows_from(a.key, a.key_strides, a.key_scales, g, begin, count, rows);
  }

  void values_from(int64_t g, int64_t begin, int64_t count, Row *rows) const {
    rows_from(a.value, a.value_strides, a.value_scales, g, begin, count, rows);
  }

  bool is_masked(int64_t j) const {
    return a.key_mask != nullptr && a.key_mask[b * a.key_length + j] == 0;
  }

  // The keys that query i sees by position: from begin(i) to end(i).
  int64_t end(int64_t i) const {
    int64_t end = keys;
    if (a.causal != GATUN_CAUSAL_NONE) {
      end = i + shift + 1;
    } else if (a.window > 0 && i + a.window < keys) {
      end = i + a.window;
    }
    return end < 0 ? 0 : end < keys ? end : keys;
  }

  int64_t begin(int64_t i) const {
    const int64_t begin = a.window > 0 ? i + shift - a.window + 1 : 0;
    return begin < 0 ? 0 : begin < keys ? begin : keys;
  }

  // Where query i of head h has its row in lse, and times key_length in weights.
  int64_t row(int64_t h, int64_t i) const { return (b * a.heads + h) * a.query_length + i; }

 private:
  int64_t token(const int64_t *strides, const int32_t *offsets, int64_t i) const {
    return offsets != nullptr ? (offsets[b] + i) * strides[1] : b * strides[0] + i * strides[1];
  }

  // The row of the batch, or the page, that a key is in, and its place there.
  struct Place {
    int64_t row, token;
  };

  Place place(int64_t j) const {
    if (a.block_table != nullptr) {
      return {a.block_table[b * a.block_table_stride + j / a.page_size], j % a.page_size};
    }
    return a.key_offsets != nullptr ? Place{0, a.key_offsets[b] + j} : Place{b, j};
  }

  // A page's tokens lie a stride apart: one look into the table is enough for them.
  void rows_from(const void *memory, const int64_t *strides, const float *scales, int64_t g,
                 int64_t begin, int64_t count, Row *rows) const {
    for (int64_t j = 0; j < count;) {
      const Place at = place(begin + j);
      const int64_t left = a.block_table == nullptr ? count : a.page_size - at.token;
      const int64_t end = left < count - j ? j + left : count;
      for (Row row = cached(memory, strides, scales, g, at); j < end; j++) {
        rows[j] = row;
        row = Rows<Stored>::next(row, strides[1], a.kv_heads);
      }
    }
  }

  Row cached(const void *memory, const int64_t *strides, const float *scales, int64_t g,
             Place at) const {
    return Rows<Stored>::at(memory, at.row * strides[0] + at.token * strides[1] + g * strides[2],
                            scales, (at.row * a.room + at.token) * a.kv_heads + g);
  }
};

// Rows that are asked for ahead.
constexpr int64_t kAsked = 2 * kLanes;

// Scores of one query and the keys from `begin` on, as scale * query * key left them: capped, with
// bias and ALiBi added, and -inf where a key is not seen.
template <typename S>
static inline void adjust(const S &s, int64_t h, int64_t i, int64_t begin, int64_t count,
                          float *row) {
  const gatun_attention &a = s.a;
  if (a.softcap > 0.0f) {
    by_vector(count, [&](int64_t j, int64_t n) {
      store_lanes(row + j, a.softcap * tanh(load_lanes(row + j, n) / a.softcap), n);
    });
  }
  if (a.bias != nullptr) {
    const int64_t *strides = a.bias_strides;
    const float *bias =
        a.bias + s.b * strides[0] + h * strides[1] + i * strides[2] + begin * strides[3];
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
  if (a.alibi != nullptr) {
    for (int64_t j = 0; j < count; j++) {
      const int64_t distance = i + s.shift - begin - j;
      row[j] -= a.alibi[h] * static_cast<float>(distance < 0 ? -distance : distance);
    }
  }
  for (int64_t j = 0; a.key_mask != nullptr && j < count; j++) {
    row[j] = s.is_masked(begin + j) ? kMinusInfinity : row[j];
  }
  for (int64_t j = 0; j < count && begin + j < s.begin(i); j++) {
    row[j] = kMinusInfinity;
  }
  const int64_t end = s.end(i) - begin;
  for (int64_t j = end < 0 ? 0 : end; j < count; j++) {
    row[j] = kMinusInfinity;
  }
}

// The running softmax of queries: of each one the largest score so far, and the sum of
// e^(score - top). As many queries as a vector has lanes are computed at a time.
template <int64_t kMost>
struct Softmax {
  static_assert(kMost % kLanes == 0, "whole vectors of queries");
  alignas(64) float top[kMost], total[kMost];

  void clear(int64_t count) {
    for (int64_t i = 0; i < count; i++) {
      top[i] = kMinusInfinity;
      total[i] = 0.0f;
    }
  }

  // Turns scores[rows][kKeys] of the queries from `first` on into e^(score - top), and calls
  // fade(row, factor) with what their sums so far are to be multiplied by, where that is not 1.
  // Scores from count up to a whole block are lost: with them a query's sum is the same however
  // many more keys the other queries see.
  template <typename Fade>
  void soften(int64_t first, int64_t rows, int64_t count, float *scores, const Fade &fade) {
    constexpr int64_t kTogether = lanes_of<Block>;
    static_assert(kKeys % kTogether == 0, "whole blocks of scores");
    const int64_t whole = (count + kTogether - 1) / kTogether * kTogether;
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t j = count; j < whole; j++) {
        scores[r * kKeys + j] = kMinusInfinity;
      }
    }
    for (int64_t r = 0; r < rows; r += kLanes) {
      const int64_t some = rows - r < kLanes ? rows - r : kLanes;
      alignas(64) float factors[kLanes];
      store(factors, soften_some(first + r, some, whole, scores + r * kKeys));
      for (int64_t i = 0; i < some; i++) {
        if (factors[i] != 1.0f) {
          fade(r + i, factors[i]);
        }
      }
    }
  }

 private:
  Floats soften_some(int64_t first, int64_t rows, int64_t count, float *scores) {
    Floats most[kLanes];
    for (int64_t r = 0; r < kLanes; r++) {
      most[r] = splat(kMinusInfinity);
      for (int64_t j = 0; r < rows && j < count; j += kLanes) {
        most[r] = max(most[r], load(scores + r * kKeys + j));
      }
    }
    const Floats old = load(top + first, rows), next = max(old, largest_each(most));
    // Where nothing is seen yet, -inf - -inf must not become NaN.
    const Floats base = select(next == kMinusInfinity, Floats{}, next);
    alignas(64) float bases[kLanes];
    store(bases, base);
    Floats sums[kLanes];
    for (int64_t r = 0; r < kLanes; r++) {
      Block sum{};
      if (r < rows) {
        float *row = scores + r * kKeys;
        by_block(count, [&](auto at) {
          const auto e = exp(at.load(row) - bases[r]);
          at.store(row, e);
          add(sum, e);
        });
      }
      sums[r] = as_vector(sum);
    }
    // The sums of a query that saw nothing are 0.
    const Floats factor = select(old == kMinusInfinity, splat(1.0f), exp(old - base));
    store(total + first, fma(load(total + first, rows), factor, sum_each(sums)), rows);
    store(top + first, next, rows);
    return factor;
  }
};

// What is left of a query once all its keys are summed up.
struct Result {
  float inverse;  // of the denominator; 0 for a query that saw nothing
  float base;     // subtracted from the scores
  float lse;

  // Of the largest score and the sum of e^(score - largest).
  Result(float largest, float sum, const float *sink) {
    const bool blind = largest == kMinusInfinity && sum == 0.0f;
    base = largest == kMinusInfinity ? 0.0f : largest;
    if (sink == nullptr) {
      inverse = blind ? 0.0f : 1.0f / sum;
      lse = blind ? kMinusInfinity : base + __builtin_logf(sum);
      return;
    }
    // The sink may be far above all scores, so it can move the base.
    const float top = blind || *sink > base ? *sink : base;
    const float total =
        (blind ? 0.0f : sum * __builtin_expf(base - top)) + __builtin_expf(*sink - top);
    inverse = blind ? 0.0f : __builtin_expf(base - top) / total;
    lse = top + __builtin_logf(total);
  }
};

// Drops a row's probabilities at random, and what is left grows by 1 / (1 - dropout).
template <typename S>
static inline void drop(const S &s, int64_t h, int64_t i, int64_t begin, int64_t count,
                        float *row) {
  const float grown = 1.0f / (1.0f - s.a.dropout);
  // A word is below this with the probability of dropping.
  const uint64_t limit = static_cast<uint64_t>(static_cast<double>(s.a.dropout) * 4294967296.0);
  for (int64_t j = 0; j < count; j++) {
    const uint32_t word = philox(static_cast<uint32_t>(begin + j), static_cast<uint32_t>(i),
                                 static_cast<uint32_t>(h), static_cast<uint32_t>(s.b), s.a.seed);
    row[j] *= word < limit ? 0.0f : grown;
  }
}

// Multiplies a row of sums.
static inline void multiply(float *sums, int64_t count, float factor) {
  by_block(count, [&](auto at) { at.store(sums, at.load(sums) * factor); });
}

// Writes a query's sums divided by its denominator, its log-sum-exp and its weights, whose row
// holds the adjusted scores.
template <typename S>
static inline void finish(const S &s, int64_t h, int64_t i, float top, float total,
                          const float *sums) {
  const gatun_attention &a = s.a;
  const Result result(top, total, a.sinks == nullptr ? nullptr : a.sinks + h);
  typename S::T *output = s.output(h, i);
  by_vector(a.value_head_size, [&](int64_t d, int64_t n) {
    store_lanes(output + d, load_lanes(sums + d, n) * result.inverse, n);
  });
  if (a.lse != nullptr) {
    a.lse[s.row(h, i)] = result.lse;
  }
  if (a.weights != nullptr) {
    float *row = a.weights + s.row(h, i) * a.key_length;
    by_vector(s.keys, [&](int64_t j, int64_t n) {
      const Floats score = load_lanes(row + j, n);
      // An unseen key's weight is 0 even where the row's other scores are NaN.
      const Floats p = exp(score - result.base) * result.inverse;
      store_lanes(row + j, select(score == kMinusInfinity, Floats{}, p), n);
    });
    if (a.dropout > 0.0f) {
      drop(s, h, i, 0, s.keys, row);
    }
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
