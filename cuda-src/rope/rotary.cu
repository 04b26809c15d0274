// Rotary position embedding (Su et al., arXiv 2104.09864), alone and with what follows a
// projection. A token is a block; its heads are cut into pieces, of 16 bytes where all operands are
// aligned for it and of single pairs else, and threads take pieces in turn.
#include <type_traits>

#include "index_fault.h"
#include "token_codes.h"
#include "vectors.h"

using namespace gatun;

template <int Dtype, int N>
static __device__ __forceinline__ void load_piece(const void* x, long i, float* out) {
  if constexpr (N == 1) {
    out[0] = load(x, i, Dtype);
  } else {
    load_vector<N>(x, i, Dtype, out);
  }
}

template <int Dtype, int N>
static __device__ __forceinline__ void store_piece(void* y, long i, const float* in) {
  if constexpr (N == 1) {
    store(y, i, Dtype, in[0]);
  } else {
    store_vector<Dtype>(y, i, in);
  }
}

// Copies numbers as the bits that they are.
template <int Dtype, int N>
static __device__ __forceinline__ void copy_piece(const void* x, long from, void* y, long to) {
  using Bits = std::conditional_t<Dtype == kF32, uint32_t, uint16_t>;
  const Bits* source = static_cast<const Bits*>(x) + from;
  Bits* target = static_cast<Bits*>(y) + to;
  if constexpr (N == 1) {
    *target = *source;
  } else {
    *reinterpret_cast<Words*>(target) = *reinterpret_cast<const Words*>(source);
  }
}

// Walks a token's pieces head by head without a division for each.
struct Walk {
  int head, piece, head_step, piece_step, pieces;

  __device__ __forceinline__ explicit Walk(int pieces) : pieces(pieces) {
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    head = thread / pieces;
    piece = thread % pieces;
    head_step = threads / pieces;
    piece_step = threads % pieces;
  }

  __device__ __forceinline__ void next() {
    head += head_step;
    piece += piece_step;
    if (piece >= pieces) {
      piece -= pieces;
      head++;
    }
  }
};

// The angles of a token, and how heads are rotated by them.
struct Rotation {
  const float* cosine;
  const float* sine;
  int interleaved, pairs, head_size;

  __device__ __forceinline__ Rotation(const float* cosine, const float* sine, long position,
                                      int interleaved, long pairs, long head_size)
      : cosine(cosine + position * pairs),
        sine(sine + position * pairs),
        interleaved(interleaved),
        pairs(static_cast<int>(pairs)),
        head_size(static_cast<int>(head_size)) {}

  // Pieces that are rotated: of neighbours N numbers are one, of halves twice N are.
  template <int N>
  __device__ __forceinline__ int turns() const {
    return interleaved != 0 && N > 1 ? 2 * pairs / N : pairs / N;
  }

  // Pieces of a head, with those behind the pairs, which are copied.
  template <int N>
  __device__ __forceinline__ int pieces() const {
    return turns<N>() + (head_size - 2 * pairs) / N;
  }

  static __device__ __forceinline__ void turn(float& a, float& b, float c, float s) {
    const float x = a, y = b;
    a = x * c - y * s;
    b = y * c + x * s;
  }

  // Of so many pairs, where a multiple of 4 as vectors.
  template <int N>
  static __device__ __forceinline__ void load_angles(const float* table, int pair, float* out) {
    if constexpr (N % 4 == 0) {
      load_vector<N>(table, pair, kF32, out);
    } else {
#pragma unroll
      for (int k = 0; k < N; k++) {
        out[k] = table[pair + k];
      }
    }
  }

