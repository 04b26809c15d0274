#include "../blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t cast(const void *x, int32_t x_dtype, void *y, int32_t y_dtype, int64_t count) {
  if (count < 0 || !is_dtype(x_dtype) || !is_dtype(y_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(x_dtype, [&](auto number) {
    by_dtype(y_dtype, [&](auto result) {
      using Y = decltype(result);
      const auto *from = static_cast<const decltype(number) *>(x);
      const Output<Y> output(static_cast<Y *>(y), count);
      parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
        const Target<Y> out = output.row(begin);
        by_block(end - begin, [&](auto at) { at.store(out, at.load(from + begin)); });
        output.finish();
      });
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
