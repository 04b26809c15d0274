// Attention by tensor cores with an online softmax (Dao, "FlashAttention-2", arXiv 2307.08691): a
// block has 64 queries of a head, 16 a warp, and goes over tiles of keys. The values of a tile are
// on their way while its scores are computed, the next tile's keys while its values are used.
#include "attention/fragments.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kQueries = 64, kThreads = 128, kRows = 16;

template <int Size, int Keys, bool Coded, bool Bf16>
struct Tile {
  static constexpr int kSize = Size, kKeys = Keys;
  // Whether keys and values are signed bytes, and what they become.
  static constexpr bool kCoded = Coded, kBf16 = Bf16;
  // Padded so that eight rows of 16 bytes lie in different banks.
  static constexpr int kRow = Size + 8;
  struct Shared {
    uint16_t query[kQueries * kRow];
    uint16_t key[Keys * kRow];
    uint16_t value[Keys * kRow];
  };
};

template <class T>
static __device__ __forceinline__ void load_queries(const Attention& a, const Sequence& s,
                                                    uint16_t* tile, int first) {
  for (int n = threadIdx.x; n < kQueries * T::kSize / 8; n += kThreads) {
    const int row = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const bool valid = first + row < s.queries && column < a.head_size;
    const long place = valid ? query_row(a, s, s.head, a.query_strides, first + row) + column : 0;
    copy_async_16(tile + row * T::kRow + column, static_cast<const uint16_t*>(a.query) + place,
                  valid);
  }
}

// Rows of keys or values; zeros from `end` on, and where `masked` says that nobody may see them.
template <class T>
static __device__ __forceinline__ void load_keys(const Attention& a, const Sequence& s,
                                                 const Cached& from, long size, bool masked,
                                                 uint16_t* tile, int first, int end) {
  constexpr int kUnits = T::kSize / 8;  // of 16 bytes in a row
  const int thread = static_cast<int>(threadIdx.x), column = thread % kUnits * 8;
#pragma unroll 2
  for (int row = thread / kUnits; row < T::kKeys; row += kThreads / kUnits) {
    const int j = first + row;
    const bool valid = j < end && column < size && !(masked && is_masked(a, s, j));
    uint16_t* to = tile + row * T::kRow + column;
    if (T::kCoded) {
      copy_codes<T::kBf16>(a, s, from, valid ? token_of(a, s, j) : Token{0, 0}, column, valid, to);
      continue;
    }
    const long place = valid ? key_row(s, from.strides, token_of(a, s, j)) + column : 0;
    copy_async_16(to, static_cast<const uint16_t*>(from.memory) + place, valid);
  }
  copy_async_commit();
}

// scores[16 queries, keys] of the warp's rows.
template <class T, bool Bf16>
static __device__ __forceinline__ void multiply_keys(const typename T::Shared* shared,
                                                     float* scores) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int d = 0; d < T::kSize; d += 16) {
    uint32_t q[4];
    ldmatrix_x4(q, shared->query + (warp * kRows + lane % 16) * T::kRow + d + lane / 16 * 8);
#pragma unroll
    for (int n = 0; n < T::kKeys / 8; n += 2) {
      uint32_t k[4];
      ldmatrix_x4(
          k, shared->key + (n * 8 + lane / 16 * 8 + lane % 8) * T::kRow + d + lane / 8 % 2 * 8);
      multiply_add<Bf16>(scores + 4 * n, q, k);
      multiply_add<Bf16>(scores + 4 * n + 4, q, k + 2);
    }
  }
}

template <class T, bool Bf16>
static __device__ __forceinline__ void multiply_values(const typename T::Shared* shared,
                                                       const float* scores, float* sums) {
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int n = 0; n < T::kKeys / 8; n += 2) {
    uint32_t p[4];
#pragma unroll
    for (int q = 0; q < 4; q++) {
      p[q] = pack(scores[4 * n + 2 * q], scores[4 * n + 2 * q + 1], Bf16);
    }
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d += 2) {
      uint32_t v[4];
      ldmatrix_x4_transposed(v,
                             shared->value + (n * 8 + lane % 16) * T::kRow + d * 8 + lane / 16 * 8);
      multiply_add<Bf16>(sums + 4 * d, p, v);
      multiply_add<Bf16>(sums + 4 * d + 4, p, v + 2);
    }
  }
}

// Writes what one split found: the sums of a thread's rows, and their maximum and total.
template <class T>
static __device__ __forceinline__ void store_partial(const Attention& a, const Sequence& s,
                                                     const ScoreRow* rows,
                                                     const OnlineSoftmax& softmax,
                                                     const float* sums, long split, long splits,
                                                     float* partial, float* stats) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const ScoreRow& row = rows[half];
    if (row.query >= s.queries) {
      continue;
    }
    const long place = row_of(a, s, row.head, row.query) * splits + split;
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d++) {
      if (d * 8 < a.value_head_size) {
        *reinterpret_cast<Pair*>(partial + place * a.value_head_size + d * 8 + first_column()) = {
            sums[4 * d + 2 * half], sums[4 * d + 2 * half + 1]};
      }
    }
    if (threadIdx.x % 4 == 0) {
      *reinterpret_cast<Pair*>(stats + 2 * place) = {softmax.top[half], softmax.total[half]};
    }
  }
}

