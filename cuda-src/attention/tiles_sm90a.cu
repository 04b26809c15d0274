// Attention by Hopper's warpgroups (after Shah et al., "FlashAttention-3", arXiv 2407.08608): a
// block has 128 queries of a head, 64 a warpgroup. A thread of a third warpgroup lets the copy
// engine bring tiles of keys and values; the products with the next keys and with these values run
// while exponentials are computed.
#include "attention/fragments.h"
#include "primitives_sm90.h"
#include "vectors.h"

using namespace gatun;

constexpr int kWarpgroup = 128, kThreads = 3 * kWarpgroup, kConsumers = 2 * kWarpgroup;
constexpr int kQueries = 128, kKeys = 128, kStages = 2;
// The copy engine's boxes: 64 elements of 128 tokens, rows of 128 bytes.
constexpr int kBox = 64;
constexpr unsigned kRowBytes = 2 * kBox, kBoxBytes = kKeys * kRowBytes;
constexpr unsigned kGroupBytes = 8 * kRowBytes;  // Eight rows, the swizzle's pattern.
constexpr int kZeroingBarrier = 1;

template <int Size>
struct Shared {
  static constexpr int kBoxes = Size / kBox;
  static constexpr unsigned kTileBytes = kBoxes * kBoxBytes;
  uint64_t query_full, key_full[kStages], key_empty[kStages], value_full[kStages],
      value_empty[kStages];
  unsigned char barriers_end[1024 - 8 * (1 + 4 * kStages)];
  unsigned char query[kTileBytes];
  unsigned char key[kStages][kTileBytes];
  unsigned char value[kStages][kTileBytes];
};

template <int Size>
static __device__ __forceinline__ void load_tile(unsigned char* tile, const TensorMap& map,
                                                 uint64_t* full, long head, long token,
                                                 long batch) {
  mbarrier_arrive_expect(full, Shared<Size>::kTileBytes);
#pragma unroll
  for (int box = 0; box < Shared<Size>::kBoxes; box++) {
    tensor_load(tile + box * kBoxBytes, map, full, box * kBox, static_cast<int>(head),
                static_cast<int>(token), static_cast<int>(batch));
  }
}

template <int Size>
static __device__ __forceinline__ void feed(Shared<Size>* shared, const TensorMap& query,
                                            const TensorMap& key, const TensorMap& value,
                                            const Attention& a, const Sequence& s, int first,
                                            const Keys& keys) {
  load_tile<Size>(shared->query, query, &shared->query_full, s.head,
                  static_cast<long>(s.first_query) + first,
                  a.query_offsets == nullptr ? s.batch : 0);
  const long batch = a.key_offsets == nullptr ? s.batch : 0;
  int step = 0;
  for (int j0 = keys.begin; j0 < keys.end; j0 += kKeys, step++) {
    const int stage = step % kStages;
    // The first round finds all tiles empty.
    const unsigned parity = static_cast<unsigned>(step / kStages + 1) & 1;
    mbarrier_wait(&shared->key_empty[stage], parity);
    load_tile<Size>(shared->key[stage], key, &shared->key_full[stage], s.kv_head, s.first_key + j0,
                    batch);
    mbarrier_wait(&shared->value_empty[stage], parity);
    load_tile<Size>(shared->value[stage], value, &shared->value_full[stage], s.kv_head,
                    s.first_key + j0, batch);
  }
}

template <bool Bf16, int N, bool TransposedB, class A>
static __device__ __forceinline__ void multiply(float* d, A a, uint64_t b, bool add) {
  if constexpr (Bf16) {
    wgmma_bf16<N, TransposedB>(d, a, b, add);
  } else {
    wgmma_f16<N, TransposedB>(d, a, b, add);
  }
}

// Submits scores[64 queries, keys] = query key^T.
template <int Size, bool Bf16>
static __device__ __forceinline__ void multiply_keys(const unsigned char* query,
                                                     const unsigned char* key, float* scores) {
#pragma unroll
  for (int d = 0; d < Size; d += 16) {
    const unsigned place = d / kBox * kBoxBytes + d % kBox * 2;
    multiply<Bf16, kKeys, false>(scores, matrix(query + place, 0, kGroupBytes, kSwizzle128),
                                 matrix(key + place, 0, kGroupBytes, kSwizzle128), d > 0);
  }
  wgmma_commit();
}

