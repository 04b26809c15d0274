// The gradients of attention in float arithmetic, without atomics: a warp a key adds up what its
// group's heads and their queries give, a warp a query what its keys give, a thread an element of
// the bias what it was repeated for, each in one order.
#include "attention/attention.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kWarps = 4;

// A log-sum-exp beyond it, as a float, says probabilities to less than 1 in 2^20.
constexpr float kExactLse = 16;

// What the scores of a query need to become probabilities, e^(score - base) * share, and these to
// become gradients.
struct QuerySums {
  // The log-sum-exp and 1, or the largest score and the share of its key; base is -inf of a query
  // that sees nothing.
  float base, share;
  // The sum of probabilities times their gradients, less the gradient of the log-sum-exp.
  float delta;
};

// What attention read and gave; in the same places the gradients, of which those of the output, lse
// and weights are read.
struct Backward {
  const Attention& a;
  const Attention& to;
};

// What a query and a key give: the probability after dropout, and the gradients of the score before
// the bias and of the product of both.
struct Pair {
  float weight, d_score, d_product;
};

static __device__ __forceinline__ bool is_seen(const Attention& a, const Sequence& s, int i,
                                               int j) {
  const Keys keys = keys_of(a, s, i, i + 1);
  return j >= keys.begin && j < keys.end && !is_masked(a, s, j);
}

// The score of a query and a key, and the gradient of it by scale * query * key.
struct Score {
  float value, slope;
};

// Of a key that query i sees, `product` being scale * query * key.
static __device__ __forceinline__ Score score_of(const Attention& a, const Sequence& s, int i,
                                                 int j, float product) {
  Score score = {product, 1};
  if (a.softcap > 0) {
    const float x = product / a.softcap, e = expf(-2 * fabsf(x));
    // 1 - tanh^2, which cancels where that is near 1.
    score = {a.softcap * tanhf(x), 4 * e / ((1 + e) * (1 + e))};
  }
  if (a.bias != nullptr) {
    score.value += a.bias[s.batch * a.bias_strides[0] + s.head * a.bias_strides[1] +
                          i * a.bias_strides[2] + j * a.bias_strides[3]];
  }
  if (a.slopes != nullptr) {
    score.value -= a.slopes[s.head] * fabsf(static_cast<float>(i + s.shift - j));
  }
  return score;
}

// `d_weight` is the product of the value and the output's gradient.
static __device__ __forceinline__ Pair pair_of(const Backward& g, const Sequence& s,
                                               const QuerySums& sums, int i, int j, float product,
                                               float d_weight) {
  const Attention& a = g.a;
  const Score score = score_of(a, s, i, j, product);
  if (sums.base == -INFINITY || score.value == -INFINITY) {
    return {0, 0, 0};
  }
  const float probability = expf(score.value - sums.base) * sums.share;
  // What has no part in the output has no gradient, even where its value has NaN.
  if (probability == 0) {
    return {0, 0, 0};
  }
  const float kept = a.kept == 1 ? 1 : drop(a, s, s.head, i, j, 1);
  if (g.to.weights != nullptr) {
    d_weight += g.to.weights[row_of(a, s, s.head, i) * a.key_length + j];
  }
  const float d_score = probability * (kept * d_weight - sums.delta);
  return {probability * kept, d_score, d_score * score.slope};
}

// The product of a row in memory by one of floats.
static __device__ __forceinline__ float dot(const float* x, const void* from, long row, long size,
                                            int dtype) {
  float sum = 0;
  for (long d = 0; d < size; d++) {
    sum += x[d] * load(from, row + d, dtype);
  }
  return sum;
}

// The query that this warp has; the warp has none where it is not one of the sequence.
static __device__ __forceinline__ int place_of_warp() {
  return static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarpSize);
}

// Copies a row times a factor to a warp's memory.
static __device__ __forceinline__ void keep_row(float* to, const void* from, long row, long size,
                                                int dtype, float factor) {
  for (long d = threadIdx.x % kWarpSize; d < size; d += kWarpSize) {
    to[d] = load(from, row + d, dtype) * factor;
  }
}

static __device__ __forceinline__ void clear_row(float* to, long size) {
  for (long d = threadIdx.x % kWarpSize; d < size; d += kWarpSize) {
    to[d] = 0;
  }
}

