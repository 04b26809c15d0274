// Attention of few queries over many keys, as in decoding: bound by the reading of the cache. The
// query heads of a group are the rows of one tile, so that their keys and values are read once
// (grouped-query attention, arXiv 2305.13245). Keys are split over blocks, and over the warps of a
// block, each with an online softmax of its own; attention_combine joins what the blocks found in
// their order, so the result is the same every time (Flash-Decoding, Dao et al., 2023).
#include "attention/attention.h"
#include "attention/fragments.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kRows = 16, kKeys = 16, kStages = 2;

template <int Size, int Warps>
struct Tile {
  static constexpr int kSize = Size, kWarps = Warps, kThreads = Warps * kWarpSize;
  static constexpr int kRow = Size + 8;
  struct Stage {
    uint16_t key[kKeys * kRow];
    uint16_t value[kKeys * kRow];
  };
  struct Shared {
    uint16_t query[kRows * kRow];
    Stage stage[Warps][kStages];
    float top[Warps][kRows];
    float total[Warps][kRows];
    float sums[Warps][kRows][Size];
  };
};

// A row of the tile: a query and one of the heads that share the keys.
struct Row {
  long query;
  Sequence s;
};

static __device__ __forceinline__ Row row_at(const Attention& a, const Sequence& s, long row) {
  const long group = a.heads / a.kv_heads;
  Row result = {row / group, s};
  result.s.head = s.kv_head * group + row % group;
  return result;
}

// Where a row's sums of one split lie.
static __device__ __forceinline__ long partial_row(const Attention& a, const Row& row, long split,
                                                   long splits) {
  return row_of(a, row.s, row.query) * splits + split;
}

template <class T>
static __device__ __forceinline__ void load_stage(const Attention& a, const Sequence& s,
                                                  typename T::Stage* stage, long first, long end) {
  const int lane = threadIdx.x % kWarpSize;
  for (int n = lane; n < kKeys * T::kSize / 8; n += kWarpSize) {
    const int row = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const long j = first + row;
    const bool there = j < end;
    const bool seen =
        there && (a.key_mask == nullptr || a.key_mask[s.batch * a.key_length + j] != 0);
    const bool key = there && column < a.head_size, value = seen && column < a.value_head_size;
    copy_async_16(
        stage->key + row * T::kRow + column,
        static_cast<const uint16_t*>(a.key) + (key ? key_row(a, s, a.key_strides, j) + column : 0),
        key);
    copy_async_16(stage->value + row * T::kRow + column,
                  static_cast<const uint16_t*>(a.value) +
                      (value ? key_row(a, s, a.value_strides, j) + column : 0),
                  value);
  }
  copy_async_commit();
}

// The factor that a sum relative to one maximum has relative to another; both may be -inf.
static __device__ __forceinline__ float rescale(float from, float to) {
  return from == -INFINITY ? 0 : expf(from - to);
}

