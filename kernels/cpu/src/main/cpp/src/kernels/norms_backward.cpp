// Gradients of the normalisations of rows. Those of weights are sums over rows: each chunk of rows
// has its own, and these are added in their order.
#include "../blocks.h"
#include "../math.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// What norms have of each row, and the sums over rows; added, dx and sums are null where there is
// none.
template <typename T>
struct Gradients {
  const T *dy, *x, *added;
  T *dx;
  float *dweight, *dbias;
  int64_t rows, columns;
};

// Rows that one pass over the columns writes: weights and sums over rows are read once for them.
constexpr int64_t kBand = 4;

// A row as layer norm normalised it, h = (x - about - shift) * scale, and the means of g and of
// g * h, where g is dy times the weight.
struct CentredRow {
  float about, shift, scale, of_ones, of_row;

  template <typename V>
  V normed(V x) const {
    return (x - about - shift) * scale;
  }
  template <typename V>
  V gradient(V g, V h) const {
    return (g - of_ones - h * of_row) * scale;
  }
};

// The same of RMS norm, which takes no mean off.
struct ScaledRow {
  float scale, of_row;

  template <typename V>
  V normed(V x) const {
    return x * scale;
  }
  template <typename V>
  V gradient(V g, V h) const {
    return (g - h * of_row) * scale;
  }
};

// Writes the gradients of kRows rows from `row` on and takes them into the sums of their chunk, or
// null.
template <int kRows, typename T, typename Norm>
void give(const Gradients<T> &s, const Norm &norm, const typename Norm::Found *rows, int64_t row,
          const Output<T> &output, float *dweight, float *dbias) {
  const int64_t columns = s.columns;
  const T *dy = s.dy + row * columns, *x = s.x + row * columns;
  const T *added = s.added == nullptr ? nullptr : s.added + row * columns;
  Target<T> dx[kRows] = {};
  for (int r = 0; s.dx != nullptr && r < kRows; r++) {
    dx[r] = output.row((row + r) * columns);
  }
  by_block(columns, [&](auto at) {
    using V = decltype(at.load(dy));
    const V w = norm.template weight<V>(at);
    V of_weight{}, of_bias{};
    if (dweight != nullptr) {
      of_weight = at.load(dweight);
    }
    if (dbias != nullptr) {
      of_bias = at.load(dbias);
    }
    for (int r = 0; r < kRows; r++) {
      const int64_t from = r * columns;
      const V g = at.load(dy + from), h = rows[r].normed(at.load(x + from));
      of_weight = fma(g, h, of_weight);
      if (dbias != nullptr) {
        of_bias = of_bias + g;
      }
      if (dx[r].p != nullptr) {
        const V v = rows[r].gradient(g * w, h);
        at.store(dx[r], added == nullptr ? v : v + at.load(added + from));
      }
    }
    if (dweight != nullptr) {
      at.store(dweight, of_weight);
    }
    if (dbias != nullptr) {
      at.store(dbias, of_bias);
    }
  });
}

// Adds the chunks' sums, [chunks][columns], in their order.
void join(const float *sums, int64_t chunks, int64_t stride, int64_t columns, float *to) {
  constexpr int64_t kColumns = cut(256, 16);
  parallel((columns + kColumns - 1) / kColumns, [&](int64_t task) {
    const int64_t begin = task * kColumns, rest = columns - begin;
    by_vector(rest < kColumns ? rest : kColumns, [&](int64_t i, int64_t n) {
      const float *from = sums + begin + i;
      Floats v{};
      for (int64_t c = 0; c < chunks; c++) {
        v += load_lanes(from + c * stride, n);
      }
      store_lanes(to + begin + i, v, n);
    });
  });
}

