// Attention in float arithmetic, a warp a query: for F32, for head sizes that the tiles do not
// take, and for the probabilities as an output.
#include "attention/attention.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kWarps = 4;

// An element of a key or value at a place; of signed bytes times their scale.
template <bool Coded>
static __device__ __forceinline__ float element(const Attention& a, const void* from, long place,
                                                float scale) {
  return Coded ? scale * static_cast<float>(static_cast<const int8_t*>(from)[place])
               : load(from, place, a.dtype);
}

template <bool Coded>
static __device__ __forceinline__ float product(const Attention& a, const Sequence& s,
                                                const float* query, int j) {
  const Token token = token_of(a, s, j);
  const long row = key_row(s, a.key_strides, token);
  const float scale = Coded ? scale_of(a, s, a.key_scales, token) : 1;
  float sum = 0;
  for (long d = 0; d < a.head_size; d++) {
    sum += query[d] * element<Coded>(a, a.key, row + d, scale);
  }
  return sum;
}

// The score of query i and this lane's key, of those that i sees by position; -inf where it does
// not see it.
template <bool Coded>
static __device__ __forceinline__ float lane_score(const Attention& a, const Sequence& s,
                                                   const Keys& keys, const float* query, int i,
                                                   int j) {
  if (j < keys.begin || j >= keys.end || is_masked(a, s, j)) {
    return -INFINITY;
  }
  float score = product<Coded>(a, s, query, j) * a.scale;
  if (a.softcap > 0) {
    score = a.softcap * tanhf(score / a.softcap);
  }
  if (a.bias != nullptr) {
    score += a.bias[s.batch * a.bias_strides[0] + s.head * a.bias_strides[1] +
                    i * a.bias_strides[2] + j * a.bias_strides[3]];
  }
  if (a.slopes != nullptr) {
    score -= a.slopes[s.head] * fabsf(static_cast<float>(i + s.shift - j));
  }
  return score;
}

template <bool Coded>
static __device__ __forceinline__ void attend(const Attention& a) {
  const long width = a.head_size + a.value_head_size;
  float* query = shared_memory<float>(static_cast<unsigned>(kWarps * width * sizeof(float))) +
                 threadIdx.x / kWarpSize * width;
  float* sums = query + a.head_size;
  const int lane = threadIdx.x % kWarpSize;
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  const int i = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarpSize);
  if (i >= s.queries) {
    return;
  }
  const long from = query_row(a, s, s.head, a.query_strides, i);
  for (long d = lane; d < a.head_size; d += kWarpSize) {
    query[d] = load(a.query, from + d, a.dtype);
  }
  for (long d = lane; d < a.value_head_size; d += kWarpSize) {
    sums[d] = 0;
  }
  sync_warp();
  float top = a.sinks == nullptr ? -INFINITY : a.sinks[s.head];
  float total = a.sinks == nullptr ? 0 : 1;
  const Keys keys = keys_of(a, s, i, i + 1);
  for (int j0 = keys.begin; j0 < keys.end; j0 += kWarpSize) {
    const float score = lane_score<Coded>(a, s, keys, query, i, j0 + lane);
    const float largest = larger(top, reduce_warp<Largest>(score));
    if (largest == -INFINITY) {
      continue;
    }
    const float correction = expf(top - largest);
    // Where a score is NaN so is the largest; a key that is not seen has no share even then.
    float probability = score == -INFINITY ? 0 : expf(score - largest);
    total = total * correction + reduce_warp<Sum>(probability);
    top = largest;
    if (a.kept != 1) {
      probability = drop(a, s, s.head, i, j0 + lane, probability);
    }
    for (long d = lane; d < a.value_head_size; d += kWarpSize) {
      sums[d] *= correction;
    }
    for (int t = 0; t < kWarpSize; t++) {
      const float weight = shuffle(probability, t);
      if (weight != 0) {
        const Token token = token_of(a, s, j0 + t);
        const long row = key_row(s, a.value_strides, token);
        const float scale = Coded ? scale_of(a, s, a.value_scales, token) : 1;
        for (long d = lane; d < a.value_head_size; d += kWarpSize) {
          sums[d] += weight * element<Coded>(a, a.value, row + d, scale);
        }
      }
    }
  }
  const long to = query_row(a, s, s.head, a.output_strides, i);
  for (long d = lane; d < a.value_head_size; d += kWarpSize) {
    store(a.output, to + d, a.dtype, total == 0 ? 0 : sums[d] / total);
  }
  if (a.lse != nullptr && lane == 0) {
    a.lse[row_of(a, s, s.head, i)] = total == 0 ? -INFINITY : top + logf(total);
  }
  if (a.weights != nullptr) {
    for (int j = lane; j < s.keys; j += kWarpSize) {
      const float score = lane_score<Coded>(a, s, keys, query, i, j);
      const float weight = score == -INFINITY ? 0 : expf(score - top) / total;
      a.weights[row_of(a, s, s.head, i) * a.key_length + j] =
          a.kept == 1 || weight == 0 ? weight : drop(a, s, s.head, i, j, weight);
    }
  }
}

// Grid: (query_length / 4, heads, batch). Shared: for each warp its query and its sums, as floats.
// kernels.list: attention_general 128 {Attention}
extern "C" __global__ void __launch_bounds__(kWarps * 32) attention_general(const Attention a) {
  attend<false>(a);
}

// The same of keys and values that are signed bytes.
// kernels.list: attention_general_codes 128 {Attention}
extern "C" __global__ void __launch_bounds__(kWarps * 32)
    attention_general_codes(const Attention a) {
  attend<true>(a);
}