// Submits sums[64 queries, Size] += probabilities value.
template <int Size, bool Bf16>
static __device__ __forceinline__ void multiply_values(const uint32_t (*probabilities)[4],
                                                       const unsigned char* value, float* sums) {
#pragma unroll
  for (int s = 0; s < kKeys / 16; s++) {
    multiply<Bf16, Size, true>(
        sums, probabilities[s],
        matrix(value + s * 16 * kRowBytes, kBoxBytes, kGroupBytes, kSwizzle128), true);
  }
  wgmma_commit();
}

// Rows of values that no query sees may be another sequence's, or nobody's: zeros, for 0 times NaN
// is NaN.
template <int Size>
static __device__ __forceinline__ void zero_rows(unsigned char* value, int from) {
  const int thread = static_cast<int>(threadIdx.x) - kWarpgroup;
  constexpr int kUnits = kRowBytes / 16;
  for (int i = from * kUnits + thread; i < kKeys * kUnits; i += kConsumers) {
#pragma unroll
    for (int box = 0; box < Shared<Size>::kBoxes; box++) {
      *reinterpret_cast<Words*>(value + box * kBoxBytes + i * 16) = Words{};
    }
  }
  fence_async();
  named_barrier_sync(kZeroingBarrier, kConsumers);
}

template <int Size, bool Bf16>
static __device__ __forceinline__ void consume(Shared<Size>* shared, const Attention& a,
                                               const Sequence& s, int first, const Keys& keys) {
  const int thread = static_cast<int>(threadIdx.x) - kWarpgroup, lane = thread % 32;
  const int row = first + thread / 32 * 16 + lane / 4;  // This thread's are this one and row + 8.
  const int last = first + kQueries < s.queries ? first + kQueries : s.queries;
  const unsigned char* query = shared->query + thread / kWarpgroup * 64 * kRowBytes;
  const Scores softened(a, s, score_row(a, s, s.head, row), score_row(a, s, s.head, row + 8),
                        keys_of(a, s, last - 1, first + 1));
  // Behind the tensor's end the copy engine writes zeros.
  const int seen = keys_of(a, s, 0, s.queries).end;
  const bool zeroed = a.key_offsets == nullptr && seen == a.key_length;
  float scores[kKeys / 2], sums[Size / 2] = {};
  uint32_t probabilities[kKeys / 16][4] = {};
  OnlineSoftmax softmax;
  if (a.sinks != nullptr) {
    softmax.add_sink(a.sinks[s.head]);
  }

  mbarrier_wait(&shared->query_full, 0);
  if (keys.begin < keys.end) {
    mbarrier_wait(&shared->key_full[0], 0);
    wgmma_fence();
    multiply_keys<Size, Bf16>(query, shared->key[0], scores);
    wgmma_wait<0>();
    wgmma_registers<kKeys / 2>(scores);
    if (lane == 0) {
      mbarrier_arrive(&shared->key_empty[0]);
    }
  }
  int step = 0;
  for (int j0 = keys.begin; j0 < keys.end; j0 += kKeys, step++) {
    const int stage = step % kStages;
    const unsigned parity = static_cast<unsigned>(step / kStages) & 1;
    float correction[2];
    softened.soften<kKeys, false>(&softmax, j0, scores, correction);
    // The products with the values before are done: their registers and their tile are free.
    wgmma_wait<0>();
    wgmma_registers<Size / 2>(sums);
    wgmma_registers<kKeys / 4>(&probabilities[0][0]);
    if (step > 0 && lane == 0) {
      mbarrier_arrive(&shared->value_empty[(step - 1) % kStages]);
    }
#pragma unroll
    for (int d = 0; d < Size / 2; d++) {
      sums[d] *= correction[d / 2 % 2];
    }
#pragma unroll
    for (int n = 0; n < kKeys / 16; n++) {
#pragma unroll
      for (int q = 0; q < 4; q++) {
        probabilities[n][q] = pack(scores[8 * n + 2 * q], scores[8 * n + 2 * q + 1], Bf16);
      }
    }
    mbarrier_wait(&shared->value_full[stage], parity);
    if (j0 + kKeys > seen && !zeroed) {
      zero_rows<Size>(shared->value[stage], seen - j0);
    }
    const int next = (step + 1) % kStages;
    if (j0 + kKeys < keys.end) {
      mbarrier_wait(&shared->key_full[next], static_cast<unsigned>((step + 1) / kStages) & 1);
      wgmma_fence();
      multiply_keys<Size, Bf16>(query, shared->key[next], scores);
      multiply_values<Size, Bf16>(probabilities, shared->value[stage], sums);
      wgmma_wait<1>();
      wgmma_registers<kKeys / 2>(scores);
      if (lane == 0) {
        mbarrier_arrive(&shared->key_empty[next]);
      }
    } else {
      wgmma_fence();
      multiply_values<Size, Bf16>(probabilities, shared->value[stage], sums);
    }
  }
  wgmma_wait<0>();
  wgmma_registers<Size / 2>(sums);
  softmax.join();
  store_rows<Size, Bf16>(a, s, softened.rows, softmax, sums);
}

