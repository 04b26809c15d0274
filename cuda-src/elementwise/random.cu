// Random numbers by their places, a thread the numbers of a counter; see the record RandomNumbers.
// Each product is rounded before anything is added, so that every backend has the same bits.
#include <cstring>

#include "numbers.h"
#include "philox.h"
#include "strided.h"

using namespace gatun;

enum RandomDistribution : int { kUniform, kNormal };

static __device__ __forceinline__ uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static __device__ __forceinline__ double of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// From 0 to below 1, in steps of 2^-53.
static __device__ __forceinline__ double fraction(uint32_t high, uint32_t low) {
  return static_cast<double>(static_cast<uint64_t>(high >> 6) << 27 | low >> 5) * 0x1p-53;
}

// c[0] + c[1] x + c[2] x^2 and so on.
template <int Terms>
static __device__ __forceinline__ double series(double x, const double (&c)[Terms]) {
  double p = c[Terms - 1];
#pragma unroll
  for (int i = Terms - 2; i >= 0; i--) {
    p = multiply_rounded(p, x) + c[i];
  }
  return p;
}

// ln u of 2^-53 to 1, as e ln 2 + 2 atanh((m - 1) / (m + 1)) of u = 2^e m, m being 1/sqrt(2) to
// sqrt(2).
static __device__ __forceinline__ double log_of(double u) {
  constexpr uint64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  constexpr double kSeries[] = {2 / 3.0,  2 / 5.0,  2 / 7.0,  2 / 9.0,  2 / 11.0,
                                2 / 13.0, 2 / 15.0, 2 / 17.0, 2 / 19.0, 2 / 21.0};
  const uint64_t biased = (bits_of(u) + (kOne - kRootHalf)) >> 52;
  const double m = of_bits(bits_of(u) + kOne - (biased << 52));
  const double e = static_cast<double>(static_cast<int>(biased) - 1023);
  const double s = (m - 1.0) / (m + 1.0), z = multiply_rounded(s, s);
  const double rest = multiply_rounded(multiply_rounded(s, z), series(z, kSeries));
  return multiply_rounded(e, kLn2) + ((s + s) + rest);
}

struct Direction {
  double cosine, sine;
};

// Of a part of a turn from 0 to 1, as quarters and the rest.
static __device__ __forceinline__ Direction direction(double turn) {
  constexpr double kTurn = 0x1.921fb54442d18p2, kMagic = 0x1.8p52;
  constexpr double kSine[] = {
      -1 / 6.0,        1 / 120.0,        -1 / 5040.0,          1 / 362880.0,
      -1 / 39916800.0, 1 / 6227020800.0, -1 / 1307674368000.0, 1 / 355687428096000.0};
  constexpr double kCosine[] = {
      -1 / 2.0,       1 / 24.0,        -1 / 720.0,         1 / 40320.0,
      -1 / 3628800.0, 1 / 479001600.0, -1 / 87178291200.0, 1 / 20922789888000.0};
  // Adding it rounds to an integer, which then stands in the low bits. All products are exact.
  const double shifted = turn * 4.0 + kMagic;
  const uint64_t quarter = bits_of(shifted);
  const double x = (turn - (shifted - kMagic) * 0.25) * kTurn, z = multiply_rounded(x, x);
  const double sine = x + multiply_rounded(multiply_rounded(x, z), series(z, kSine));
  const double cosine = 1.0 + multiply_rounded(z, series(z, kCosine));
  const bool odd = (quarter & 1) != 0;
  return {of_bits(bits_of(odd ? sine : cosine) ^ ((quarter + 1) & 2) << 62),
          of_bits(bits_of(odd ? cosine : sine) ^ (quarter & 2) << 62)};
}

// kernels.list: random_numbers 256 piifflll
extern "C" __global__ void __launch_bounds__(256)
    random_numbers(void* y, int dtype, int distribution, float first, float second, long seed,
                   long sequence, long count) {
  const int each = distribution == kUniform ? 4 : 2;
  const long counter = global_thread(), begin = counter * each;
  if (begin >= count) {
    return;
  }
  const uint64_t c = static_cast<uint64_t>(counter), s = static_cast<uint64_t>(sequence);
  const PhiloxWords words = philox_words(static_cast<uint32_t>(c), static_cast<uint32_t>(c >> 32),
                                         static_cast<uint32_t>(s), static_cast<uint32_t>(s >> 32),
                                         static_cast<uint64_t>(seed));
  double parts[4] = {};
  double grown = second;
  if (distribution == kUniform) {
    grown = static_cast<double>(second) - first;
    for (int k = 0; k < 4; k++) {
      parts[k] = static_cast<double>(words.of[k] >> 8) * 0x1p-24;
    }
  } else {
    const double radius = sqrt(log_of(1.0 - fraction(words.of[0], words.of[1])) * -2.0);
    const Direction to = direction(fraction(words.of[2], words.of[3]));
    parts[0] = multiply_rounded(radius, to.cosine);
    parts[1] = multiply_rounded(radius, to.sine);
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (k < each && begin + k < count) {
      store(y, begin + k, dtype, static_cast<float>(first + multiply_rounded(grown, parts[k])));
    }
  }
}