template <class T, bool Bf16>
static __device__ __forceinline__ void decode(const Attention& a, float* partial, float* stats) {
  typename T::Shared* shared = shared_memory<typename T::Shared>(sizeof(typename T::Shared));
  const long group = a.heads / a.kv_heads;
  const long tiles = (a.query_length * group + kRows - 1) / kRows;
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y / tiles * group);
  const long first_row = blockIdx.y % tiles * kRows, rows = s.queries * group;
  if (first_row >= rows) {
    return;
  }
  const long last_row = first_row + kRows < rows ? first_row + kRows : rows;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  const Keys keys = keys_of(a, s, first_row / group, (last_row - 1) / group + 1);
  // Splits are whole rounds of all warps.
  constexpr int kRound = kKeys * T::kWarps;
  const long rounds = (keys.end - keys.begin + kRound - 1) / kRound;
  const long each = (rounds + gridDim.x - 1) / gridDim.x;
  const long begin = keys.begin + blockIdx.x * each * kRound;
  const long limit = begin + each * kRound < keys.end ? begin + each * kRound : keys.end;

  for (int n = threadIdx.x; n < kRows * T::kSize / 8; n += T::kThreads) {
    const int r = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const bool valid = first_row + r < rows && column < a.head_size;
    const Row row = row_at(a, s, valid ? first_row + r : 0);
    copy_async_16(shared->query + r * T::kRow + column,
                  static_cast<const uint16_t*>(a.query) +
                      (valid ? query_row(a, row.s, a.query_strides, row.query) + column : 0),
                  valid);
  }
  long j0 = begin + warp * kKeys;
  load_stage<T>(a, s, &shared->stage[warp][0], j0, limit);
  copy_async_wait<0>();
  sync_block();

  const Row mine[2] = {row_at(a, s, first_row + lane / 4), row_at(a, s, first_row + lane / 4 + 8)};
  float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0};
  float sums[T::kSize / 8][4] = {};
  for (int step = 0; j0 < limit; step++, j0 += kRound) {
    if (j0 + kRound < limit) {
      load_stage<T>(a, s, &shared->stage[warp][(step + 1) % kStages], j0 + kRound, limit);
    } else {
      copy_async_commit();
    }
    copy_async_wait<1>();
    // The other lanes' copies are there.
    sync_warp();
    const typename T::Stage* stage = &shared->stage[warp][step % kStages];
    float scores[2][4] = {};
#pragma unroll
    for (int d = 0; d < T::kSize; d += 16) {
      uint32_t q[4], k[4];
      ldmatrix_x4(q, shared->query + lane % 16 * T::kRow + d + lane / 16 * 8);
      ldmatrix_x4(k, stage->key + (lane / 16 * 8 + lane % 8) * T::kRow + d + lane / 8 % 2 * 8);
      multiply_add<Bf16>(scores[0], q, k);
      multiply_add<Bf16>(scores[1], q, k + 2);
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float largest = top[half];
#pragma unroll
      for (int n = 0; n < 2; n++) {
#pragma unroll
        for (int q = 2 * half; q < 2 * half + 2; q++) {
          const long i = mine[half].query, j = j0 + n * 8 + lane % 4 * 2 + q % 2;
          scores[n][q] = i < s.queries && j < limit && sees(a, s, i, j)
                             ? score_of(a, mine[half].s, i, j, scores[n][q])
                             : -INFINITY;
          largest = larger(largest, scores[n][q]);
        }
      }
      largest = larger(largest, shuffle_xor(largest, 1));
      largest = larger(largest, shuffle_xor(largest, 2));
      const float base = largest == -INFINITY ? 0 : largest;
      const float correction = exp2_approximate((top[half] - base) * kLog2E);
      top[half] = largest;
      total[half] *= correction;
#pragma unroll
      for (int n = 0; n < 2; n++) {
#pragma unroll
        for (int q = 2 * half; q < 2 * half + 2; q++) {
          const float p = exp2_approximate((scores[n][q] - base) * kLog2E);
          total[half] += p;
          scores[n][q] = a.kept == 1 ? p
                                     : drop(a, mine[half].s, mine[half].query,
                                            j0 + n * 8 + lane % 4 * 2 + q % 2, p);
        }
      }
#pragma unroll
      for (int d = 0; d < T::kSize / 8; d++) {
        sums[d][2 * half] *= correction;
        sums[d][2 * half + 1] *= correction;
      }
    }
    const uint32_t p[4] = {
        pack(scores[0][0], scores[0][1], Bf16), pack(scores[0][2], scores[0][3], Bf16),
        pack(scores[1][0], scores[1][1], Bf16), pack(scores[1][2], scores[1][3], Bf16)};
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d += 2) {
      uint32_t v[4];
      ldmatrix_x4_transposed(v, stage->value + lane % 16 * T::kRow + d * 8 + lane / 16 * 8);
      multiply_add<Bf16>(sums[d], p, v);
      multiply_add<Bf16>(sums[d + 1], p, v + 2);
    }
    // Nobody reads this stage any more when it is written again.
    sync_warp();
  }
  copy_async_wait<0>();

