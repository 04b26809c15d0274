// Normalisations of each row on its own.
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// A row of x with that of the residual added, where there is one. In float the sum is kept in y
// between the passes; in a narrower y it would be rounded, and is made anew each time.
template <typename T>
class Row {
 public:
  Row(const T *x, const T *residual, T *y) : x_(x), residual_(residual), y_(y) {}

  Floats first(int64_t i, int64_t n) const {
    const Floats v = sum(i, n);
    if (kKept && residual_ != nullptr) {
      store_lanes(y_ + i, v, n);
    }
    return v;
  }

  Floats again(int64_t i, int64_t n) const {
    if constexpr (kKept) {
      return load_lanes((residual_ == nullptr ? x_ : y_) + i, n);
    }
    return sum(i, n);
  }

 private:
  static constexpr bool kKept = sizeof(T) == sizeof(float);

  Floats sum(int64_t i, int64_t n) const {
    const Floats v = load_lanes(x_ + i, n);
    return residual_ == nullptr ? v : v + load_lanes(residual_ + i, n);
  }

  const T *x_, *residual_;
  T *y_;
};

// What the rows of the norms are: x, then null or the residual, y, then null or where sums go.
template <typename T>
struct Rows {
  const T *x, *residual;
  T *y, *sum;
  int64_t rows, columns;

  Row<T> row(int64_t r) const {
    const int64_t begin = r * columns;
    return {x + begin, residual == nullptr ? nullptr : residual + begin, y + begin};
  }
};

template <typename T, typename W>
void layer_norm_rows(const Rows<T> &s, const W *weight, const W *bias, float eps) {
  const int64_t columns = s.columns;
  parallel_rows(s.rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const Row<T> row = s.row(r);
      T *y = s.y + r * columns, *sum_out = s.sum == nullptr ? nullptr : s.sum + r * columns;
      Floats total{};
      by_vector(columns, [&](int64_t i, int64_t n) { total += row.first(i, n); });
      const float about = sum(total) / static_cast<float>(columns);
      Floats squares{}, rest{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = row.again(i, n);
        if (sum_out != nullptr) {
          store_lanes(sum_out + i, v, n);
        }
        const Floats d = keep(v - about, n, 0.0f);
        squares = fma(d, d, squares);
        rest += d;
      });
      // Where the values lie far from 0, rounding moves the mean: what the differences leave is
      // added.
      const float shift = sum(rest) / static_cast<float>(columns);
      const float variance = sum(squares) / static_cast<float>(columns) - shift * shift;
      const float scale = 1.0f / __builtin_sqrtf((variance < 0.0f ? 0.0f : variance) + eps);
      by_vector(columns, [&](int64_t i, int64_t n) {
        Floats v = (row.again(i, n) - about - shift) * scale;
        if (weight != nullptr) {
          v *= load_lanes(weight + i, n);
        }
        if (bias != nullptr) {
          v += load_lanes(bias + i, n);
        }
        store_lanes(y + i, v, n);
      });
    }
  });
}

template <typename T, typename W>
void rms_norm_rows(const Rows<T> &s, const W *weight, float shift, float eps) {
  const int64_t columns = s.columns;
  parallel_rows(s.rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const Row<T> row = s.row(r);
      T *y = s.y + r * columns, *sum_out = s.sum == nullptr ? nullptr : s.sum + r * columns;
      Floats squares{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = row.first(i, n);
        if (sum_out != nullptr) {
          store_lanes(sum_out + i, v, n);
        }
        squares = fma(v, v, squares);
      });
      const float scale = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(columns) + eps);
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats factor = shift + load_lanes(weight + i, n);
        store_lanes(y + i, row.again(i, n) * scale * factor, n);
      });
    }
  });
}

template <typename T>
void l2_normalize_rows(const T *x, T *y, int64_t rows, int64_t columns, float eps) {
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      Floats squares{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = load_lanes(x + r * columns + i, n);
        squares = fma(v, v, squares);
      });
      const float norm = __builtin_sqrtf(sum(squares));
      const float divisor = norm < eps ? eps : norm;
      by_vector(columns, [&](int64_t i, int64_t n) {
        store_lanes(y + r * columns + i, load_lanes(x + r * columns + i, n) / divisor, n);
      });
    }
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
                   int64_t columns, float eps) {
  if (rows < 0 || columns < 0 || !are_dtypes(dtype, weight_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtypes(dtype, weight_dtype, [&](auto number, auto parameter) {
    using T = decltype(number);
    using W = decltype(parameter);
    const Rows<T> s{static_cast<const T *>(x),
                    static_cast<const T *>(residual),
                    static_cast<T *>(y),
                    static_cast<T *>(sum),
                    rows,
                    columns};
    layer_norm_rows(s, static_cast<const W *>(weight), static_cast<const W *>(bias), eps);
  });
  return GATUN_OK;
}

int32_t rms_norm(const void *x, const void *residual, const void *weight, void *y, void *sum,
                 int32_t dtype, int32_t weight_dtype, int64_t rows, int64_t columns, float shift,
                 float eps) {
  if (rows < 0 || columns < 0 || !are_dtypes(dtype, weight_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtypes(dtype, weight_dtype, [&](auto number, auto parameter) {
    using T = decltype(number);
    using W = decltype(parameter);
    const Rows<T> s{static_cast<const T *>(x),
                    static_cast<const T *>(residual),
                    static_cast<T *>(y),
                    static_cast<T *>(sum),
                    rows,
                    columns};
    rms_norm_rows(s, static_cast<const W *>(weight), shift, eps);
  });
  return GATUN_OK;
}

int32_t l2_normalize(const void *x, void *y, int32_t dtype, int64_t rows, int64_t columns,
                     float eps) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    l2_normalize_rows(static_cast<const T *>(x), static_cast<T *>(y), rows, columns, eps);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
