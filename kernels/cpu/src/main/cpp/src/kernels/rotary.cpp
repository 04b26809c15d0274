#include "../rotary.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t rotary(const void *x, int64_t x_stride, const float *cosine, const float *sine,
               const int64_t *positions, void *y, int64_t y_stride, int32_t dtype, int64_t tokens,
               int64_t heads, int64_t head_size, int64_t rotary, int32_t interleaved) {
  const Rotation rotation{cosine, sine, head_size, rotary, interleaved != 0};
  if (tokens < 0 || heads < 0 || !rotation.valid() || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    const Output<T> output(static_cast<T *>(y), tokens * heads * head_size);
    parallel_rows(tokens, heads * head_size, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        for (int64_t h = 0; h < heads; h++) {
          turn_head(rotation, positions[t],
                    static_cast<const T *>(x) + t * x_stride + h * head_size,
                    output.row(t * y_stride + h * head_size));
        }
      }
      output.finish();
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
