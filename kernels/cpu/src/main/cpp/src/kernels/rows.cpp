// Softmax and the losses: kernels that work on each row on its own.
#include "../blocks.h"
#include "../math_bf16.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

template <typename T>
float largest(const T *x, int64_t columns) {
  constexpr float kLeast = -__builtin_inff();
  Block top = like(Block{}, kLeast);
  by_block(columns, [&](auto at) {
    take(top, at.keep(at.take(x), kLeast), [](auto a, auto b) { return max(a, b); });
  });
  return largest(top);
}

// Gives the sum of e^(x - top) over a row, and each of them to keep(at, e).
template <typename Functions, typename T, typename Keep>
float exp_sum(const T *x, int64_t columns, float top, const Keep &keep) {
  Block total{};
  by_block(columns, [&](auto at) {
    const auto e = Functions::exp(at.take(x) - top);
    keep(at, e);
    add(total, at.keep(e, 0.0f));
  });
  return sum(total);
}

template <typename Functions, typename T>
float exp_sum(const T *x, int64_t columns, float top) {
  return exp_sum<Functions>(x, columns, top, [](auto, auto) {});
}

// The longest row whose exponentials are kept, on the stack; those of a longer one are computed
// twice.
constexpr int64_t kKept = cut(8192, 32);

template <typename T>
void softmax_row(const T *x, Target<T> y, int64_t columns, const T *next) {
  using Functions = FunctionsOf<T>;
  const float top = largest(x, columns);
  if (columns > kKept) {
    const float inverse = 1.0f / exp_sum<Functions>(x, columns, top);
    by_block(columns, [&](auto at) { at.give(y, Functions::exp(at.take(x) - top) * inverse); });
    return;
  }
  alignas(64) float kept[kKept];
  const float inverse =
      1.0f / exp_sum<Functions>(x, columns, top, [&](auto at, auto e) { at.store(kept, e); });
  by_block(columns, [&](auto at) {
    at.prefetch(next);
    at.give(y, at.load(kept) * inverse);
  });
}

template <typename T>
void log_softmax_row(const T *x, Target<T> y, int64_t columns) {
  const float top = largest(x, columns);
  const float logarithm = __builtin_logf(exp_sum<FullFunctions>(x, columns, top));
  by_block(columns, [&](auto at) { at.store(y, at.load(x) - top - logarithm); });
}

template <typename T>
void softmax_rows(const T *x, T *y, int64_t rows, int64_t columns, bool log) {
  const Output<T> output(y, rows * columns);
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T *in = x + r * columns;
      const Target<T> out = output.row(r * columns);
      if (log) {
        log_softmax_row(in, out, columns);
      } else {
        softmax_row(in, out, columns, r + 1 < end ? in + columns : in);
      }
    }
    output.finish();
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
        loss[r] = __builtin_logf(exp_sum<FullFunctions>(in, columns, top)) - (target - top);
      }
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
