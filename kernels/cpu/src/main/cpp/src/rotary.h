// The rotation of one head by the angles of its position.
#ifndef GATUN_ROTARY_H
#define GATUN_ROTARY_H

#include "numbers.h"

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
  constexpr Ints even = {(2 * kLane)...}, odd = {(2 * kLane + 1)...};
  const Floats a = first, b = second;
  first = __builtin_shuffle(a, b, even);
  second = __builtin_shuffle(a, b, odd);
}

template <int... kLane>
static inline void zip(Floats &first, Floats &second, std::integer_sequence<int, kLane...>) {
  constexpr Ints lower = {(kLane / 2 + kLane % 2 * kLanes)...};
  constexpr Ints upper = {((kLanes + kLane) / 2 + kLane % 2 * kLanes)...};
  const Floats a = first, b = second;
  first = __builtin_shuffle(a, b, lower);
  second = __builtin_shuffle(a, b, upper);
}

static inline void turn(Floats &a, Floats &b, Floats cosine, Floats sine) {
  const Floats first = a * cosine - b * sine;
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
static inline void turn_head(const Rotation &r, int64_t position, const T *in, T *out) {
  const int64_t half = r.rotary / 2;
  const float *c = r.cosine + position * half, *s = r.sine + position * half;
  by_vector(half, [&](int64_t i, int64_t n) {
    const Floats cosine = load_lanes(c + i, n), sine = load_lanes(s + i, n);
    if (r.interleaved) {
      turn_neighbours(in + 2 * i, out + 2 * i, cosine, sine, n);
    } else {
      Floats a = load_lanes(in + i, n), b = load_lanes(in + half + i, n);
      turn(a, b, cosine, sine);
      store_lanes(out + i, a, n);
      store_lanes(out + half + i, b, n);
    }
  });
  if (in != out) {
    __builtin_memcpy(out + r.rotary, in + r.rotary,
                     static_cast<size_t>(r.head_size - r.rotary) * sizeof(T));
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
