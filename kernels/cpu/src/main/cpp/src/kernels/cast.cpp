#include "../halves.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t cast(const void *x, int32_t x_dtype, void *y, int32_t y_dtype, int64_t count) {
  if (count < 0 || !is_dtype(x_dtype) || !is_dtype(y_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
    by_vector(end - begin, [&](int64_t i, int64_t n) {
      store_as(at(y, y_dtype, begin + i), y_dtype, load_as(at(x, x_dtype, begin + i), x_dtype, n),
               n);
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
