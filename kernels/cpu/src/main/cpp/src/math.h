// Elementary functions on vectors, in float with errors of about 1 ulp of the largest value.
#ifndef GATUN_MATH_H
#define GATUN_MATH_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// The series of e^r near 0.
static inline Floats exp_series(Floats r) {
  Floats p = splat(1.98412698e-4f);  // 1 / 7!, and the other terms
  p = fma(p, r, splat(1.38888889e-3f));
  p = fma(p, r, splat(8.33333333e-3f));
  p = fma(p, r, splat(4.16666667e-2f));
  p = fma(p, r, splat(1.66666667e-1f));
  p = fma(p, r, splat(0.5f));
  return fma(p * r, r, r) + 1.0f;
}

// What n times ln 2 leaves of x. ln 2 is in two parts: the first has few bits, so that n times it
// is exact.
static inline Floats exp_rest(Floats x, Floats n) {
  return fma(n, splat(-1.42860677e-6f), fma(n, splat(-0.693145752f), x));
}

// e^x: infinity above 88.72, NaN for NaN, 0 where floats are subnormal unless the level has them
// for nothing.
static inline Floats exp(Floats x) {
#if defined(GATUN_LEVEL_avx512)
  // A NaN as the second operand stays.
  const __m512 above = _mm512_maskz_max_ps(0xffff, _mm512_set1_ps(-104.0f), (__m512)x);
  const __m512 inside = _mm512_maskz_min_ps(0xffff, _mm512_set1_ps(89.0f), above);
  const __m512 n = _mm512_maskz_roundscale_ps(0xffff, inside * _mm512_set1_ps(1.44269504f),
                                              _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Floats p = exp_series(exp_rest((Floats)inside, (Floats)n));
  return (Floats)_mm512_maskz_scalef_ps(0xffff, (__m512)p, n);
#else
  const Floats low = splat(-87.33654f), high = splat(88.72283f);
  const Floats inside = select(x < low, low, select(x > high, high, x));
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const Floats magic = splat(12582912.0f);
  const Floats shifted = fma(inside, splat(1.44269504f), magic);
  const Floats p = exp_series(exp_rest(inside, shifted - magic));
  // 2^n as two factors, for n = 128 is not a float's exponent.
  const Ints whole = (Ints)shifted - (Ints)magic;
  const Ints half = whole >> 1;
  const Floats first = (Floats)((half + 127) << 23);
  const Floats second = (Floats)((whole - half + 127) << 23);
  const Floats y = p * first * second;
  const Floats capped = select(x > high, splat(__builtin_inff()), select(x < low, Floats{}, y));
  return select(x == x, capped, x);
#endif
}

// x times the normal distribution's share below x, as max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, which
// cancels nowhere. -ln(erfc(a / sqrt 2)) is a polynomial fitted on [0, 6.5] for the least largest
// error of the result, 4e-8; beyond, the second term is 0 beside the first.
static inline Floats gelu(Floats x) {
  const Floats a = (Floats)((Ints)x & 0x7fffffff);
  Floats p = splat(-1.243195129e-07f);
  p = fma(p, a, splat(3.026439344e-06f));
  p = fma(p, a, splat(-2.905916881e-05f));
  p = fma(p, a, splat(1.198520986e-04f));
  p = fma(p, a, splat(1.391983242e-04f));
  p = fma(p, a, splat(-4.972687457e-03f));
  p = fma(p, a, splat(3.645095974e-02f));
  p = fma(p, a, splat(3.182747364e-01f));
  p = fma(p, a, splat(7.978885770e-01f));
  const Floats tail = 0.5f * a * exp(-(p * a));
  const Floats positive = select(x < 0.0f, x * 0.0f, x);
  return select(a > 6.5f, positive, select(x < 0.0f, -tail, x - tail));
}

static inline Floats sigmoid(Floats x) { return 1.0f / (1.0f + exp(-x)); }

// tanh: its odd series' rational form near 0, where 1 - 2 / (e^2x + 1) would cancel.
static inline Floats tanh(Floats x) {
  const Floats a = (Floats)((Ints)x & 0x7fffffff);
  const Ints sign = (Ints)x & static_cast<int32_t>(0x80000000u);
  const Floats s = x * x;
  // The continued fraction x / (1 + s / (3 + s / (5 + s / (7 + s / (9 + s / 11))))).
  const Floats d = 9.0f + s / 11.0f;
  const Floats near = a / (1.0f + s / (3.0f + s / (5.0f + s / (7.0f + s / d))));
  const Floats far = 1.0f - 2.0f / (exp(a + a) + 1.0f);
  const Floats y = select(a < 0.625f, near, far);
  return select(x == x, (Floats)((Ints)y | sign), x);
}

static inline Floats activate(Floats x, int32_t activation) {
  switch (activation) {
    case GATUN_ACTIVATION_RELU:
      return select(x < 0.0f, Floats{}, x);
    case GATUN_ACTIVATION_GELU:
      return gelu(x);
    case GATUN_ACTIVATION_GELU_TANH:
      return 0.5f * x * (1.0f + tanh(0.797884561f * fma(x * x * x, splat(0.044715f), x)));
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