static __device__ __forceinline__ void write_row(const void* to, long row, const float* from,
                                                 long size, int dtype, float factor) {
  for (long d = threadIdx.x % kWarpSize; d < size; d += kWarpSize) {
    store(const_cast<void*>(to), row + d, dtype, from[d] * factor);
  }
}

// The product of a warp's query, which is scaled, and a key.
static __device__ __forceinline__ float product_of(const Attention& a, const Sequence& s,
                                                   const float* query, int j) {
  return dot(query, a.key, key_row(s, a.key_strides, token_of(a, s, j)), a.head_size, a.dtype);
}

// Calls body(key, pair) for a warp's query and 32 keys at a time, the lane's own key; query and
// d_output are rows of floats, the query scaled.
template <class Body>
static __device__ __forceinline__ void each_key(const Backward& g, const Sequence& s,
                                                const QuerySums& sums, int i, const float* query,
                                                const float* d_output, Body body) {
  const Attention& a = g.a;
  const Keys keys = keys_of(a, s, i, i + 1);
  for (int j0 = keys.begin; j0 < keys.end; j0 += kWarpSize) {
    const int j = j0 + static_cast<int>(threadIdx.x) % kWarpSize;
    Pair pair = {0, 0, 0};
    if (j < keys.end && !is_masked(a, s, j)) {
      const long value = key_row(s, a.value_strides, token_of(a, s, j));
      pair = pair_of(g, s, sums, i, j, product_of(a, s, query, j),
                     dot(d_output, a.value, value, a.value_head_size, a.dtype));
    }
    body(j0, pair);
  }
}

// The largest score of a warp's query and the share of its key: what each lane's keys give, and
// then what the lanes and the sink do.
static __device__ __forceinline__ QuerySums softmax_of(const Attention& a, const Sequence& s, int i,
                                                       const float* query) {
  const Keys keys = keys_of(a, s, i, i + 1);
  const float sink = a.sinks == nullptr ? -INFINITY : a.sinks[s.head];
  float most = -INFINITY, total = 0;
  for (int j = keys.begin + static_cast<int>(threadIdx.x) % kWarpSize; j < keys.end;
       j += kWarpSize) {
    if (!is_masked(a, s, j)) {
      const float score = score_of(a, s, i, j, product_of(a, s, query, j)).value;
      if (score > most) {
        total = total * expf(most - score) + 1;
        most = score;
      } else if (score != -INFINITY) {
        total += expf(score - most);
      }
    }
  }
  const float top = larger(reduce_warp<Largest>(most), sink);
  total = reduce_warp<Sum>(most == -INFINITY ? 0 : total * expf(most - top));
  return {top, 1 / (total + (sink == -INFINITY ? 0 : expf(sink - top))), 0};
}

// Writes what each query has, [batch][heads][query_length].
// Grid: (query_length / 4, heads, batch). Shared: for each warp a query and an output's gradient.
// kernels.list: attention_backward_delta 128 {Attention}{Attention}p
extern "C" __global__ void __launch_bounds__(kWarps * 32, 8)
    attention_backward_delta(const Attention a, const Attention to, QuerySums* sums) {
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  const long width = a.head_size + a.value_head_size;
  float* query = shared_memory<float>(static_cast<unsigned>(kWarps * width * sizeof(float))) +
                 threadIdx.x / kWarpSize * width;
  float* d_output = query + a.head_size;
  const int i = place_of_warp();
  if (i >= s.queries) {
    return;
  }
  const long gradient = query_row(a, s, s.head, to.output_strides, i);
  const long row = row_of(a, s, s.head, i);
  QuerySums own = {a.lse[row], 1, 0};
  const float size = fabsf(own.base);
  if (size < INFINITY && (size > kExactLse || to.weights != nullptr)) {
    // The probabilities that the log-sum-exp gives might not add up to what the output was made by.
    keep_row(query, a.query, query_row(a, s, s.head, a.query_strides, i), a.head_size, a.dtype,
             a.scale);
    keep_row(d_output, to.output, gradient, a.value_head_size, a.dtype, 1);
    sync_warp();
    own = softmax_of(a, s, i, query);
    float sum = 0;
    each_key({a, to}, s, own, i, query, d_output,
             [&](int, const Pair& pair) { sum += pair.d_score; });
    own.delta = reduce_warp<Sum>(sum);
  } else {
    // In the order of the products with values: where a query sees one value alone both are the
    // same.
    const long output = query_row(a, s, s.head, a.output_strides, i);
    for (long d = 0; d < a.value_head_size; d++) {
      own.delta += load(to.output, gradient + d, a.dtype) * load(a.output, output + d, a.dtype);
    }
  }
  if (threadIdx.x % kWarpSize == 0) {
    own.delta -= to.lse == nullptr ? 0 : to.lse[row];
    sums[row] = own;
  }
}

