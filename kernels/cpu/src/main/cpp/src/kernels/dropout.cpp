#include "../numbers.h"
#include "../philox.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Elements that share a counter, and whose factors are made together.
constexpr int64_t kWords = 4, kBatch = 256;

template <typename T>
void drop_all(const T *x, T *y, int64_t count, float probability, uint64_t seed) {
  const float grown = 1.0f / (1.0f - probability);
  const uint64_t limit = static_cast<uint64_t>(static_cast<double>(probability) * 4294967296.0);
  parallel_rows((count + kWords - 1) / kWords, kWords, [&](int64_t first, int64_t last) {
    const int64_t end = last * kWords < count ? last * kWords : count;
    float factors[kBatch];
    for (int64_t i = first * kWords; i < end; i += kBatch) {
      const int64_t length = end - i < kBatch ? end - i : kBatch;
      for (int64_t j = 0; j < length; j += kWords) {
        const uint64_t counter = static_cast<uint64_t>((i + j) / kWords);
        const PhiloxWords words = philox_words(static_cast<uint32_t>(counter),
                                               static_cast<uint32_t>(counter >> 32), 0, 0, seed);
        for (int k = 0; k < kWords; k++) {
          factors[j + k] = words.of[k] < limit ? 0.0f : grown;
        }
      }
      by_vector(length, [&](int64_t j, int64_t n) {
        const Floats factor = load_lanes(factors + j, n), v = load_lanes(x + i + j, n);
        store_lanes(y + i + j, select(factor > 0.0f, v * factor, Floats{}), n);
      });
    }
  });
}

}  // namespace

int32_t dropout(const void *x, void *y, int32_t dtype, int64_t count, float probability,
                uint64_t seed) {
  if (count < 0 || !is_dtype(dtype) || !(probability >= 0.0f && probability < 1.0f)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    drop_all(static_cast<const T *>(x), static_cast<T *>(y), count, probability, seed);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
