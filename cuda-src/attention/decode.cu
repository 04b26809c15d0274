// Attention of few queries over many keys, as in decoding: bound by the reading of the cache. The
// query heads of a group are the rows of one tile, so that their keys and values are read once
// (grouped-query attention, arXiv 2305.13245). Keys are split over blocks, and over the warps of a
// block, each with an online softmax of its own; attention_combine joins what the blocks found in
// their order, so the result is the same every time (Flash-Decoding, Dao et al., 2023).
#include "attention/fragments.h"
#include "block_reduce.h"

using namespace gatun;

constexpr int kRows = 16, kKeys = 16, kStages = 2;

template <int Size, int Warps, bool Coded, bool Bf16>
struct Tile {
  static constexpr int kSize = Size, kWarps = Warps, kThreads = Warps * kWarpSize;
  // Whether keys and values are signed bytes, and what they become.
  static constexpr bool kCoded = Coded, kBf16 = Bf16;
  static constexpr int kRow = Size + 8;
  struct Stage {
    uint16_t key[kKeys * kRow];
    uint16_t value[kKeys * kRow];
  };
  // A warp's sums take the place of its stages when all of its keys are read. Padded so that its
  // pairs lie in different banks.
  union Memory {
    Stage stage[kStages];
    float sums[kRows][Size + 8];
  };
  struct Shared {
    uint16_t query[kRows * kRow];
    Memory of[Warps];
    float top[Warps][kRows];
    float total[Warps][kRows];
  };
};

// A row of the tile is a query and one of the heads that share the keys.
static __device__ __forceinline__ ScoreRow row_at(const Attention& a, const Sequence& s, int row) {
  const int group = group_of(a);
  return score_row(a, s, s.kv_head * group + row % group, row / group);
}

// Where a row's sums of one split lie.
static __device__ __forceinline__ long partial_row(const Attention& a, const Sequence& s, int head,
                                                   int query, long split, long splits) {
  return row_of(a, s, head, query) * splits + split;
}

template <class T>
static __device__ __forceinline__ void load_stage(const Attention& a, const Sequence& s,
                                                  typename T::Stage* stage, int first, int end) {
  constexpr int kUnits = T::kSize / 8;  // of 16 bytes in a row
  const int lane = threadIdx.x % kWarpSize, column = lane % kUnits * 8;
  for (int row = lane / kUnits; row < kKeys; row += kWarpSize / kUnits) {
    const int j = first + row;
    const bool there = j < end, seen = there && !is_masked(a, s, j);
    const bool key = there && column < a.head_size, value = seen && column < a.value_head_size;
    const Token token = there ? token_of(a, s, j) : Token{0, 0};
    if (T::kCoded) {
      copy_codes<T::kBf16>(a, s, {a.key, a.key_strides, a.key_scales}, token, column, key,
                           stage->key + row * T::kRow + column);
      copy_codes<T::kBf16>(a, s, {a.value, a.value_strides, a.value_scales}, token, column, value,
                           stage->value + row * T::kRow + column);
      continue;
    }
    copy_async_16(
        stage->key + row * T::kRow + column,
        static_cast<const uint16_t*>(a.key) + (key ? key_row(s, a.key_strides, token) + column : 0),
        key);
    copy_async_16(stage->value + row * T::kRow + column,
                  static_cast<const uint16_t*>(a.value) +
                      (value ? key_row(s, a.value_strides, token) + column : 0),
                  value);
  }
  copy_async_commit();
}

// The factor that a sum relative to one maximum has relative to another; both may be -inf.
static __device__ __forceinline__ float rescale(float from, float to) {
  return from == -INFINITY ? 0 : exp2f(from - to);
}