// The gradients of all rows as a norm finds them.
template <typename T, typename Norm>
int32_t each_row(const Gradients<T> &s, const Norm &norm) {
  constexpr int64_t kMostChunks = cut(64, 5), kLeastRows = cut(16, 2);
  const int64_t even = (s.rows + kMostChunks - 1) / kMostChunks;
  const int64_t rows = even < kLeastRows ? kLeastRows : even;
  const int64_t chunks = (s.rows + rows - 1) / rows, columns = s.columns;
  const int64_t kinds = (s.dweight != nullptr) + (s.dbias != nullptr);
  float *sums = nullptr;
  if (kinds > 0 && chunks * columns > 0) {
    sums = static_cast<float *>(gatun_allocate(chunks * kinds * columns * 4));
    if (sums == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
  }
  const Output<T> dx(s.dx, s.rows * columns);
  parallel(chunks, [&](int64_t chunk) {
    float *own = sums == nullptr ? nullptr : sums + chunk * kinds * columns;
    if (own != nullptr) {
      __builtin_memset(own, 0, static_cast<size_t>(kinds * columns) * sizeof(float));
    }
    float *dweight = s.dweight == nullptr ? nullptr : own;
    float *dbias = s.dbias == nullptr ? nullptr : own + (kinds - 1) * columns;
    const int64_t end = (chunk + 1) * rows < s.rows ? (chunk + 1) * rows : s.rows;
    for (int64_t r = chunk * rows; r < end;) {
      const int64_t many = end - r < kBand ? 1 : kBand;
      const int64_t ahead = r + 2 * many <= end ? many * columns : 0;
      const T *dy = s.dy + r * columns, *x = s.x + r * columns;
      typename Norm::Found normed[kBand];
      if (many == kBand) {
        norm.template find<kBand>(dy, x, columns, ahead, normed);
        give<kBand>(s, norm, normed, r, dx, dweight, dbias);
      } else {
        norm.template find<1>(dy, x, columns, ahead, normed);
        give<1>(s, norm, normed, r, dx, dweight, dbias);
      }
      r += many;
    }
    dx.finish();
  });
  if (s.dweight != nullptr) {
    join(sums, chunks, kinds * columns, columns, s.dweight);
  }
  if (s.dbias != nullptr) {
    join(sums + (kinds - 1) * columns, chunks, kinds * columns, columns, s.dbias);
  }
  gatun_free(sums);
  return GATUN_OK;
}

// Whether a sum of products with x, times the scale of a row, is one of products with h: not where
// one of the two leaves the range of floats, or is none.
bool is_plain(float v) { return __builtin_fabsf(v) < 0x1p60f; }
bool is_scale(float v) { return v > 0x1p-30f && v < 0x1p30f; }

template <typename W>
struct LayerNormRows {
  using Found = CentredRow;

  const W *of;
  float eps;

  template <typename V, typename At>
  V weight(At at) const {
    return of == nullptr ? like(V{}, 1.0f) : at.load(of);
  }

  // Of kRows rows next to each other. What follows a sum waits for it: that of several rows at
  // once, and all sums that wait for the same one in one pass. `ahead` elements further lies what
  // is read next.
  template <int kRows, typename T>
  void find(const T *dy, const T *x, int64_t columns, int64_t ahead, Found *rows) const {
    const float count = static_cast<float>(columns);
    Floats totals[kRows];
    for (int r = 0; r < kRows; r++) {
      const T *row = x + r * columns;
      Block total{};
      by_block(columns, [&](auto at) {
        at.prefetch_second(row + ahead);
        add(total, at.load(row));
      });
      totals[r] = as_vector(total);
    }
    for (int r = 0; r < kRows; r++) {
      rows[r].about = sum(totals[r]) / count;
    }
    Floats squares[kRows], rests[kRows], ones[kRows], products[kRows];
    for (int r = 0; r < kRows; r++) {
      const T *row = x + r * columns, *gradient = dy + r * columns;
      const float about = rows[r].about;
      Block of_squares{}, of_rest{}, of_ones{}, of_products{};
      by_block(columns, [&](auto at) {
        at.prefetch_second(gradient + ahead);
        const auto d = at.keep(at.load(row) - about, 0.0f);
        add_square(of_squares, d);
        add(of_rest, d);
        const auto v = at.load(gradient);
        const auto g = of == nullptr ? v : v * at.load(of);
        add(of_ones, g);
        add_product(of_products, g, d);
      });
      squares[r] = as_vector(of_squares);
      rests[r] = as_vector(of_rest);
      ones[r] = as_vector(of_ones);
      products[r] = as_vector(of_products);
    }
    for (int r = 0; r < kRows; r++) {
      // As in the norm itself: where values lie far from 0, rounding moves the mean.
      const float shift = sum(rests[r]) / count, around = sum(squares[r]) / count - shift * shift;
      const float variance = around < 0.0f ? 0.0f : around;
      rows[r].shift = shift;
      rows[r].scale = 1.0f / __builtin_sqrtf(variance + eps);
      rows[r].of_ones = sum(ones[r]) / count;
      // mean(g * h) = (mean(g * d) - shift * mean(g)) * scale, of d = x - about.
      const float product = sum(products[r]) / count;
      rows[r].of_row = (product - shift * rows[r].of_ones) * rows[r].scale;
      if (!(is_plain(product) && is_plain(rows[r].of_ones) && is_scale(rows[r].scale) &&
            shift * shift <= variance)) {
        find_product(dy + r * columns, x + r * columns, columns, rows[r]);
      }
    }
  }

  // mean(g * h) from each h.
  template <typename T>
  void find_product(const T *dy, const T *x, int64_t columns, Found &row) const {
    const Found normed = row;
    Block products{};
    by_block(columns, [&](auto at) {
      const auto v = at.load(dy);
      add_product(products, of == nullptr ? v : v * at.load(of), normed.normed(at.load(x)));
    });
    row.of_row = sum(products) / static_cast<float>(columns);
  }
};

template <typename W>
LayerNormRows(const W *, float) -> LayerNormRows<W>;

template <typename W>
struct RmsNormRows {
  using Found = ScaledRow;

  const W *of;
  float shift, eps;

  template <typename V, typename At>
  V weight(At at) const {
    return shift + at.load(of);
  }

  template <int kRows, typename T>
  void find(const T *dy, const T *x, int64_t columns, int64_t ahead, Found *rows) const {
    const float count = static_cast<float>(columns);
    Floats squares[kRows], products[kRows];
    for (int r = 0; r < kRows; r++) {
      const T *row = x + r * columns, *gradient = dy + r * columns;
      Block of_squares{}, of_products{};
      by_block(columns, [&](auto at) {
        at.prefetch_second(row + ahead);
        at.prefetch_second(gradient + ahead);
        const auto v = at.load(row);
        add_square(of_squares, v);
        add_product(of_products, at.load(gradient) * (shift + at.load(of)), v);
      });
      squares[r] = as_vector(of_squares);
      products[r] = as_vector(of_products);
    }
    for (int r = 0; r < kRows; r++) {
      const float scale = 1.0f / __builtin_sqrtf(sum(squares[r]) / count + eps);
      const float product = sum(products[r]) / count;
      // mean(g * h) = mean(g * x) * scale.
      rows[r] = {scale, product * scale};
      if (!(is_plain(product) && is_scale(scale))) {
        find_product(dy + r * columns, x + r * columns, columns, rows[r]);
      }
    }
  }

  // mean(g * h) from each h.
  template <typename T>
  void find_product(const T *dy, const T *x, int64_t columns, Found &row) const {
    const Found normed = row;
    Block products{};
    by_block(columns, [&](auto at) {
      add_product(products, at.load(dy) * (shift + at.load(of)), normed.normed(at.load(x)));
    });
    row.of_row = sum(products) / static_cast<float>(columns);
  }
};

template <typename W>
RmsNormRows(const W *, float, float) -> RmsNormRows<W>;

template <typename T>
void softmax_rows(const T *dy, const T *y, T *dx, int64_t rows, int64_t columns, bool log) {
  const Output<T> output(dx, rows * columns);
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T *g = dy + r * columns, *p = y + r * columns;
      const Target<T> to = output.row(r * columns);
      Block products{};
      by_block(columns, [&](auto at) {
        const auto v = at.load(g);
        add(products, log ? v : v * at.load(p));
      });
      const float total = sum(products);
      by_block(columns, [&](auto at) {
        at.store(to,
                 log ? at.load(g) - exp(at.load(p)) * total : at.load(p) * (at.load(g) - total));
      });
    }
    output.finish();
  });
}

