// The largest elements of each row.
#include "../largest.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t argmax(const void *x, int32_t dtype, int64_t x_stride, int64_t rows, int64_t columns,
               int64_t *y) {
  if (!is_dtype(dtype) || rows < 0 || columns < 1) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        y[r] = argmax_row(static_cast<const T *>(x) + r * x_stride, columns);
      }
    });
  });
  return GATUN_OK;
}

int32_t topk(const void *x, int32_t dtype, int64_t x_stride, int64_t rows, int64_t columns,
             int64_t k, void *values, int64_t *indices) {
  if (!is_dtype(dtype) || rows < 0 || columns < 0 || columns > UINT32_MAX || k < 0 || k > columns) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (k == 0) {
    return GATUN_OK;
  }
  std::atomic<bool> failed{false};
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      static thread_local Scratch scratch;
      uint64_t *ranks = reinterpret_cast<uint64_t *>(scratch.floats(2 * k));
      if (ranks == nullptr) {
        failed = true;
        return;
      }
      for (int64_t r = begin; r < end; r++) {
        const T *in = static_cast<const T *>(x) + r * x_stride;
        topk_row(in, columns, ranks, k);
        for (int64_t i = 0; i < k; i++) {
          const int64_t index = index_of(ranks[i]);
          indices[r * k + i] = index;
          static_cast<T *>(values)[r * k + i] = in[index];
        }
      }
    });
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
