// What all attention kernels share: the call, where rows lie, and which keys a query sees. The
// meaning of each field is that of dev.gatun.kernels.api.call.attention.ScaledDotProductAttention.
#ifndef GATUN_ATTENTION_H
#define GATUN_ATTENTION_H

#include "numbers.h"
#include "philox.h"

namespace gatun {

enum Causal : int { kNotCausal, kTopLeft, kBottomRight };

constexpr float kLog2E = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

struct Attention {
  const void* query;
  const void* key;
  const void* value;
  void* output;
  float* lse;
  float* weights;
  const uint8_t* key_mask;
  const float* bias;
  const float* slopes;
  const float* sinks;
  // Of keys and values that are signed bytes: one for a token's row of a head; null where there are
  // none.
  const float* key_scales;
  const float* value_scales;
  const int* query_offsets;
  const int* key_offsets;
  const int* key_lengths;
  const int* block_table;
  // Batch or page, token, head.
  long query_strides[3], key_strides[3], value_strides[3], output_strides[3];
  long bias_strides[4];
  long block_table_stride, page_size;
  long room;  // Tokens of a row or page that have scales.
  long heads, kv_heads, query_length, key_length, head_size, value_head_size, window;
  uint64_t seed;
  int causal, dtype;
  // The share of probabilities that dropout keeps, and below which a word drops one.
  float scale, softcap, kept;
  uint32_t threshold;
};

// One sequence and head of a call. Tokens of a sequence are counted in 32 bits: it has at most
// 2^30.
struct Sequence {
  int batch, head, kv_head;
  int queries, keys;
  int first_query, first_key;  // Tokens before it in a ragged batch.
  int shift;                   // From a query to the key that it stands at.
};

// Heads that share keys and values.
static __device__ __forceinline__ int group_of(const Attention& a) {
  return static_cast<int>(a.heads) / static_cast<int>(a.kv_heads);
}

static __device__ __forceinline__ Sequence sequence(const Attention& a, unsigned batch,
                                                    unsigned head) {
  Sequence s;
  s.batch = static_cast<int>(batch);
  s.head = static_cast<int>(head);
  s.kv_head = s.head / group_of(a);
  s.first_query = a.query_offsets == nullptr ? 0 : a.query_offsets[batch];
  s.queries = a.query_offsets == nullptr ? static_cast<int>(a.query_length)
                                         : a.query_offsets[batch + 1] - s.first_query;
  s.first_key = a.key_offsets == nullptr ? 0 : a.key_offsets[batch];
  s.keys = a.key_offsets != nullptr   ? a.key_offsets[batch + 1] - s.first_key
           : a.key_lengths != nullptr ? a.key_lengths[batch]
                                      : static_cast<int>(a.key_length);
  s.shift = a.causal == kBottomRight ? s.keys - s.queries : 0;
  return s;
}

// Where the row of a query begins in query or output.
static __device__ __forceinline__ long query_row(const Attention& a, const Sequence& s, int head,
                                                 const long* strides, int i) {
  return (a.query_offsets == nullptr ? s.batch * strides[0] : s.first_query * strides[1]) +
         i * strides[1] + head * strides[2];
}

// The token of a key: its page, or row of a batch, and its place there.
struct Token {
  long page, place;
};

static __device__ __forceinline__ Token token_of(const Attention& a, const Sequence& s, int j) {
  if (a.block_table != nullptr) {
    const unsigned size = static_cast<unsigned>(a.page_size), place = static_cast<unsigned>(j);
    return {a.block_table[s.batch * a.block_table_stride + place / size], place % size};
  }
  return {a.key_offsets == nullptr ? s.batch : 0, static_cast<long>(s.first_key) + j};
}

// Where the row of a token begins in key or value.
static __device__ __forceinline__ long key_row(const Sequence& s, const long* strides,
                                               const Token& token) {
  return token.page * strides[0] + token.place * strides[1] + s.kv_head * strides[2];
}

// What a token's code of 1 means.
static __device__ __forceinline__ float scale_of(const Attention& a, const Sequence& s,
                                                 const float* scales, const Token& token) {
  return scales[(token.page * a.room + token.place) * a.kv_heads + s.kv_head];
}

// The row of a query in the outputs that have one for each.
static __device__ __forceinline__ long row_of(const Attention& a, const Sequence& s, int head,
                                              int i) {
  return (s.batch * a.heads + head) * a.query_length + i;
}

// The keys from begin to before end.
struct Keys {
  int begin, end;
};

// Those that any of the queries from `first` to before `last` may see by position.
static __device__ __forceinline__ Keys keys_of(const Attention& a, const Sequence& s, int first,
                                               int last) {
  Keys keys = {0, s.keys};
  if (a.causal != kNotCausal && last + s.shift < keys.end) {
    keys.end = last + s.shift;
  }
  if (a.window > 0) {
    const long begin = first + s.shift - a.window + 1;
    keys.begin = begin > 0 ? static_cast<int>(begin) : 0;
    const long end = last + s.shift + a.window - 1;
    keys.end = a.causal == kNotCausal && end < keys.end ? static_cast<int>(end) : keys.end;
  }
  keys.end = keys.end < keys.begin ? keys.begin : keys.end;
  return keys;
}

// The part of keys that one of so many splits has, in whole rounds of so many.
static __device__ __forceinline__ Keys split_of(const Keys& keys, int round, int split,
                                                int splits) {
  const int rounds = (keys.end - keys.begin + round - 1) / round;
  const int each = (rounds + splits - 1) / splits * round;
  const int begin = keys.begin + split * each;
  return {begin, begin + each < keys.end ? begin + each : keys.end};
}

static __device__ __forceinline__ bool is_masked(const Attention& a, const Sequence& s, int j) {
  return a.key_mask != nullptr && a.key_mask[s.batch * a.key_length + j] == 0;
}

// What dropout makes of a probability.
static __device__ __forceinline__ float drop(const Attention& a, const Sequence& s, int head, int i,
                                             int j, float probability) {
  const uint32_t word = philox(static_cast<uint32_t>(j), static_cast<uint32_t>(i),
                               static_cast<uint32_t>(head), static_cast<uint32_t>(s.batch), a.seed);
  return word < a.threshold ? 0 * probability : probability * (1 / a.kept);
}

// Of a row whose scores' maximum is `top` in units of log2, and whose sum of 2^(score - top) is
// `total`: the natural logarithm of the sum of the exponentials.
static __device__ __forceinline__ float log_sum(float top, float total) {
  return total == 0 ? -INFINITY : top * kLn2 + logf(total);
}

}  // namespace gatun

#endif