  template <int Dtype, int N>
  __device__ __forceinline__ void piece(const void* from, long first_from, void* to, long first_to,
                                        int which) const {
    const int turned = turns<N>();
    if (which >= turned) {
      const int place = 2 * pairs + (which - turned) * N;
      copy_piece<Dtype, N>(from, first_from + place, to, first_to + place);
      return;
    }
    float a[N], b[N];
    if constexpr (N > 1) {
      if (interleaved != 0) {
        const int place = which * N;
        load_piece<Dtype, N>(from, first_from + place, a);
        float c[N / 2], s[N / 2];
        load_angles<N / 2>(cosine, place / 2, c);
        load_angles<N / 2>(sine, place / 2, s);
#pragma unroll
        for (int k = 0; k < N; k += 2) {
          turn(a[k], a[k + 1], c[k / 2], s[k / 2]);
        }
        store_piece<Dtype, N>(to, first_to + place, a);
        return;
      }
    }
    const int pair = which * N;
    const int first = interleaved != 0 ? 2 * pair : pair;
    const int second = interleaved != 0 ? first + 1 : first + pairs;
    load_piece<Dtype, N>(from, first_from + first, a);
    load_piece<Dtype, N>(from, first_from + second, b);
    float c[N], s[N];
    load_angles<N>(cosine, pair, c);
    load_angles<N>(sine, pair, s);
#pragma unroll
    for (int k = 0; k < N; k++) {
      turn(a[k], b[k], c[k], s[k]);
    }
    store_piece<Dtype, N>(to, first_to + first, a);
    store_piece<Dtype, N>(to, first_to + second, b);
  }
};

// Heads of a token: the place of the first one's first element, and from one head to the next.
struct Heads {
  long first, stride;
};

template <int Dtype, int N>
static __device__ __forceinline__ void rotate_heads(const Rotation& rotation, const void* x,
                                                    const Heads& from, void* y, const Heads& to,
                                                    long heads) {
  for (Walk walk(rotation.pieces<N>()); walk.head < heads; walk.next()) {
    rotation.piece<Dtype, N>(x, from.first + walk.head * from.stride, y,
                             to.first + walk.head * to.stride, walk.piece);
  }
}

template <int Dtype, int N>
static __device__ __forceinline__ void copy_heads(const void* x, const Heads& from, void* y,
                                                  const Heads& to, long heads, int head_size) {
  for (Walk walk(head_size / N); walk.head < heads; walk.next()) {
    copy_piece<Dtype, N>(x, from.first + walk.head * from.stride + walk.piece * N, y,
                         to.first + walk.head * to.stride + walk.piece * N);
  }
}

// Calls body.run<Dtype, N>() for a type and the numbers of a piece.
template <class Body>
static __device__ __forceinline__ void by_piece(int dtype, int wide, const Body& body) {
  if (dtype == kF32) {
    wide != 0 ? body.template run<kF32, kLanes<kF32>>() : body.template run<kF32, 1>();
  } else if (dtype == kBf16) {
    wide != 0 ? body.template run<kBf16, kLanes<kBf16>>() : body.template run<kBf16, 1>();
  } else {
    wide != 0 ? body.template run<kF16, kLanes<kF16>>() : body.template run<kF16, 1>();
  }
}

struct Embed {
  const Rotation& rotation;
  const void* x;
  void* y;
  Heads from, to;
  long heads;

  template <int Dtype, int N>
  __device__ __forceinline__ void run() const {
    rotate_heads<Dtype, N>(rotation, x, from, y, to, heads);
  }
};

enum Bound : int { kPosition, kSlot, kSlotTwice };

// Grid: tokens. y may be x. wide: pieces of 16 bytes.
// kernels.list: rotary_embedding 128 pppppiiillllll{IndexReport}
extern "C" __global__ void __launch_bounds__(128)
    rotary_embedding(const void* x, const float* cosine, const float* sine, const long* positions,
                     void* y, int dtype, int interleaved, int wide, long x_stride, long y_stride,
                     long heads, long head_size, long pairs, long limit, const IndexReport report) {
  const long position = positions[blockIdx.x];
  if (!report.allows(kPosition, blockIdx.x, position, limit, threadIdx.x == 0)) {
    return;
  }
  const Rotation rotation(cosine, sine, position, interleaved, pairs, head_size);
  by_piece(dtype, wide,
           Embed{rotation,
                 x,
                 y,
                 {blockIdx.x * x_stride, head_size},
                 {blockIdx.x * y_stride, head_size},
                 heads});
}

// A cache's strides from row to row, from place to place and from head to head.
struct CacheStrides {
  long row, place, head;

  __device__ __forceinline__ Heads at(long in_row, long in_place) const {
    return {in_row * row + in_place * place, head};
  }
};

struct CacheUpdate {
  const void* qkv;
  void* query;
  void* key_cache;
  void* value_cache;
  CacheStrides key, value;
  long qkv_stride, query_stride, heads, kv_heads, head_size, room;
};

// Whether a token's key and value are written, and to which place of which row.
struct Slot {
  bool kept;
  long row, place;

