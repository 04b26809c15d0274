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

#if defined(GATUN_LEVEL_avx512)
static inline Floats round(Floats x) {
  return (Floats)_mm512_maskz_roundscale_ps(static_cast<__mmask16>(-1), (__m512)x,
                                            _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

// x * 2^n, n a whole number.
static inline Floats scale(Floats x, Floats n) {
  return (Floats)_mm512_maskz_scalef_ps(static_cast<__mmask16>(-1), (__m512)x, (__m512)n);
}
#else
// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
constexpr float kMagic = 12582912.0f;

static inline Floats round(Floats x) { return (x + kMagic) - kMagic; }

// x * 2^n for a whole number n of -126 to 128, as two factors, for n = 128 is not a float's
// exponent.
static inline Floats scale(Floats x, Floats n) {
  const Ints whole = (Ints)(n + kMagic) - (Ints)splat(kMagic), half = whole >> 1;
  return x * (Floats)((half + 127) << 23) * (Floats)((whole - half + 127) << 23);
}
#endif
GATUN_PAIR_UNARY(round)
GATUN_PAIR_BINARY(scale)

// e^r - 1 near 0, by its series.
template <typename V>
static inline V exp_less_one(V r) {
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
static inline V exp_rest(V x, V n) {
  return fma(n, like(x, -1.42860677e-6f), fma(n, like(x, -0.693145752f), x));
}

// e^x: infinity above 88.72, NaN for NaN, 0 where floats are subnormal unless the level has them
// for nothing.
template <typename V>
static inline V exp(V x) {
#if defined(GATUN_LEVEL_avx512)
  // A NaN as the second operand stays.
  const V inside = min(like(x, 89.0f), max(like(x, -104.0f), x));
  const V n = round(inside * 1.44269504f);
  return scale(exp_less_one(exp_rest(inside, n)) + 1.0f, n);
#else
  const float low = -87.33654f, high = 88.72283f;
  const V inside = min(like(x, high), max(like(x, low), x));
  const V n = round(inside * 1.44269504f);
  const V y = scale(exp_less_one(exp_rest(inside, n)) + 1.0f, n);
  return select(x > high, like(x, __builtin_inff()), select(x < low, like(x, 0.0f), y));
#endif
}

// x times the normal distribution's share below x, as max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, which
// cancels nowhere. -ln(erfc(a / sqrt 2)) is a polynomial fitted on [0, 6.5] for the least largest
// error of the result, 4e-8; beyond, the second term is 0 beside the first.
template <typename V>
static inline V gelu(V x) {
  const V a = magnitude(x);
  V p = like(x, -1.243195129e-07f);
  p = fma(p, a, like(x, 3.026439344e-06f));
  p = fma(p, a, like(x, -2.905916881e-05f));
  p = fma(p, a, like(x, 1.198520986e-04f));
  p = fma(p, a, like(x, 1.391983242e-04f));
  p = fma(p, a, like(x, -4.972687457e-03f));
  p = fma(p, a, like(x, 3.645095974e-02f));
  p = fma(p, a, like(x, 3.182747364e-01f));
  p = fma(p, a, like(x, 7.978885770e-01f));
  const V tail = 0.5f * a * exp(-(p * a));
  const V positive = select(x < 0.0f, x * 0.0f, x);
  return select(a > 6.5f, positive, select(x < 0.0f, -tail, x - tail));
}

template <typename V>
static inline V sigmoid(V x) {
  return 1.0f / (1.0f + exp(-x));
}

// tanh: u / (u + 2) of u = e^2|x| - 1, which is 2^n (q + 1) - 1 = 2^n q + (2^n - 1) for q = e^r -
// 1: no step cancels, for q is small beside 2^n - 1 or that is 0.
template <typename V>
static inline V tanh(V x) {
  const V a = min(like(x, 20.0f), magnitude(x) * 2.0f);
  const V n = round(a * 1.44269504f);
  const V power = scale(like(x, 1.0f), n);
  const V u = fma(power, exp_less_one(exp_rest(a, n)), power - 1.0f);
  return with_sign(u / (u + 2.0f), x);
}

template <typename V>
static inline V activate(V x, int32_t activation) {
  switch (activation) {
    case GATUN_ACTIVATION_RELU:
      return select(x < 0.0f, like(x, 0.0f), x);
    case GATUN_ACTIVATION_GELU:
      return gelu(x);
    case GATUN_ACTIVATION_GELU_TANH:
      // (1 + tanh z) / 2 = sigmoid(2 z)
      return x * sigmoid(1.595769122f * fma(x * x * x, like(x, 0.044715f), x));
    case GATUN_ACTIVATION_TANH:
      return tanh(x);
    case GATUN_ACTIVATION_SIGMOID:
      return sigmoid(x);
    case GATUN_ACTIVATION_SILU:
      return x * sigmoid(x);
    case GATUN_ACTIVATION_QUICK_GELU:
      return x * sigmoid(1.702f * x);
    default:
      return x;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
