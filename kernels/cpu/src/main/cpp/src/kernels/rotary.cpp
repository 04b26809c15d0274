#include "../level.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t rotary_f32(const float *x, int64_t x_stride, const float *cosine, const float *sine,
                   const int64_t *positions, float *y, int64_t y_stride, int64_t tokens,
                   int64_t heads, int64_t head_size, int64_t rotary, int32_t interleaved) {
  if (tokens < 0 || heads < 0 || head_size < 0 || rotary < 0 || rotary % 2 != 0 ||
      rotary > head_size) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t half = rotary / 2;
  parallel_rows(tokens, heads * head_size, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float *c = cosine + positions[t] * half, *s = sine + positions[t] * half;
      for (int64_t h = 0; h < heads; h++) {
        const float *in = x + t * x_stride + h * head_size;
        float *out = y + t * y_stride + h * head_size;
        if (interleaved) {
          for (int64_t i = 0; i < half; i++) {
            const float a = in[2 * i], b = in[2 * i + 1];
            out[2 * i] = a * c[i] - b * s[i];
            out[2 * i + 1] = b * c[i] + a * s[i];
          }
        } else {
          by_vector(half, [&](int64_t i, int64_t n) {
            const Floats a = load_lanes(in + i, n), b = load_lanes(in + half + i, n);
            const Floats cos = load_lanes(c + i, n), sin = load_lanes(s + i, n);
            store_lanes(out + i, a * cos - b * sin, n);
            store_lanes(out + half + i, b * cos + a * sin, n);
          });
        }
        if (in != out) {
          by_vector(head_size - rotary, [&](int64_t i, int64_t n) {
            store_lanes(out + rotary + i, load_lanes(in + rotary + i, n), n);
          });
        }
      }
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
