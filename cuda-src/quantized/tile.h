// What tiles of products with codes have in common: stages that asynchronous copies fill, and sums
// of several warps and blocks that become one.
#ifndef GATUN_QUANTIZED_TILE_H
#define GATUN_QUANTIZED_TILE_H

#include "quantized/places.h"
#include "quantized/split_k.h"
#include "quantized/tile_shapes.h"

namespace gatun {

// Adds four neighbours of the residual, or those that there are.
static __device__ __forceinline__ void add_residual(const QuantizedProduct& p, float* sums,
                                                    long row, long column) {
  const long place = row * p.residual_stride + column;
  float residual[4] = {};
  if (p.wide_y != 0 && column + 4 <= p.n) {
    if (p.y_dtype == kF32) {
      load_vector<4>(p.residual, place, kF32, residual);
    } else {
      const uint64_t words =
          *reinterpret_cast<const uint64_t*>(static_cast<const uint16_t*>(p.residual) + place);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        residual[i] = from_bits(static_cast<uint32_t>(words >> (16 * i)) & 0xffff, p.y_dtype);
      }
    }
  } else {
    for (int i = 0; i < 4 && column + i < p.n; i++) {
      residual[i] = load(p.residual, place + i, p.y_dtype);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    sums[i] += residual[i];
  }
}

// Not inlined, for it is called from as many places as a thread has sums.
static __device__ GATUN_NOINLINE void finish_sums(const QuantizedProduct& p, const float* bias,
                                                  float* sums, long row, long column) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float more = bias == nullptr || column + i >= p.n ? 0 : bias[column + i];
    sums[i] = activate(bias == nullptr ? sums[i] : sums[i] + more, p.activation);
  }
  if (p.residual != nullptr) {
    add_residual(p, sums, row, column);
  }
  const long place = row * p.y_stride + column;
  if (p.wide_y != 0 && column + 4 <= p.n) {
    if (p.y_dtype == kF32) {
      Words words;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        words.word[i] = word_of(sums[i]);
      }
      *reinterpret_cast<Words*>(static_cast<float*>(p.y) + place) = words;
    } else {
      uint64_t words = 0;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        words |= static_cast<uint64_t>(to_bits(sums[i], p.y_dtype)) << (16 * i);
      }
      *reinterpret_cast<uint64_t*>(static_cast<uint16_t*>(p.y) + place) = words;
    }
    return;
  }
  for (int i = 0; i < 4 && column + i < p.n; i++) {
    store(p.y, place + i, p.y_dtype, sums[i]);
  }
}

// The scales of a stage's tokens, of x in blocks of 32.
template <int Blocks, int Tokens>
struct TokenScales {
  float x_scale[Blocks][Tokens];
};
template <int Blocks>
struct TokenScales<Blocks, 0> {};

// A block has a warp for each panel, slice and side: it takes the panel's features, its slice of a
// stage's input features, and its side of the tokens, 8 x kTokenTiles of them. X is an element of
// x, Shape one of tile_shapes.h.
template <class X, class Shape>
struct QuantizedTile {
  static constexpr bool kInteger = sizeof(X) == 1;
  static constexpr int kBits = Shape::kBits, kTokens = Shape::kTokens;
  static constexpr int kSlices = Shape::kWarpsK, kSides = Shape::kWarpsM;
  static constexpr int kPanels = 4, kDepth = Shape::kDepth, kStages = Shape::kStages;
  static constexpr int kWarps = kPanels * kSlices * kSides, kThreads = 32 * kWarps;
  static constexpr int kTokenTiles = kTokens / 8 / kSides, kFeatures = kPanels * kPanelFeatures;
  // Of a multiprocessor: the large ones have all of its registers.
  static constexpr int kBlocks = kTokenTiles < 4 ? 2 : 1;
  // Input features in 64 bytes of x: a row of a chunk of a stage.
  static constexpr int kChunk = 64 / static_cast<int>(sizeof(X)), kChunks = kDepth / kChunk;
  static constexpr int kRows = kDepth * kBits / 32;
  // Groups of 32 with two numbers, or of 16 with one, need the most.
  static constexpr int kHeader = 8 * kDepth;
  struct Stage : TokenScales<kDepth / 32, kInteger ? kTokens : 0> {
    unsigned char x[kChunks][kTokens][64];
    unsigned char w[kPanels][kRows][kRowBytes];
    unsigned char h[kPanels][kHeader];
  };
  struct Sums {
    float sum[kSlices == 1 ? 1 : kWarps][2 * kTokenTiles * 4][32];
  };
  union Shared {
    Stage stage[kStages];
    Sums sums;
  };

