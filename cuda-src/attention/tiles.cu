// Attention by tensor cores with an online softmax (Dao, "FlashAttention-2", arXiv 2307.08691): a
// block has 64 queries of a head, 16 a warp, and goes over tiles of keys. The values of a tile are
// on their way while its scores are computed, the next tile's keys while its values are used.
#include "attention/attention.h"
#include "attention/fragments.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kQueries = 64, kThreads = 128, kRows = 16;

template <int Size, int Keys>
struct Tile {
  static constexpr int kSize = Size, kKeys = Keys;
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
                                                    uint16_t* tile, long first) {
  for (int n = threadIdx.x; n < kQueries * T::kSize / 8; n += kThreads) {
    const int row = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const bool valid = first + row < s.queries && column < a.head_size;
    const long place = valid ? query_row(a, s, a.query_strides, first + row) + column : 0;
    copy_async_16(tile + row * T::kRow + column, static_cast<const uint16_t*>(a.query) + place,
                  valid);
  }
}

// Rows of keys or values; zeros past the end, and where `masked` says that nobody may see them.
template <class T>
static __device__ __forceinline__ void load_keys(const Attention& a, const Sequence& s,
                                                 const void* from, const long* strides, long size,
                                                 bool masked, uint16_t* tile, long first) {
  for (int n = threadIdx.x; n < T::kKeys * T::kSize / 8; n += kThreads) {
    const int row = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const long j = first + row;
    const bool valid =
        j < s.keys && column < size &&
        (!masked || a.key_mask == nullptr || a.key_mask[s.batch * a.key_length + j] != 0);
    const long place = valid ? key_row(a, s, strides, j) + column : 0;
    copy_async_16(tile + row * T::kRow + column, static_cast<const uint16_t*>(from) + place, valid);
  }
  copy_async_commit();
}

// scores[16 queries, keys] of the warp's rows.
template <class T, bool Bf16>
static __device__ __forceinline__ void multiply_keys(const typename T::Shared* shared,
                                                     float scores[T::kKeys / 8][4]) {
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
      multiply_add<Bf16>(scores[n], q, k);
      multiply_add<Bf16>(scores[n + 1], q, k + 2);
    }
  }
}

template <class T, bool Bf16>
static __device__ __forceinline__ void multiply_values(const typename T::Shared* shared,
                                                       const float scores[T::kKeys / 8][4],
                                                       float sums[T::kSize / 8][4]) {
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int n = 0; n < T::kKeys / 8; n += 2) {
    const uint32_t p[4] = {pack(scores[n][0], scores[n][1], Bf16),
                           pack(scores[n][2], scores[n][3], Bf16),
                           pack(scores[n + 1][0], scores[n + 1][1], Bf16),
                           pack(scores[n + 1][2], scores[n + 1][3], Bf16)};
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d += 2) {
      uint32_t v[4];
      ldmatrix_x4_transposed(v,
                             shared->value + (n * 8 + lane % 16) * T::kRow + d * 8 + lane / 16 * 8);
      multiply_add<Bf16>(sums[d], p, v);
      multiply_add<Bf16>(sums[d + 1], p, v + 2);
    }
  }
}

// Turns products into scores; `plain` where all keys of the tile are seen and nothing is added.
template <class T>
static __device__ __forceinline__ void finish_scores(const Attention& a, const Sequence& s,
                                                     bool plain, long row, long first,
                                                     float scores[T::kKeys / 8][4]) {
  const int lane = threadIdx.x % kWarpSize;
#pragma unroll
  for (int n = 0; n < T::kKeys / 8; n++) {
#pragma unroll
    for (int q = 0; q < 4; q++) {
      if (plain) {
        scores[n][q] *= a.scale;
      } else {
        const long i = row + q / 2 * 8, j = first + n * 8 + lane % 4 * 2 + q % 2;
        scores[n][q] =
            i < s.queries && sees(a, s, i, j) ? score_of(a, s, i, j, scores[n][q]) : -INFINITY;
      }
    }
  }
}

