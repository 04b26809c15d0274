// Random numbers by their places; see the record RandomNumbers. Each sum and product is rounded, so
// that every backend has the same bits.
#include "../numbers.h"
#include "../philox.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Numbers of a counter, and numbers that are made together.
constexpr int64_t kWords = 4, kPair = 2, kBatch = 256;
constexpr int64_t kHalf = kLanes / 2;

constexpr double kLn2 = 0x1.62e42fefa39efp-1, kTurn = 0x1.921fb54442d18p2;
// Adding it rounds to an integer, which then stands in the low bits.
constexpr double kMagic = 0x1.8p52;

PhiloxWords words_at(int64_t counter, uint64_t seed, uint64_t sequence) {
  const uint64_t c = static_cast<uint64_t>(counter);
  return philox_words(static_cast<uint32_t>(c), static_cast<uint32_t>(c >> 32),
                      static_cast<uint32_t>(sequence), static_cast<uint32_t>(sequence >> 32), seed);
}

// From 0 to below 1, in steps of 2^-53.
double fraction(uint32_t high, uint32_t low) {
  return static_cast<double>(static_cast<uint64_t>(high >> 6) << 27 | low >> 5) * 0x1p-53;
}

// c[0] + c[1] x + c[2] x^2 and so on.
template <int kTerms>
GATUN_INLINE inline Doubles series(Doubles x, const double (&c)[kTerms]) {
  Doubles p = c[kTerms - 1] - Doubles{};
#pragma GCC unroll 16
  for (int i = kTerms - 2; i >= 0; i--) {
    p = p * x + c[i];
  }
  return p;
}

// ln u of 2^-53 to 1, as e ln 2 + 2 atanh((m - 1) / (m + 1)) of u = 2^e m, m being 1/sqrt(2) to
// sqrt(2).
GATUN_INLINE inline Doubles log_of(Doubles u) {
  constexpr uint64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kSeries[] = {2 / 3.0,  2 / 5.0,  2 / 7.0,  2 / 9.0,  2 / 11.0,
                                       2 / 13.0, 2 / 15.0, 2 / 17.0, 2 / 19.0, 2 / 21.0};
  const LongBits biased = ((LongBits)u + (kOne - kRootHalf)) >> 52;
  const Doubles m = (Doubles)((LongBits)u + kOne - (biased << 52));
  const Doubles e = (Doubles)(biased | 0x4330000000000000) - (0x1p52 + 1023.0);
  const Doubles s = (m - 1.0) / (m + 1.0), z = s * s;
  return e * kLn2 + ((s + s) + s * z * series(z, kSeries));
}

struct Direction {
  Doubles cosine, sine;
};

// Of a part of a turn from 0 to 1, as quarters and the rest.
GATUN_INLINE inline Direction direction(Doubles turn) {
  static constexpr double kSine[] = {
      -1 / 6.0,        1 / 120.0,        -1 / 5040.0,          1 / 362880.0,
      -1 / 39916800.0, 1 / 6227020800.0, -1 / 1307674368000.0, 1 / 355687428096000.0};
  static constexpr double kCosine[] = {
      -1 / 2.0,       1 / 24.0,        -1 / 720.0,         1 / 40320.0,
      -1 / 3628800.0, 1 / 479001600.0, -1 / 87178291200.0, 1 / 20922789888000.0};
  const Doubles shifted = turn * 4.0 + kMagic;
  const LongBits quarter = (LongBits)shifted;
  const Doubles x = (turn - (shifted - kMagic) * 0.25) * kTurn, z = x * x;
  const Doubles sine = x + x * z * series(z, kSine), cosine = 1.0 + z * series(z, kCosine);
  const Longs odd = (Longs)(0 - (quarter & 1));
  const Doubles across = select(odd, sine, cosine), up = select(odd, cosine, sine);
  return {(Doubles)((LongBits)across ^ ((quarter + 1) & 2) << 62),
          (Doubles)((LongBits)up ^ (quarter & 2) << 62)};
}

// y[i] of i from begin on, length of them, a multiple of kWords that y may have fewer of.
struct Uniform {
  double low, width;
  uint64_t seed, sequence;

  void make(int64_t begin, int64_t length, float *numbers) const {
    for (int64_t j = 0; j < length; j += kWords) {
      const PhiloxWords words = words_at((begin + j) / kWords, seed, sequence);
      for (int k = 0; k < kWords; k++) {
        const double part = static_cast<double>(words.of[k] >> 8) * 0x1p-24;
        numbers[j + k] = static_cast<float>(low + width * part);
      }
    }
  }
};

struct Normal {
  double mean, deviation;
  uint64_t seed, sequence;

  void make(int64_t begin, int64_t length, float *numbers) const {
    double u[kBatch / kPair] = {}, turns[kBatch / kPair] = {};
    for (int64_t j = 0; j < length / kPair; j++) {
      const PhiloxWords words = words_at(begin / kPair + j, seed, sequence);
      u[j] = 1.0 - fraction(words.of[0], words.of[1]);
      turns[j] = fraction(words.of[2], words.of[3]);
    }
    for (int64_t j = 0; j < length / kPair; j += kHalf) {
      Doubles above, turn;
      __builtin_memcpy(&above, u + j, sizeof above);
      __builtin_memcpy(&turn, turns + j, sizeof turn);
      const Doubles radius = root(log_of(above) * -2.0);
      const Direction to = direction(turn);
      const Doubles first = radius * to.cosine, second = radius * to.sine;
      for (int64_t k = 0; k < kHalf && j + k < length / kPair; k++) {
        numbers[kPair * (j + k)] = static_cast<float>(mean + deviation * first[k]);
        numbers[kPair * (j + k) + 1] = static_cast<float>(mean + deviation * second[k]);
      }
    }
  }
};

template <typename T, typename Distribution>
void fill(T *y, int64_t count, const Distribution &distribution) {
  parallel_rows((count + kWords - 1) / kWords, 8 * kWords, [&](int64_t first, int64_t last) {
    const int64_t end = last * kWords < count ? last * kWords : count;
    float numbers[kBatch];
    for (int64_t i = first * kWords; i < end; i += kBatch) {
      const int64_t length = end - i < kBatch ? end - i : kBatch;
      distribution.make(i, (length + kWords - 1) / kWords * kWords, numbers);
      by_vector(length, [&](int64_t j, int64_t n) {
        store_lanes(y + i + j, load_lanes(numbers + j, n), n);
      });
    }
  });
}

}  // namespace

int32_t random_numbers(void *y, int32_t dtype, int64_t count, int32_t distribution, float first,
                       float second, uint64_t seed, uint64_t sequence) {
  if (count < 0 || !is_dtype(dtype) || distribution < GATUN_RANDOM_UNIFORM ||
      distribution > GATUN_RANDOM_NORMAL) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    T *to = static_cast<T *>(y);
    if (distribution == GATUN_RANDOM_UNIFORM) {
      fill(to, count, Uniform{first, static_cast<double>(second) - first, seed, sequence});
    } else {
      fill(to, count, Normal{first, second, seed, sequence});
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