// Writes four columns of a row of the output.
static __device__ __forceinline__ void store_quad(const Attention& a, long place, const Quad& sums,
                                                  float total) {
  float x[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    x[i] = total == 0 ? 0 : sums.x[i] / total;
  }
  // Head sizes and strides are multiples of 8.
  *reinterpret_cast<Halves*>(static_cast<uint16_t*>(a.output) + place) = {
      pack(x[0], x[1], a.dtype == kBf16), pack(x[2], x[3], a.dtype == kBf16)};
}

template <class T>
static __device__ __forceinline__ void decode(const Attention& a, float* partial, float* stats) {
  constexpr bool Bf16 = T::kBf16;
  typename T::Shared* shared = shared_memory<typename T::Shared>(sizeof(typename T::Shared));
  const int group = group_of(a);
  const int tiles = (static_cast<int>(a.query_length) * group + kRows - 1) / kRows;
  const Sequence s = sequence(
      a, blockIdx.z, blockIdx.y / static_cast<unsigned>(tiles) * static_cast<unsigned>(group));
  const int first_row = static_cast<int>(blockIdx.y) % tiles * kRows, rows = s.queries * group;
  if (first_row >= rows) {
    return;
  }
  const int last_row = first_row + kRows < rows ? first_row + kRows : rows;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize, lane = threadIdx.x % kWarpSize;
  const int first_query = first_row / group, last_query = (last_row - 1) / group;
  // Splits are whole rounds of all warps.
  constexpr int kRound = kKeys * T::kWarps;
  const Keys keys = split_of(keys_of(a, s, first_query, last_query + 1), kRound,
                             static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x));

  for (int n = threadIdx.x; n < kRows * T::kSize / 8; n += T::kThreads) {
    const int r = n / (T::kSize / 8), column = n % (T::kSize / 8) * 8;
    const bool valid = first_row + r < rows && column < a.head_size;
    const int row = valid ? first_row + r : 0;
    copy_async_16(shared->query + r * T::kRow + column,
                  static_cast<const uint16_t*>(a.query) +
                      (valid ? query_row(a, s, s.kv_head * group + row % group, a.query_strides,
                                         row / group) +
                                   column
                             : 0),
                  valid);
  }
  typename T::Memory* memory = &shared->of[warp];
  int j0 = keys.begin + warp * kKeys;
  load_stage<T>(a, s, &memory->stage[0], j0, keys.end);
  copy_async_wait<0>();
  sync_block();

  const Scores softened(a, s, row_at(a, s, first_row + lane / 4),
                        row_at(a, s, first_row + lane / 4 + 8),
                        keys_of(a, s, last_query, first_query + 1));
  OnlineSoftmax softmax;
  float sums[T::kSize / 2] = {};
  for (int step = 0; j0 < keys.end; step++, j0 += kRound) {
    if (j0 + kRound < keys.end) {
      load_stage<T>(a, s, &memory->stage[(step + 1) % kStages], j0 + kRound, keys.end);
    } else {
      copy_async_commit();
    }
    copy_async_wait<1>();
    // The other lanes' copies are there.
    sync_warp();
    const typename T::Stage* stage = &memory->stage[step % kStages];
    float scores[kKeys / 2] = {}, correction[2];
#pragma unroll
    for (int d = 0; d < T::kSize; d += 16) {
      uint32_t q[4], k[4];
      ldmatrix_x4(q, shared->query + lane % 16 * T::kRow + d + lane / 16 * 8);
      ldmatrix_x4(k, stage->key + (lane / 16 * 8 + lane % 8) * T::kRow + d + lane / 8 % 2 * 8);
      multiply_add<Bf16>(scores, q, k);
      multiply_add<Bf16>(scores + 4, q, k + 2);
    }
    softened.soften<kKeys, true>(&softmax, j0, scores, correction);
#pragma unroll
    for (int d = 0; d < T::kSize / 2; d++) {
      sums[d] *= correction[d / 2 % 2];
    }
    const uint32_t p[4] = {pack(scores[0], scores[1], Bf16), pack(scores[2], scores[3], Bf16),
                           pack(scores[4], scores[5], Bf16), pack(scores[6], scores[7], Bf16)};
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d += 2) {
      uint32_t v[4];
      ldmatrix_x4_transposed(v, stage->value + lane % 16 * T::kRow + d * 8 + lane / 16 * 8);
      multiply_add<Bf16>(sums + 4 * d, p, v);
      multiply_add<Bf16>(sums + 4 * d + 4, p, v + 2);
    }
    // Nobody reads this stage any more when it is written again.
    sync_warp();
  }
  copy_async_wait<0>();

  softmax.join();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = lane / 4 + 8 * half;
    if (lane % 4 == 0) {
      shared->top[warp][r] = softmax.top[half];
      shared->total[warp][r] = softmax.total[half];
    }
