// Functions of mathematics of each element: floats, then whole numbers.
#include <type_traits>

#include "../blocks.h"
#include "../math.h"
#include "../math_double.h"
#include "../strided.h"
#include "../whole_numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// y with the sign of x, whatever that of y is.
inline Floats signed_as(Floats y, Floats x) {
  return (Floats)((Ints)magnitude(y) | ((Ints)x & INT32_MIN));
}

// The nearest whole number: floats from 2^23 on are whole.
inline Floats nearest(Floats x) {
  const Floats a = magnitude(x);
  return signed_as(select(a < 0x1p23f, (a + 0x1p23f) - 0x1p23f, a), x);
}
inline Floats floor(Floats x) {
  const Floats y = nearest(x);
  return signed_as(select(y > x, y - 1.0f, y), x);
}
inline Floats ceil(Floats x) {
  const Floats y = nearest(x);
  return signed_as(select(y < x, y + 1.0f, y), x);
}
inline Floats sign(Floats x) {
  return select(x > 0.0f, splat(1.0f), select(x < 0.0f, splat(-1.0f), splat(0.0f)));
}

// Up to 1 x and x times a polynomial of its square, beyond 1 - 2^p: both polynomials are fitted, by
// which results err by 1.2e-9, and at 4 the rest is less than a float of 1 can tell.
inline Floats erf(Floats x) {
  // A NaN as the second operand stays.
  const Floats a = min(splat(4.0f), magnitude(x)), square = a * a;
  Floats q = splat(7.889122935e-05f);
  q = fma(q, square, splat(-8.020842215e-04f));
  q = fma(q, square, splat(5.189535674e-03f));
  q = fma(q, square, splat(-2.685444430e-02f));
  q = fma(q, square, splat(1.128360033e-01f));
  q = fma(q, square, splat(-3.761262596e-01f));
  q = fma(q, square, splat(1.283791661e-01f));
  const Floats beyond = a - 1.0f;
  Floats p = splat(2.677268058e-04f);
  p = fma(p, beyond, splat(-2.634597011e-03f));
  p = fma(p, beyond, splat(1.426954102e-02f));
  p = fma(p, beyond, splat(-5.987283587e-02f));
  p = fma(p, beyond, splat(-1.216362596e+00f));
  p = fma(p, beyond, splat(-3.807224274e+00f));
  p = fma(p, beyond, splat(-2.668416739e+00f));
  const Floats rest = exp2(p, [](Floats f) GATUN_INLINE { return power_of_two(f); });
  return signed_as(select(a < 1.0f, fma(a, q, a), 1.0f - rest), x);
}

// Calls body with the function of vectors of floats that an operation is.
template <typename Body>
void by_unary(int32_t op, const Body &body) {
  namespace d = in_double;
  const auto wide = [&](auto function) {
    body([=](Floats x) {
      Doubles lo, hi;
      to_doubles(x, lo, hi);
      return to_floats(function(lo), function(hi));
    });
  };
  switch (op) {
    case GATUN_UNARY_OP_ABS:
      return body([](Floats x) { return magnitude(x); });
    case GATUN_UNARY_OP_NEGATE:
      return body([](Floats x) { return -x; });
    case GATUN_UNARY_OP_SIGN:
      return body([](Floats x) { return sign(x); });
    case GATUN_UNARY_OP_SQUARE:
      return body([](Floats x) { return x * x; });
    case GATUN_UNARY_OP_RECIPROCAL:
      return body([](Floats x) { return 1.0f / x; });
    case GATUN_UNARY_OP_SQRT:
      return body([](Floats x) { return root(x); });
    case GATUN_UNARY_OP_RSQRT:
      return wide([](Doubles x) { return 1.0 / root(x); });
    case GATUN_UNARY_OP_CBRT:
      return wide([](Doubles x) { return d::cbrt(x); });
    case GATUN_UNARY_OP_FLOOR:
      return body([](Floats x) { return floor(x); });
    case GATUN_UNARY_OP_CEIL:
      return body([](Floats x) { return ceil(x); });
    case GATUN_UNARY_OP_ROUND:
      return body([](Floats x) { return nearest(x); });
    case GATUN_UNARY_OP_TRUNC:
      return body([](Floats x) { return signed_as(floor(magnitude(x)), x); });
    case GATUN_UNARY_OP_EXP:
      return wide([](Doubles x) { return d::exp(x); });
    case GATUN_UNARY_OP_EXPM1:
      return wide([](Doubles x) { return d::expm1(x); });
    case GATUN_UNARY_OP_LOG:
      return wide([](Doubles x) { return d::log(x); });
    case GATUN_UNARY_OP_LOG1P:
      return wide([](Doubles x) { return d::log1p(x); });
    case GATUN_UNARY_OP_LOG2:
      return wide([](Doubles x) { return d::log(x) * (1 / d::kLn2); });
    case GATUN_UNARY_OP_LOG10:
      return wide([](Doubles x) { return d::log(x) * (1 / d::kLn10); });
    case GATUN_UNARY_OP_SIN:
      return wide([](Doubles x) { return d::sin(x); });
    case GATUN_UNARY_OP_COS:
      return wide([](Doubles x) { return d::cos(x); });
    case GATUN_UNARY_OP_TAN:
      return wide([](Doubles x) { return d::tan(x); });
    case GATUN_UNARY_OP_ASIN:
      return wide([](Doubles x) { return d::asin(x); });
    case GATUN_UNARY_OP_ACOS:
      return wide([](Doubles x) { return d::acos(x); });
    case GATUN_UNARY_OP_ATAN:
      return wide([](Doubles x) { return d::atan(x); });
    case GATUN_UNARY_OP_SINH:
      return wide([](Doubles x) { return d::sinh(x); });
    case GATUN_UNARY_OP_COSH:
      return wide([](Doubles x) { return d::cosh(x); });
    case GATUN_UNARY_OP_ASINH:
      return wide([](Doubles x) { return d::asinh(x); });
    case GATUN_UNARY_OP_ACOSH:
      return wide([](Doubles x) { return d::acosh(x); });
    case GATUN_UNARY_OP_ATANH:
      return wide([](Doubles x) { return d::atanh(x); });
    default:
      return body([](Floats x) { return erf(x); });
  }
}

