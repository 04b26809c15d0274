// Normalisations of each row on its own.
#include "../blocks.h"
#include "../token_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// What the rows of the norms are: x, then null or the residual, y, then null or where sums go, and
// where y goes as codes; where there are these y may be null.
template <typename T>
struct Rows {
  const T *x, *residual;
  T *y, *sum;
  int64_t rows, columns;
  TokenCodes codes = {};

  bool valid() const { return y != nullptr || codes.codes != nullptr || rows * columns == 0; }
};

// A row of x with that of the residual added, where there is one: read again for each pass, for a
// sum kept in y would be rounded.
template <typename T>
struct Row {
  const T *x, *residual;

  Row(const Rows<T> &s, int64_t r)
      : x(s.x + r * s.columns),
        residual(s.residual == nullptr ? nullptr : s.residual + r * s.columns) {}

  template <typename At>
  auto load(At at) const {
    const auto v = at.load(x);
    return residual == nullptr ? v : v + at.load(residual);
  }

  template <typename At>
  void prefetch(At at) const {
    at.prefetch(x);
    if (residual != nullptr) {
      at.prefetch(residual);
    }
  }
};

// Calls body(row, the row after it, y, sum) for each row; the last one is its own next. Rows of y
// that become codes are made in the first cache.
template <typename T, typename Body>
int32_t each_row(const Rows<T> &s, const Body &body) {
  const int64_t columns = s.columns;
  const Output<T> y(s.y, s.rows * columns), sum(s.sum, s.rows * columns);
  const bool coded = s.codes.codes != nullptr;
  std::atomic<bool> failed{false};
  parallel_rows(s.rows, columns, [&](int64_t begin, int64_t end) {
    static thread_local Scratch scratch;
    T *made = coded ? reinterpret_cast<T *>(scratch.floats(columns + 1)) : nullptr;
    if (coded && made == nullptr) {
      failed = true;
      return;
    }
    for (int64_t r = begin; r < end; r++) {
      body(Row<T>(s, r), Row<T>(s, r + 1 < end ? r + 1 : r),
           coded ? Target<T>{made, false} : y.row(r * columns),
           s.sum == nullptr ? Target<T>{nullptr, false} : sum.row(r * columns));
      if (coded) {
        s.codes.write(made, columns, r);
        if (s.y != nullptr) {
          copy_row(made, y.row(r * columns), columns);
        }
      }
    }
    y.finish();
  });
  return failed ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

template <typename T, typename W>
int32_t layer_norm_rows(const Rows<T> &s, const W *weight, const W *bias, float eps) {
  const int64_t columns = s.columns;
  return each_row(s, [&](Row<T> row, Row<T> next, Target<T> y, Target<T> sum_out) {
    Block total{};
    by_block(columns, [&](auto at) {
      const auto v = row.load(at);
      if (sum_out.p != nullptr) {
        at.store(sum_out, v);
      }
      add(total, v);
    });
    const float about = sum(total) / static_cast<float>(columns);
    Block squares{}, rest{};
    by_block(columns, [&](auto at) {
      const auto d = at.keep(row.load(at) - about, 0.0f);
      add_square(squares, d);
      add(rest, d);
    });
    // Where the values lie far from 0, rounding moves the mean: what the differences leave is
    // added.
    const float shift = sum(rest) / static_cast<float>(columns);
    const float variance = sum(squares) / static_cast<float>(columns) - shift * shift;
    const float scale = 1.0f / __builtin_sqrtf((variance < 0.0f ? 0.0f : variance) + eps);
    by_block(columns, [&](auto at) {
      next.prefetch(at);
      auto v = (row.load(at) - about - shift) * scale;
      if (weight != nullptr) {
        v = v * at.load(weight);
      }
      if (bias != nullptr) {
        v = v + at.load(bias);
      }
      at.store(y, v);
    });
  });
}

template <typename T, typename W>
int32_t rms_norm_rows(const Rows<T> &s, const W *weight, float shift, float eps) {
  const int64_t columns = s.columns;
  return each_row(s, [&](Row<T> row, Row<T> next, Target<T> y, Target<T> sum_out) {
    Block squares{};
    by_block(columns, [&](auto at) {
      const auto v = row.load(at);
      if (sum_out.p != nullptr) {
        at.store(sum_out, v);
      }
      add_square(squares, v);
    });
    const float scale = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(columns) + eps);
    by_block(columns, [&](auto at) {
      next.prefetch(at);
      at.store(y, row.load(at) * scale * (shift + at.load(weight)));
    });
  });
}

