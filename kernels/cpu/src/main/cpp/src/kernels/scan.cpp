// Sums and products of all elements up to each.
#include <type_traits>
#include <utility>

#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Numbers as they are added up, and back. Whole ones are modulo 2^64.
double wide(float x) { return x; }
double wide(Bf16 x) { return load_lanes(&x, 1)[0]; }
double wide(F16 x) { return load_lanes(&x, 1)[0]; }
uint64_t wide(int64_t x) { return static_cast<uint64_t>(x); }
void put(float *y, double v) { *y = static_cast<float>(v); }
void put(Bf16 *y, double v) { store_lanes(y, splat(static_cast<float>(v)), 1); }
void put(F16 *y, double v) { store_lanes(y, splat(static_cast<float>(v)), 1); }
void put(int64_t *y, uint64_t v) { *y = static_cast<int64_t>(v); }

template <typename T>
using Wide = decltype(wide(T{}));

// x[outer][length][inner] and its strides; y has no gaps.
template <typename T>
struct Axes {
  const T *x;
  T *y;
  int64_t length, inner, outer_stride, stride, inner_stride;

  const T *from(int64_t line) const {
    return x + line / inner * outer_stride + line % inner * inner_stride;
  }
  T *to(int64_t line) const { return y + line / inner * length * inner + line % inner; }
};

// Several lines at once, since each sum waits for the one before it.
template <int kLines, typename T, typename Op>
void scan_lines(const Axes<T> &a, int64_t line, const Op &op) {
  const T *from[kLines];
  T *to[kLines];
  Wide<T> sums[kLines];
  for (int k = 0; k < kLines; k++) {
    from[k] = a.from(line + k);
    to[k] = a.to(line + k);
    sums[k] = wide(*from[k]);
    put(to[k], sums[k]);
  }
  for (int64_t i = 1; i < a.length; i++) {
#pragma GCC unroll 8
    for (int k = 0; k < kLines; k++) {
      sums[k] = op(sums[k], wide(from[k][i * a.stride]));
      put(to[k] + i * a.inner, sums[k]);
    }
  }
}

// n neighbours on the inner axis, where x has them without gaps.
template <int64_t kMost, typename T, typename Op>
void scan_neighbours(const Axes<T> &a, int64_t line, int64_t n, const Op &op) {
  const T *from = a.from(line);
  T *to = a.to(line);
  Wide<T> sums[kMost];
  for (int64_t k = 0; k < n; k++) {
    sums[k] = wide(from[k]);
    put(to + k, sums[k]);
  }
  for (int64_t i = 1; i < a.length; i++) {
    const T *next = from + i * a.stride;
    T *out = to + i * a.inner;
    for (int64_t k = 0; k < n; k++) {
      sums[k] = op(sums[k], wide(next[k]));
      put(out + k, sums[k]);
    }
  }
}

// v with each lane moved kBy places up; the lanes below become -0, which added to anything is it.
template <int kBy, int... kLane>
Doubles moved_up(Doubles v, std::integer_sequence<int, kLane...>) {
  constexpr int kHalf = kLanes / 2;
  return __builtin_shufflevector(v, -Doubles{}, (kLane < kBy ? kHalf : kLane - kBy)...);
}

// In each lane the sum of the lanes up to it.
template <int kBy = 1>
GATUN_INLINE inline Doubles sums_of_lanes(Doubles v) {
  if constexpr (kBy < kLanes / 2) {
    v += moved_up<kBy>(v, std::make_integer_sequence<int, kLanes / 2>{});
    return sums_of_lanes<2 * kBy>(v);
  } else {
    return v;
  }
}

// Sums of a line without gaps. Products are not taken so: those of small factors would become 0
// before they meet a large one.
template <typename T>
void sum_line(const T *from, T *to, int64_t length) {
  constexpr int kLast = kLanes / 2 - 1;
  Doubles before = -Doubles{};
  by_vector(length, [&](int64_t i, int64_t n) {
    Doubles lo, hi;
    to_doubles(load_lanes(from + i, n), lo, hi);
    lo = sums_of_lanes(lo);
    hi = sums_of_lanes(hi) + lo[kLast];
    store_lanes(to + i, to_floats(lo + before, hi + before), n);
    before += hi[kLast];
  });
}

template <typename T, typename Op>
void scan_all(const Axes<T> &a, int64_t outer, const Op &op) {
  if (a.length == 0) {
    return;
  }
  if (a.inner > 1 && a.inner_stride == 1) {
    constexpr int64_t kMost = cut(256, 16);
    const int64_t pieces = (a.inner + kMost - 1) / kMost;
    parallel_rows(outer * pieces, a.length * kMost, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t at = piece % pieces * kMost;
        const int64_t n = a.inner - at < kMost ? a.inner - at : kMost;
        scan_neighbours<kMost>(a, piece / pieces * a.inner + at, n, op);
      }
    });
    return;
  }
  constexpr int kLines = 8;
  parallel_rows(outer * a.inner, a.length, [&](int64_t begin, int64_t end) {
    int64_t line = begin;
    for (; line + kLines <= end; line += kLines) {
      scan_lines<kLines>(a, line, op);
    }
    for (; line < end; line++) {
      scan_lines<1>(a, line, op);
    }
  });
}

template <typename T>
void scan_as(const void *x, void *y, int32_t op, int64_t outer, int64_t length, int64_t inner,
             int64_t outer_stride, int64_t stride, int64_t inner_stride) {
  const Axes<T> a = {static_cast<const T *>(x),
                     static_cast<T *>(y),
                     length,
                     inner,
                     outer_stride,
                     stride,
                     inner_stride};
  if constexpr (!std::is_same_v<T, int64_t>) {
    if (op == GATUN_SCAN_OP_SUM && inner == 1 && stride == 1) {
      parallel_rows(outer, length, [&](int64_t begin, int64_t end) {
        for (int64_t line = begin; line < end; line++) {
          sum_line(a.from(line), a.to(line), length);
        }
      });
      return;
    }
  }
  if (op == GATUN_SCAN_OP_SUM) {
    scan_all(a, outer, [](auto sum, auto next) { return sum + next; });
  } else {
    scan_all(a, outer, [](auto product, auto next) { return product * next; });
  }
}

}  // namespace

int32_t scan(const void *x, int64_t outer_stride, int64_t stride, int64_t inner_stride, void *y,
             int32_t dtype, int64_t outer, int64_t length, int64_t inner, int32_t op) {
  if (outer < 0 || length < 0 || inner < 0 || op < GATUN_SCAN_OP_SUM ||
      op > GATUN_SCAN_OP_PRODUCT || !(is_dtype(dtype) || dtype == GATUN_DTYPE_I64)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (dtype == GATUN_DTYPE_I64) {
    scan_as<int64_t>(x, y, op, outer, length, inner, outer_stride, stride, inner_stride);
    return GATUN_OK;
  }
  by_dtype(dtype, [&](auto number) {
    scan_as<decltype(number)>(x, y, op, outer, length, inner, outer_stride, stride, inner_stride);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
