// Elementary functions of numbers that are floats, in double, for results that are rounded to
// floats: relative errors are below 2^-35, as long as no subnormal double is met, which no float
// leads to.
#ifndef GATUN_MATH_DOUBLE_H
#define GATUN_MATH_DOUBLE_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {
namespace in_double {

constexpr double kInfinity = __builtin_inf(), kNan = __builtin_nan("");
constexpr double kPi = 0x1.921fb54442d18p1, kLn2 = 0x1.62e42fefa39efp-1,
                 kLn10 = 0x1.26bb1bbb55516p1;

// Adding it rounds to an integer, which then stands in the low bits.
constexpr double kMagic = 0x1.8p52;

static inline Doubles all(double x) { return x - Doubles{}; }
static inline Doubles magnitude(Doubles x) { return (Doubles)((Longs)x & INT64_MAX); }
// y, its sign turned where x is negative.
static inline Doubles turned_as(Doubles y, Doubles x) {
  return (Doubles)((Longs)y ^ ((Longs)x & INT64_MIN));
}

// c[0] + c[1] x + c[2] x^2 and so on.
template <int kTerms>
static inline GATUN_INLINE Doubles polynomial(Doubles x, const double (&c)[kTerms]) {
  Doubles p = all(c[kTerms - 1]);
#pragma GCC unroll 16
  for (int i = kTerms - 2; i >= 0; i--) {
    p = fma(p, x, all(c[i]));
  }
  return p;
}

// x as n ln 2 + rest: e^rest - 1, and 2^n. Beyond 110 everything is infinite or 0 as a float.
struct Exponential {
  Doubles less_one, power;