// Grid: (query_length / 4, heads, batch). Shared: for each warp a query, an output's gradient and
// the query's.
// kernels.list: attention_backward_queries 128 {Attention}{Attention}p
extern "C" __global__ void __launch_bounds__(kWarps * 32, 8)
    attention_backward_queries(const Attention a, const Attention to, const QuerySums* sums) {
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  const long width = 2 * a.head_size + a.value_head_size;
  float* query = shared_memory<float>(static_cast<unsigned>(kWarps * width * sizeof(float))) +
                 threadIdx.x / kWarpSize * width;
  float *d_output = query + a.head_size, *d_query = d_output + a.value_head_size;
  const int lane = threadIdx.x % kWarpSize, i = place_of_warp();
  if (i >= s.queries) {
    return;
  }
  keep_row(query, a.query, query_row(a, s, s.head, a.query_strides, i), a.head_size, a.dtype,
           a.scale);
  keep_row(d_output, to.output, query_row(a, s, s.head, to.output_strides, i), a.value_head_size,
           a.dtype, 1);
  clear_row(d_query, a.head_size);
  sync_warp();
  each_key({a, to}, s, sums[row_of(a, s, s.head, i)], i, query, d_output,
           [&](int j0, const Pair& pair) {
             for (int t = 0; t < kWarpSize; t++) {
               const float factor = shuffle(pair.d_product, t);
               if (factor != 0) {
                 const long row = key_row(s, a.key_strides, token_of(a, s, j0 + t));
                 for (long d = lane; d < a.head_size; d += kWarpSize) {
                   d_query[d] += factor * load(a.key, row + d, a.dtype);
                 }
               }
             }
           });
  write_row(to.query, query_row(a, s, s.head, to.query_strides, i), d_query, a.head_size, a.dtype,
            a.scale);
}

// Grid: (key_length / 4, kv_heads, batch). Shared: for each warp a key, a value, and both's
// gradients. Keys beyond those in use have gradients of 0.
// kernels.list: attention_backward_keys 128 {Attention}{Attention}p
extern "C" __global__ void __launch_bounds__(kWarps * 32, 8)
    attention_backward_keys(const Attention a, const Attention to, const QuerySums* sums) {
  const int group = group_of(a), lane = threadIdx.x % kWarpSize, j = place_of_warp();
  Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  s.kv_head = static_cast<int>(blockIdx.y);
  const long width = a.head_size + a.value_head_size;
  float* key = shared_memory<float>(static_cast<unsigned>(2 * kWarps * width * sizeof(float))) +
               threadIdx.x / kWarpSize * 2 * width;
  float *value = key + a.head_size, *d_key = key + width, *d_value = d_key + a.head_size;
  if (j >= (a.key_offsets == nullptr ? static_cast<int>(a.key_length) : s.keys)) {
    return;
  }
  const Token token = token_of(a, s, j);
  clear_row(d_key, a.head_size);
  clear_row(d_value, a.value_head_size);
  if (j < s.keys && !is_masked(a, s, j)) {
    keep_row(key, a.key, key_row(s, a.key_strides, token), a.head_size, a.dtype, 1);
    keep_row(value, a.value, key_row(s, a.value_strides, token), a.value_head_size, a.dtype, 1);
    sync_warp();
    for (int head = s.kv_head * group; head < (s.kv_head + 1) * group; head++) {
      s.head = head;
      for (int i0 = 0; i0 < s.queries; i0 += kWarpSize) {
        const int i = i0 + lane;
        Pair pair = {0, 0, 0};
        if (i < s.queries && is_seen(a, s, i, j)) {
          float product = 0;
          const long row = query_row(a, s, head, a.query_strides, i);
          for (long d = 0; d < a.head_size; d++) {
            product += load(a.query, row + d, a.dtype) * a.scale * key[d];
          }
          pair = pair_of({a, to}, s, sums[row_of(a, s, head, i)], i, j, product,
                         dot(value, to.output, query_row(a, s, head, to.output_strides, i),
                             a.value_head_size, a.dtype));
        }
        for (int t = 0; t < kWarpSize; t++) {
          const float factor = shuffle(pair.d_product, t), weight = shuffle(pair.weight, t);
          const long row = query_row(a, s, head, a.query_strides, i0 + t);
          for (long d = lane; factor != 0 && d < a.head_size; d += kWarpSize) {
            d_key[d] += factor * (load(a.query, row + d, a.dtype) * a.scale);
          }
          const long gradient = query_row(a, s, head, to.output_strides, i0 + t);
          for (long d = lane; weight != 0 && d < a.value_head_size; d += kWarpSize) {
            d_value[d] += weight * load(to.output, gradient + d, a.dtype);
          }
        }
      }
    }
  }
  write_row(to.key, key_row(s, to.key_strides, token), d_key, a.head_size, a.dtype, 1);
  write_row(to.value, key_row(s, to.value_strides, token), d_value, a.value_head_size, a.dtype, 1);
}

