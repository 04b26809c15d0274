// Activations as signed bytes.
#include "../token_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t quantize_tokens(const void *x, int32_t dtype, int64_t x_stride, int8_t *codes,
                        int64_t codes_stride, float *scales, float *offsets, int32_t given,
                        int64_t rows, int64_t columns) {
  if (!is_dtype(dtype) || rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  const TokenCodes to{codes, codes_stride, scales, offsets, given != 0};
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        to.write(static_cast<const T *>(x) + r * x_stride, columns, r);
      }
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
