// The online softmax of tensor cores' fragments: what becomes of scores between the product with
// keys and that with values, and of the sums at the end. A warp has 16 rows of scores, a thread of
// it the rows lane / 4 and lane / 4 + 8; element q of its scores is of row q / 2 % 2 and column
// q / 4 * 8 + lane % 4 * 2 + q % 2.
#ifndef GATUN_FRAGMENTS_H
#define GATUN_FRAGMENTS_H

#include "attention/attention.h"
#include "vectors.h"

namespace gatun {

static __device__ __forceinline__ uint32_t pack(float low, float high, bool bf16) {
  return bf16 ? to_bf16(low) | static_cast<uint32_t>(to_bf16(high)) << 16
              : to_f16(low) | static_cast<uint32_t>(to_f16(high)) << 16;
}

// Keys or values in memory; their strides and, of signed bytes, their scales.
struct Cached {
  const void* memory;
  const long* strides;
  const float* scales;
};

// Writes 8 elements of a token's row, from a column on, as halves; zeros where they are not there.
template <bool Bf16>
static __device__ __forceinline__ void copy_codes(const Attention& a, const Sequence& s,
                                                  const Cached& from, const Token& token,
                                                  int column, bool there, uint16_t* to) {
  Words words = {};
  if (there) {
    const float scale = scale_of(a, s, from.scales, token);
    // Strides and head sizes are multiples of 8.
    const uint64_t codes = *reinterpret_cast<const uint64_t*>(
        static_cast<const int8_t*>(from.memory) + key_row(s, from.strides, token) + column);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      words.word[i] =
          pack(scale * static_cast<float>(static_cast<int8_t>(codes >> (16 * i))),
               scale * static_cast<float>(static_cast<int8_t>(codes >> (16 * i + 8))), Bf16);
    }
  }
  *reinterpret_cast<Words*>(to) = words;
}

// What is written or read at once.
struct __align__(8) Pair {
  float x, y;
};
struct __align__(16) Quad {
  float x[4];
};
struct __align__(8) Halves {
  uint32_t low, high;
};

template <bool Bf16>
static __device__ __forceinline__ void multiply_add(float* d, const uint32_t* a,
                                                    const uint32_t* b) {
  if (Bf16) {
    mma_bf16(d, a, b);
  } else {
    mma_f16(d, a, b);
  }
}

// Whether something is added to scores or hides single keys.
static __device__ __forceinline__ bool has_additions(const Attention& a) {
  return a.softcap > 0 || a.bias != nullptr || a.slopes != nullptr || a.key_mask != nullptr;
}

// This thread's first column.
static __device__ __forceinline__ int first_column() {
  return static_cast<int>(threadIdx.x) % 4 * 2;
}

// The column of element q behind the thread's first.
static __device__ __forceinline__ int column_of(int q) { return q / 4 * 8 + q % 2; }

// A row of scores: a query of a head, and the keys that it sees by position, counted from the
// thread's first column. A row behind the last query sees none.
struct ScoreRow {
  int head, query, begin, end;
};

static __device__ __forceinline__ ScoreRow score_row(const Attention& a, const Sequence& s,
                                                     int head, int query) {
  const Keys seen = query < s.queries ? keys_of(a, s, query, query + 1) : Keys{0, 0};
  return {head, query, seen.begin - first_column(), seen.end - first_column()};
}

// Hides the keys from `first` on that a row does not see by position: two comparisons with
// constants and a choice for each.
template <int Count>
static __device__ __forceinline__ void hide_unseen(const ScoreRow* rows, int first, float* scores) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int begin = rows[half].begin - first, end = rows[half].end - first;
#pragma unroll
    for (int q = 2 * half; q < Count / 2; q += q % 2 == 0 ? 1 : 3) {
      const bool seen = (column_of(q) >= begin) & (column_of(q) < end);
      scores[q] = seen ? scores[q] : -INFINITY;
    }
  }
}

// Makes products with keys from `first` on the scores that the call asks for, in units of log2.
// They are rounded in them, so that a maximum is subtracted without an error: what is added may be
// as large as -1e9 in place of a mask, and half a unit in the last place of that overflows 2^x.
template <int Count>
static __device__ __forceinline__ void add_to_scores(const Attention& a, const Sequence& s,
                                                     const ScoreRow* rows, int first,
                                                     float* scores) {
  constexpr int kScores = Count / 2;
  const int column = first + first_column();
  const float scale = a.softcap > 0 ? a.scale : a.scale * kLog2E;
#pragma unroll
  for (int q = 0; q < kScores; q++) {
    scores[q] *= scale;
  }
  if (a.softcap > 0) {
    const float inverse = 1 / a.softcap;
#pragma unroll
    for (int q = 0; q < kScores; q++) {
      scores[q] = a.softcap * kLog2E * tanhf(scores[q] * inverse);
    }
  }
  if (a.bias != nullptr) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const ScoreRow& row = rows[half];
      const long stride = a.bias_strides[3];
      const float* bias = a.bias + s.batch * a.bias_strides[0] + row.head * a.bias_strides[1] +
                          row.query * a.bias_strides[2] + column * stride;
      const int begin = row.begin - first, end = row.end - first;
#pragma unroll
      for (int q = 2 * half; q < kScores; q += q % 2 == 0 ? 1 : 3) {
        const bool seen = (column_of(q) >= begin) & (column_of(q) < end);
        scores[q] = fmaf(seen ? bias[column_of(q) * stride] : 0, kLog2E, scores[q]);
      }
    }
  }
  if (a.slopes != nullptr) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const float slope = a.slopes[rows[half].head] * kLog2E;
      const float stand = static_cast<float>(rows[half].query + s.shift - column);