template <class T, bool Bf16>
static __device__ __forceinline__ void attend(const Attention& a) {
  typename T::Shared* shared = shared_memory<typename T::Shared>(sizeof(typename T::Shared));
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  // With a causal mask the last queries have the most keys, and so begin first.
  const unsigned tile = a.causal == kNotCausal ? blockIdx.x : gridDim.x - 1 - blockIdx.x;
  const long first = static_cast<long>(tile) * kQueries;
  if (first >= s.queries) {
    return;
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  const long row = first + warp * kRows + lane / 4;  // This thread's are this one and row + 8.
  const long last = first + kQueries < s.queries ? first + kQueries : s.queries;
  const Keys keys = keys_of(a, s, first, last);
  const bool additions =
      a.softcap > 0 || a.bias != nullptr || a.slopes != nullptr || a.key_mask != nullptr;
  float sums[T::kSize / 8][4] = {};
  const float sink = a.sinks == nullptr ? -INFINITY : a.sinks[s.head];
  float top[2] = {sink, sink};
  // Each thread has the total of its own columns; the sink counts once.
  const float begin = a.sinks != nullptr && lane % 4 == 0 ? 1.0f : 0.0f;
  float total[2] = {begin, begin};

  load_queries<T>(a, s, shared->query, first);
  load_keys<T>(a, s, a.key, a.key_strides, a.head_size, false, shared->key, keys.begin);
  for (long j0 = keys.begin; j0 < keys.end; j0 += T::kKeys) {
    copy_async_wait<0>();
    // The keys are there, and everyone is done with the values of the tile before.
    sync_block();
    load_keys<T>(a, s, a.value, a.value_strides, a.value_head_size, true, shared->value, j0);
    float scores[T::kKeys / 8][4] = {};
    multiply_keys<T, Bf16>(shared, scores);
    const Keys all = keys_of(a, s, last - 1, first + 1);
    const bool inside = j0 >= all.begin && j0 + T::kKeys <= all.end && !additions &&
                        (a.window == 0 || a.causal != kNotCausal);
    finish_scores<T>(a, s, inside && last - first == kQueries, row, j0, scores);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float largest = top[half];
#pragma unroll
      for (int n = 0; n < T::kKeys / 8; n++) {
        largest = larger(largest, larger(scores[n][2 * half], scores[n][2 * half + 1]));
      }
      largest = larger(largest, shuffle_xor(largest, 1));
      largest = larger(largest, shuffle_xor(largest, 2));
      const float base = largest == -INFINITY ? 0 : largest;
      const float correction = exp2_approximate((top[half] - base) * kLog2E);
      top[half] = largest;
      total[half] *= correction;
#pragma unroll
      for (int n = 0; n < T::kKeys / 8; n++) {
#pragma unroll
        for (int q = 2 * half; q < 2 * half + 2; q++) {
          const float p = exp2_approximate((scores[n][q] - base) * kLog2E);
          total[half] += p;
          scores[n][q] =
              a.kept == 1 ? p : drop(a, s, row + half * 8, j0 + n * 8 + lane % 4 * 2 + q % 2, p);
        }
      }
#pragma unroll
      for (int d = 0; d < T::kSize / 8; d++) {
        sums[d][2 * half] *= correction;
        sums[d][2 * half + 1] *= correction;
      }
    }
    copy_async_wait<0>();
    // The values are there, and everyone is done with the keys.
    sync_block();
    if (j0 + T::kKeys < keys.end) {
      load_keys<T>(a, s, a.key, a.key_strides, a.head_size, false, shared->key, j0 + T::kKeys);
    }
    multiply_values<T, Bf16>(shared, scores, sums);
  }
  copy_async_wait<0>();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    total[half] += shuffle_xor(total[half], 1);
    total[half] += shuffle_xor(total[half], 2);
    const long i = row + half * 8;
    if (i >= s.queries) {
      continue;
    }
    const float factor = total[half] == 0 ? 0 : 1 / total[half];
    const long to = query_row(a, s, a.output_strides, i);
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d++) {
      const long column = d * 8 + lane % 4 * 2;
      if (column < a.value_head_size) {
        // Head sizes are multiples of 8, and so are strides: both lie in one word.
        reinterpret_cast<uint32_t*>(a.output)[(to + column) / 2] =
            pack(sums[d][2 * half] * factor, sums[d][2 * half + 1] * factor, Bf16);
      }
    }
    if (a.lse != nullptr && lane % 4 == 0) {
      a.lse[row_of(a, s, i)] = total[half] == 0 ? -INFINITY : top[half] + logf(total[half]);
    }
  }
}

// Grid: (query_length / 64, heads, batch). Head sizes and strides are multiples of 8, addresses of
// 16 bytes.
#define GATUN_ATTENTION(name, size, keys, bf16)                                    \
  extern "C" __global__ void __launch_bounds__(kThreads) name(const Attention a) { \
    attend<Tile<size, keys>, bf16>(a);                                             \
  }

GATUN_ATTENTION(attention_bf16_64, 64, 64, true)
GATUN_ATTENTION(attention_bf16_128, 128, 64, true)
GATUN_ATTENTION(attention_bf16_256, 256, 32, true)
GATUN_ATTENTION(attention_f16_64, 64, 64, false)
GATUN_ATTENTION(attention_f16_128, 128, 64, false)
GATUN_ATTENTION(attention_f16_256, 256, 32, false)
