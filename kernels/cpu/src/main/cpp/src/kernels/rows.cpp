// Softmax and the losses: kernels that work on each row on its own.
#include "../math.h"
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

template <typename T>
float largest(const T *x, int64_t columns) {
  Floats top = splat(-__builtin_inff());
  by_vector(columns, [&](int64_t i, int64_t n) {
    top = max(top, keep(load_lanes(x + i, n), n, -__builtin_inff()));
  });
  return gatun::GATUN_LEVEL::largest(top);
}

// The sum of e^(x - top) over a row.
template <typename T>
float exp_sum(const T *x, int64_t columns, float top) {
  Floats total{};
  by_vector(columns,
            [&](int64_t i, int64_t n) { total += keep(exp(load_lanes(x + i, n) - top), n, 0.0f); });
  return sum(total);
}

// Writes e^(x - top) of a row, and gives their sum.
template <typename T>
float exponentials(const T *x, int64_t columns, float top, float *e) {
  Floats total{};
  by_vector(columns, [&](int64_t i, int64_t n) {
    const Floats v = exp(load_lanes(x + i, n) - top);
    store_lanes(e + i, v, n);
    total += keep(v, n, 0.0f);
  });
  return sum(total);
}

// The longest row of 16-bit numbers whose exponentials are kept, on the stack; those of a longer
// one are computed twice.
constexpr int64_t kKept = 8192;

// Where the exponentials of a row that becomes y are kept, or null.
float *kept_in(float *y, float *, int64_t) { return y; }
template <typename T>
float *kept_in(T *, float *kept, int64_t columns) {
  return columns <= kKept ? kept : nullptr;
}

template <typename T>
void softmax_rows(const T *x, T *y, int64_t rows, int64_t columns, bool log) {
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    alignas(64) float kept[sizeof(T) == sizeof(float) ? 1 : kKept];
    for (int64_t r = begin; r < end; r++) {
      const T *in = x + r * columns;
      T *out = y + r * columns;
      const float top = largest(in, columns);
      float *e = log ? nullptr : kept_in(out, kept, columns);
      if (e != nullptr) {
        const float inverse = 1.0f / exponentials(in, columns, top, e);
        by_vector(columns, [&](int64_t i, int64_t n) {
          store_lanes(out + i, load_lanes(e + i, n) * inverse, n);
        });
        continue;
      }
      const float total = exp_sum(in, columns, top);
      const float logarithm = __builtin_logf(total), inverse = 1.0f / total;
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = load_lanes(in + i, n) - top;
        store_lanes(out + i, log ? v - logarithm : exp(v) * inverse, n);
      });
    }
  });
}

}  // namespace

int32_t softmax(const void *x, void *y, int32_t dtype, int64_t rows, int64_t columns, int32_t log) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    softmax_rows(static_cast<const T *>(x), static_cast<T *>(y), rows, columns, log != 0);
  });
  return GATUN_OK;
}

int32_t cross_entropy(const void *logits, int32_t dtype, const int64_t *targets, int64_t rows,
                      int64_t columns, int64_t ignore_index, float *loss) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        if (targets[r] == ignore_index) {
          loss[r] = 0.0f;
          continue;
        }
        const T *in = static_cast<const T *>(logits) + r * columns;
        const float top = largest(in, columns), target = load_lanes(in + targets[r], 1)[0];
        loss[r] = __builtin_logf(exp_sum(in, columns, top)) - (target - top);
      }
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
