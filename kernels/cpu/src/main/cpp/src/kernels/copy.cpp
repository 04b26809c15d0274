// Copies between operands of any strides.
#include "../lanes.h"
#include "../strided.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Turns 2 kLanes rows of as many halves about, as words of two. The lines of y, which may all be of
// one set of the first cache, are each written whole.
void transpose_pairs(const uint16_t *x, int64_t x_stride, uint16_t *y, int64_t y_stride) {
  Floats lines[2][kLanes];
  for (int i = 0; i < 2 * kLanes; i++) {
    __builtin_memcpy(&lines[i / kLanes][i % kLanes], x + i * x_stride, sizeof(Floats));
  }
  transpose(lines[0]);
  transpose(lines[1]);
  for (int i = 0; i < kLanes; i++) {
    uint16_t *even = y + 2 * i * y_stride, *odd = even + y_stride;
    for (int part = 0; part < 2; part++) {
      const Bits words = (Bits)lines[part][i];
      store_halves(even + part * kLanes, __builtin_convertvector(words & 0xffff, Halves));
      store_halves(odd + part * kLanes, __builtin_convertvector(words >> 16, Halves));
    }
  }
}

// A block of y's rows from x's columns: y[i][j] = x[j][i].
template <typename T>
void transpose_block(const T *x, int64_t x_stride, T *y, int64_t y_stride, int64_t rows,
                     int64_t columns) {
  if constexpr (sizeof(T) <= sizeof(uint32_t)) {
    if (rows == kLanes && columns == kLanes) {
      typedef T Line __attribute__((vector_size(kLanes * sizeof(T))));
      typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(uint32_t))));
      Floats lines[kLanes];
      for (int i = 0; i < kLanes; i++) {
        Line line;
        __builtin_memcpy(&line, x + i * x_stride, sizeof line);
        lines[i] = (Floats) __builtin_convertvector(line, Words);
      }
      transpose(lines);
      for (int i = 0; i < kLanes; i++) {
        const Line line = __builtin_convertvector((Words)lines[i], Line);
        __builtin_memcpy(y + i * y_stride, &line, sizeof line);
      }
      return;
    }
  }
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      y[i * y_stride + j] = x[j * x_stride + i];
    }
  }
}

// The last axis is without gaps in y, the one before it in x.
template <typename T>
void transpose_all(const Strided<2> &s, const T *x, T *y) {
  // A block is what vectors transpose; a tile is a task of such blocks.
  constexpr int64_t kBlock = kLanes * (sizeof(T) == sizeof(uint16_t) ? 2 : 1);
  constexpr int64_t kRows = cut(64, 32), kColumns = cut(256, 64);
  const int last = s.axes - 1;
  const int64_t rows = s.shape[last - 1], columns = s.shape[last];
  const int64_t x_stride = s.strides[0][last], y_stride = s.strides[1][last - 1];
  const int64_t down = (rows + kRows - 1) / kRows, across = (columns + kColumns - 1) / kColumns;
  const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
  const int64_t work = least(rows, kRows) * least(columns, kColumns);
  parallel_rows(s.rows(2) * down * across, work, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const Place<2> at(s, last - 1, task / (down * across));
      const int64_t top = task / across % down * kRows, left = task % across * kColumns;
      for (int64_t j = left; j < least(left + kColumns, columns); j += kBlock) {
        for (int64_t i = top; i < least(top + kRows, rows); i += kBlock) {
          const int64_t high = least(kBlock, rows - i), wide = least(kBlock, columns - j);
          const T *from = x + at[0] + j * x_stride + i;
          T *to = y + at[1] + i * y_stride + j;
          if constexpr (kBlock > kLanes) {
            if (high == kBlock && wide == kBlock) {
              transpose_pairs(from, x_stride, to, y_stride);
              continue;
            }
          }
          for (int64_t r = 0; r < high; r += kLanes) {
            for (int64_t c = 0; c < wide; c += kLanes) {
              transpose_block(from + c * x_stride + r, x_stride, to + r * y_stride + c, y_stride,
                              least(kLanes, high - r), least(kLanes, wide - c));
            }
          }
        }
      }
    }
  });
}

void swap(int64_t &a, int64_t &b) {
  const int64_t was = a;
  a = b;
  b = was;
}

void swap_axes(Strided<2> &s, int a, int b) {
  swap(s.shape[a], s.shape[b]);
  swap(s.strides[0][a], s.strides[0][b]);
  swap(s.strides[1][a], s.strides[1][b]);
}

template <typename T>
void copy_all(Strided<2> s, const void *from, void *to) {
  const T *x = static_cast<const T *>(from);
  T *y = static_cast<T *>(to);
  const int64_t x_stride = s.stride(0), y_stride = s.stride(1);
  for (int i = 0; i < s.axes - 1 && x_stride != 1 && y_stride == 1; i++) {
    if (s.strides[0][i] == 1) {
      swap_axes(s, i, s.axes - 2);
      return transpose_all(s, x, y);
    }
  }
  each_row(s, [&](const Place<2> &at, int64_t begin, int64_t end) {
    const T *in = x + at[0] + begin * x_stride;
    T *out = y + at[1] + begin * y_stride;
    if (x_stride == 1 && y_stride == 1) {
      __builtin_memcpy(out, in, static_cast<size_t>(end - begin) * sizeof(T));
    } else {
      for (int64_t i = 0; i < end - begin; i++) {
        out[i * y_stride] = in[i * x_stride];
      }
    }
  });
}

}  // namespace

int32_t copy(const void *x, void *y, int32_t element_bytes, int32_t axes, const int64_t *layout) {
  Strided<2> s;
  if (axes < 0 || axes > kMostAxes) {
    return GATUN_INVALID_ARGUMENT;
  }
  // y is written in its order in memory: its axes by falling strides.
  int64_t sorted[3 * kMostAxes];
  for (int i = 0; i < axes; i++) {
    int to = 0;
    for (int k = 0; k < axes; k++) {
      const int64_t mine = layout[2 * axes + i], other = layout[2 * axes + k];
      to += other > mine || (other == mine && k < i);
    }
    for (int part = 0; part < 3; part++) {
      sorted[part * axes + to] = layout[part * axes + i];
    }
  }
  if (!read(sorted, axes, s)) {
    return GATUN_INVALID_ARGUMENT;
  }
  switch (element_bytes) {
    case 1:
      copy_all<uint8_t>(s, x, y);
      return GATUN_OK;
    case 2:
      copy_all<uint16_t>(s, x, y);
      return GATUN_OK;
    case 4:
      copy_all<uint32_t>(s, x, y);
      return GATUN_OK;
    case 8:
      copy_all<uint64_t>(s, x, y);
      return GATUN_OK;
    default:
      return GATUN_INVALID_ARGUMENT;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
