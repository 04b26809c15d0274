#include "../blocks.h"
#include "../math_bf16.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_activation(int32_t activation) {
  return activation >= GATUN_ACTIVATION_NONE && activation <= GATUN_ACTIVATION_QUICK_GELU;
}

template <typename T, typename Function>
void activate_all(const T *x, T *y, int64_t count, const Function &function) {
  const Output<T> output(y, count);
  parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
    const T *in = x + begin;
    const Target<T> out = output.row(begin);
    by_block(end - begin, [&](auto at) { at.give(out, function(at.take(in))); });
    output.finish();
  });
}

template <typename T, typename Function>
void gate_all(const T *gate, int64_t gate_stride, const T *up, int64_t up_stride, T *y,
              int64_t rows, int64_t columns, const Function &function) {
  const Output<T> output(y, rows * columns);
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T *gates = gate + r * gate_stride, *ups = up + r * up_stride;
      const Target<T> out = output.row(r * columns);
      by_block(columns, [&](auto at) { at.give(out, function(at.take(gates)) * at.take(ups)); });
    }
    output.finish();
  });
}

}  // namespace

int32_t activate(const void *x, void *y, int32_t dtype, int64_t count, int32_t activation) {
  if (count < 0 || !is_dtype(dtype) || !is_activation(activation)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    by_activation<FunctionsOf<T>>(activation, [&](auto function) {
      activate_all(static_cast<const T *>(x), static_cast<T *>(y), count, function);
    });
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
    by_activation<FunctionsOf<T>>(activation, [&](auto function) {
      gate_all(static_cast<const T *>(gate), gate_stride, static_cast<const T *>(up), up_stride,
               static_cast<T *>(y), rows, columns, function);
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
