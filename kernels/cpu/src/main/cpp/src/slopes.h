// Activation functions with their derivatives.
#ifndef GATUN_SLOPES_H
#define GATUN_SLOPES_H

#include "math_bf16.h"

namespace gatun {
namespace GATUN_LEVEL {

// What a function of x is there, and its derivative.
template <typename V>
struct Sloped {
  V value, slope;
};

// The sigmoid, of which neither cancels: of q = e^-|x| they are 1 / (1 + q), or q times that where
// x is negative, and q / (1 + q)^2.
template <typename F, typename V>
static inline GATUN_INLINE Sloped<V> logistic(V x) {
  const V q = F::exp(-magnitude(x)), inverse = F::inverse(1.0f + q), other = q * inverse;
  return {select(x < 0.0f, other, inverse), other * inverse};
}

// x, or the nearest of what it may be at most; NaN stays.
template <typename V>
static inline GATUN_INLINE V within(V x, float most) {
  return min(like(x, most), max(like(x, -most), x));
}

// x times the normal distribution's share below x; the derivative is that share and x times the
// density.
template <typename F, typename V>
static inline GATUN_INLINE Sloped<V> sloped_gelu(V x) {
  const V a = min(like(x, 13.0f), magnitude(x));
  if constexpr (std::is_same_v<F, Bf16Functions>) {
    // The share beyond a is the density times a polynomial: one power of e gives all.
    const V density = F::density(a), ratio = F::mills(a), t = density * (ratio - a);
    return {gelu(x, [&](V) GATUN_INLINE { return a * (density * ratio); }),
            select(x < 0.0f, t, 1.0f - t)};
  }
  const V beyond = F::share_beyond(a);
  const V below = select(x < 0.0f, beyond, 1.0f - beyond);
  return {gelu(x, [&](V) GATUN_INLINE { return a * beyond; }),
          fma(with_sign(a, x), F::density(a), below)};
}

// x times sigmoid(x factor).
template <typename F, typename V>
static inline GATUN_INLINE Sloped<V> sloped_silu(V x, float factor) {
  const V v = within(x, 200.0f) * factor;
  const auto s = logistic<F>(v);
  return {x * s.value, fma(v, s.slope, s.value)};
}

// Calls body with what gives an activation and its derivative, made of Functions.
template <typename Functions, typename Body>
static inline void by_sloped(int32_t activation, const Body &body) {
  using F = Functions;
  switch (activation) {
    case GATUN_ACTIVATION_RELU:
      return body([](auto x) GATUN_INLINE {
        using V = decltype(x);
        const V zero = like(x, 0.0f), one = like(x, 1.0f);
        return Sloped<V>{select(x < 0.0f, zero, x),
                         select(x > 0.0f, one, select(x == x, zero, one))};
      });
    case GATUN_ACTIVATION_GELU:
      return body([](auto x) GATUN_INLINE { return sloped_gelu<F>(x); });
    case GATUN_ACTIVATION_GELU_TANH:
      // x sigmoid(2 z); beyond 13 that is 0 or 1.
      return body([](auto x) GATUN_INLINE {
        using V = decltype(x);
        const V v = within(x, 13.0f), square = v * v;
        const auto s =
            logistic<F>(v * fma(square, like(x, 1.595769122f * 0.044715f), like(x, 1.595769122f)));
        const V inner =
            fma(square, like(x, 3.0f * 1.595769122f * 0.044715f), like(x, 1.595769122f));
        return Sloped<V>{x * s.value, fma(v * inner, s.slope, s.value)};
      });
    case GATUN_ACTIVATION_TANH:
      // 1 - tanh^2 is 4 sigmoid'(2 x).
      return body([](auto x) GATUN_INLINE {
        using V = decltype(x);
        return Sloped<V>{F::tanh(x), 4.0f * logistic<F>(x * 2.0f).slope};
      });
    case GATUN_ACTIVATION_SIGMOID:
      return body([](auto x) GATUN_INLINE { return logistic<F>(x); });
    case GATUN_ACTIVATION_SILU:
      return body([](auto x) GATUN_INLINE { return sloped_silu<F>(x, 1.0f); });
    case GATUN_ACTIVATION_QUICK_GELU:
      return body([](auto x) GATUN_INLINE { return sloped_silu<F>(x, 1.702f); });
    default:
      return body([](auto x) GATUN_INLINE { return Sloped<decltype(x)>{x, like(x, 1.0f)}; });
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
