// Two operands into one, with broadcasting.
#include "../extremes.h"
#include "../numbers.h"
#include "../strided.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

template <typename T, typename Op>
void apply(const Strided<3> &s, const T *a, const T *b, T *y, const Op &op) {
  const int64_t a_stride = s.stride(0), b_stride = s.stride(1), y_stride = s.stride(2);
  each_row(s, [&](const Place<3> &at, int64_t begin, int64_t end) {
    const T *left = a + at[0] + begin * a_stride, *right = b + at[1] + begin * b_stride;
    T *out = y + at[2] + begin * y_stride;
    if (y_stride == 1 && a_stride == 1 && b_stride == 1) {
      by_vector(end - begin, [&](int64_t i, int64_t n) {
        store_lanes(out + i, op(load_lanes(left + i, n), load_lanes(right + i, n)), n);
      });
    } else if (y_stride == 1 && a_stride == 1 && b_stride == 0) {
      const Floats same = splat(load_lanes(right, 1)[0]);
      by_vector(end - begin, [&](int64_t i, int64_t n) {
        store_lanes(out + i, op(load_lanes(left + i, n), same), n);
      });
    } else if (y_stride == 1 && a_stride == 0 && b_stride == 1) {
      const Floats same = splat(load_lanes(left, 1)[0]);
      by_vector(end - begin, [&](int64_t i, int64_t n) {
        store_lanes(out + i, op(same, load_lanes(right + i, n)), n);
      });
    } else {
      by_vector(end - begin, [&](int64_t i, int64_t n) {
        const Floats v = op(load_strided(left + i * a_stride, a_stride, n),
                            load_strided(right + i * b_stride, b_stride, n));
        store_strided(out + i * y_stride, y_stride, v, n);
      });
    }
  });
}

template <typename T>
void apply(const Strided<3> &s, const T *a, const T *b, T *y, int32_t op) {
  switch (op) {
    case GATUN_BINARY_OP_ADD:
      return apply(s, a, b, y, [](Floats l, Floats r) { return l + r; });
    case GATUN_BINARY_OP_SUBTRACT:
      return apply(s, a, b, y, [](Floats l, Floats r) { return l - r; });
    case GATUN_BINARY_OP_MULTIPLY:
      return apply(s, a, b, y, [](Floats l, Floats r) { return l * r; });
    case GATUN_BINARY_OP_DIVIDE:
      return apply(s, a, b, y, [](Floats l, Floats r) { return l / r; });
    case GATUN_BINARY_OP_MAXIMUM:
      return apply(s, a, b, y, [](Floats l, Floats r) { return maximum(l, r); });
    default:
      return apply(s, a, b, y, [](Floats l, Floats r) { return minimum(l, r); });
  }
}

}  // namespace

int32_t elementwise(const void *a, const void *b, void *y, int32_t dtype, int32_t op, int32_t axes,
                    const int64_t *layout) {
  Strided<3> s;
  if (!is_dtype(dtype) || op < GATUN_BINARY_OP_ADD || op > GATUN_BINARY_OP_MINIMUM ||
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
