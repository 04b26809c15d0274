// Two operands into one, with broadcasting.
#include "../blocks.h"
#include "../extremes.h"
#include "../strided.h"

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

}  // namespace

int32_t elementwise(const void *a, const void *b, void *y, int32_t dtype, int32_t op, int32_t axes,
                    const int64_t *layout) {
  Strided<3> s;
  if (!is_dtype(dtype) || op < GATUN_BINARY_OP_ADD || op > GATUN_BINARY_OP_KEEP_WHERE ||
      !read(layout, axes, s)) {
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