#pragma unroll
      for (int q = 2 * half; q < kScores; q += q % 2 == 0 ? 1 : 3) {
        scores[q] -= slope * fabsf(stand - static_cast<float>(column_of(q)));
      }
    }
  }
  if (a.key_mask != nullptr) {
    const uint8_t* mask = a.key_mask + s.batch * a.key_length + column;
    const int end = s.keys - column;
#pragma unroll
    for (int q = 0; q < kScores; q += q % 2 == 0 ? 1 : 3) {
      const bool open = column_of(q) < end && mask[column_of(q)] != 0;
      scores[q] = open ? scores[q] : -INFINITY;
      scores[q + 2] = open ? scores[q + 2] : -INFINITY;
    }
  }
}

// The softmax of a thread's two rows so far. Maxima are in units of log2; each thread has the total
// of its own columns.
struct OnlineSoftmax {
  float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0};

  // A logit that the denominator has besides those of keys; it counts once.
  __device__ __forceinline__ void add_sink(float sink) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      top[half] = sink * kLog2E;
      total[half] = threadIdx.x % 4 == 0 ? 1.0f : 0.0f;
    }
  }

  // Turns scores of so many keys, in units of log2 once multiplied by a factor above 0, into
  // 2^(score - top); sums so far are to be multiplied by the corrections.
  template <int Count>
  __device__ __forceinline__ void soften(float factor, float* scores, float* correction) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float largest = -INFINITY;
#pragma unroll
      for (int q = 2 * half; q < Count / 2; q += q % 2 == 0 ? 1 : 3) {
        largest = fmaxf(largest, scores[q]);
      }
      largest = fmaxf(largest, shuffle_xor(largest, 1));
      largest = fmaxf(largest, shuffle_xor(largest, 2));
      largest = fmaxf(top[half], largest * factor);
      const float base = largest == -INFINITY ? 0 : largest;
      correction[half] = exp2_approximate(top[half] - base);
      // What rounding a base leaves of its own product is an exponent: below 1 up to here.
      const bool far = fabsf(base) > 0x1p24f;
      const float unit = far ? 1 : factor;
      if (far) {
#pragma unroll
        for (int q = 2 * half; q < Count / 2; q += q % 2 == 0 ? 1 : 3) {
          scores[q] = multiply_rounded(scores[q], factor);
        }
      }
      top[half] = largest;
      total[half] *= correction[half];
#pragma unroll
      for (int q = 2 * half; q < Count / 2; q += q % 2 == 0 ? 1 : 3) {
        // A score that is not a number was passed over by the maxima and makes the total one.
        scores[q] = exp2_approximate(fmaf(scores[q], unit, -base));
        total[half] += scores[q];
      }
    }
  }

  // Gives each thread of a row the row's total.
  __device__ __forceinline__ void join() {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      total[half] += shuffle_xor(total[half], 1);
      total[half] += shuffle_xor(total[half], 2);
    }
  }
};

// What becomes of the products of a warp's rows with a tile of keys: scores, exponentials, and what
// dropout leaves of them.
struct Scores {
  const Attention& a;
  const Sequence& s;
  ScoreRow rows[2];
  // Keys that all of the block's queries see by position.
  Keys all;
  // Products become scores in units of log2 by one factor, where it is above 0 and nothing is
  // added; with additions they are such before.
  bool additions;
  float factor;

  __device__ __forceinline__ Scores(const Attention& call, const Sequence& sequence,
                                    const ScoreRow& low, const ScoreRow& high, const Keys& seen)
      : a(call), s(sequence), rows{low, high}, all(seen) {
    additions = has_additions(call) || !(call.scale > 0);
    factor = additions ? 1 : call.scale * kLog2E;
  }

  // `Additions` is false where the launch is known to have none.
  template <int Count, bool Additions>
  __device__ __forceinline__ void soften(OnlineSoftmax* softmax, int first, float* scores,
                                         float* correction) const {
    if (Additions && additions) {
      add_to_scores<Count>(a, s, rows, first, scores);
    }
    if (first < all.begin || first + Count > all.end) {
      hide_unseen<Count>(rows, first, scores);
    }
    softmax->soften<Count>(factor, scores, correction);
    if (Additions && a.kept != 1) {
#pragma unroll
      for (int q = 0; q < Count / 2; q++) {
        const ScoreRow& row = rows[q / 2 % 2];
        scores[q] =
            drop(a, s, row.head, row.query, first + first_column() + column_of(q), scores[q]);
      }
    }
  }
};

// Writes a thread's rows of the output and of the log-sum-exp; Size sums of a warp's row are a
// thread's Size / 2, as its scores lie.
template <int Size, bool Bf16>
static __device__ __forceinline__ void store_rows(const Attention& a, const Sequence& s,
                                                  const ScoreRow* rows,
                                                  const OnlineSoftmax& softmax, const float* sums) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const ScoreRow& row = rows[half];
    if (row.query >= s.queries) {
      continue;
    }
    const float total = softmax.total[half], factor = total == 0 ? 0 : 1 / total;
    const long to = query_row(a, s, row.head, a.output_strides, row.query) + first_column();
#pragma unroll
    for (int d = 0; d < Size / 8; d++) {
      if (d * 8 < a.value_head_size) {
        // Head sizes are multiples of 8, and so are strides: both lie in one word.
        reinterpret_cast<uint32_t*>(a.output)[(to + d * 8) / 2] =
            pack(sums[4 * d + 2 * half] * factor, sums[4 * d + 2 * half + 1] * factor, Bf16);
      }
    }
    if (a.lse != nullptr && threadIdx.x % 4 == 0) {
      a.lse[row_of(a, s, row.head, row.query)] = log_sum(softmax.top[half], total);
    }
  }
}

}  // namespace gatun

#endif