  // Where warp's work lies.
  static __device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / 32; }
  static __device__ __forceinline__ int panel() { return warp() % kPanels; }
  static __device__ __forceinline__ int slice() { return warp() / kPanels % kSlices; }
  static __device__ __forceinline__ int side() { return warp() / (kPanels * kSlices); }

  // Where 16 bytes of x lie: of a chunk's token `first + g`, `first` a multiple of 8. Rows
  // alternate between the halves of a bank line, and pairs of rows and parts between places in it,
  // so that neither what eight lanes read nor what they write at once meets in a bank.
  static __device__ __forceinline__ unsigned char* x_at(Stage* stage, int chunk, int first, int g,
                                                        int part) {
    return stage->x[chunk][first] + 64 * (g ^ (chunk & 1)) + 16 * (part ^ (g & 2));
  }

  // A word of the four features 4 chunk and on, in an order that lets the rows of four lanes t lie
  // in different banks.
  static __device__ __forceinline__ unsigned char* w_at(Stage* stage, int panel, int row,
                                                        int chunk) {
    const int turn = kBits == 8 && kInteger ? row / 2 : row;
    return stage->w[panel][row] + 16 * (chunk ^ (turn % 4 * 2));
  }

  // What a thread copies in each stage: the same places of it, a stage further on.
  template <class Places>
  struct Copies {
    static constexpr int kPieces = kDepth * static_cast<int>(sizeof(X)) / 16;
    static constexpr int kTokenStep = kThreads / kPieces;
    static constexpr int kPanelStep = kThreads / (kRows * kRowChunks);
    static constexpr int kTokenCopies = (kTokens + kTokenStep - 1) / kTokenStep;
    static_assert(kTokenStep % 8 == 0 && kPanelStep >= 1 && kThreads >= 256, "a thread's places");

    const unsigned char* x;
    const unsigned char* w;
    const unsigned char* h;
    int tokens, panels, piece, token, panel, row, chunk, h_panel, h_place, h_element;
    // The rows of x of the thread's tokens, and of the one whose scales it copies, where these lie
    // anywhere.
    int sources[Places::kGrouped ? kTokenCopies : 1], scale_source;

    __device__ __forceinline__ Copies(const QuantizedProduct& p, const Places& places,
                                      long panel0) {
      const int i = static_cast<int>(threadIdx.x);
      piece = i % kPieces;
      token = i / kPieces;
      const long m0 = places.begin, there = places.end - m0;
      tokens = there < kTokens ? static_cast<int>(there) : kTokens;
      x = static_cast<const unsigned char*>(p.x) + piece * 16;
      if constexpr (Places::kGrouped) {
#pragma unroll
        for (int c = 0; c < kTokenCopies; c++) {
          const int place = c * kTokenStep + token;
          sources[c] = place < tokens ? places.source(m0 + place) : -1;
        }
        scale_source = i % kTokens < tokens ? places.source(m0 + i % kTokens) : -1;
      } else {
        x += (m0 + token) * p.x_stride * static_cast<long>(sizeof(X));
      }
      const long left = (p.n + kPanelFeatures - 1) / kPanelFeatures - panel0;
      panels = left < kPanels ? static_cast<int>(left) : kPanels;
      chunk = i % kRowChunks;
      row = i / kRowChunks % kRows;
      panel = i / (kRows * kRowChunks);
      const int header = header_bytes(p.scales);
      // A stage begins with a group, or lies in one.
      const int element = row * (32 / kBits);
      const bool several = p.shift < 16 && kDepth >> p.shift > 1;
      const int group = several ? element >> p.shift : 0;
      const int inside = several ? element - (group << p.shift) : element;
      const unsigned char* packed = places.packed + panel0 * p.panel;
      w = packed + panel * p.panel + group * p.record + header + inside / (32 / kBits) * kRowBytes +
          chunk * 16;
      const int pieces = header / 16, groups = several ? kDepth >> p.shift : 1;
      h_panel = i / (groups * pieces);
      const int h_group = i / pieces % groups, h_piece = i % pieces;
      h = packed + h_panel * p.panel + h_group * p.record + h_piece * 16;
      h_place = h_group * header + h_piece * 16;
      h_element = several ? h_group << p.shift : 0;
    }

    // Begins to copy the input features from k0 on.
    __device__ __forceinline__ void begin(Stage* stage, const QuantizedProduct& p,
                                          const Places& places, long k0) const {
      const int left = p.k - k0 < kDepth ? static_cast<int>(p.k - k0) : kDepth;
      const long g = k0 >> p.shift;
      const long at_h = g * p.record;
      const long at_w = at_h + (k0 - (g << p.shift)) / (32 / kBits) * kRowBytes;
      const long at_x = k0 * static_cast<long>(sizeof(X));
      const bool x_there = piece * (16 / static_cast<int>(sizeof(X))) < left;
#pragma unroll
      for (int first = 0; first < kTokens; first += kTokenStep) {
        if (kTokenStep <= kTokens || token < kTokens) {
          const int source = Places::kGrouped ? sources[first / kTokenStep] : first;
          const bool valid = x_there && (Places::kGrouped ? source >= 0 : first + token < tokens);
          copy_async_16(x_at(stage, piece / 4, first + token / 8 * 8, token % 8, piece % 4),
                        valid ? x + source * p.x_stride * static_cast<long>(sizeof(X)) + at_x : p.x,
                        valid);
        }
      }
      const bool w_there = row * (32 / kBits) < left;
#pragma unroll
      for (int first = 0; first < kPanels; first += kPanelStep) {
        const bool valid = w_there && first + panel < panels;
        copy_async_16(w_at(stage, first + panel, row, chunk),
                      valid ? w + first * p.panel + at_w : p.packed, valid);
      }
      if (h_panel < kPanels) {
        const bool valid = h_element < left && h_panel < panels;
        copy_async_16(stage->h[h_panel] + h_place, valid ? h + at_h : p.packed, valid);
      }
      if constexpr (kInteger && Places::kGrouped) {
        static_assert(kDepth / 32 * kTokens <= kThreads, "a scale of x a thread");
        const int i = threadIdx.x, block = i / kTokens;
        if (p.blocks != 0 && i < kDepth / 32 * kTokens) {
          const bool valid = scale_source >= 0 && 32 * block < left;
          copy_async_4(&stage->x_scale[0][0] + i,
                       p.x_scales + (valid ? (k0 / 32 + block) * p.padded_rows + scale_source : 0),
                       valid);
        }
      } else if constexpr (kInteger) {
        for (int i = threadIdx.x; p.blocks != 0 && i < kDepth / 32 * kTokens / 4; i += kThreads) {
          const int block = i / (kTokens / 4), four = i % (kTokens / 4) * 4;
          const bool valid = 32 * block < left;
          copy_async_16(
              &stage->x_scale[block][four],
              p.x_scales + (valid ? (k0 / 32 + block) * p.padded_rows + places.begin + four : 0),
              valid);
        }
      }
      copy_async_commit();
    }
  };

  // Calls work(stage, k0) for each of the block's stages, and waits for all copies.
  template <class Places, class Work>
  static __device__ __forceinline__ void each_stage(Shared* shared, const QuantizedProduct& p,
                                                    const Places& places, Work work) {
    const long panel0 = static_cast<long>(blockIdx.x) * kPanels;
    const Copies<Places> copies(p, places, panel0);
    const long all = (p.k + kDepth - 1) / kDepth;
    const long begin = all * blockIdx.z / gridDim.z;
    const int stages = static_cast<int>(all * (blockIdx.z + 1) / gridDim.z - begin);
    // A group is committed for each stage, empty past the last, so that the count of groups that
    // may be under way is always the same.
    for (int ahead = 0; ahead < kStages - 1; ahead++) {
      if (ahead < stages) {
        copies.begin(&shared->stage[ahead], p, places, (begin + ahead) * kDepth);
      } else {
        copy_async_commit();
      }
    }
    for (int step = 0; step < stages; step++) {
      copy_async_wait<kStages - 2>();
      // Everyone's part of this stage is there, and everyone is done with the one before it.
      sync_block();
      const int next = step + kStages - 1;
      if (next < stages) {
        copies.begin(&shared->stage[next % kStages], p, places, (begin + next) * kDepth);
      } else {
        copy_async_commit();
      }
      work(&shared->stage[step % kStages], (begin + step) * kDepth);
    }
    copy_async_wait<0>();
  }

  // Adds the slices' and the blocks' sums in their order. Whether this thread has the result.
  // Experts' blocks share no tile: there are as many tiles as experts, and more.
  template <class Places, class Kind>
  static __device__ __forceinline__ bool join(Shared* shared, const QuantizedProduct& p,
                                              const Places&, float* sums, Kind kind) {
    constexpr int kCount = 2 * kTokenTiles * 4;
    const int lane = threadIdx.x % 32;
    const auto get = [&](int i) { return word_of(sums[i]); };
    const auto set = [&](int i, uint32_t word) { sums[i] = float_of(word); };
    if (kSlices > 1) {
      sync_block();
      if (slice() > 0) {
        for (int i = 0; i < kCount; i++) {
          shared->sums.sum[warp()][i][lane] = sums[i];
        }
      }
      sync_block();
      if (slice() == 0) {
        for (int s = 1; s < kSlices; s++) {
#pragma unroll
          for (int i = 0; i < kCount; i++) {
            set(i, kind.plus(get(i), word_of(shared->sums.sum[warp() + s * kPanels][i][lane])));
          }
        }
      }
    }
    if (slice() != 0) {
      return false;
    }
    if (Places::kGrouped || gridDim.z == 1) {
      return true;
    }
    constexpr int kWarpsWithSums = kPanels * kSides;
    static_assert(kWarpsWithSums <= kTileCounters, "a counter for each");
    return join_splits<kCount>(p, side() * kPanels + panel(), kWarpsWithSums, kind, get, set);
  }

  // Calls work(row, column, sums) for the four neighbouring features of each of the lane's tokens.
  template <class Places, class Work>
  static __device__ __forceinline__ void each_four(const QuantizedProduct& p, const Places& places,
                                                   const float* sums, Work work) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const long m0 = places.begin + side() * 8 * kTokenTiles;
    const long column =
        (static_cast<long>(blockIdx.x) * kPanels + panel()) * kPanelFeatures + 4 * g;
#pragma unroll
    for (int j = 0; j < kTokenTiles; j++) {
#pragma unroll
      for (int q = 0; q < 2; q++) {
        const long row = m0 + 8 * j + 2 * t + q;
        if (row < places.end && column < p.n) {
          // Of tile u of features, rows g and g + 8.
          float four[4];
#pragma unroll
          for (int f = 0; f < 4; f++) {
            four[f] = sums[(f / 2 * kTokenTiles + j) * 4 + f % 2 * 2 + q];
          }
          work(row, column, four);
        }
      }
    }
  }
};

#define GATUN_QUANTIZED_TILE(name, S) \
  GATUN_TILE(name, S::kTokens, S::kFeatures, S::kDepth, sizeof(S::Shared))

}  // namespace gatun

#endif
