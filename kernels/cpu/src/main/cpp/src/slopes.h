// The derivatives of activation functions.
#ifndef GATUN_SLOPES_H
#define GATUN_SLOPES_H

#include "math.h"

namespace gatun {
namespace GATUN_LEVEL {

// sigmoid(x) and its derivative, neither of which cancels: of q = e^-|x| they are 1 / (1 + q), or q
// times that where x is negative, and q / (1 + q)^2.
template <typename V>
struct Logistic {
  V value, slope;
};
template <typename V>
static inline GATUN_INLINE Logistic<V> logistic(V x) {
  const V q = exp(-magnitude(x)), inverse = 1.0f / (1.0f + q);
  return {select(x < 0.0f, q * inverse, inverse), q * inverse * inverse};
}

// x, or the nearest of what it may be at most; NaN stays.
template <typename V>
static inline GATUN_INLINE V within(V x, float most) {
  return min(like(x, most), max(like(x, -most), x));
}

// The normal distribution's share below x and x times its density. The share beyond |x| is that of
// gelu.
template <typename V>
static inline GATUN_INLINE V gelu_slope(V x) {
  const V a = min(like(x, 13.0f), magnitude(x));
  // gelu(-a) is -a times the share beyond a.
  const V beyond = select(a < 1e-30f, like(x, 0.5f), -gelu(-a) / max(like(x, 1e-30f), a));
  const V below = select(x < 0.0f, beyond, 1.0f - beyond);
  const V density = 0.398942280f * exp(a * a * -0.5f);
  return fma(with_sign(a, x), density, below);
}

// Calls body with the derivative of an activation.
template <typename Body>
static inline void by_slope(int32_t activation, const Body &body) {
  switch (activation) {
    case GATUN_ACTIVATION_RELU:
      return body([](auto x) GATUN_INLINE {
        return select(x > 0.0f, like(x, 1.0f), select(x == x, like(x, 0.0f), like(x, 1.0f)));
      });
    case GATUN_ACTIVATION_GELU:
      return body([](auto x) GATUN_INLINE { return gelu_slope(x); });
    case GATUN_ACTIVATION_GELU_TANH:
      // Of x sigmoid(2 z); beyond 13 it is 0 or 1.
      return body([](auto x) GATUN_INLINE {
        const auto v = within(x, 13.0f);
        const auto square = v * v;
        const auto s =
            logistic(v * fma(square, like(x, 1.595769122f * 0.044715f), like(x, 1.595769122f)));
        const auto inner =
            fma(square, like(x, 3.0f * 1.595769122f * 0.044715f), like(x, 1.595769122f));
        return fma(v * inner, s.slope, s.value);
      });
    case GATUN_ACTIVATION_TANH:
      // 1 - tanh^2 is 4 sigmoid'(2 x).
      return body([](auto x) GATUN_INLINE { return 4.0f * logistic(x * 2.0f).slope; });
    case GATUN_ACTIVATION_SIGMOID:
      return body([](auto x) GATUN_INLINE { return logistic(x).slope; });
    case GATUN_ACTIVATION_SILU:
      return body([](auto x) GATUN_INLINE {
        const auto v = within(x, 200.0f);
        const auto s = logistic(v);
        return fma(v, s.slope, s.value);
      });
    case GATUN_ACTIVATION_QUICK_GELU:
      return body([](auto x) GATUN_INLINE {
        const auto v = within(x, 200.0f) * 1.702f;
        const auto s = logistic(v);
        return fma(v, s.slope, s.value);
      });
    default:
      return body([](auto x) GATUN_INLINE { return like(x, 1.0f); });
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