bool are_valid(int32_t dtype, int32_t weight_dtype, int64_t rows, int64_t columns) {
  return rows >= 0 && columns >= 0 && is_dtype(dtype) &&
         (weight_dtype == GATUN_DTYPE_F32 || weight_dtype == dtype);
}

// Calls body(gradients, weight) with the types that the dtypes name.
template <typename Body>
int32_t by_dtypes(const void *dy, const void *x, const void *weight, const void *added, void *dx,
                  float *dweight, float *dbias, int32_t dtype, int32_t weight_dtype, int64_t rows,
                  int64_t columns, const Body &body) {
  int32_t status = GATUN_OK;
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    const Gradients<T> s{static_cast<const T *>(dy),
                         static_cast<const T *>(x),
                         static_cast<const T *>(added),
                         static_cast<T *>(dx),
                         dweight,
                         dbias,
                         rows,
                         columns};
    status = weight_dtype == GATUN_DTYPE_F32 ? body(s, static_cast<const float *>(weight))
                                             : body(s, static_cast<const T *>(weight));
  });
  return status;
}

}  // namespace

int32_t layer_norm_backward(const void *dy, const void *x, const void *weight, const void *added,
                            void *dx, float *dweight, float *dbias, int32_t dtype,
                            int32_t weight_dtype, int64_t rows, int64_t columns, float eps) {
  if (!are_valid(dtype, weight_dtype, rows, columns)) {
    return GATUN_INVALID_ARGUMENT;
  }
  return by_dtypes(dy, x, weight, added, dx, dweight, dbias, dtype, weight_dtype, rows, columns,
                   [&](const auto &s, const auto *w) {
                     return each_row(s, LayerNormRows{w, eps});
                   });
}

int32_t rms_norm_backward(const void *dy, const void *x, const void *weight, const void *added,
                          void *dx, float *dweight, int32_t dtype, int32_t weight_dtype,
                          int64_t rows, int64_t columns, float shift, float eps) {
  if (!are_valid(dtype, weight_dtype, rows, columns)) {
    return GATUN_INVALID_ARGUMENT;
  }
  return by_dtypes(dy, x, weight, added, dx, dweight, nullptr, dtype, weight_dtype, rows, columns,
                   [&](const auto &s, const auto *w) {
                     return each_row(s, RmsNormRows{w, shift, eps});
                   });
}

int32_t softmax_backward(const void *dy, const void *y, void *dx, int32_t dtype, int64_t rows,
                         int64_t columns, int32_t log) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    softmax_rows(static_cast<const T *>(dy), static_cast<const T *>(y), static_cast<T *>(dx), rows,
                 columns, log != 0);
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
