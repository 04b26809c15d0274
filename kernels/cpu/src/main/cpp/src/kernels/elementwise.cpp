// Two operands into one, with broadcasting: floats, then whole numbers.
#include <type_traits>

#include "../blocks.h"
#include "../extremes.h"
#include "../strided.h"
#include "../whole_numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// The comparisons and the root of a vector, and of pairs of vectors as blocks are.
inline Floats equal(Floats a, Floats b) { return select(a == b, splat(1.0f), splat(0.0f)); }
inline Floats less(Floats a, Floats b) { return select(a < b, splat(1.0f), splat(0.0f)); }
inline Floats divide_by_root(Floats a, Floats b) {
  for (int64_t i = 0; i < kLanes; i++) {
    b[i] = __builtin_sqrtf(b[i]);
  }
  return a / b;
}
inline Floats keep_where(Floats a, Floats b) { return select(b == splat(0.0f), splat(0.0f), a); }
GATUN_PAIR_BINARY(equal)
GATUN_PAIR_BINARY(less)
GATUN_PAIR_BINARY(divide_by_root)
GATUN_PAIR_BINARY(keep_where)

template <typename T, typename Op>
void apply(const Strided<3> &s, const T *a, const T *b, T *y, const Op &op) {
  const int64_t a_stride = s.stride(0), b_stride = s.stride(1), y_stride = s.stride(2);
  const Output<T> output(y, s.rows() * s.length());
  each_row(s, [&](const Place<3> &at, int64_t begin, int64_t end) {
    const T *left = a + at[0] + begin * a_stride, *right = b + at[1] + begin * b_stride;
    const Target<T> out = output.row(at[2] + begin * y_stride);
    if (y_stride == 1 && a_stride == 1 && b_stride == 1) {
      by_block(end - begin, [&](auto i) { i.give(out, op(i.take(left), i.take(right))); });
    } else if (y_stride == 1 && a_stride == 1 && b_stride == 0) {
      const float same = load_lanes(right, 1)[0];
      by_block(end - begin, [&](auto i) {
        const auto v = i.take(left);
        i.give(out, op(v, like(v, same)));
      });
    } else if (y_stride == 1 && a_stride == 0 && b_stride == 1) {
      const float same = load_lanes(left, 1)[0];
      by_block(end - begin, [&](auto i) {
        const auto v = i.take(right);
        i.give(out, op(like(v, same), v));
      });
    } else {
      by_vector(end - begin, [&](int64_t i, int64_t n) {
        const Floats v = op(load_strided(left + i * a_stride, a_stride, n),
                            load_strided(right + i * b_stride, b_stride, n));
        store_strided(out.p + i * y_stride, y_stride, v, n);
      });
    }
    output.finish();
  });
}

template <typename T>
void apply(const Strided<3> &s, const T *a, const T *b, T *y, int32_t op) {
  switch (op) {
    case GATUN_BINARY_OP_ADD:
      return apply(s, a, b, y, [](auto l, auto r) { return l + r; });
    case GATUN_BINARY_OP_SUBTRACT:
      return apply(s, a, b, y, [](auto l, auto r) { return l - r; });
    case GATUN_BINARY_OP_MULTIPLY:
      return apply(s, a, b, y, [](auto l, auto r) { return l * r; });
    case GATUN_BINARY_OP_DIVIDE:
      return apply(s, a, b, y, [](auto l, auto r) { return l / r; });
    case GATUN_BINARY_OP_MAXIMUM:
      return apply(s, a, b, y, [](auto l, auto r) { return maximum(l, r); });
    case GATUN_BINARY_OP_MINIMUM:
      return apply(s, a, b, y, [](auto l, auto r) { return minimum(l, r); });
    case GATUN_BINARY_OP_EQUAL:
      return apply(s, a, b, y, [](auto l, auto r) { return equal(l, r); });
    case GATUN_BINARY_OP_LESS:
      return apply(s, a, b, y, [](auto l, auto r) { return less(l, r); });
    case GATUN_BINARY_OP_DIVIDE_BY_ROOT:
      return apply(s, a, b, y, [](auto l, auto r) { return divide_by_root(l, r); });
    default:
      return apply(s, a, b, y, [](auto l, auto r) { return keep_where(l, r); });
  }
}

