// Products of BF16 and of F16 by tensor cores: tiles of x and of the packed weight arrive by
// asynchronous copies, several steps ahead.
#include "activation.h"
#include "matmul/groups.h"
#include "matmul/panels.h"

using namespace gatun;

// A block's rows and features, and its warps along each. kernels.list has the former for whoever
// launches a kernel.
struct Tile128x128 {
  static constexpr int kM = 128, kN = 128, kWarpsM = 4, kWarpsN = 2;
};
struct Tile64x64 {
  static constexpr int kM = 64, kN = 64, kWarpsM = 2, kWarpsN = 2;
};
struct Tile16x64 {
  static constexpr int kM = 16, kN = 64, kWarpsM = 1, kWarpsN = 4;
};

template <class Tile>
struct Shape : Tile {
  using Tile::kM, Tile::kN, Tile::kWarpsM, Tile::kWarpsN;
  static constexpr int kDepth = 32, kStages = 3;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  static constexpr int kWarpM = kM / kWarpsM, kWarpN = kN / kWarpsN;
  // Rows are padded so that the rows that a fragment takes lie in different banks.
  static constexpr int kRowA = kDepth + 8;  // In halves.
  static constexpr int kRowB = kN + 8;      // In pairs along k for BF16, in halves for F16.
  struct Stage {
    uint16_t a[kM * kRowA];
    uint32_t b[kDepth / 2 * kRowB];
  };
  struct Shared {
    Stage stage[kStages];
  };
};

// The rows of x that the rows of y up to one are made of.
struct DenseRows {
  const uint16_t* x;
  long stride, end;

  // Where the row begins, or -1 where there is none.
  __device__ __forceinline__ long place(long row) const { return row < end ? row * stride : -1; }
};

struct GroupedRows {
  const uint16_t* x;
  long stride, end;
  const int* rows;  // Null where they are those of y.
  long count;       // Of x's rows.

  __device__ __forceinline__ long place(long row) const {
    if (row >= end) {
      return -1;
    }
    const long from = rows == nullptr ? row : rows[row];
    return from >= 0 && from < count ? from * stride : -1;
  }
};

template <class S, bool Bf16, class Rows>
static __device__ __forceinline__ void load_stage(typename S::Stage* stage, const Rows& rows,
                                                  const uint16_t* packed, long n, long k, long m0,
                                                  long n0, long k0) {
  for (int i = threadIdx.x; i < S::kM * S::kDepth / 8; i += S::kThreads) {
    const int row = i / (S::kDepth / 8), column = i % (S::kDepth / 8) * 8;
    const long place = rows.place(m0 + row);
    const bool valid = place >= 0 && k0 + column < k;
    copy_async_16(stage->a + row * S::kRowA + column, rows.x + (valid ? place + k0 + column : 0),
                  valid);
  }
  // 16 bytes are four pairs of BF16, or eight halves.
  constexpr int kRows = Bf16 ? S::kDepth / 2 : S::kDepth, kChunk = Bf16 ? 4 : 8;
  for (int i = threadIdx.x; i < kRows * S::kN / kChunk; i += S::kThreads) {
    const int row = i / (S::kN / kChunk), column = i % (S::kN / kChunk) * kChunk;
    const long first = Bf16 ? k0 + 2 * row : k0 + row;
    const bool valid = n0 + column < (n + kPanel - 1) / kPanel * kPanel && first < k;
    void* to =
        Bf16 ? static_cast<void*>(stage->b + row * S::kRowB + column)
             : static_cast<void*>(reinterpret_cast<uint16_t*>(stage->b) + row * S::kRowB + column);
    copy_async_16(
        to, packed + (valid ? panel_place(n0 + column, first, k, Bf16 ? kBf16 : kF16) : 0), valid);
  }
  copy_async_commit();
}

template <class S, bool Bf16>
static __device__ __forceinline__ void multiply_stage(
    const typename S::Stage* stage, float sums[S::kWarpM / 16][S::kWarpN / 8][4]) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = threadIdx.x % 32;
  const int row0 = warp / S::kWarpsN * S::kWarpM, column0 = warp % S::kWarpsN * S::kWarpN;
