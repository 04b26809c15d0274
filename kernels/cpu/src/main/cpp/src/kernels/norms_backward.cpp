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

// Rows that one pass over the columns writes, where they lie in the first cache: weights and sums
// over rows are read once for them. Longer ones go one by one, so that they stay near.
constexpr int64_t kBand = 4, kNear = 12288;

// What gives the gradient of a layer norm's row: h = (x - about) * scale + offset is the row as it
// was normalised, dx = (dy * weight + level + h * slope) * scale. The product is rounded as where
// its mean, -level, is made: where all are the same nothing is left.
struct CentredRow {
  float about, scale, offset, level, slope;

  template <typename V>
  V normed(V x) const {
    return fma(x - about, like(x, scale), like(x, offset));
  }
  template <typename V>
  V gradient(V dy, V weight, V h) const {
    return fma(h, like(h, slope), dy * weight + like(h, level)) * scale;
  }
};

// The same of RMS norm, which takes no mean off.
struct ScaledRow {
  float scale, slope;

  template <typename V>
  V normed(V x) const {
    return x * scale;
  }
  template <typename V>
  V gradient(V dy, V weight, V h) const {
    return fma(h, like(h, slope), dy * weight) * scale;
  }
};

// Writes the gradients of kRows rows from `row` on and takes them into the sums of their chunk, or
// null. `ahead` elements further lies the dy that is read next.
template <int kRows, typename T, typename Found>
void give(const Gradients<T> &s, const float *weight, const Found *rows, int64_t row, int64_t ahead,
          const Output<T> &output, float *dweight, float *dbias) {
  const int64_t columns = s.columns;
  const T *dy = s.dy + row * columns, *x = s.x + row * columns;
  const T *added = s.added == nullptr ? nullptr : s.added + row * columns;
  Target<T> dx[kRows] = {};
  for (int r = 0; s.dx != nullptr && r < kRows; r++) {
    dx[r] = output.row((row + r) * columns);
  }
  by_block(columns, [&](auto at) {
    const auto w = at.load(weight);
    auto of_weight = w, of_bias = w;
    if (dweight != nullptr) {
      of_weight = at.load(dweight);
    }
    if (dbias != nullptr) {
      of_bias = at.load(dbias);
    }
    for (int r = 0; r < kRows; r++) {
      const int64_t from = r * columns;
      at.prefetch_second(dy + from + ahead);
      const auto v = at.load(dy + from), h = rows[r].normed(at.load(x + from));
      of_weight = fma(v, h, of_weight);
      if (dbias != nullptr) {
        of_bias = of_bias + v;
      }
      if (dx[r].p != nullptr) {
        const auto d = rows[r].gradient(v, w, h);
        at.store(dx[r], added == nullptr ? d : d + at.load(added + from));
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

// The gradients of all rows as a norm finds them. weight(at) gives what dy is multiplied by.
template <typename Norm, typename T, typename Weight>
int32_t each_row(const Gradients<T> &s, float eps, const Weight &weight) {
  constexpr int64_t kMostChunks = cut(64, 5), kLeastRows = cut(16, 2);
  const int64_t even = (s.rows + kMostChunks - 1) / kMostChunks;
  const int64_t rows = even < kLeastRows ? kLeastRows : even;
  const int64_t chunks = (s.rows + rows - 1) / rows, columns = s.columns;
  const int64_t kinds = (s.dweight != nullptr) + (s.dbias != nullptr);
  // The weights in float, and the sums behind them.
  float *weights = static_cast<float *>(gatun_allocate(((1 + chunks * kinds) * columns + 1) * 4));
  if (weights == nullptr) {
    return GATUN_OUT_OF_MEMORY;
  }
  by_block(columns, [&](auto at) { at.store(weights, weight(at)); });
  float *sums = weights + columns;
  const Output<T> dx(s.dx, s.rows * columns);
  parallel(chunks, [&](int64_t chunk) {
    float *own = sums + chunk * kinds * columns;
    __builtin_memset(own, 0, static_cast<size_t>(kinds * columns) * sizeof(float));
    float *dweight = s.dweight == nullptr ? nullptr : own;
    float *dbias = s.dbias == nullptr ? nullptr : own + (kinds - 1) * columns;
    const int64_t end = (chunk + 1) * rows < s.rows ? (chunk + 1) * rows : s.rows;
    const auto band = [&](auto many, int64_t r) {
      constexpr int kRows = many;
      const Norm norm{weights, columns, eps};
      const int64_t ahead = r + 2 * kRows <= s.rows ? kRows * columns : 0;
      typename Norm::Found found[kRows];
      norm.template find<kRows>(s.dy + r * columns, s.x + r * columns, ahead, found);
      give<kRows>(s, weights, found, r, ahead, dx, dweight, dbias);
    };
    const bool narrow = 2 * kBand * columns * static_cast<int64_t>(sizeof(T)) <= kNear;
    int64_t r = chunk * rows;
    for (; narrow && r + kBand <= end; r += kBand) {
      band(std::integral_constant<int, kBand>(), r);
    }
    for (; r < end; r++) {
      band(std::integral_constant<int, 1>(), r);
    }
    dx.finish();
  });
  if (s.dweight != nullptr) {
    join(sums, chunks, kinds * columns, columns, s.dweight);
  }
  if (s.dbias != nullptr) {
    join(sums + (kinds - 1) * columns, chunks, kinds * columns, columns, s.dbias);
  }
  gatun_free(weights);
  return GATUN_OK;
}

// Whether a sum of products with x, times the scale of a row, is one of products with h: not where
// one of the two leaves the range of floats, or is none.
bool is_plain(float v) { return __builtin_fabsf(v) < 0x1p60f; }
bool is_scale(float v) { return v > 0x1p-30f && v < 0x1p30f; }

// mean(g * h) from each h.
template <typename T, typename Found>
float mean_product(const T *dy, const T *x, const float *weight, int64_t columns,
                   const Found &row) {
  const Found normed = row;
  Block products{};
  by_block(columns, [&](auto at) {
    add_product(products, at.load(dy) * at.load(weight), normed.normed(at.load(x)));
  });
  return sum(products) / static_cast<float>(columns);
}

struct LayerNormRows {
  using Found = CentredRow;

  // Elements whose mean stands for that of a row: about the root of how many a row has, one that is
  // far from all others moves it by no more than the deviation.
  static constexpr int64_t kSample = cut(256, 32);

  const float *weight;
  int64_t columns;
  float eps;

  float mean(float total) const { return total / static_cast<float>(columns); }

  template <typename T>
  static float mean_of(const T *x, int64_t count) {
    Block total{};
    by_block(count, [&](auto at) { add(total, at.load(x)); });
    return sum(total) / static_cast<float>(count);
  }

  // What lies near that mean and has no digits beyond a thousandth of how large the elements are.
  // Taken off narrow ones, the digits of a mean would be the same last digits of each, and sums of
  // those are rounded to one side at every step.
  template <typename T>
  static float near_mean_of(const T *x, int64_t count) {
    constexpr float kDigits = 1 << 14;
    Block total{}, squares{};
    by_block(count, [&](auto at) {
      const auto v = at.load(x);
      add(total, v);
      add_square(squares, v);
    });
    const float n = static_cast<float>(count);
    const float coarse = kDigits * __builtin_sqrtf(sum(squares) / n);
    return (sum(total) / n + coarse) - coarse;
  }

  // Scale and offset by the sums of d = x - about and of its squares; gives the mean of d, by which
  // the row's own is beyond `about`, and the variance.
  void set(Found &row, float rest, float squares, float &shift, float &variance) const {
    shift = mean(rest);
    // Rounding may make what is next to nothing less than that.
    variance = __builtin_fabsf(mean(squares) - shift * shift);
    row.scale = 1.0f / __builtin_sqrtf(variance + eps);
    row.offset = -shift * row.scale;
  }

  // Of kRows rows next to each other. What follows a sum waits for it: that of several rows at
  // once, and all sums in one pass. `ahead` elements further lies the x that is read next.
  template <int kRows, typename T>
  void find(const T *dy, const T *x, int64_t ahead, Found *rows) const {
    Floats squares[kRows], rests[kRows], ones[kRows], products[kRows];
    for (int r = 0; r < kRows; r++) {
      const T *row = x + r * columns, *gradient = dy + r * columns;
      const float about = near_mean_of(row, columns < kSample ? columns : kSample);
      Block of_squares{}, of_rest{}, of_ones{}, of_products{};
      by_block(columns, [&](auto at) {
        at.prefetch_second(row + ahead);
        const auto d = at.keep(at.load(row) - about, 0.0f), g = at.load(gradient) * at.load(weight);
        add_square(of_squares, d);
        add(of_rest, d);
        add(of_ones, g);
        add_product(of_products, g, d);
      });
      rows[r].about = about;
      squares[r] = as_vector(of_squares);
      rests[r] = as_vector(of_rest);
      ones[r] = as_vector(of_ones);
      products[r] = as_vector(of_products);
    }
    for (int r = 0; r < kRows; r++) {
      float shift, variance;
      set(rows[r], sum(rests[r]), sum(squares[r]), shift, variance);
      const float of_ones = mean(sum(ones[r])), product = mean(sum(products[r]));
      const float scale = rows[r].scale;
      rows[r].level = -of_ones;
      // mean(g * h) = (mean(g * d) - shift * mean(g)) * scale.
      rows[r].slope = (shift * of_ones - product) * scale;
      if (!(is_plain(product) && is_plain(of_ones) && is_scale(scale) &&
            shift * shift <= variance)) {
        find_in_turn(dy + r * columns, x + r * columns, rows[r]);
      }
    }
  }

  // All but the level, by the row's own mean and by each h.
  template <typename T>
  void find_in_turn(const T *dy, const T *x, Found &row) const {
    const float about = mean_of(x, columns);
    Block squares{}, rest{};
    by_block(columns, [&](auto at) {
      const auto d = at.keep(at.load(x) - about, 0.0f);
      add_square(squares, d);
      add(rest, d);
    });
    row.about = about;
    float shift, variance;
    set(row, sum(rest), sum(squares), shift, variance);
    row.slope = -mean_product(dy, x, weight, columns, row);
  }
};

struct RmsNormRows {
  using Found = ScaledRow;

  const float *weight;
  int64_t columns;
  float eps;

  template <int kRows, typename T>
  void find(const T *dy, const T *x, int64_t ahead, Found *rows) const {
    const float count = static_cast<float>(columns);
    Floats squares[kRows], products[kRows];
    for (int r = 0; r < kRows; r++) {
      const T *row = x + r * columns, *gradient = dy + r * columns;
      Block of_squares{}, of_products{};
      by_block(columns, [&](auto at) {
        at.prefetch_second(row + ahead);
        const auto v = at.load(row);
        add_square(of_squares, v);
        add_product(of_products, at.load(gradient) * at.load(weight), v);
      });
      squares[r] = as_vector(of_squares);
      products[r] = as_vector(of_products);
    }
    for (int r = 0; r < kRows; r++) {
      const float scale = 1.0f / __builtin_sqrtf(sum(squares[r]) / count + eps);
      const float product = sum(products[r]) / count;
      // mean(g * h) = mean(g * x) * scale.
      rows[r] = {scale, -product * scale};
      if (!(is_plain(product) && is_scale(scale))) {
        rows[r].slope = -mean_product(dy + r * columns, x + r * columns, weight, columns, rows[r]);
      }
    }
  }
};

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
                     return each_row<LayerNormRows>(s, eps, [&](auto at) {
                       using V = decltype(at.load(w));
                       return w == nullptr ? like(V{}, 1.0f) : at.load(w);
                     });
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
                     return each_row<RmsNormRows>(s, eps,
                                                  [&](auto at) { return shift + at.load(w); });
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