template <class T>
static __device__ __forceinline__ void attend(const Attention& a, float* partial, float* stats,
                                              int splits) {
  constexpr bool Bf16 = T::kBf16;
  const Cached all_keys = {a.key, a.key_strides, a.key_scales};
  const Cached all_values = {a.value, a.value_strides, a.value_scales};
  typename T::Shared* shared = shared_memory<typename T::Shared>(sizeof(typename T::Shared));
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  const int split = static_cast<int>(blockIdx.x) % splits;
  const int tiles = static_cast<int>(gridDim.x) / splits;
  // With a causal mask the last queries have the most keys, and so begin first.
  int tile = static_cast<int>(blockIdx.x) / splits;
  tile = a.causal == kNotCausal ? tile : tiles - 1 - tile;
  const int first = tile * kQueries;
  if (first >= s.queries) {
    return;
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  const int row = first + warp * kRows + lane / 4;  // This thread's are this one and row + 8.
  const int last = first + kQueries < s.queries ? first + kQueries : s.queries;
  const Keys keys = split_of(keys_of(a, s, first, last), T::kKeys, split, splits);
  const Scores softened(a, s, score_row(a, s, s.head, row), score_row(a, s, s.head, row + 8),
                        keys_of(a, s, last - 1, first + 1));
  OnlineSoftmax softmax;
  if (a.sinks != nullptr && splits == 1) {
    softmax.add_sink(a.sinks[s.head]);
  }
  float sums[T::kSize / 2] = {};

  load_queries<T>(a, s, shared->query, first);
  load_keys<T>(a, s, all_keys, a.head_size, false, shared->key, keys.begin, keys.end);
  for (int j0 = keys.begin; j0 < keys.end; j0 += T::kKeys) {
    copy_async_wait<0>();
    // The keys are there, and everyone is done with the values of the tile before.
    sync_block();
    load_keys<T>(a, s, all_values, a.value_head_size, true, shared->value, j0, keys.end);
    float scores[T::kKeys / 2] = {}, correction[2];
    multiply_keys<T, Bf16>(shared, scores);
    softened.soften<T::kKeys, true>(&softmax, j0, scores, correction);
#pragma unroll
    for (int d = 0; d < T::kSize / 2; d++) {
      sums[d] *= correction[d / 2 % 2];
    }
    copy_async_wait<0>();
    // The values are there, and everyone is done with the keys.
    sync_block();
    if (j0 + T::kKeys < keys.end) {
      load_keys<T>(a, s, all_keys, a.head_size, false, shared->key, j0 + T::kKeys, keys.end);
    }
    multiply_values<T, Bf16>(shared, scores, sums);
  }
  copy_async_wait<0>();
  softmax.join();
  if (splits == 1) {
    store_rows<T::kSize, Bf16>(a, s, softened.rows, softmax, sums);
  } else {
    store_partial<T>(a, s, softened.rows, softmax, sums, split, splits, partial, stats);
  }
}

// Grid: (query_length / 64 * splits, heads, batch). Head sizes and strides are multiples of 8,
// addresses of 16 bytes. partial and stats are those of attention_decode; with one split neither is
// used.
#define GATUN_ATTENTION(name, size, keys, coded, bf16)                                  \
  GATUN_SHARED(name, sizeof(Tile<size, keys, coded, bf16>::Shared))                     \
  extern "C" __global__ void __launch_bounds__(kThreads)                                \
      name(const Attention a, float* partial, float* stats, long splits) {              \
    attend<Tile<size, keys, coded, bf16>>(a, partial, stats, static_cast<int>(splits)); \
  }

// kernels.list: attention_bf16_64 128 {Attention}ppl 27648
// kernels.list: attention_bf16_128 128 {Attention}ppl 52224
// kernels.list: attention_bf16_256 128 {Attention}ppl 67584
// kernels.list: attention_f16_64 128 {Attention}ppl 27648
// kernels.list: attention_f16_128 128 {Attention}ppl 52224
// kernels.list: attention_f16_256 128 {Attention}ppl 67584
// kernels.list: attention_bf16_64_codes 128 {Attention}ppl 27648
// kernels.list: attention_bf16_128_codes 128 {Attention}ppl 52224
// kernels.list: attention_bf16_256_codes 128 {Attention}ppl 67584
// kernels.list: attention_f16_64_codes 128 {Attention}ppl 27648
// kernels.list: attention_f16_128_codes 128 {Attention}ppl 52224
// kernels.list: attention_f16_256_codes 128 {Attention}ppl 67584
GATUN_ATTENTION(attention_bf16_64, 64, 64, false, true)
GATUN_ATTENTION(attention_bf16_128, 128, 64, false, true)
GATUN_ATTENTION(attention_bf16_256, 256, 32, false, true)
GATUN_ATTENTION(attention_f16_64, 64, 64, false, false)
GATUN_ATTENTION(attention_f16_128, 128, 64, false, false)
GATUN_ATTENTION(attention_f16_256, 256, 32, false, false)
GATUN_ATTENTION(attention_bf16_64_codes, 64, 64, true, true)
GATUN_ATTENTION(attention_bf16_128_codes, 128, 64, true, true)
GATUN_ATTENTION(attention_bf16_256_codes, 256, 32, true, true)
GATUN_ATTENTION(attention_f16_64_codes, 64, 64, true, false)
GATUN_ATTENTION(attention_f16_128_codes, 128, 64, true, false)
GATUN_ATTENTION(attention_f16_256_codes, 256, 32, true, false)
