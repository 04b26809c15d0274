// Kernels that move rows by index.
#include "../blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

template <typename T, typename Y>
void look_up(const T *table, int64_t columns, const int64_t *ids, int64_t count, Y *y,
             bool accumulate) {
  const Output<Y> output(y, count * columns);
  parallel_rows(count, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T *line = table + ids[r] * columns;
      const T *next = table + ids[r + 1 < end ? r + 1 : r] * columns;
      by_block(columns, [&](auto at) { at.prefetch(next); });
      const Target<Y> out = output.row(r * columns);
      if constexpr (std::is_same_v<T, Y>) {
        if (!accumulate) {
          copy_row(line, out, columns);
          continue;
        }
      }
      by_block(columns, [&](auto at) {
        const auto v = at.load(line);
        at.store(out, accumulate ? at.load(out.p) + v : v);
      });
    }
    output.finish();
  });
}

// The same from the panels of matmul_pack. Neighbours of a row lie as far apart as a panel is wide,
// so a piece of the row is gathered before it is used.
template <typename T, typename Y>
void look_up_packed(const T *packed, int64_t columns, const int64_t *ids, int64_t count, Y *y,
                    bool accumulate) {
  // Features of a panel side by side, with so many neighbours along k each.
  constexpr int64_t kDepth = std::is_same_v<T, Bf16> ? 2 : 1;
  constexpr int64_t kPiece = 256;
  const int64_t depth = (columns + kDepth - 1) / kDepth * kDepth;
  const Output<Y> output(y, count * columns);
  parallel_rows(count, columns, [&](int64_t begin, int64_t end) {
    T piece[kPiece];
    for (int64_t r = begin; r < end; r++) {
      const T *row =
          packed + ids[r] / GATUN_PANEL * GATUN_PANEL * depth + ids[r] % GATUN_PANEL * kDepth;
      for (int64_t first = 0; first < columns; first += kPiece) {
        const int64_t width = columns - first < kPiece ? columns - first : kPiece;
        for (int64_t i = 0; i < width; i++) {
          const int64_t k = first + i;
          piece[i] = row[k / kDepth * kDepth * GATUN_PANEL + k % kDepth];
        }
        const Target<Y> out = output.row(r * columns + first);
        if constexpr (std::is_same_v<T, Y>) {
          if (!accumulate) {
            copy_row(piece, out, width);
            continue;
          }
        }
        by_block(width, [&](auto at) {
          const auto v = at.load(piece);
          at.store(out, accumulate ? v + at.load(out.p) : v);
        });
      }
    }
    output.finish();
  });
}

template <typename T>
void pool_all(const T *x, const int32_t *offsets, int64_t sequences, int64_t columns, int32_t mode,
              T *y) {
  parallel(sequences, [&](int64_t s) {
    const int64_t begin = offsets[s], end = offsets[s + 1];
    const bool reduce = mode == GATUN_POOL_MEAN || mode == GATUN_POOL_MAX;
    const int64_t first = mode == GATUN_POOL_LAST ? end - 1 : begin;
    by_vector(columns, [&](int64_t i, int64_t n) {
      Floats v{};
      if (begin < end) {
        v = load_lanes(x + first * columns + i, n);
        for (int64_t t = begin + 1; reduce && t < end; t++) {
          const Floats next = load_lanes(x + t * columns + i, n);
          // A NaN stays: neither comparison holds for it.
          v = mode == GATUN_POOL_MEAN ? v + next : select(next <= v, v, select(v == v, next, v));
        }
        if (mode == GATUN_POOL_MEAN) {
          v /= static_cast<float>(end - begin);
        }
      }
      store_lanes(y + s * columns + i, v, n);
    });
  });
}

}  // namespace

int32_t embedding(const void *table, int32_t table_dtype, int64_t rows, int64_t columns,
                  const int64_t *ids, int64_t count, void *y, int32_t y_dtype, int32_t accumulate,
                  int32_t packed) {
  if (rows < 0 || columns < 0 || count < 0 || !is_dtype(table_dtype) || !is_dtype(y_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(table_dtype, [&](auto number) {
    by_dtype(y_dtype, [&](auto result) {
      const auto *from = static_cast<const decltype(number) *>(table);
      auto *to = static_cast<decltype(result) *>(y);
      if (packed != 0) {
        look_up_packed(from, columns, ids, count, to, accumulate != 0);
      } else {
        look_up(from, columns, ids, count, to, accumulate != 0);
      }
    });
  });
  return GATUN_OK;
}

int32_t scatter_rows(const void *x, const int64_t *ids, int64_t count, void *y, int64_t rows,
                     int64_t row_bytes) {
  if (rows < 0 || row_bytes < 0 || count < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  const char *from = static_cast<const char *>(x);
  char *to = static_cast<char *>(y);
  parallel_rows(count, row_bytes / 4, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      if (ids[r] >= 0) {
        __builtin_memcpy(to + ids[r] * row_bytes, from + r * row_bytes,
                         static_cast<size_t>(row_bytes));
      }
    }
  });
  return GATUN_OK;
}

int32_t pool(const void *x, const int32_t *offsets, int64_t sequences, int64_t columns,
             int32_t mode, void *y, int32_t dtype) {
  if (sequences < 0 || columns < 0 || mode < GATUN_POOL_MEAN || mode > GATUN_POOL_LAST ||
      !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    pool_all(static_cast<const T *>(x), offsets, sequences, columns, mode, static_cast<T *>(y));
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