void loop(const float *x, float *y, int64_t count, int32_t op) {
  by_unary(op, [&](auto function) {
    by_vector(count,
              [&](int64_t i, int64_t n) { store_lanes(y + i, function(load_lanes(x + i, n)), n); });
  });
}

// n elements as floats: in their place where they are that, one after another, else in `room`.
template <typename T>
const float *as_floats(const T *x, int64_t stride, int64_t n, float *room) {
  if constexpr (std::is_same_v<T, float>) {
    if (stride == 1) {
      return x;
    }
  }
  by_vector(n, [&](int64_t i, int64_t lanes) {
    store_lanes(
        room + i,
        stride == 1 ? load_lanes(x + i, lanes) : load_strided(x + i * stride, stride, lanes),
        lanes);
  });
  return room;
}

template <typename T>
void apply(const Strided<2> &s, const T *x, T *y, int32_t op) {
  constexpr int64_t kPart = cut(1024, 32);
  const int64_t x_stride = s.stride(0), y_stride = s.stride(1);
  const Output<T> output(y, s.rows() * s.length());
  each_row(s, [&](const Place<2> &at, int64_t begin, int64_t end) {
    alignas(64) float room[kPart];
    for (int64_t from = begin; from < end; from += kPart) {
      const int64_t n = end - from < kPart ? end - from : kPart;
      const Target<T> out = output.row(at[1] + from * y_stride);
      const float *in = as_floats(x + at[0] + from * x_stride, x_stride, n, room);
      if constexpr (std::is_same_v<T, float>) {
        if (y_stride == 1 && !out.streams) {
          loop(in, out.p, n, op);
          continue;
        }
      }
      loop(in, room, n, op);
      if (y_stride == 1) {
        by_block(n, [&](auto i) { i.store(out, i.load(room)); });
      } else {
        by_vector(n, [&](int64_t i, int64_t lanes) {
          store_strided(out.p + i * y_stride, y_stride, load_lanes(room + i, lanes), lanes);
        });
      }
    }
    output.finish();
  });
}

template <typename T, typename Op>
void apply_whole(const Strided<2> &s, const T *x, T *y, const Op &op) {
  each_row(s, [&](const Place<2> &at, int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    const T *in = x + at[0] + begin * s.stride(0);
    T *out = y + at[1] + begin * s.stride(1);
    by_strides(s.stride(0), s.stride(1), [&](auto xs, auto ys) {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; i++) {
        out[i * ys] = op(in[i * xs]);
      }
    });
  });
}

// Whole numbers, modulo 2 to the power of their bits. Whether the function is one of them.
template <typename T>
bool apply_whole(const Strided<2> &s, const void *from, void *to, int32_t op) {
  using Unsigned = std::make_unsigned_t<T>;
  const T *x = static_cast<const T *>(from);
  T *y = static_cast<T *>(to);
  const auto by = [&](auto function) {
    apply_whole(s, x, y, [=](T v) { return static_cast<T>(function(v)); });
    return true;
  };
  const auto negated = [](T v) { return static_cast<T>(Unsigned{0} - static_cast<Unsigned>(v)); };
  switch (op) {
    case GATUN_UNARY_OP_ABS:
      return by([=](T v) { return v < T{0} ? negated(v) : v; });
    case GATUN_UNARY_OP_NEGATE:
      return by(negated);
    case GATUN_UNARY_OP_SIGN:
      return by([](T v) { return (v > T{0}) - (v < T{0}); });
    case GATUN_UNARY_OP_SQUARE:
      return by([](T v) { return static_cast<Unsigned>(v) * static_cast<Unsigned>(v); });
    default:
      return false;
  }
}

}  // namespace

int32_t unary(const void *x, void *y, int32_t dtype, int32_t op, int32_t axes,
              const int64_t *layout) {
  Strided<2> s;
  if (!read(layout, axes, s)) {
    return GATUN_INVALID_ARGUMENT;
  }
  bool known = false;
  const auto whole = [&](auto number) { known = apply_whole<decltype(number)>(s, x, y, op); };
  if (by_whole_dtype(dtype, whole)) {
    return known ? GATUN_OK : GATUN_INVALID_ARGUMENT;
  }
  if (!is_dtype(dtype) || op < GATUN_UNARY_OP_ABS || op > GATUN_UNARY_OP_ERF) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    apply(s, static_cast<const T *>(x), static_cast<T *>(y), op);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
