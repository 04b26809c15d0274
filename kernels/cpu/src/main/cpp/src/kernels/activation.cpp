#include "../math.h"
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_activation(int32_t activation) {
  return activation >= GATUN_ACTIVATION_NONE && activation <= GATUN_ACTIVATION_QUICK_GELU;
}

template <typename T>
void activate_all(const T *x, T *y, int64_t count, int32_t activation) {
  parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
    by_vector(end - begin, [&](int64_t i, int64_t n) {
      store_lanes(y + begin + i, activate(load_lanes(x + begin + i, n), activation), n);
    });
  });
}

template <typename T>
void gate_all(const T *gate, int64_t gate_stride, const T *up, int64_t up_stride, T *y,
              int64_t rows, int64_t columns, int32_t activation) {
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats g = activate(load_lanes(gate + r * gate_stride + i, n), activation);
        store_lanes(y + r * columns + i, g * load_lanes(up + r * up_stride + i, n), n);
      });
    }
  });
}

}  // namespace

int32_t activate(const void *x, void *y, int32_t dtype, int64_t count, int32_t activation) {
  if (count < 0 || !is_dtype(dtype) || !is_activation(activation)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    activate_all(static_cast<const T *>(x), static_cast<T *>(y), count, activation);
  });
  return GATUN_OK;
}

int32_t gated_activation(const void *gate, int64_t gate_stride, const void *up, int64_t up_stride,
                         void *y, int32_t dtype, int64_t rows, int64_t columns,
                         int32_t activation) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype) || !is_activation(activation)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    gate_all(static_cast<const T *>(gate), gate_stride, static_cast<const T *>(up), up_stride,
             static_cast<T *>(y), rows, columns, activation);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