template <int Size, bool Bf16>
static __device__ __forceinline__ void attend(const TensorMap& query, const TensorMap& key,
                                              const TensorMap& value, const Attention& a) {
  Shared<Size>* shared = shared_memory<Shared<Size>>(sizeof(Shared<Size>));
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  // With a causal mask the last queries have the most keys, and so begin first.
  const unsigned tile = a.causal == kNotCausal ? blockIdx.x : gridDim.x - 1 - blockIdx.x;
  const int first = static_cast<int>(tile) * kQueries;
  if (first >= s.queries) {
    return;
  }
  const Keys keys =
      keys_of(a, s, first, first + kQueries < s.queries ? first + kQueries : s.queries);
  if (threadIdx.x == 0) {
    mbarrier_init(&shared->query_full, 1);
    for (int i = 0; i < kStages; i++) {
      mbarrier_init(&shared->key_full[i], 1);
      mbarrier_init(&shared->value_full[i], 1);
      mbarrier_init(&shared->key_empty[i], kConsumers / 32);
      mbarrier_init(&shared->value_empty[i], kConsumers / 32);
    }
    mbarrier_init_fence();
  }
  sync_block();
  if (threadIdx.x < kWarpgroup) {
    give_registers<40>();
    if (threadIdx.x == 0) {
      feed<Size>(shared, query, key, value, a, s, first, keys);
    }
  } else {
    take_registers<232>();
    consume<Size, Bf16>(shared, a, s, first, keys);
  }
}

// Maps are of [batch, tokens, heads, head size], or of one batch where offsets are given, with
// boxes of 128 tokens and 64 elements. No bias, slopes, soft cap, dropout, mask or pages of keys; a
// scale above 0.
// Grid: (query_length / 128, heads, batch).
#define GATUN_ATTENTION(name, size, bf16)                                                  \
  GATUN_SHARED(name, sizeof(Shared<size>))                                                 \
  extern "C" __global__ void __launch_bounds__(kThreads, 1)                                \
      name(const __grid_constant__ TensorMap query, const __grid_constant__ TensorMap key, \
           const __grid_constant__ TensorMap value, const __grid_constant__ Attention a) { \
    attend<size, bf16>(query, key, value, a);                                              \
  }

// kernels.list: attention_bf16_64_sm90a 384 {TensorMap}{TensorMap}{TensorMap}{Attention} 82944
// kernels.list: attention_bf16_128_sm90a 384 {TensorMap}{TensorMap}{TensorMap}{Attention} 164864
// kernels.list: attention_f16_64_sm90a 384 {TensorMap}{TensorMap}{TensorMap}{Attention} 82944
// kernels.list: attention_f16_128_sm90a 384 {TensorMap}{TensorMap}{TensorMap}{Attention} 164864
GATUN_ATTENTION(attention_bf16_64_sm90a, 64, true)
GATUN_ATTENTION(attention_bf16_128_sm90a, 128, true)
GATUN_ATTENTION(attention_f16_64_sm90a, 64, false)
GATUN_ATTENTION(attention_f16_128_sm90a, 128, false)
