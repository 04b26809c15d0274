// Kernels that take and add entries along an axis by index.
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Entries as large as an element: one assignment each.
template <typename T>
void select_elements(const void *x, int64_t outer, int64_t length, const int64_t *ids,
                     int64_t count, void *y) {
  const T *from = static_cast<const T *>(x);
  T *to = static_cast<T *>(y);
  parallel_rows(outer * count, 1, [&](int64_t begin, int64_t end) {
    int64_t o = begin / count, k = begin % count;
    for (int64_t i = begin; i < end; i++) {
      to[i] = from[o * length + ids[k]];
      if (++k == count) {
        k = 0;
        o++;
      }
    }
  });
}

}  // namespace

int32_t index_select(const void *x, int64_t outer, int64_t length, int64_t entry_bytes,
                     const int64_t *ids, int64_t count, void *y) {
  if (outer < 0 || length < 0 || entry_bytes < 0 || count < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  switch (entry_bytes) {
    case 1:
      select_elements<uint8_t>(x, outer, length, ids, count, y);
      return GATUN_OK;
    case 2:
      select_elements<uint16_t>(x, outer, length, ids, count, y);
      return GATUN_OK;
    case 4:
      select_elements<uint32_t>(x, outer, length, ids, count, y);
      return GATUN_OK;
    case 8:
      select_elements<uint64_t>(x, outer, length, ids, count, y);
      return GATUN_OK;
  }
  const char *from = static_cast<const char *>(x);
  char *to = static_cast<char *>(y);
  parallel_rows(outer * count, entry_bytes / 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t entry = i / count * length + ids[i % count];
      __builtin_memcpy(to + i * entry_bytes, from + entry * entry_bytes,
                       static_cast<size_t>(entry_bytes));
    }
  });
  return GATUN_OK;
}

int32_t index_add(const void *x, int32_t x_dtype, const int64_t *ids, int64_t count, void *y,
                  int32_t y_dtype, int64_t rows, int64_t columns) {
  if (rows < 0 || columns < 0 || count < 0 || !is_dtype(x_dtype) || !is_dtype(y_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  // A task owns a part of y, and adds all that belongs there in the order of the ids.
  constexpr int64_t kColumns = cut(1024, 32), kWorth = cut(1 << 18, 256);
  const int64_t across = (columns + kColumns - 1) / kColumns;
  const int64_t down = count * columns < kWorth ? 1 : 8;
  const int64_t height = (rows + down - 1) / down;
  parallel(down * across, [&](int64_t task) {
    const int64_t top = task / across * height, left = task % across * kColumns;
    const int64_t width = columns - left < kColumns ? columns - left : kColumns;
    for (int64_t i = 0; i < count; i++) {
      if (ids[i] < top || ids[i] >= top + height) {
        continue;
      }
      const void *in = at(x, x_dtype, i * columns + left);
      void *out = at(y, y_dtype, ids[i] * columns + left);
      by_vector(width, [&](int64_t k, int64_t n) {
        void *to = at(out, y_dtype, k);
        store_as(to, y_dtype, load_as(to, y_dtype, n) + load_as(at(in, x_dtype, k), x_dtype, n), n);
      });
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