  __device__ __forceinline__ Slot(const CacheUpdate& c, long slot, bool kept)
      : kept(kept), row(0), place(0) {
    if (kept && static_cast<unsigned long long>(slot | c.room) >> 32 == 0) {
      row = static_cast<uint32_t>(slot) / static_cast<uint32_t>(c.room);
      place = static_cast<uint32_t>(slot) % static_cast<uint32_t>(c.room);
    } else if (kept) {
      row = slot / c.room;
      place = slot % c.room;
    }
  }
};

struct Update {
  const Rotation& rotation;
  const CacheUpdate& c;
  const Slot& slot;

  template <int Dtype, int N>
  __device__ __forceinline__ void run() const {
    const long size = c.head_size, from = blockIdx.x * c.qkv_stride;
    const Heads query = {blockIdx.x * c.query_stride, size}, key = c.key.at(slot.row, slot.place);
    const long rotated = c.heads + (slot.kept ? c.kv_heads : 0);
    for (Walk walk(rotation.pieces<N>()); walk.head < rotated; walk.next()) {
      const bool asks = walk.head < c.heads;
      const Heads& to = asks ? query : key;
      const long head = asks ? walk.head : walk.head - c.heads;
      rotation.piece<Dtype, N>(c.qkv, from + walk.head * size, asks ? c.query : c.key_cache,
                               to.first + head * to.stride, walk.piece);
    }
    if (!slot.kept) {
      return;
    }
    const long values = from + (c.heads + c.kv_heads) * size;
    copy_heads<Dtype, N>(c.qkv, {values, size}, c.value_cache, c.value.at(slot.row, slot.place),
                         c.kv_heads, static_cast<int>(size));
  }
};

// Splits a row of queries, keys and values, rotates queries and keys, and writes keys and values to
// a slot of their caches, which a page table may have given; a slot of -1 is none. Where *bad is
// not 0 nothing is written. Grid: tokens.
// kernels.list: rotary_cache_update 128 {CacheUpdate}pppppiiilll{IndexReport}
extern "C" __global__ void __launch_bounds__(128)
    rotary_cache_update(const CacheUpdate c, const float* cosine, const float* sine,
                        const long* positions, const long* slots, const int* bad, int dtype,
                        int interleaved, int wide, long pairs, long position_limit, long slot_limit,
                        const IndexReport report) {
  const long position = positions[blockIdx.x], slot = slots[blockIdx.x];
  const bool tells = threadIdx.x == 0;
  if ((bad != nullptr && *bad != 0) ||
      !report.allows(kPosition, blockIdx.x, position, position_limit, tells)) {
    return;
  }
  const bool kept = slot != -1 && report.allows(kSlot, blockIdx.x, slot, slot_limit, tells);
  const Rotation rotation(cosine, sine, position, interleaved, pairs, c.head_size);
  by_piece(dtype, wide, Update{rotation, c, Slot(c, slot, kept)});
}

// A warp's part of an update whose caches are signed bytes: a head at a time, as floats in `head`.
struct CodedUpdate {
  const Rotation& rotation;
  const CacheUpdate& c;
  float* head;

  template <int Dtype, int N>
  __device__ __forceinline__ void run(long first, long query) const {
    for (int piece = lane(); piece < rotation.pieces<N>(); piece += kWarpSize) {
      rotation.piece<Dtype, N>(c.qkv, first, c.query, query, piece);
    }
  }

  static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kWarpSize; }

  __device__ __forceinline__ void load_head(long first, int dtype) const {
    // The other lanes are done with the head before.
    sync_warp();
    for (int d = lane(); d < c.head_size; d += kWarpSize) {
      head[d] = load(c.qkv, first + d, dtype);
    }
    sync_warp();
  }

  __device__ __forceinline__ void turn() const {
    for (int pair = lane(); pair < rotation.pairs; pair += kWarpSize) {
      const int first = rotation.interleaved != 0 ? 2 * pair : pair;
      const int second = rotation.interleaved != 0 ? first + 1 : first + rotation.pairs;
      Rotation::turn(head[first], head[second], rotation.cosine[pair], rotation.sine[pair]);
    }
    sync_warp();
  }

  __device__ __forceinline__ void encode(void* cache, long to, float* scale) const {
    float largest = 0;
    for (int d = lane(); d < c.head_size; d += kWarpSize) {
      largest = larger(largest, fabsf(head[d]));
    }
    largest = reduce_warp<Largest>(largest);
    const CodeMeaning meaning = meaning_of(-largest, largest, false);
    for (int d = lane(); d < c.head_size; d += kWarpSize) {
      static_cast<uint8_t*>(cache)[to + d] = static_cast<uint8_t>(code_of(meaning, head[d]));
    }
    if (lane() == 0) {
      *scale = meaning.scale;
    }
  }
};

