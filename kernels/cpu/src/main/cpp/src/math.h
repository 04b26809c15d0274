// Elementary functions on vectors, in float with errors of about 1 ulp of the largest value.
#ifndef GATUN_MATH_H
#define GATUN_MATH_H

#include "pair.h"

namespace gatun {
namespace GATUN_LEVEL {

// y with the sign of x where the signs differ: y is not negative.
static inline Floats with_sign(Floats y, Floats x) {
  return (Floats)((Ints)y | ((Ints)x & static_cast<int32_t>(0x80000000u)));
}
GATUN_PAIR_BINARY(with_sign)

GATUN_PAIR_UNARY(round)
GATUN_PAIR_BINARY(scale)

// e^r - 1 near 0, by its series.
template <typename V>
static inline GATUN_INLINE V exp_less_one(V r) {
  V p = like(r, 1.98412698e-4f);  // 1 / 7!, and the other terms
  p = fma(p, r, like(r, 1.38888889e-3f));
  p = fma(p, r, like(r, 8.33333333e-3f));
  p = fma(p, r, like(r, 4.16666667e-2f));
  p = fma(p, r, like(r, 1.66666667e-1f));
  p = fma(p, r, like(r, 0.5f));
  return fma(p * r, r, r);
}

// What n times ln 2 leaves of x. ln 2 is in two parts: the first has few bits, so that n times it
// is exact.
template <typename V>
static inline GATUN_INLINE V exp_rest(V x, V n) {
  return fma(n, like(x, -1.42860677e-6f), fma(n, like(x, -0.693145752f), x));
}

// e^x: infinity above 88.72, NaN for NaN, 0 where floats are subnormal unless the level has them
// for nothing.
template <typename V>
static inline GATUN_INLINE V exp(V x) {
  // Where scale gives all results, a little beyond those that are neither 0 nor infinite.
  constexpr float kLow = kScalesAll ? -104.0f : -87.33654f, kHigh = kScalesAll ? 89.0f : 88.72283f;
  // A NaN as the second operand stays.
  const V inside = min(like(x, kHigh), max(like(x, kLow), x));
  const V n = round(inside * 1.44269504f);
  const V y = scale(exp_less_one(exp_rest(inside, n)) + 1.0f, n);
  if constexpr (kScalesAll) {
    return y;
  } else {
    return select(x > kHigh, like(x, __builtin_inff()), select(x < kLow, like(x, 0.0f), y));
  }
}

// 2^x for x up to 129 but no infinity, power(f) being 2^f on [-1/2, 1/2]: 0 where floats are
// subnormal unless the level has them for nothing.
template <typename V, typename Power>
static inline GATUN_INLINE V exp2(V x, const Power &power) {
  if constexpr (kScalesAll) {
    const V n = round(x);
    return scale(power(x - n), n);
  } else {
    const V inside = max(like(x, -126.0f), x), n = round(inside);
    return select(x < -126.0f, like(x, 0.0f), scale(power(inside - n), n));
  }
}

// 2^f on [-1/2, 1/2], exact at 0: the polynomial of degree 6 with the least largest relative error,
// 2e-9.
template <typename V>
static inline GATUN_INLINE V power_of_two(V f) {
  V p = like(f, 1.535336216e-04f);
  p = fma(p, f, like(f, 1.339887455e-03f));
  p = fma(p, f, like(f, 9.618437358e-03f));
  p = fma(p, f, like(f, 5.550332471e-02f));
  p = fma(p, f, like(f, 2.402264791e-01f));
  p = fma(p, f, like(f, 6.931472029e-01f));
  return fma(p, f, like(f, 1.0f));
}

// x times the normal distribution's share below x: max(x, 0) less |x| times the share beyond |x|,
// so that nothing cancels. tail(a) is a times the share beyond a.
template <typename V, typename Tail>
static inline GATUN_INLINE V gelu(V x, const Tail &tail) {
  // Beyond 13 the share is 0 beside 1. A NaN as the second operand stays.
  const V a = min(like(x, 13.0f), magnitude(x));
  // Minus infinity times 0 is NaN.
  return select(x < 0.0f, x * 0.0f, x) - tail(a);
}

// The normal distribution's share beyond a, of 0 to 13. -log2 of it is a polynomial fitted on [0,
// 6.5], by which gelu errs by 7.5e-9 of |x| at most, and which rises beyond.
template <typename V>
static inline GATUN_INLINE V share_beyond(V a) {
  V p = like(a, -2.772044657e-06f);
  p = fma(p, a, like(a, 3.862069200e-05f));
  p = fma(p, a, like(a, -1.825473354e-04f));
  p = fma(p, a, like(a, -1.458707745e-04f));
  p = fma(p, a, like(a, 7.075472548e-03f));
  p = fma(p, a, like(a, -5.250502910e-02f));
  p = fma(p, a, like(a, -4.592049072e-01f));
  p = fma(p, a, like(a, -1.151105724f));
  p = fma(p, a, like(a, -9.999999783e-01f));
  return exp2(p, [](V f) GATUN_INLINE { return power_of_two(f); });
}

template <typename V>
static inline GATUN_INLINE V gelu(V x) {
  return gelu(x, [](V a) GATUN_INLINE { return a * share_beyond(a); });
}

template <typename V>
static inline GATUN_INLINE V sigmoid(V x) {
  return 1.0f / (1.0f + exp(-x));
}

// tanh: u / (u + 2) of u = e^2|x| - 1, which is 2^n (q + 1) - 1 = 2^n q + (2^n - 1) for q = e^r -
// 1: no step cancels, for q is small beside 2^n - 1 or that is 0.
template <typename V>
static inline GATUN_INLINE V tanh(V x) {
  const V a = min(like(x, 20.0f), magnitude(x) * 2.0f);
  const V n = round(a * 1.44269504f);
  const V power = scale(like(x, 1.0f), n);
  const V u = fma(power, exp_less_one(exp_rest(a, n)), power - 1.0f);
  return with_sign(u / (u + 2.0f), x);
}

// For results of all of a float's digits.
struct FullFunctions {
  template <typename V>
  static GATUN_INLINE V exp(V x) {
    return gatun::GATUN_LEVEL::exp(x);
  }
  template <typename V>
  static GATUN_INLINE V inverse(V x) {
    return 1.0f / x;
  }
  template <typename V>
  static GATUN_INLINE V share_beyond(V a) {
    return gatun::GATUN_LEVEL::share_beyond(a);
  }
  // The normal distribution's density at a, of 0 to 13.
  template <typename V>
  static GATUN_INLINE V density(V a) {
    return 0.398942280f * exp(a * a * -0.5f);
  }
  template <typename V>
  static GATUN_INLINE V gelu(V x) {
    return gatun::GATUN_LEVEL::gelu(x);
  }
  template <typename V>
  static GATUN_INLINE V sigmoid(V x) {
    return gatun::GATUN_LEVEL::sigmoid(x);
  }
  template <typename V>
  static GATUN_INLINE V tanh(V x) {
    return gatun::GATUN_LEVEL::tanh(x);
  }
};

// Calls body with the function that an activation is, of vectors and pairs, made of Functions.
template <typename Functions, typename Body>
static inline void by_activation(int32_t activation, const Body &body) {
  using F = Functions;
  switch (activation) {
    case GATUN_ACTIVATION_RELU:
      return body([](auto x) GATUN_INLINE { return select(x < 0.0f, like(x, 0.0f), x); });
    case GATUN_ACTIVATION_GELU:
      return body([](auto x) GATUN_INLINE { return F::gelu(x); });
    case GATUN_ACTIVATION_GELU_TANH:
      // (1 + tanh z) / 2 = sigmoid(2 z)
      return body([](auto x) GATUN_INLINE {
        return x *
               F::sigmoid(x * fma(x * x, like(x, 1.595769122f * 0.044715f), like(x, 1.595769122f)));
      });
    case GATUN_ACTIVATION_TANH:
      return body([](auto x) GATUN_INLINE { return F::tanh(x); });
    case GATUN_ACTIVATION_SIGMOID:
      return body([](auto x) GATUN_INLINE { return F::sigmoid(x); });
    case GATUN_ACTIVATION_SILU:
      return body([](auto x) GATUN_INLINE { return x * F::sigmoid(x); });
    case GATUN_ACTIVATION_QUICK_GELU:
      return body([](auto x) GATUN_INLINE { return x * F::sigmoid(1.702f * x); });
    default:
      return body([](auto x) GATUN_INLINE { return x; });
  }
}

template <typename V>
static inline V activate(V x, int32_t activation) {
  V y;
  by_activation<FullFunctions>(activation, [&](auto function) { y = function(x); });
  return y;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
