#include "../blocks.h"
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

// Elements whose activations are computed before any of their gradients is written.
constexpr int64_t kPart = cut(512, 32);

template <typename T>
void gate_part(const T *dy, const T *gate, const T *up, T *dgate, T *dup, int64_t count,
               int32_t activation) {
  alignas(64) float values[kPart];
  by_activation<FullFunctions>(activation, [&](auto function) {
    by_block(count, [&](auto at) { at.store(values, function(at.load(gate))); });
  });
  by_slope(activation, [&](auto slope) {
    by_block(count, [&](auto at) {
      const auto d = at.load(dy), g = at.load(gate), u = at.load(up), v = at.load(values);
      at.store(dgate, d * u * slope(g));
      at.store(dup, d * v);
    });
  });
}

template <typename T>
void gate_all(Rows<const T> dy, Rows<const T> gate, Rows<const T> up, Rows<T> dgate, Rows<T> dup,
              int64_t rows, int64_t columns, int32_t activation) {
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      for (int64_t c = 0; c < columns; c += kPart) {
        gate_part(dy[r] + c, gate[r] + c, up[r] + c, dgate[r] + c, dup[r] + c,
                  columns - c < kPart ? columns - c : kPart, activation);
      }
    }
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
    by_slope(activation, [&](auto slope) {
      const Output<T> output(static_cast<T *>(dx), count);
      parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
        const T *dys = static_cast<const T *>(dy) + begin, *in = static_cast<const T *>(x) + begin;
        const Target<T> out = output.row(begin);
        by_block(end - begin, [&](auto at) { at.give(out, at.take(dys) * slope(at.take(in))); });
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
