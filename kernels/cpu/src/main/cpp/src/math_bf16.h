// Elementary functions for results of bf16, which are rounded to 2^-9 of them: shorter formulas
// than those of math.h, with the errors that are said beside them.
#ifndef GATUN_MATH_BF16_H
#define GATUN_MATH_BF16_H

#include "math.h"
#include "numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

GATUN_PAIR_UNARY(reciprocal)

struct Bf16Functions {
  // The normal distribution's share beyond a, of 0 to 13, times its density's inverse: a polynomial
  // fitted on [0, 5.5] with relative errors of 8.5e-4, and its value there beyond.
  template <typename V>
  static GATUN_INLINE V mills(V a) {
    // A NaN as the second operand stays.
    const V at = min(like(a, 5.5f), a);
    V p = like(a, -4.718344565e-05f);
    p = fma(p, at, like(a, 1.135575321e-03f));
    p = fma(p, at, like(a, -1.157266061e-02f));
    p = fma(p, at, like(a, 6.586546070e-02f));
    p = fma(p, at, like(a, -2.348302798e-01f));
    p = fma(p, at, like(a, 5.660866658e-01f));
    p = fma(p, at, like(a, -9.832827717e-01f));
    return fma(p, at, like(a, 1.252280974f));
  }

  // 2^x by the polynomial of degree 3 with the least largest relative error, 7.5e-5.
  template <typename V>
  static GATUN_INLINE V exp2(V x) {
    return gatun::GATUN_LEVEL::exp2(x, [](V f) GATUN_INLINE {
      V p = like(f, 5.517167117e-02f);
      p = fma(p, f, like(f, 2.426111331e-01f));
      p = fma(p, f, like(f, 6.932609860e-01f));
      return fma(p, f, like(f, 9.999280729e-01f));
    });
  }

  template <typename V>
  static GATUN_INLINE V exp(V x) {
    // A NaN as the second operand stays.
    return exp2(max(like(x, -200.0f), min(like(x, 129.0f), x * 1.44269504f)));
  }

  template <typename V>
  static GATUN_INLINE V inverse(V x) {
    return reciprocal(x);
  }

  template <typename V>
  static GATUN_INLINE V sigmoid(V x) {
    return inverse(1.0f + exp(-x));
  }

  // By a polynomial fitted on [0, 5.5], with relative errors of 1.3e-4 up to 3, 4e-4 up to 4.5 and
  // 8e-4 beyond.
  template <typename V>
  static GATUN_INLINE V share_beyond(V a) {
    V p = like(a, -2.729733201e-04f);
    p = fma(p, a, like(a, 5.366733185e-03f));
    p = fma(p, a, like(a, -4.671386632e-02f));
    p = fma(p, a, like(a, -4.661430302e-01f));
    p = fma(p, a, like(a, -1.148249814f));
    p = fma(p, a, like(a, -1.000187566f));
    return exp2(p);
  }

  // -a^2 / 2 and the constant before it as powers of 2.
  template <typename V>
  static GATUN_INLINE V density(V a) {
    return exp2(fma(a * a, like(a, -0.721347520f), like(a, -1.325748064f)));
  }

  template <typename V>
  static GATUN_INLINE V gelu(V x) {
    return gatun::GATUN_LEVEL::gelu(x, [](V a) GATUN_INLINE { return a * share_beyond(a); });
  }

  // No shorter formula keeps small results as exact as others.
  template <typename V>
  static GATUN_INLINE V tanh(V x) {
    return gatun::GATUN_LEVEL::tanh(x);
  }
};

// The functions for results of a type.
template <typename T>
struct FunctionsFor {
  using Type = FullFunctions;
};
template <>
struct FunctionsFor<Bf16> {
  using Type = Bf16Functions;
};
template <typename T>
using FunctionsOf = typename FunctionsFor<T>::Type;

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
