// Operands of one shape with strides of their own.
#ifndef GATUN_STRIDED_H
#define GATUN_STRIDED_H

#include <type_traits>

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int kMostAxes = 6;

template <int kOperands>
struct Strided {
  int axes;  // at least 1
  int64_t shape[kMostAxes];
  int64_t strides[kOperands][kMostAxes];

  int64_t length() const { return shape[axes - 1]; }
  int64_t stride(int operand) const { return strides[operand][axes - 1]; }

  // Elements of all axes but the last `inner`.
  int64_t rows(int inner = 1) const {
    int64_t rows = 1;
    for (int i = 0; i < axes - inner; i++) {
      rows *= shape[i];
    }
    return rows;
  }
};

// Reads shape[axes] and each operand's strides[axes]. Axes of length 1 are left out, and
// neighbours that every operand walks as one become one, so that the last axis is as long as it can
// be. Whether there are as many axes as can be, of no negative length.
template <int kOperands>
static inline bool read(const int64_t *layout, int32_t axes, Strided<kOperands> &s) {
  if (axes < 0 || axes > kMostAxes) {
    return false;
  }
  s.axes = 0;
  for (int i = 0; i < axes; i++) {
    if (layout[i] < 0) {
      return false;
    }
    if (layout[i] == 1) {
      continue;
    }
    bool merged = s.axes > 0;
    for (int k = 0; k < kOperands && merged; k++) {
      merged = s.strides[k][s.axes - 1] == layout[(1 + k) * axes + i] * layout[i];
    }
    const int to = merged ? s.axes - 1 : s.axes++;
    s.shape[to] = merged ? s.shape[to] * layout[i] : layout[i];
    for (int k = 0; k < kOperands; k++) {
      s.strides[k][to] = layout[(1 + k) * axes + i];
    }
  }
  if (s.axes == 0) {
    s.axes = 1;
    s.shape[0] = 1;
    for (int k = 0; k < kOperands; k++) {
      s.strides[k][0] = 1;
    }
  }
  return true;
}

// A row-major place among the first axes, and where each operand's element there lies.
template <int kOperands>
class Place {
 public:
  Place(const Strided<kOperands> &s, int axes, int64_t row) : s_(s), axes_(axes) {
    for (int i = axes - 1; i >= 0; i--) {
      index_[i] = row % s.shape[i];
      row /= s.shape[i];
      for (int k = 0; k < kOperands; k++) {
        at_[k] += index_[i] * s.strides[k][i];
      }
    }
  }

  int64_t operator[](int operand) const { return at_[operand]; }

  void next() {
    for (int i = axes_ - 1; i >= 0; i--) {
      const bool carry = ++index_[i] == s_.shape[i];
      for (int k = 0; k < kOperands; k++) {
        at_[k] += carry ? -(s_.shape[i] - 1) * s_.strides[k][i] : s_.strides[k][i];
      }
      if (!carry) {
        return;
      }
      index_[i] = 0;
    }
  }

 private:
  const Strided<kOperands> &s_;
  int axes_;
  int64_t index_[kMostAxes] = {};
  int64_t at_[kOperands] = {};
};

// Calls body(place, begin, end) for pieces of the last axis: the elements begin to end of the row
// at a place.
template <int kOperands, typename Body>
static inline void each_row(const Strided<kOperands> &s, const Body &body) {
  constexpr int64_t kPiece = cut(16384, 32);
  const int64_t length = s.length();
  if (length > kPiece) {
    const int64_t pieces = (length + kPiece - 1) / kPiece;
    parallel(s.rows() * pieces, [&](int64_t i) {
      const int64_t begin = i % pieces * kPiece, end = begin + kPiece;
      body(Place<kOperands>(s, s.axes - 1, i / pieces), begin, end < length ? end : length);
    });
  } else {
    parallel_rows(s.rows(), length, [&](int64_t begin, int64_t end) {
      Place<kOperands> place(s, s.axes - 1, begin);
      for (int64_t r = begin; r < end; r++, place.next()) {
        body(place, 0, length);
      }
    });
  }
}

// Calls body with the strides of a and b as constants where each is 0 or 1, so that loops become
// vectors.
template <typename Body>
static inline void by_strides(int64_t a, int64_t b, const Body &body) {
  using One = std::integral_constant<int64_t, 1>;
  using None = std::integral_constant<int64_t, 0>;
  if (a == 1 && b == 1) {
    body(One{}, One{});
  } else if (a == 1 && b == 0) {
    body(One{}, None{});
  } else if (a == 0 && b == 1) {
    body(None{}, One{});
  } else {
    body(a, b);
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
