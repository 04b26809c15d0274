// What both ways of computing attention share: where a sequence's data lies, what becomes of a row
// of scores, and the running softmax.
#ifndef GATUN_ATTENTION_H
#define GATUN_ATTENTION_H

#include "math.h"
#include "numbers.h"
#include "philox.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int64_t kKeys = 128;  // scores that are computed before they are summed up
const float kMinusInfinity = -__builtin_inff();

// One sequence of the batch.
template <typename T>
struct Sequence {
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

  const T *key(int64_t g, int64_t j) const {
    return static_cast<const T *>(a.key) + cached(a.key_strides, j) + g * a.key_strides[2];
  }

  const T *value(int64_t g, int64_t j) const {
    return static_cast<const T *>(a.value) + cached(a.value_strides, j) + g * a.value_strides[2];
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

  int64_t cached(const int64_t *strides, int64_t j) const {
    if (a.block_table != nullptr) {
      const int64_t page = a.block_table[b * a.block_table_stride + j / a.page_size];
      return page * strides[0] + j % a.page_size * strides[1];
    }
    return token(strides, a.key_offsets, j);
  }
};

// Scores of one query and the keys from `begin` on, as scale * query * key left them: capped, with
// bias and ALiBi added, and -inf where a key is not seen.
template <typename T>
static inline void adjust(const Sequence<T> &s, int64_t h, int64_t i, int64_t begin, int64_t count,
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

// The running softmax of one query: the largest score so far, and the sum of e^(score - top).
struct Softmax {
  float top = kMinusInfinity, total = 0.0f;

  // Turns a row of scores into e^(score - top) and gives the factor for what is summed so far.
  float soften(float *row, int64_t count) {
    Floats best = splat(top);
    by_vector(count, [&](int64_t j, int64_t n) {
      best = max(best, keep(load_lanes(row + j, n), n, kMinusInfinity));
    });
    const float next = largest(best);
    // Where nothing is seen yet, -inf - -inf must not become NaN.
    const float base = next == kMinusInfinity ? 0.0f : next;
    Floats sums{};
    by_vector(count, [&](int64_t j, int64_t n) {
      const Floats e = exp(load_lanes(row + j, n) - base);
      store_lanes(row + j, e, n);
      sums += keep(e, n, 0.0f);
    });
    float fade = 1.0f;
    if (next != top) {
      fade = top == kMinusInfinity ? 0.0f : __builtin_expf(top - base);
      top = next;
    }
    total = total * fade + sum(sums);
    return fade;
  }
};

// What is left of a query once all its keys are summed up.
struct Result {
  float inverse;  // of the denominator; 0 for a query that saw nothing
  float base;     // subtracted from the scores
  float lse;

  Result(const Softmax &softmax, const float *sink) {
    const bool blind = softmax.top == kMinusInfinity && softmax.total == 0.0f;
    base = softmax.top == kMinusInfinity ? 0.0f : softmax.top;
    if (sink == nullptr) {
      inverse = blind ? 0.0f : 1.0f / softmax.total;
      lse = blind ? kMinusInfinity : base + __builtin_logf(softmax.total);
      return;
    }
    // The sink may be far above all scores, so it can move the base.
    const float top = blind || *sink > base ? *sink : base;
    const float total =
        (blind ? 0.0f : softmax.total * __builtin_expf(base - top)) + __builtin_expf(*sink - top);
    inverse = blind ? 0.0f : __builtin_expf(base - top) / total;
    lse = top + __builtin_logf(total);
  }
};

// Drops a row's probabilities at random, and what is left grows by 1 / (1 - dropout).
template <typename T>
static inline void drop(const Sequence<T> &s, int64_t h, int64_t i, int64_t begin, int64_t count,
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

// Writes a query's sums divided by its denominator, its log-sum-exp and its weights, whose row
// holds the adjusted scores.
template <typename T>
static inline void finish(const Sequence<T> &s, int64_t h, int64_t i, const Softmax &softmax,
                          const float *sums) {
  const gatun_attention &a = s.a;
  const Result result(softmax, a.sinks == nullptr ? nullptr : a.sinks + h);
  T *output = s.output(h, i);
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