#pragma unroll
    for (int d = 0; d < T::kSize / 8; d++) {
      *reinterpret_cast<Pair*>(&memory->sums[r][d * 8 + first_column()]) = {
          sums[4 * d + 2 * half], sums[4 * d + 2 * half + 1]};
    }
  }
  sync_block();

  // A few threads have a row each.
  constexpr int kShare = T::kThreads / kRows;
  const int r = static_cast<int>(threadIdx.x) / kShare, part = threadIdx.x % kShare;
  if (first_row + r >= rows) {
    return;
  }
  const int head = s.kv_head * group + (first_row + r) % group;
  const int query = (first_row + r) / group;
  const bool whole = gridDim.x == 1;
  const float sink = whole && a.sinks != nullptr ? a.sinks[head] * kLog2E : -INFINITY;
  float largest = sink;
#pragma unroll
  for (int w = 0; w < T::kWarps; w++) {
    largest = fmaxf(largest, shared->top[w][r]);
  }
  float total = rescale(sink, largest), factors[T::kWarps];
#pragma unroll
  for (int w = 0; w < T::kWarps; w++) {
    factors[w] = rescale(shared->top[w][r], largest);
    total += factors[w] * shared->total[w][r];
  }
  const long place = partial_row(a, s, head, query, blockIdx.x, gridDim.x);
  for (int column = part * 4; column < a.value_head_size; column += kShare * 4) {
    Quad sum = {};
#pragma unroll
    for (int w = 0; w < T::kWarps; w++) {
      const Quad of = *reinterpret_cast<const Quad*>(&shared->of[w].sums[r][column]);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        sum.x[i] += factors[w] * of.x[i];
      }
    }
    if (whole) {
      store_quad(a, query_row(a, s, head, a.output_strides, query) + column, sum, total);
    } else {
      *reinterpret_cast<Quad*>(partial + place * a.value_head_size + column) = sum;
    }
  }
  if (part == 0 && !whole) {
    *reinterpret_cast<Pair*>(stats + 2 * place) = {largest, total};
  } else if (part == 0 && a.lse != nullptr) {
    a.lse[row_of(a, s, head, query)] = log_sum(largest, total);
  }
}

// Grid: (splits, kv_heads * tiles of 16 rows, batch). partial is F32 [batch, heads, query_length,
// splits, value_head_size], stats F32 [batch, heads, query_length, splits, 2]: a split's largest
// score in units of log2, and its sum of 2^(score - largest). With one split neither is used.
#define GATUN_DECODE(name, size, warps, coded, bf16)                 \
  GATUN_SHARED(name, sizeof(Tile<size, warps, coded, bf16>::Shared)) \
  extern "C" __global__ void __launch_bounds__(warps* kWarpSize)     \
      name(const Attention a, float* partial, float* stats) {        \
    decode<Tile<size, warps, coded, bf16>>(a, partial, stats);       \
  }

