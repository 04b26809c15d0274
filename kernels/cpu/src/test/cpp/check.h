// What the C++ tests share: checks, guarded memory, random numbers, and every level in turn.
#ifndef GATUN_CHECK_H
#define GATUN_CHECK_H

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "gatun_cpu.h"

#define CHECK(condition, ...)                                              \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                   \
      std::fputc('\n', stderr);                                            \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

// Memory between guard bytes, filled with a byte that no result should keep.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count)
      : count_(count), bytes_(kGuard * 2 + static_cast<size_t>(count) * sizeof(T), 0xa5) {}

  T *data() { return reinterpret_cast<T *>(bytes_.data() + kGuard); }
  T &operator[](int64_t i) { return data()[i]; }
  int64_t size() const { return count_; }

  void check(const char *what) const {
    for (size_t i = 0; i < kGuard; i++) {
      CHECK(bytes_[i] == 0xa5, "%s: written before its begin", what);
      CHECK(bytes_[bytes_.size() - 1 - i] == 0xa5, "%s: written past its end", what);
    }
  }

 private:
  static constexpr size_t kGuard = 256;
  int64_t count_;
  std::vector<unsigned char> bytes_;
};

inline std::mt19937_64 &generator() {
  static std::mt19937_64 random = [] {
    const char *given = std::getenv("GATUN_SEED");
    const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261124;
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    return std::mt19937_64(seed);
  }();
  return random;
}

inline float normal() {
  static std::normal_distribution<float> distribution;
  return distribution(generator());
}

inline std::vector<float> normals(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float &v : values) {
    v = normal();
  }
  return values;
}

// Calls body(level) at each level that this processor has.
template <typename Body>
void every_level(const Body &body) {
  for (int32_t level = 0; level <= gatun_best_level(); level++) {
    CHECK(gatun_set_level(level) == GATUN_OK, "level %d", level);
    body(level);
  }
}

inline uint32_t bits(float x) {
  uint32_t b;
  std::memcpy(&b, &x, 4);
  return b;
}

inline float from_bits(uint32_t b) {
  float x;
  std::memcpy(&x, &b, 4);
  return x;
}

// Independent of the library's way: arithmetic on doubles.
inline float f16_value(uint16_t h) {
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  const double size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                      : exponent == 0 ? std::ldexp(mantissa, -24)
                                      : std::ldexp(1024 + mantissa, exponent - 25);
  return static_cast<float>(h & 0x8000 ? -size : size);
}

inline float bf16_value(uint16_t h) { return from_bits(static_cast<uint32_t>(h) << 16); }

// The nearest number with that many bits of mantissa (the hidden one counts) and that least
// exponent, ties to even, as a double.
inline double nearest(double x, int mantissa, int least) {
  if (x == 0 || !std::isfinite(x)) {
    return x;
  }
  int exponent;
  std::frexp(x, &exponent);
  const int ulp = std::max(exponent - mantissa, least);
  return std::ldexp(std::nearbyint(std::ldexp(x, -ulp)), ulp);
}

inline float round_bf16(float x) { return static_cast<float>(nearest(x, 8, -133)); }

inline uint16_t bf16_bits(float x) { return static_cast<uint16_t>(bits(round_bf16(x)) >> 16); }

inline float round_f16(float x) {
  const double y = nearest(x, 11, -24);
  return static_cast<float>(std::fabs(y) > 65504 ? std::copysign(INFINITY, y) : y);
}

#endif