template <typename T>
int32_t l2_normalize_rows(const Rows<T> &s, float eps) {
  return each_row(s, [&](Row<T> row, Row<T> next, Target<T> y, Target<T>) {
    Block squares{};
    by_block(s.columns, [&](auto at) { add_square(squares, row.load(at)); });
    const float norm = __builtin_sqrtf(sum(squares));
    const float divisor = norm < eps ? eps : norm;
    by_block(s.columns, [&](auto at) {
      next.prefetch(at);
      at.store(y, row.load(at) / divisor);
    });
  });
}

// Calls body(a number of dtype, a number of weight_dtype), which is F32 or dtype.
template <typename Body>
void by_dtypes(int32_t dtype, int32_t weight_dtype, const Body &body) {
  by_dtype(dtype, [&](auto number) {
    if (weight_dtype == GATUN_DTYPE_F32) {
      body(number, 0.0f);
    } else {
      body(number, number);
    }
  });
}

bool are_dtypes(int32_t dtype, int32_t weight_dtype) {
  return is_dtype(dtype) && (weight_dtype == GATUN_DTYPE_F32 || weight_dtype == dtype);
}

}  // namespace

int32_t layer_norm(const void *x, const void *residual, const void *weight, const void *bias,
                   void *y, void *sum, int32_t dtype, int32_t weight_dtype, int64_t rows,
                   int64_t columns, float eps, int8_t *codes, int64_t codes_stride, float *scales,
                   float *offsets, int32_t given) {
  if (rows < 0 || columns < 0 || !are_dtypes(dtype, weight_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  int32_t status = GATUN_OK;
  by_dtypes(dtype, weight_dtype, [&](auto number, auto parameter) {
    using T = decltype(number);
    using W = decltype(parameter);
    const Rows<T> s{static_cast<const T *>(x),
                    static_cast<const T *>(residual),
                    static_cast<T *>(y),
                    static_cast<T *>(sum),
                    rows,
                    columns,
                    {codes, codes_stride, scales, offsets, given != 0}};
    status = !s.valid() ? GATUN_INVALID_ARGUMENT
                        : layer_norm_rows(s, static_cast<const W *>(weight),
                                          static_cast<const W *>(bias), eps);
  });
  return status;
}

int32_t rms_norm(const void *x, const void *residual, const void *weight, void *y, void *sum,
                 int32_t dtype, int32_t weight_dtype, int64_t rows, int64_t columns, float shift,
                 float eps, int8_t *codes, int64_t codes_stride, float *scales, float *offsets,
                 int32_t given) {
  if (rows < 0 || columns < 0 || !are_dtypes(dtype, weight_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  int32_t status = GATUN_OK;
  by_dtypes(dtype, weight_dtype, [&](auto number, auto parameter) {
    using T = decltype(number);
    using W = decltype(parameter);
    const Rows<T> s{static_cast<const T *>(x),
                    static_cast<const T *>(residual),
                    static_cast<T *>(y),
                    static_cast<T *>(sum),
                    rows,
                    columns,
                    {codes, codes_stride, scales, offsets, given != 0}};
    status = !s.valid() ? GATUN_INVALID_ARGUMENT
                        : rms_norm_rows(s, static_cast<const W *>(weight), shift, eps);
  });
  return status;
}

int32_t l2_normalize(const void *x, void *y, int32_t dtype, int64_t rows, int64_t columns,
                     float eps) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  int32_t status = GATUN_OK;
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    const Rows<T> s{
        static_cast<const T *>(x), nullptr, static_cast<T *>(y), nullptr, rows, columns};
    status = l2_normalize_rows(s, eps);
  });
  return status;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