#pragma unroll
  for (int kk = 0; kk < S::kDepth; kk += 16) {
    uint32_t a[S::kWarpM / 16][4], b[S::kWarpN / 8][2];
#pragma unroll
    for (int i = 0; i < S::kWarpM / 16; i++) {
      ldmatrix_x4(a[i], stage->a + (row0 + i * 16 + lane % 16) * S::kRowA + kk + lane / 16 * 8);
    }
    if (Bf16) {
#pragma unroll
      for (int j = 0; j < S::kWarpN / 8; j++) {
        const uint32_t* pairs =
            stage->b + (kk / 2 + lane % 4) * S::kRowB + column0 + j * 8 + lane / 4;
        b[j][0] = pairs[0];
        b[j][1] = pairs[4 * S::kRowB];
      }
    } else {
#pragma unroll
      for (int j = 0; j < S::kWarpN / 8; j += 2) {
        uint32_t r[4];
        ldmatrix_x4_transposed(r, reinterpret_cast<const uint16_t*>(stage->b) +
                                      (kk + lane % 16) * S::kRowB + column0 + j * 8 +
                                      lane / 16 * 8);
        b[j][0] = r[0];
        b[j][1] = r[1];
        b[j + 1][0] = r[2];
        b[j + 1][1] = r[3];
      }
    }
#pragma unroll
    for (int i = 0; i < S::kWarpM / 16; i++) {
#pragma unroll
      for (int j = 0; j < S::kWarpN / 8; j++) {
        if (Bf16) {
          mma_bf16(sums[i][j], a[i], b[j]);
        } else {
          mma_f16(sums[i][j], a[i], b[j]);
        }
      }
    }
  }
}

// Not inlined, for it is called from as many places as a thread has sums.
static __device__ GATUN_NOINLINE void finish(float sum, const float* bias, void* y, int y_dtype,
                                             int activation, long column, long place) {
  store(y, place, y_dtype, activate(bias == nullptr ? sum : sum + bias[column], activation));
}

// The tile of y from row m0 on.
template <class S, bool Bf16, class Rows>
static __device__ __forceinline__ void product(const Rows& rows, const uint16_t* packed,
                                               const float* bias, void* y, int y_dtype,
                                               int activation, long y_stride, long m0, long n,
                                               long k) {
  typename S::Shared* shared = shared_memory<typename S::Shared>(sizeof(typename S::Shared));
  const long n0 = static_cast<long>(blockIdx.x) * S::kN;
  const long steps = (k + S::kDepth - 1) / S::kDepth;
  float sums[S::kWarpM / 16][S::kWarpN / 8][4] = {};
  // A group is committed for each step, empty past the last, so that the count of groups that may
  // be under way is always the same.
  for (int ahead = 0; ahead < S::kStages - 1; ahead++) {
    if (ahead < steps) {
      load_stage<S, Bf16>(&shared->stage[ahead], rows, packed, n, k, m0, n0,
                          static_cast<long>(ahead) * S::kDepth);
    } else {
      copy_async_commit();
    }
  }
  for (long step = 0; step < steps; step++) {
    copy_async_wait<S::kStages - 2>();
    // Everyone's part of this step is there, and everyone is done with the step before it.
    sync_block();
    const long next = step + S::kStages - 1;
    if (next < steps) {
      load_stage<S, Bf16>(&shared->stage[next % S::kStages], rows, packed, n, k, m0, n0,
                          next * S::kDepth);
    } else {
      copy_async_commit();
    }
    multiply_stage<S, Bf16>(&shared->stage[step % S::kStages], sums);
  }
  copy_async_wait<0>();
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < S::kWarpM / 16; i++) {
#pragma unroll
    for (int j = 0; j < S::kWarpN / 8; j++) {
#pragma unroll
      for (int q = 0; q < 4; q++) {
        const long row = m0 + warp / S::kWarpsN * S::kWarpM + i * 16 + lane / 4 + q / 2 * 8;
        const long column = n0 + warp % S::kWarpsN * S::kWarpN + j * 8 + lane % 4 * 2 + q % 2;
        if (row < rows.end && column < n) {
          finish(sums[i][j][q], bias, y, y_dtype, activation, column, row * y_stride + column);
        }
      }
    }
  }
}

