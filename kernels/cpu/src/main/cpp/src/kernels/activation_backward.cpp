#include "../blocks.h"
#include "../math_bf16.h"
#include "../slopes.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_activation(int32_t activation) {
  return activation >= GATUN_ACTIVATION_NONE && activation <= GATUN_ACTIVATION_QUICK_GELU;
}

// Rows of numbers a stride apart.
template <typename T>
struct Rows {
  T *first;
  int64_t stride;

  T *operator[](int64_t row) const { return first + row * stride; }
};

template <typename T>
void gate_all(Rows<const T> dy, Rows<const T> gate, Rows<const T> up, Rows<T> dgate, Rows<T> dup,
              int64_t rows, int64_t columns, int32_t activation) {
  const Output<T> dgates(dgate.first, rows * columns), dups(dup.first, rows * columns);
  by_sloped<FunctionsOf<T>>(activation, [&](auto function) {
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const T *dys = dy[r], *gates = gate[r], *ups = up[r];
        const Target<T> to_gate = dgates.row(r * dgate.stride), to_up = dups.row(r * dup.stride);
        by_block(columns, [&](auto at) {
          const auto d = at.take(dys), u = at.take(ups);
          const auto f = function(at.take(gates));
          at.give(to_gate, d * u * f.slope);
          at.give(to_up, d * f.value);
        });
      }
      dgates.finish();
    });
  });
}

}  // namespace

int32_t activation_backward(const void *dy, const void *x, void *dx, int32_t dtype, int64_t count,
                            int32_t activation) {
  if (count < 0 || !is_dtype(dtype) || !is_activation(activation)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    by_sloped<FunctionsOf<T>>(activation, [&](auto function) {
      const Output<T> output(static_cast<T *>(dx), count);
      parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
        const T *dys = static_cast<const T *>(dy) + begin, *in = static_cast<const T *>(x) + begin;
        const Target<T> out = output.row(begin);
        by_block(end - begin,
                 [&](auto at) { at.give(out, at.take(dys) * function(at.take(in)).slope); });
        output.finish();
      });
    });
  });
  return GATUN_OK;
}

int32_t gated_activation_backward(const void *dy, int64_t dy_stride, const void *gate,
                                  int64_t gate_stride, const void *up, int64_t up_stride,
                                  void *dgate, int64_t dgate_stride, void *dup, int64_t dup_stride,
                                  int32_t dtype, int64_t rows, int64_t columns,
                                  int32_t activation) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype) || !is_activation(activation)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    gate_all<T>({static_cast<const T *>(dy), dy_stride},
                {static_cast<const T *>(gate), gate_stride},
                {static_cast<const T *>(up), up_stride}, {static_cast<T *>(dgate), dgate_stride},
                {static_cast<T *>(dup), dup_stride}, rows, columns, activation);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