// Places of an axis of scores that an element of the bias stands for.
struct Range {
  int begin, end;
};

static __device__ __forceinline__ Range range_of(long stride, long place, int length) {
  return stride == 0 ? Range{0, length}
                     : Range{static_cast<int>(place),
                             static_cast<int>(place) < length ? static_cast<int>(place) + 1 : 0};
}

// Grid: 256 elements of the bias a block; batch, heads, queries and keys are those that it has.
// kernels.list: attention_backward_bias 256 {Attention}{Attention}plllll 0
extern "C" __global__ void __launch_bounds__(256)
    attention_backward_bias(const Attention a, const Attention to, const QuerySums* sums,
                            long batch, long heads, long queries, long keys, long all) {
  const long at = static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= batch * heads * queries * keys) {
    return;
  }
  const Backward g = {a, to};
  const long row = at / keys;
  const Range sequences =
      range_of(to.bias_strides[0], row / queries / heads, static_cast<int>(all));
  float sum = 0;
  for (int b = sequences.begin; b < sequences.end; b++) {
    const Range of_heads =
        range_of(to.bias_strides[1], row / queries % heads, static_cast<int>(a.heads));
    for (int h = of_heads.begin; h < of_heads.end; h++) {
      const Sequence s = sequence(a, static_cast<unsigned>(b), static_cast<unsigned>(h));
      const Range rows = range_of(to.bias_strides[2], row % queries, s.queries);
      const Range columns = range_of(to.bias_strides[3], at % keys, s.keys);
      for (int i = rows.begin; i < rows.end; i++) {
        for (int j = columns.begin; j < columns.end; j++) {
          if (!is_seen(a, s, i, j)) {
            continue;
          }
          const Token token = token_of(a, s, j);
          float product = 0, d_weight = 0;
          const long query = query_row(a, s, h, a.query_strides, i);
          const long key = key_row(s, a.key_strides, token);
          for (long d = 0; d < a.head_size; d++) {
            product += load(a.query, query + d, a.dtype) * a.scale * load(a.key, key + d, a.dtype);
          }
          const long gradient = query_row(a, s, h, to.output_strides, i);
          const long value = key_row(s, a.value_strides, token);
          for (long d = 0; d < a.value_head_size; d++) {
            d_weight += load(to.output, gradient + d, a.dtype) * load(a.value, value + d, a.dtype);
          }
          sum += pair_of(g, s, sums[row_of(a, s, h, i)], i, j, product, d_weight).d_score;
        }
      }
    }
  }
  const_cast<float*>(to.bias)[at] = sum;
}

// Grid: heads.
// kernels.list: attention_backward_sinks 128 {Attention}{Attention}pl
extern "C" __global__ void __launch_bounds__(128)
    attention_backward_sinks(const Attention a, const Attention to, const QuerySums* sums,
                             long batch) {
  float sum = 0;
  for (int b = 0; b < batch; b++) {
    const Sequence s = sequence(a, static_cast<unsigned>(b), blockIdx.x);
    for (int i = static_cast<int>(threadIdx.x); i < s.queries; i += static_cast<int>(blockDim.x)) {
      const QuerySums of = sums[row_of(a, s, s.head, i)];
      if (of.base != -INFINITY) {
        sum -= expf(a.sinks[s.head] - of.base) * of.share * of.delta;
      }
    }
  }
  sum = reduce_block<Sum>(sum);
  if (threadIdx.x == 0) {
    const_cast<float*>(to.sinks)[blockIdx.x] = sum;
  }
}
