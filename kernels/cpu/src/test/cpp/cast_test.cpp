// cast: every bf16 and f16, and floats near every boundary between two of them.
#include "check.h"

static void check_halves(int32_t dtype, float (*value)(uint16_t), float (*round)(float)) {
  const int64_t count = 65536;
  std::vector<uint16_t> all(count);
  for (int64_t i = 0; i < count; i++) {
    all[i] = static_cast<uint16_t>(i);
  }
  Guarded<float> wide(count);
  CHECK(gatun_cast(all.data(), dtype, wide.data(), GATUN_DTYPE_F32, count) == GATUN_OK, "widen");
  wide.check("widened");
  std::vector<float> hard;
  for (int64_t i = 0; i < count; i++) {
    const float expected = value(all[i]);
    CHECK(std::isnan(expected) ? std::isnan(wide[i]) : bits(expected) == bits(wide[i]),
          "half %04x: %a, expected %a", all[i], wide[i], expected);
    if (std::isfinite(expected)) {
      const float next = value(static_cast<uint16_t>(i + 1));
      const float middle = static_cast<float>((double{expected} + next) / 2);
      for (float x : {expected, middle, std::nextafterf(middle, 0),
                      std::nextafterf(middle, std::copysign(INFINITY, middle))}) {
        hard.push_back(x);
      }
    }
  }
  for (float x : {INFINITY, -INFINITY, NAN, -NAN, from_bits(0x7f800001), from_bits(0x7fffffff),
                  1e-45f, 3.4e38f, -3.4e38f, 65519.99f, 65520.0f, 2.98e-8f, 2.99e-8f}) {
    hard.push_back(x);
  }
  for (int i = 0; i < 100000; i++) {
    hard.push_back(from_bits(static_cast<uint32_t>(generator()())));
  }
  const int64_t n = static_cast<int64_t>(hard.size());
  Guarded<uint16_t> narrow(n);
  CHECK(gatun_cast(hard.data(), GATUN_DTYPE_F32, narrow.data(), dtype, n) == GATUN_OK, "narrow");
  narrow.check("narrowed");
  for (int64_t i = 0; i < n; i++) {
    const float expected = round(hard[i]), got = value(narrow[i]);
    CHECK(std::isnan(expected) ? std::isnan(got) : bits(expected) == bits(got),
          "%a gave %a, expected %a", hard[i], got, expected);
  }
}

int main() {
  every_level([](int32_t) {
    check_halves(GATUN_DTYPE_BF16, bf16_value, round_bf16);
    check_halves(GATUN_DTYPE_F16, f16_value, round_f16);
    for (int64_t count = 0; count < 70; count++) {
      const std::vector<float> x = normals(count);
      Guarded<uint16_t> y(count);
      CHECK(gatun_cast(x.data(), GATUN_DTYPE_F32, y.data(), GATUN_DTYPE_BF16, count) == GATUN_OK,
            "cast");
      y.check("cast of an odd count");
      for (int64_t i = 0; i < count; i++) {
        CHECK(bf16_value(y[i]) == round_bf16(x[i]), "element %lld", static_cast<long long>(i));
      }
    }
    float one = 1;
    CHECK(gatun_cast(&one, 3, &one, 0, 1) == GATUN_INVALID_ARGUMENT, "dtype 3");
    CHECK(gatun_cast(&one, 0, &one, 0, -1) == GATUN_INVALID_ARGUMENT, "count -1");
  });
}