#pragma unroll
  for (int half = 0; half < 2; half++) {
    total[half] += shuffle_xor(total[half], 1);
    total[half] += shuffle_xor(total[half], 2);
    const int r = lane / 4 + 8 * half;
    if (lane % 4 == 0) {
      shared->top[warp][r] = top[half];
      shared->total[warp][r] = total[half];
    }
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d++) {
      shared->sums[warp][r][d * 8 + lane % 4 * 2] = sums[d][2 * half];
      shared->sums[warp][r][d * 8 + lane % 4 * 2 + 1] = sums[d][2 * half + 1];
    }
  }
  sync_block();
  const bool whole = gridDim.x == 1;
  for (int n = threadIdx.x; n < kRows * T::kSize; n += T::kThreads) {
    const int r = n / T::kSize, column = n % T::kSize;
    if (first_row + r >= rows || (column >= a.value_head_size && column > 0)) {
      continue;
    }
    const Row row = row_at(a, s, first_row + r);
    float largest = whole && a.sinks != nullptr ? a.sinks[row.s.head] : -INFINITY;
    const float sink = largest;
    for (int w = 0; w < T::kWarps; w++) {
      largest = larger(largest, shared->top[w][r]);
    }
    float all = rescale(sink, largest), sum = 0;
    for (int w = 0; w < T::kWarps; w++) {
      const float factor = rescale(shared->top[w][r], largest);
      all += factor * shared->total[w][r];
      sum += factor * shared->sums[w][r][column];
    }
    if (!whole) {
      const long place = partial_row(a, row, blockIdx.x, gridDim.x);
      if (column < a.value_head_size) {
        partial[place * a.value_head_size + column] = sum;
      }
      if (column == 0) {
        stats[2 * place] = largest;
        stats[2 * place + 1] = all;
      }
      continue;
    }
    if (column < a.value_head_size) {
      const long to = query_row(a, row.s, a.output_strides, row.query);
      store(a.output, to + column, a.dtype, all == 0 ? 0 : sum / all);
    }
    if (column == 0 && a.lse != nullptr) {
      a.lse[row_of(a, row.s, row.query)] = all == 0 ? -INFINITY : largest + logf(all);
    }
  }
}

// Grid: (splits, kv_heads * tiles of 16 rows, batch). partial is F32 [batch, heads, query_length,
// splits, value_head_size], stats F32 [batch, heads, query_length, splits, 2]: a split's largest
// score, and its sum of exponentials. With one split neither is used.
#define GATUN_DECODE(name, size, warps, bf16)                    \
  extern "C" __global__ void __launch_bounds__(warps* kWarpSize) \
      name(const Attention a, float* partial, float* stats) {    \
    decode<Tile<size, warps>, bf16>(a, partial, stats);          \
  }

GATUN_DECODE(attention_decode_bf16_64, 64, 4, true)
GATUN_DECODE(attention_decode_bf16_128, 128, 4, true)
GATUN_DECODE(attention_decode_bf16_256, 256, 2, true)
GATUN_DECODE(attention_decode_f16_64, 64, 4, false)
GATUN_DECODE(attention_decode_f16_128, 128, 4, false)
GATUN_DECODE(attention_decode_f16_256, 256, 2, false)

// Joins the splits. Grid: (query_length, heads, batch).
extern "C" __global__ void __launch_bounds__(64)
    attention_combine(const Attention a, const float* partial, const float* stats, long splits) {
  const Row row = {static_cast<long>(blockIdx.x), sequence(a, blockIdx.z, blockIdx.y)};
  if (row.query >= row.s.queries) {
    return;
  }
  const float sink = a.sinks == nullptr ? -INFINITY : a.sinks[row.s.head];
  const long first = partial_row(a, row, 0, splits);
  float largest = sink;
  for (long split = 0; split < splits; split++) {
    largest = larger(largest, stats[2 * (first + split)]);
  }
  float all = rescale(sink, largest);
  for (long split = 0; split < splits; split++) {
    all += rescale(stats[2 * (first + split)], largest) * stats[2 * (first + split) + 1];
  }
  const long to = query_row(a, row.s, a.output_strides, row.query);
  for (long column = threadIdx.x; column < a.value_head_size; column += blockDim.x) {
    float sum = 0;
    for (long split = 0; split < splits; split++) {
      sum += rescale(stats[2 * (first + split)], largest) *
             partial[(first + split) * a.value_head_size + column];
    }
    store(a.output, to + column, a.dtype, all == 0 ? 0 : sum / all);
  }
  if (threadIdx.x == 0 && a.lse != nullptr) {
    a.lse[row_of(a, row.s, row.query)] = all == 0 ? -INFINITY : largest + logf(all);
  }
}
