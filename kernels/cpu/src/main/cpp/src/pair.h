// Several vectors computed with as one. A vector's instructions wait for each other, and a
// processor looks only so far ahead: long formulas run at full speed with those of several vectors
// in turn.
#ifndef GATUN_PAIR_H
#define GATUN_PAIR_H

#include <type_traits>

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// Two vectors, or two pairs. All that is done to it is done to both.
template <typename V>
struct Pair {
  V lo, hi;
};

template <typename V>
static inline Pair<V> pair(V lo, V hi) {
  return {lo, hi};
}

// As many vectors as there are registers for.
typedef std::conditional_t<kBlockVectors == 4, Pair<Pair<Floats>>, Pair<Floats>> Block;

// How many elements a vector or pair has.
template <typename V>
constexpr int64_t lanes_of = sizeof(V) / sizeof(float);

// A vector or pair of the shape of x with c in all lanes.
static inline Floats like(Floats, float c) { return splat(c); }
template <typename V>
static inline Pair<V> like(Pair<V> x, float c) {
  return pair(like(x.lo, c), like(x.hi, c));
}

#define GATUN_PAIR_OPERATOR(op)                          \
  template <typename V, typename W>                      \
  static inline auto operator op(Pair<V> a, Pair<W> b) { \
    return pair(a.lo op b.lo, a.hi op b.hi);             \
  }                                                      \
  template <typename V>                                  \
  static inline auto operator op(Pair<V> a, float b) {   \
    return pair(a.lo op b, a.hi op b);                   \
  }                                                      \
  template <typename V>                                  \
  static inline auto operator op(float a, Pair<V> b) {   \
    return pair(a op b.lo, a op b.hi);                   \
  }
GATUN_PAIR_OPERATOR(+)
GATUN_PAIR_OPERATOR(-)
GATUN_PAIR_OPERATOR(*)
GATUN_PAIR_OPERATOR(/)
GATUN_PAIR_OPERATOR(<)
GATUN_PAIR_OPERATOR(>)
GATUN_PAIR_OPERATOR(==)
#undef GATUN_PAIR_OPERATOR

template <typename V>
static inline Pair<V> operator-(Pair<V> a) {
  return pair(-a.lo, -a.hi);
}

// Functions of vectors as functions of pairs.
#define GATUN_PAIR_UNARY(name)            \
  template <typename V>                   \
  static inline Pair<V> name(Pair<V> a) { \
    return pair(name(a.lo), name(a.hi));  \
  }
#define GATUN_PAIR_BINARY(name)                      \
  template <typename V>                              \
  static inline Pair<V> name(Pair<V> a, Pair<V> b) { \
    return pair(name(a.lo, b.lo), name(a.hi, b.hi)); \
  }
#define GATUN_PAIR_TERNARY(name)                                 \
  template <typename U, typename V>                              \
  static inline Pair<V> name(Pair<U> a, Pair<V> b, Pair<V> c) {  \
    return pair(name(a.lo, b.lo, c.lo), name(a.hi, b.hi, c.hi)); \
  }
GATUN_PAIR_UNARY(magnitude)
GATUN_PAIR_BINARY(max)
GATUN_PAIR_BINARY(min)
GATUN_PAIR_TERNARY(fma)
GATUN_PAIR_TERNARY(select)

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