  GATUN_INLINE explicit Exponential(Doubles x) {
    // The series of (e^r - 1) / r, as far as |r| of half of ln 2 needs.
    static constexpr double kSeries[] = {
        1,         1 / 2.0,    1 / 6.0,     1 / 24.0,     1 / 120.0,
        1 / 720.0, 1 / 5040.0, 1 / 40320.0, 1 / 362880.0, 1 / 3628800.0};
    const Doubles inside = select(x < -110.0, all(-110.0), select(x > 110.0, all(110.0), x));
    const Doubles shifted = inside * (1 / kLn2) + kMagic;
    const Doubles rest = fma(shifted - kMagic, all(-kLn2), inside);
    less_one = rest * polynomial(rest, kSeries);
    power = (Doubles)((Longs)all(1.0) + ((Longs)shifted << 52));
  }
};

static inline GATUN_INLINE Doubles exp(Doubles x) {
  const Exponential e(x);
  return fma(e.less_one, e.power, e.power);
}

// 2^n (e^rest - 1) + (2^n - 1), where nothing cancels.
static inline GATUN_INLINE Doubles expm1(Doubles x) {
  const Exponential e(x);
  return select(x == 0.0, x, fma(e.less_one, e.power, e.power - 1.0));
}

// ln u, where f is u - 1 before u was rounded: by ln m = 2 atanh(f / (f + 2)) of u = 2^e m, m
// being 1/sqrt(2) to sqrt(2).
static inline GATUN_INLINE Doubles log_beside_one(Doubles u, Doubles f) {
  constexpr uint64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  // 2 (1/3 + z/5 + z^2/7 ...), as far as z of 0.0295 needs.
  static constexpr double kSeries[] = {2 / 3.0, 2 / 5.0, 2 / 7.0, 2 / 9.0, 2 / 11.0, 2 / 13.0};
  const LongBits biased = ((LongBits)u + (kOne - kRootHalf)) >> 52;
  const Doubles m = (Doubles)((LongBits)u + kOne - (biased << 52));
  const Doubles e = (Doubles)(biased | 0x4330000000000000) - (0x1p52 + 1023.0);
  const Doubles t = select(e == 0.0, f, m - 1.0);
  const Doubles s = t / (t + 2.0), z = s * s;
  const Doubles y = fma(e, all(kLn2), fma(s * z, polynomial(z, kSeries), s + s));
  const Doubles edge = select(u == 0.0, all(-kInfinity), select(u > 0.0, u, all(kNan)));
  return select((u > 0.0) & (u < kInfinity), y, edge);
}

static inline GATUN_INLINE Doubles log(Doubles x) { return log_beside_one(x, x - 1.0); }
static inline GATUN_INLINE Doubles log1p(Doubles x) {
  return select(x == 0.0, x, log_beside_one(x + 1.0, x));
}

// x as so many quarters of a turn and the rest, |rest| at most pi / 4.
struct Angle {
  Doubles rest;
  Longs quarters;
};

// The lanes of an angle whose x is a float of 2^22 and more, m 2^e with m of 24 bits: of the bits
// of 2 / pi those matter that times x are neither multiples of 4 nor far behind the point (Payne
// and Hanek, SIGNUM 1983).
static __attribute__((noinline)) Angle far_angle(Doubles x, Doubles rest, Longs quarters) {
  static constexpr uint32_t kTwoOverPi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                            0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
  for (int i = 0; i < kLanes / 2; i++) {
    const bool negative = x[i] < 0;
    const double far = negative ? -x[i] : x[i];
    if (!(far >= 0x1p22)) {
      continue;
    }
    if (far == kInfinity) {
      rest[i] = kNan;
      continue;
    }
    uint64_t bits;
    __builtin_memcpy(&bits, &far, sizeof bits);
    const int e = static_cast<int>(bits >> 52) - 1023 - 23;
    const uint64_t m = (bits >> 29 & 0x7fffff) | 0x800000;
    // Of the 96 bits from here on the first stands for 2 and the last for 2^-94.
    const int at = e + 30;
    const auto word = [&](int k) {
      const uint32_t *two = kTwoOverPi + at / 32 + k;
      return (uint64_t{two[0]} << 32 | two[1]) << at % 32 >> 32;
    };
    const uint64_t low = m * word(2), middle = m * word(1) + (low >> 32);
    const uint64_t high = m * word(0) + (middle >> 32);
    const uint64_t turns = high << 32 | (middle & 0xffffffff);
    const uint64_t quarter = (turns + (uint64_t{1} << 61)) >> 62;
    const double part = static_cast<double>(static_cast<int64_t>(turns - (quarter << 62)));
    const double angle = part * (0x1p-62 * kPi / 2);
    rest[i] = negative ? -angle : angle;
    quarters[i] = static_cast<int64_t>(negative ? 0 - quarter : quarter);
  }
  return {rest, quarters};
}

static inline GATUN_INLINE Angle angle(Doubles x) {
  // pi / 2 in two parts: the first has 25 bits, so that n times it is exact.
  constexpr double kHead = 0x1.921fb5p0, kTail = 0x1.110b4611a6263p-26;
  const Doubles shifted = x * (2 / kPi) + kMagic, n = shifted - kMagic;
  const Angle near = {fma(n, all(-kTail), fma(n, all(-kHead), x)), (Longs)shifted};
  return any((Ints)(magnitude(x) >= 0x1p22)) ? far_angle(x, near.rest, near.quarters) : near;
}

// Of angles up to pi / 4, by their series.
static inline GATUN_INLINE Doubles sin_near(Doubles r) {
  static constexpr double kSeries[] = {1,           -1 / 6.0,     1 / 120.0,
                                       -1 / 5040.0, 1 / 362880.0, -1 / 39916800.0};
  return r * polynomial(r * r, kSeries);
}
static inline GATUN_INLINE Doubles cos_near(Doubles r) {
  static constexpr double kSeries[] = {1,           -1 / 2.0,       1 / 24.0,       -1 / 720.0,
                                       1 / 40320.0, -1 / 3628800.0, 1 / 479001600.0};
  return polynomial(r * r, kSeries);
}

// The sine of an angle and so many quarters of a turn.
static inline GATUN_INLINE Doubles sin_of(const Angle &a, int64_t quarters) {
  const Longs q = a.quarters + quarters;
  const Doubles y = select((q & 1) != 0, cos_near(a.rest), sin_near(a.rest));
  return (Doubles)((Longs)y ^ ((q & 2) << 62));
}

static inline GATUN_INLINE Doubles sin(Doubles x) { return sin_of(angle(x), 0); }
static inline GATUN_INLINE Doubles cos(Doubles x) { return sin_of(angle(x), 1); }
static inline GATUN_INLINE Doubles tan(Doubles x) {
  const Angle a = angle(x);
  const Doubles s = sin_near(a.rest), c = cos_near(a.rest);
  const Longs odd = (a.quarters & 1) != 0;
  return select(odd, -c, s) / select(odd, s, c);
}

// By the tangents of the angles less pi / 4 or pi / 2, whose series ends where |t| is tan(pi / 8).
static inline GATUN_INLINE Doubles atan(Doubles x) {
  static constexpr double kSeries[] = {1,         -1 / 3.0,  1 / 5.0,   -1 / 7.0, 1 / 9.0,
                                       -1 / 11.0, 1 / 13.0,  -1 / 15.0, 1 / 17.0, -1 / 19.0,
                                       1 / 21.0,  -1 / 23.0, 1 / 25.0};
  const Doubles a = magnitude(x);
  const Longs steep = a > 2.414213562373095, middle = a > 0.4142135623730951;
  const Doubles over = select(steep, all(-1.0), select(middle, a - 1.0, a));
  const Doubles under = select(steep, a, select(middle, a + 1.0, all(1.0)));
  const Doubles from = select(steep, all(kPi / 2), select(middle, all(kPi / 4), all(0.0)));
  const Doubles t = over / under;
  return turned_as(fma(t, polynomial(t * t, kSeries), from), x);
}

static inline GATUN_INLINE Doubles asin(Doubles x) { return atan(x / root((1.0 - x) * (x + 1.0))); }
static inline GATUN_INLINE Doubles acos(Doubles x) {
  return 2.0 * atan(root((1.0 - x) / (x + 1.0)));
}

static inline GATUN_INLINE Doubles sinh(Doubles x) {
  const Doubles u = expm1(magnitude(x));
  return turned_as((u + u / (u + 1.0)) * 0.5, x);
}
static inline GATUN_INLINE Doubles cosh(Doubles x) {
  const Doubles e = exp(magnitude(x));
  return (e + 1.0 / e) * 0.5;
}

static inline GATUN_INLINE Doubles asinh(Doubles x) {
  const Doubles a = magnitude(x), square = a * a;
  const Doubles y = log1p(a + square / (root(square + 1.0) + 1.0));
  return turned_as(select(a == kInfinity, a, y), x);
}
static inline GATUN_INLINE Doubles acosh(Doubles x) {
  const Doubles above = x - 1.0;
  return select(x < 1.0, all(kNan), log1p(above + root(above * (x + 1.0))));
}
static inline GATUN_INLINE Doubles atanh(Doubles x) {
  const Doubles a = magnitude(x);
  return turned_as(log1p((a + a) / (1.0 - a)) * 0.5, x);
}

static inline GATUN_INLINE Doubles cbrt(Doubles x) {
  const Doubles a = magnitude(x), y = exp(log(a) * (1 / 3.0));
  return turned_as(select((a == 0.0) | (a == kInfinity), a, y), x);
}

}  // namespace in_double
}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
