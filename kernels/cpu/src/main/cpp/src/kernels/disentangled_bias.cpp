#include "../level.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// The bucket of a distance, in float as the reference implementation computes it: at the edges of
// the buckets another precision would round to the other side.
int64_t bucket(int64_t distance, int64_t buckets, int64_t max_position) {
  const int64_t middle = buckets / 2, far = distance < 0 ? -distance : distance;
  if (buckets == 0 || far <= middle) {
    return distance;
  }
  const float ratio = static_cast<float>(far) / static_cast<float>(middle);
  const float limit =
      static_cast<float>(static_cast<double>(max_position - 1) / static_cast<double>(middle));
  const float steps =
      __builtin_logf(ratio) / __builtin_logf(limit) * static_cast<float>(middle - 1);
  const int64_t result = static_cast<int64_t>(__builtin_ceilf(steps)) + middle;
  return distance < 0 ? -result : result;
}

int64_t clamp(int64_t x, int64_t last) { return x < 0 ? 0 : x > last ? last : x; }

}  // namespace

int32_t disentangled_bias_f32(const float *c2p, const float *p2c, const int32_t *offsets,
                              const int64_t *positions, int64_t sequences, int64_t heads,
                              int64_t tokens, int64_t span, int64_t buckets, int64_t max_position,
                              float scale, float *bias, int64_t length) {
  if (sequences < 0 || heads < 0 || tokens < 0 || span < 1 || buckets < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t last = 2 * span - 1, columns = 2 * span;
  parallel(sequences * length, [&](int64_t task) {
    const int64_t s = task / length, i = task % length;
    const int64_t first = offsets[s], count = offsets[s + 1] - first;
    if (i >= count) {
      return;
    }
    for (int64_t j = 0; j < count; j++) {
      const int64_t distance = positions[first + i] - positions[first + j];
      // The buckets are symmetric, so one index serves both parts.
      const int64_t index = clamp(span + bucket(distance, buckets, max_position), last);
      for (int64_t h = 0; h < heads; h++) {
        float value = 0.0f;
        if (c2p != nullptr) {
          value += c2p[(h * tokens + first + i) * columns + index];
        }
        if (p2c != nullptr) {
          value += p2c[(h * tokens + first + j) * columns + index];
        }
        bias[((s * heads + h) * length + i) * length + j] = scale * value;
      }
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
