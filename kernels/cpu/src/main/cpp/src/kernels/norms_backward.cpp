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

// A row, the one after it, and the sums of its chunk.
template <typename T>
struct Row {
  const T *dy, *x, *added;
  const T *next_dy, *next_x;
  Target<T> dx;
  float *dweight, *dbias;

  template <typename At>
  void prefetch(At at) const {
    at.prefetch(next_dy);
    at.prefetch(next_x);
  }

  // Writes dx, and takes dy into the sums; h is the normalised row.
  template <typename At, typename V>
  void give(At at, V g, V h, V v) const {
    if (dx.p != nullptr) {
      at.store(dx, added == nullptr ? v : v + at.load(added));
    }
    if (dweight != nullptr) {
      at.store(dweight, fma(g, h, at.load(dweight)));
    }
    if (dbias != nullptr) {
      at.store(dbias, at.load(dbias) + g);
    }
  }
};

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

// Calls body(row) for each row, and gives the sums.
template <typename T, typename Body>
int32_t each_row(const Gradients<T> &s, const Body &body) {
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
    const int64_t end = (chunk + 1) * rows < s.rows ? (chunk + 1) * rows : s.rows;
    for (int64_t r = chunk * rows; r < end; r++) {
      const int64_t at = r * columns, next = r + 1 < end ? at + columns : at;
      body(Row<T>{s.dy + at, s.x + at, s.added == nullptr ? nullptr : s.added + at, s.dy + next,
                  s.x + next, s.dx == nullptr ? Target<T>{nullptr, false} : dx.row(at),
                  s.dweight == nullptr ? nullptr : own,
                  s.dbias == nullptr ? nullptr : own + (kinds - 1) * columns});
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

template <typename T, typename W>
int32_t layer_norm_rows(const Gradients<T> &s, const W *weight, float eps) {
  const int64_t columns = s.columns;
  const float count = static_cast<float>(columns);
  return each_row(s, [&](const Row<T> &row) {
    Block total{};
    by_block(columns, [&](auto at) { add(total, at.load(row.x)); });
    const float about = sum(total) / count;
    Block squares{}, rest{};
    by_block(columns, [&](auto at) {
      const auto d = at.keep(at.load(row.x) - about, 0.0f);
      add_square(squares, d);
      add(rest, d);
    });
    // As in the norm itself: where values lie far from 0, rounding moves the mean.
    const float shift = sum(rest) / count;
    const float variance = sum(squares) / count - shift * shift;
    const float scale = 1.0f / __builtin_sqrtf((variance < 0.0f ? 0.0f : variance) + eps);
    const auto normed = [&](auto at) { return (at.load(row.x) - about - shift) * scale; };
    const auto weighted = [&](auto at, auto dy) {
      return weight == nullptr ? dy : dy * at.load(weight);
    };
    Block ones{}, products{};
    by_block(columns, [&](auto at) {
      const auto g = weighted(at, at.load(row.dy));
      add(ones, g);
      add(products, g * normed(at));
    });
    const float of_ones = sum(ones) / count, of_row = sum(products) / count;
    by_block(columns, [&](auto at) {
      row.prefetch(at);
      const auto dy = at.load(row.dy), h = normed(at);
      row.give(at, dy, h, (weighted(at, dy) - of_ones - h * of_row) * scale);
    });
  });
}

template <typename T, typename W>
int32_t rms_norm_rows(const Gradients<T> &s, const W *weight, float shift, float eps) {
  const int64_t columns = s.columns;
  const float count = static_cast<float>(columns);
  return each_row(s, [&](const Row<T> &row) {
    Block squares{};
    by_block(columns, [&](auto at) { add_square(squares, at.load(row.x)); });
    const float scale = 1.0f / __builtin_sqrtf(sum(squares) / count + eps);
    const auto weighted = [&](auto at, auto dy) { return dy * (shift + at.load(weight)); };
    Block products{};
    by_block(columns, [&](auto at) {
      add(products, weighted(at, at.load(row.dy)) * (at.load(row.x) * scale));
    });
    const float of_row = sum(products) / count;
    by_block(columns, [&](auto at) {
      row.prefetch(at);
      const auto dy = at.load(row.dy), h = at.load(row.x) * scale;
      row.give(at, dy, h, (weighted(at, dy) - h * of_row) * scale);
    });
  });
}

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
                   [&](const auto &s, auto w) { return layer_norm_rows(s, w, eps); });
}

int32_t rms_norm_backward(const void *dy, const void *x, const void *weight, const void *added,
                          void *dx, float *dweight, int32_t dtype, int32_t weight_dtype,
                          int64_t rows, int64_t columns, float shift, float eps) {
  if (!are_valid(dtype, weight_dtype, rows, columns)) {
    return GATUN_INVALID_ARGUMENT;
  }
  return by_dtypes(dy, x, weight, added, dx, dweight, nullptr, dtype, weight_dtype, rows, columns,
                   [&](const auto &s, auto w) { return rms_norm_rows(s, w, shift, eps); });
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
