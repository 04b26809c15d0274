// What all attention kernels share: the call, where rows lie, and what becomes of a score. The
// meaning of each field is that of dev.gatun.kernels.api.ScaledDotProductAttention.
#ifndef GATUN_ATTENTION_H
#define GATUN_ATTENTION_H

#include "numbers.h"
#include "philox.h"

namespace gatun {

enum Causal : int { kNotCausal, kTopLeft, kBottomRight };

constexpr float kLog2E = 1.4426950408889634f;

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
  const int* query_offsets;
  const int* key_offsets;
  const int* key_lengths;
  const int* block_table;
  // Batch or page, token, head.
  long query_strides[3], key_strides[3], value_strides[3], output_strides[3];
  long bias_strides[4];
  long block_table_stride, page_size;
  long heads, kv_heads, query_length, key_length, head_size, value_head_size, window;
  uint64_t seed;
  int causal, dtype;
  // The share of probabilities that dropout keeps, and below which a word drops one.
  float scale, softcap, kept;
  uint32_t threshold;
};

// One sequence and head of a call.
struct Sequence {
  long batch, head, kv_head;
  long queries, keys;
  long first_query, first_key;  // Tokens before it in a ragged batch.
  long shift;                   // From a query to the key that it stands at.
};

static __device__ __forceinline__ Sequence sequence(const Attention& a, long batch, long head) {
  Sequence s;
  s.batch = batch;
  s.head = head;
  s.kv_head = head / (a.heads / a.kv_heads);
  s.first_query = a.query_offsets == nullptr ? 0 : a.query_offsets[batch];
  s.queries =
      a.query_offsets == nullptr ? a.query_length : a.query_offsets[batch + 1] - s.first_query;
  s.first_key = a.key_offsets == nullptr ? 0 : a.key_offsets[batch];
  s.keys = a.key_offsets != nullptr   ? a.key_offsets[batch + 1] - s.first_key
           : a.key_lengths != nullptr ? a.key_lengths[batch]
                                      : a.key_length;
  s.shift = a.causal == kBottomRight ? s.keys - s.queries : 0;
  return s;
}

// Where the row of a query begins in query or output.
static __device__ __forceinline__ long query_row(const Attention& a, const Sequence& s,
                                                 const long* strides, long i) {
  return (a.query_offsets == nullptr ? s.batch * strides[0] : s.first_query * strides[1]) +
         i * strides[1] + s.head * strides[2];
}

// Where the row of a key begins in key or value.
static __device__ __forceinline__ long key_row(const Attention& a, const Sequence& s,
                                               const long* strides, long j) {
  const long inner = s.kv_head * strides[2];
  if (a.key_offsets != nullptr) {
    return (s.first_key + j) * strides[1] + inner;
  }
  if (a.block_table != nullptr) {
    const long page = a.block_table[s.batch * a.block_table_stride + j / a.page_size];
    return page * strides[0] + j % a.page_size * strides[1] + inner;
  }
  return s.batch * strides[0] + j * strides[1] + inner;
}

// The row of a query in the outputs that have one for each.
static __device__ __forceinline__ long row_of(const Attention& a, const Sequence& s, long i) {
  return (s.batch * a.heads + s.head) * a.query_length + i;
}

// The keys that any of the queries from `first` to before `last` may see by position.
struct Keys {
  long begin, end;
};

static __device__ __forceinline__ Keys keys_of(const Attention& a, const Sequence& s, long first,
                                               long last) {
  Keys keys = {0, s.keys};
  if (a.causal != kNotCausal && last + s.shift < keys.end) {
    keys.end = last + s.shift;
  }
  if (a.window > 0) {
    const long begin = first + s.shift - a.window + 1;
    keys.begin = begin > 0 ? begin : 0;
    const long end = last + s.shift + a.window - 1;
    keys.end = a.causal == kNotCausal && end < keys.end ? end : keys.end;
  }
  keys.end = keys.end < keys.begin ? keys.begin : keys.end;
  return keys;
}

static __device__ __forceinline__ bool sees(const Attention& a, const Sequence& s, long i, long j) {
  const long stand = i + s.shift;
  const bool causal = a.causal != kNotCausal;
  return j < s.keys && !(causal && j > stand) &&
         (a.window == 0 || (stand - j < a.window && (causal || j - stand < a.window))) &&
         (a.key_mask == nullptr || a.key_mask[s.batch * a.key_length + j] != 0);
}

// A score of the product of a query and a key, where the one sees the other.
static __device__ __forceinline__ float score_of(const Attention& a, const Sequence& s, long i,
                                                 long j, float product) {
  float score = product * a.scale;
  if (a.softcap > 0) {
    score = a.softcap * tanhf(score / a.softcap);
  }
  if (a.bias != nullptr) {
    score += a.bias[s.batch * a.bias_strides[0] + s.head * a.bias_strides[1] +
                    i * a.bias_strides[2] + j * a.bias_strides[3]];
  }
  if (a.slopes != nullptr) {
    const long distance = i + s.shift - j;
    score -= a.slopes[s.head] * static_cast<float>(distance < 0 ? -distance : distance);
  }
  return score;
}

// What dropout makes of a probability.
static __device__ __forceinline__ float drop(const Attention& a, const Sequence& s, long i, long j,
                                             float probability) {
  if (a.kept == 1) {
    return probability;
  }
  const uint32_t word =
      philox(static_cast<uint32_t>(j), static_cast<uint32_t>(i), static_cast<uint32_t>(s.head),
             static_cast<uint32_t>(s.batch), a.seed);
  return word < a.threshold ? 0 * probability : probability / a.kept;
}

}  // namespace gatun

#endif
