// Comparisons of two operands, and the choice between two, with broadcasting.
#include <type_traits>

#include "../numbers.h"
#include "../strided.h"
#include "../whole_numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Elements as they are compared: of 16 bits as floats, which are written to `room`.
template <typename V, typename T>
const V *comparable(const T *x, int64_t &stride, int64_t n, V *room) {
  if constexpr (std::is_same_v<V, T>) {
    return x;
  } else {
    if (stride == 0) {
      room[0] = load_lanes(x, 1)[0];
      return room;
    }
    by_vector(n, [&](int64_t i, int64_t lanes) {
      store_lanes(
          room + i,
          stride == 1 ? load_lanes(x + i, lanes) : load_strided(x + i * stride, stride, lanes),
          lanes);
    });
    stride = 1;
    return room;
  }
}

template <typename V, typename T, typename Op>
void compare_all(const Strided<3> &s, const T *a, const T *b, uint8_t *y, const Op &op) {
  constexpr int64_t kPart = cut(512, 32);
  each_row(s, [&](const Place<3> &at, int64_t begin, int64_t end) {
    V rooms[2][kPart];
    for (int64_t from = begin; from < end; from += kPart) {
      const int64_t n = end - from < kPart ? end - from : kPart;
      int64_t a_stride = s.stride(0), b_stride = s.stride(1);
      const V *left = comparable(a + at[0] + from * a_stride, a_stride, n, rooms[0]);
      const V *right = comparable(b + at[1] + from * b_stride, b_stride, n, rooms[1]);
      uint8_t *out = y + at[2] + from * s.stride(2);
      by_strides(a_stride, b_stride, [&](auto as, auto bs) {
        if (s.stride(2) == 1) {
          for (int64_t i = 0; i < n; i++) {
            out[i] = op(left[i * as], right[i * bs]);
          }
        } else {
          for (int64_t i = 0; i < n; i++) {
            out[i * s.stride(2)] = op(left[i * as], right[i * bs]);
          }
        }
      });
    }
  });
}

template <typename V, typename T>
void compare_as(const Strided<3> &s, const void *left, const void *right, uint8_t *y,
                int32_t comparison) {
  const T *a = static_cast<const T *>(left), *b = static_cast<const T *>(right);
  switch (comparison) {
    case GATUN_COMPARISON_EQUAL:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l == r; });
    case GATUN_COMPARISON_NOT_EQUAL:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l != r; });
    case GATUN_COMPARISON_LESS:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l < r; });
    case GATUN_COMPARISON_LESS_EQUAL:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l <= r; });
    case GATUN_COMPARISON_GREATER:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l > r; });
    default:
      return compare_all<V>(s, a, b, y, [](V l, V r) { return l >= r; });
  }
}

template <typename T>
void choose(const Strided<4> &s, const uint8_t *condition, const void *yes, const void *no,
            void *to) {
  const T *a = static_cast<const T *>(yes), *b = static_cast<const T *>(no);
  each_row(s, [&](const Place<4> &at, int64_t begin, int64_t end) {
    const int64_t told = s.stride(0), y_stride = s.stride(3);
    const uint8_t *when = condition + at[0] + begin * told;
    const T *left = a + at[1] + begin * s.stride(1), *right = b + at[2] + begin * s.stride(2);
    T *out = static_cast<T *>(to) + at[3] + begin * y_stride;
    by_strides(s.stride(1), s.stride(2), [&](auto as, auto bs) {
      if (told == 1 && y_stride == 1) {
        for (int64_t i = 0; i < end - begin; i++) {
          const T l = left[i * as], r = right[i * bs];
          out[i] = when[i] != 0 ? l : r;
        }
      } else {
        for (int64_t i = 0; i < end - begin; i++) {
          out[i * y_stride] = when[i * told] != 0 ? left[i * as] : right[i * bs];
        }
      }
    });
  });
}

}  // namespace

int32_t compare(const void *a, const void *b, uint8_t *y, int32_t dtype, int32_t comparison,
                int32_t axes, const int64_t *layout) {
  Strided<3> s;
  if (comparison < GATUN_COMPARISON_EQUAL || comparison > GATUN_COMPARISON_GREATER_EQUAL ||
      !read(layout, axes, s)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const auto whole = [&](auto number) {
    using T = decltype(number);
    compare_as<T, T>(s, a, b, y, comparison);
  };
  if (by_whole_dtype(dtype, whole)) {
    return GATUN_OK;
  }
  if (!is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype,
           [&](auto number) { compare_as<float, decltype(number)>(s, a, b, y, comparison); });
  return GATUN_OK;
}

int32_t where(const uint8_t *condition, const void *a, const void *b, void *y,
              int32_t element_bytes, int32_t axes, const int64_t *layout) {
  Strided<4> s;
  if (!read(layout, axes, s)) {
    return GATUN_INVALID_ARGUMENT;
  }
  switch (element_bytes) {
    case 1:
      choose<uint8_t>(s, condition, a, b, y);
      return GATUN_OK;
    case 2:
      choose<uint16_t>(s, condition, a, b, y);
      return GATUN_OK;
    case 4:
      choose<uint32_t>(s, condition, a, b, y);
      return GATUN_OK;
    case 8:
      choose<uint64_t>(s, condition, a, b, y);
      return GATUN_OK;
    default:
      return GATUN_INVALID_ARGUMENT;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