// Rows of x and the packed weight are aligned to 16 bytes, k is a multiple of 8. Grid: (n tiles, m
// tiles).
#define GATUN_PRODUCT(name, bf16, Tile)                                                         \
  GATUN_TILE(name, Tile::kM, Tile::kN, Shape<Tile>::kDepth, sizeof(Shape<Tile>::Shared))        \
  extern "C" __global__ void __launch_bounds__(Shape<Tile>::kThreads)                           \
      name(const uint16_t* x, const uint16_t* packed, const float* bias, void* y, int y_dtype,  \
           int activation, long x_stride, long y_stride, long m, long n, long k) {              \
    using S = Shape<Tile>;                                                                      \
    product<S, bf16>(DenseRows{x, x_stride, m}, packed, bias, y, y_dtype, activation, y_stride, \
                     static_cast<long>(blockIdx.y) * S::kM, n, k);                              \
  }

// kernels.list: matmul_bf16_128x128 256 ppppiilllll 56832 128x128x32
// kernels.list: matmul_bf16_64x64 128 ppppiilllll 29184 64x64x32
// kernels.list: matmul_bf16_16x64 128 ppppiilllll 17664 16x64x32
// kernels.list: matmul_f16_128x128 256 ppppiilllll 56832 128x128x32
// kernels.list: matmul_f16_64x64 128 ppppiilllll 29184 64x64x32
// kernels.list: matmul_f16_16x64 128 ppppiilllll 17664 16x64x32
GATUN_PRODUCT(matmul_bf16_128x128, true, Tile128x128)
GATUN_PRODUCT(matmul_bf16_64x64, true, Tile64x64)
GATUN_PRODUCT(matmul_bf16_16x64, true, Tile16x64)
GATUN_PRODUCT(matmul_f16_128x128, false, Tile128x128)
GATUN_PRODUCT(matmul_f16_64x64, false, Tile64x64)
GATUN_PRODUCT(matmul_f16_16x64, false, Tile16x64)

// The same by experts. Grid: (n tiles, as many m tiles as the experts may have).
#define GATUN_GROUPED_PRODUCT(name, bf16, Tile)                                                  \
  GATUN_TILE(name, Tile::kM, Tile::kN, Shape<Tile>::kDepth, sizeof(Shape<Tile>::Shared))         \
  extern "C" __global__ void __launch_bounds__(Shape<Tile>::kThreads)                            \
      name(const uint16_t* x, const int* rows, const int* offsets, const uint16_t* packed,       \
           const float* bias, void* y, int y_dtype, int activation, int experts, long x_rows,    \
           long x_stride, long y_stride, long m, long n, long k) {                               \
    using S = Shape<Tile>;                                                                       \
    const GroupTile tile = group_tile<S::kM>(offsets, experts, m, blockIdx.y);                   \
    if (tile.expert < 0) {                                                                       \
      return;                                                                                    \
    }                                                                                            \
    product<S, bf16>(GroupedRows{x, x_stride, tile.end, rows, x_rows},                           \
                     packed + tile.expert * packed_count(n, k, bf16 ? kBf16 : kF16),             \
                     bias == nullptr ? nullptr : bias + tile.expert * n, y, y_dtype, activation, \
                     y_stride, tile.begin, n, k);                                                \
  }

// kernels.list: grouped_matmul_bf16_128x128 256 ppppppiiillllll 56832 128x128x32
// kernels.list: grouped_matmul_bf16_64x64 128 ppppppiiillllll 29184 64x64x32
// kernels.list: grouped_matmul_bf16_16x64 128 ppppppiiillllll 17664 16x64x32
// kernels.list: grouped_matmul_f16_128x128 256 ppppppiiillllll 56832 128x128x32
// kernels.list: grouped_matmul_f16_64x64 128 ppppppiiillllll 29184 64x64x32
// kernels.list: grouped_matmul_f16_16x64 128 ppppppiiillllll 17664 16x64x32
GATUN_GROUPED_PRODUCT(grouped_matmul_bf16_128x128, true, Tile128x128)
GATUN_GROUPED_PRODUCT(grouped_matmul_bf16_64x64, true, Tile64x64)
GATUN_GROUPED_PRODUCT(grouped_matmul_bf16_16x64, true, Tile16x64)
GATUN_GROUPED_PRODUCT(grouped_matmul_f16_128x128, false, Tile128x128)
GATUN_GROUPED_PRODUCT(grouped_matmul_f16_64x64, false, Tile64x64)
GATUN_GROUPED_PRODUCT(grouped_matmul_f16_16x64, false, Tile16x64)