// What is left of a after whole multiples of b, with b's sign; a where b is 0.
template <typename T>
T remainder(T a, T b) {
  if (b == 0) {
    return a;
  }
  if constexpr (std::is_signed_v<T>) {
    // The quotient of the least number by -1 is none.
    if (b == -1) {
      return 0;
    }
    const T left = static_cast<T>(a % b);
    return left != 0 && (left < 0) != (b < 0) ? static_cast<T>(left + b) : left;
  } else {
    return static_cast<T>(a % b);
  }
}

// y may be a or b, but no element is another's input.
template <typename T, typename Op>
void apply_whole(const Strided<3> &s, const T *a, const T *b, T *y, const Op &op) {
  each_row(s, [&](const Place<3> &at, int64_t begin, int64_t end) {
    const int64_t y_stride = s.stride(2), count = end - begin;
    const T *left = a + at[0] + begin * s.stride(0), *right = b + at[1] + begin * s.stride(1);
    T *out = y + at[2] + begin * y_stride;
    by_strides(s.stride(0), s.stride(1), [&](auto as, auto bs) {
      if (y_stride == 1) {
#pragma GCC ivdep
        for (int64_t i = 0; i < count; i++) {
          out[i] = op(left[i * as], right[i * bs]);
        }
      } else {
        for (int64_t i = 0; i < count; i++) {
          out[i * y_stride] = op(left[i * as], right[i * bs]);
        }
      }
    });
  });
}

// Whole numbers, modulo 2 to the power of their bits. Whether the operation is one of them.
template <typename T>
bool apply_whole(const Strided<3> &s, const void *left, const void *right, void *to, int32_t op) {
  using Unsigned = std::make_unsigned_t<T>;
  const T *a = static_cast<const T *>(left), *b = static_cast<const T *>(right);
  T *y = static_cast<T *>(to);
  const auto by_bits = [&](auto function) {
    apply_whole(s, a, b, y, [=](T l, T r) {
      return static_cast<T>(function(static_cast<Unsigned>(l), static_cast<Unsigned>(r)));
    });
    return true;
  };
  const auto by_value = [&](auto function) {
    apply_whole(s, a, b, y, function);
    return true;
  };
  switch (op) {
    case GATUN_BINARY_OP_ADD:
      return by_bits([](Unsigned l, Unsigned r) { return l + r; });
    case GATUN_BINARY_OP_SUBTRACT:
      return by_bits([](Unsigned l, Unsigned r) { return l - r; });
    case GATUN_BINARY_OP_MULTIPLY:
      return by_bits([](Unsigned l, Unsigned r) { return l * r; });
    case GATUN_BINARY_OP_MAXIMUM:
      return by_value([](T l, T r) { return l > r ? l : r; });
    case GATUN_BINARY_OP_MINIMUM:
      return by_value([](T l, T r) { return l < r ? l : r; });
    case GATUN_BINARY_OP_REMAINDER:
      return by_value([](T l, T r) { return remainder(l, r); });
    default:
      return false;
  }
}

}  // namespace

int32_t elementwise(const void *a, const void *b, void *y, int32_t dtype, int32_t op, int32_t axes,
                    const int64_t *layout) {
  Strided<3> s;
  if (!read(layout, axes, s)) {
    return GATUN_INVALID_ARGUMENT;
  }
  bool known = false;
  const auto whole = [&](auto number) { known = apply_whole<decltype(number)>(s, a, b, y, op); };
  if (by_whole_dtype(dtype, whole)) {
    return known ? GATUN_OK : GATUN_INVALID_ARGUMENT;
  }
  if (!is_dtype(dtype) || op < GATUN_BINARY_OP_ADD || op > GATUN_BINARY_OP_KEEP_WHERE) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    apply(s, static_cast<const T *>(a), static_cast<const T *>(b), static_cast<T *>(y), op);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
