// The rotation of one head by the angles of its position.
#ifndef GATUN_ROTARY_H
#define GATUN_ROTARY_H

#include "blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

// How heads are turned: the first `rotary` elements in pairs, the others copied.
struct Rotation {
  const float *cosine;  // [positions][rotary / 2]
  const float *sine;
  int64_t head_size;
  int64_t rotary;
  bool interleaved;

  bool valid() const {
    return head_size >= 0 && rotary >= 0 && rotary % 2 == 0 && rotary <= head_size;
  }
};

// The lanes of two vectors that lie next to each other in memory: those of even places in the
// first, those of odd places in the second; and back.
template <int... kLane>
static inline void unzip(Floats &first, Floats &second, std::integer_sequence<int, kLane...>) {
  const Floats a = first, b = second;
  first = __builtin_shufflevector(a, b, (2 * kLane)...);
  second = __builtin_shufflevector(a, b, (2 * kLane + 1)...);
}

template <int... kLane>
static inline void zip(Floats &first, Floats &second, std::integer_sequence<int, kLane...>) {
  const Floats a = first, b = second;
  first = __builtin_shufflevector(a, b, (kLane / 2 + kLane % 2 * kLanes)...);
  second = __builtin_shufflevector(a, b, ((kLanes + kLane) / 2 + kLane % 2 * kLanes)...);
}

template <typename V>
static inline void turn(V &a, V &b, V cosine, V sine) {
  const V first = a * cosine - b * sine;
  b = b * cosine + a * sine;
  a = first;
}

// n pairs of neighbours.
template <typename T>
static inline void turn_neighbours(const T *in, T *out, Floats cosine, Floats sine, int64_t n) {
  const int64_t n0 = 2 * n < kLanes ? 2 * n : kLanes, n1 = 2 * n - n0;
  Floats a = load_lanes(in, n0), b = n1 > 0 ? load_lanes(in + kLanes, n1) : Floats{};
  unzip(a, b, LaneNumbers());
  turn(a, b, cosine, sine);
  zip(a, b, LaneNumbers());
  store_lanes(out, a, n0);
  if (n1 > 0) {
    store_lanes(out + kLanes, b, n1);
  }
}

// out may be in.
template <typename T>
static inline void turn_head(const Rotation &r, int64_t position, const T *in, Target<T> out) {
  const int64_t half = r.rotary / 2;
  const float *c = r.cosine + position * half, *s = r.sine + position * half;
  if (r.interleaved) {
    by_vector(half, [&](int64_t i, int64_t n) {
      turn_neighbours(in + 2 * i, out.p + 2 * i, load_lanes(c + i, n), load_lanes(s + i, n), n);
    });
  } else {
    const Target<T> second = out + half;
    by_block(half, [&](auto at) {
      auto a = at.load(in), b = at.load(in + half);
      turn(a, b, at.load(c), at.load(s));
      at.store(out, a);
      at.store(second, b);
    });
  }
  if (in != out.p) {
    copy_row(in + r.rotary, out + r.rotary, r.head_size - r.rotary);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