// kernels.list: attention_decode_bf16_64 128 {Attention}pp 39680
// kernels.list: attention_decode_bf16_128 128 {Attention}pp 74496
// kernels.list: attention_decode_bf16_256 64 {Attention}pp 76288
// kernels.list: attention_decode_f16_64 128 {Attention}pp 39680
// kernels.list: attention_decode_f16_128 128 {Attention}pp 74496
// kernels.list: attention_decode_f16_256 64 {Attention}pp 76288
// kernels.list: attention_decode_bf16_64_codes 128 {Attention}pp 39680
// kernels.list: attention_decode_bf16_128_codes 128 {Attention}pp 74496
// kernels.list: attention_decode_bf16_256_codes 64 {Attention}pp 76288
// kernels.list: attention_decode_f16_64_codes 128 {Attention}pp 39680
// kernels.list: attention_decode_f16_128_codes 128 {Attention}pp 74496
// kernels.list: attention_decode_f16_256_codes 64 {Attention}pp 76288
GATUN_DECODE(attention_decode_bf16_64, 64, 4, false, true)
GATUN_DECODE(attention_decode_bf16_128, 128, 4, false, true)
GATUN_DECODE(attention_decode_bf16_256, 256, 2, false, true)
GATUN_DECODE(attention_decode_f16_64, 64, 4, false, false)
GATUN_DECODE(attention_decode_f16_128, 128, 4, false, false)
GATUN_DECODE(attention_decode_f16_256, 256, 2, false, false)
GATUN_DECODE(attention_decode_bf16_64_codes, 64, 4, true, true)
GATUN_DECODE(attention_decode_bf16_128_codes, 128, 4, true, true)
GATUN_DECODE(attention_decode_bf16_256_codes, 256, 2, true, true)
GATUN_DECODE(attention_decode_f16_64_codes, 64, 4, true, false)
GATUN_DECODE(attention_decode_f16_128_codes, 128, 4, true, false)
GATUN_DECODE(attention_decode_f16_256_codes, 256, 2, true, false)

// Joins the splits in their order; a thread has four columns. Grid: (query_length, heads, batch).
// kernels.list: attention_combine 64 {Attention}ppl
extern "C" __global__ void __launch_bounds__(64)
    attention_combine(const Attention a, const float* partial, const float* stats, long splits) {
  const Sequence s = sequence(a, blockIdx.z, blockIdx.y);
  const int query = static_cast<int>(blockIdx.x), lane = threadIdx.x % kWarpSize;
  if (query >= s.queries) {
    return;
  }
  const long first = partial_row(a, s, s.head, query, 0, splits);
  const float sink = a.sinks == nullptr ? -INFINITY : a.sinks[s.head] * kLog2E;
  float largest = -INFINITY;
  for (long split = lane; split < splits; split += kWarpSize) {
    largest = fmaxf(largest, stats[2 * (first + split)]);
  }
  largest = fmaxf(sink, reduce_warp<Largest>(largest));
  const long column = threadIdx.x * 4L;
  Quad sum = {};
  float total = 0;
  for (long next = 0; next < splits; next += kWarpSize) {
    const long mine = next + lane < splits ? next + lane : splits - 1;
    const Pair found = *reinterpret_cast<const Pair*>(stats + 2 * (first + mine));
    const float factor = rescale(found.x, largest);
    total += next + lane < splits ? factor * found.y : 0;
    const int count = static_cast<int>(splits - next < kWarpSize ? splits - next : kWarpSize);
#pragma unroll 4
    for (int i = 0; i < count; i++) {
      const float its = shuffle(factor, i);
      if (column < a.value_head_size) {
        const Quad of = *reinterpret_cast<const Quad*>(
            partial + (first + next + i) * a.value_head_size + column);
#pragma unroll
        for (int c = 0; c < 4; c++) {
          sum.x[c] += its * of.x[c];
        }
      }
    }
  }
  total = rescale(sink, largest) + reduce_warp<Sum>(total);
  if (column < a.value_head_size) {
    store_quad(a, query_row(a, s, s.head, a.output_strides, query) + column, sum, total);
  }
  if (threadIdx.x == 0 && a.lse != nullptr) {
    a.lse[row_of(a, s, s.head, query)] = log_sum(largest, total);
  }
}