// As rotary_cache_update, of caches of signed bytes with a scale a row of a head. Grid: tokens.
// Shared: a head for each warp.
// kernels.list: rotary_cache_update_codes 128 {CacheUpdate}pppppppiilll{IndexReport}
extern "C" __global__ void __launch_bounds__(128)
    rotary_cache_update_codes(const CacheUpdate c, float* key_scales, float* value_scales,
                              const float* cosine, const float* sine, const long* positions,
                              const long* slots, const int* bad, int dtype, int interleaved,
                              long pairs, long position_limit, long slot_limit,
                              const IndexReport report) {
  const long position = positions[blockIdx.x], slot = slots[blockIdx.x];
  const bool tells = threadIdx.x == 0;
  if ((bad != nullptr && *bad != 0) ||
      !report.allows(kPosition, blockIdx.x, position, position_limit, tells)) {
    return;
  }
  const bool kept = slot != -1 && report.allows(kSlot, blockIdx.x, slot, slot_limit, tells);
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const long size = c.head_size, from = blockIdx.x * c.qkv_stride;
  float* head = shared_memory<float>(static_cast<unsigned>(warps * size * sizeof(float)));
  const Rotation rotation(cosine, sine, position, interleaved, pairs, size);
  const Slot at(c, slot, kept);
  const CodedUpdate update = {rotation, c, head + warp * size};
  for (long h = warp; h < c.heads + (kept ? 2 * c.kv_heads : 0); h += warps) {
    if (h < c.heads) {
      const long query = blockIdx.x * c.query_stride + h * size;
      if (dtype == kF32) {
        update.run<kF32, 1>(from + h * size, query);
      } else if (dtype == kBf16) {
        update.run<kBf16, 1>(from + h * size, query);
      } else {
        update.run<kF16, 1>(from + h * size, query);
      }
      continue;
    }
    const bool key = h < c.heads + c.kv_heads;
    const long g = h - c.heads - (key ? 0 : c.kv_heads);
    const Heads to = (key ? c.key : c.value).at(at.row, at.place);
    update.load_head(from + h * size, dtype);
    if (key) {
      update.turn();
    }
    update.encode(key ? c.key_cache : c.value_cache, to.first + g * to.stride,
                  (key ? key_scales : value_scales) + slot * c.kv_heads + g);
  }
}

// Looks for positions and slots out of bounds and slots that two tokens have, and sets *bad, which
// begins as 0, where there are any. Grid: (tokens / 256, tokens / 256); a block compares its slots
// of x with those of y.
// kernels.list: rotary_cache_indices 256 pplpll{IndexReport} 2048
GATUN_SHARED(rotary_cache_indices, 256 * sizeof(long))
extern "C" __global__ void __launch_bounds__(256)
    rotary_cache_indices(const long* positions, const long* slots, long tokens, int* bad,
                         long position_limit, long slot_limit, const IndexReport report) {
  long* others = shared_memory<long>(256 * sizeof(long));
  if (blockIdx.y > blockIdx.x) {
    return;
  }
  const long mine = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const long first = static_cast<long>(blockIdx.y) * 256, other = first + threadIdx.x;
  others[threadIdx.x] = other < tokens ? slots[other] : -1;
  sync_block();
  if (mine >= tokens) {
    return;
  }
  const long slot = slots[mine];
  bool fine = true;
  if (blockIdx.y == 0) {
    fine = report.allows(kPosition, mine, positions[mine], position_limit, true);
    fine = (slot == -1 || report.allows(kSlot, mine, slot, slot_limit, true)) && fine;
  }
  const int end = static_cast<int>(mine - first < 256 ? mine - first : 256);
  for (int i = 0; i < end && slot != -1; i++) {
    if (others[i] == slot) {
      report.tell(kSlotTwice, mine, first + i, slot);
      fine = false;
      break;
    }
  }
  if (!fine) {
    atomic_add(bad, 1);
  }
}
