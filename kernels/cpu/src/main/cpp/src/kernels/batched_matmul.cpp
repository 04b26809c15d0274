// Products of matrices with any strides, for each entry of a batch.
#include "../lanes.h"
#include "../narrow.h"
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// A task is this many rows of c by this many panels; a task's blocks of a and b are copied this
// many elements of k at a time, so that they stay in the second-level cache.
constexpr int64_t kRows = cut(120, 24), kPanels = cut(4, 2), kDepth = cut(256, 16);
constexpr int64_t kDepthStride = kDepth + 16;
// Floats of a block of a, by rows or by columns.
constexpr int64_t kLeftFloats = kRows * kDepthStride;

// Where many rows meet b, its panels are laid out once for all of them: a slab of at most so many
// floats, kSlabDepth elements of k deep, which stays in the last-level cache. A task then has
// kWidePanels of them where that leaves kTasks, and its block of a serves more.
constexpr int64_t kSlabDepth = 8 * kDepth, kSlab = cut(24, 3) * kSlabDepth * GATUN_PANEL;
constexpr int64_t kWidePanels = 3 * kPanels, kTasks = cut(16, 2);
// Rows so many floats apart, 4 KB, have their lines in the same set of the first cache, where those
// of a tile push each other out: such rows of a are copied.
constexpr int64_t kSameSet = cut(1024, 16);
// Products of fewer multiplications gain less than laying out takes.
constexpr int64_t kWorth = cut(1 << 22, 1 << 10);

template <typename T>
struct Matrix {
  const T *first;
  int64_t row_stride, stride;

  const T *at(int64_t row, int64_t column) const {
    return first + row * row_stride + column * stride;
  }
  Matrix transposed() const { return {first, stride, row_stride}; }
};

// Writes a part of a matrix as floats, in whichever order reads neighbours.
template <typename T>
void widen(const Matrix<T> &from, int64_t row, int64_t rows, int64_t column, int64_t columns,
           float *to, int64_t to_stride) {
  if (from.stride == 1) {
    for (int64_t r = 0; r < rows; r++) {
      const T *in = from.at(row + r, column);
      by_vector(columns, [&](int64_t i, int64_t n) {
        store_lanes(to + r * to_stride + i, load_lanes(in + i, n), n);
      });
    }
  } else if (from.row_stride == 1) {
    for (int64_t c = 0; c < columns; c += kLanes) {
      const int64_t count = columns - c < kLanes ? columns - c : kLanes;
      by_vector(rows, [&](int64_t r, int64_t n) {
        Floats lines[kLanes] = {};
        for (int64_t i = 0; i < count; i++) {
          lines[i] = load_lanes(from.at(row + r, column + c + i), n);
        }
        transpose(lines);
        for (int64_t i = 0; i < n; i++) {
          store_lanes(to + (r + i) * to_stride + c, lines[i], count);
        }
      });
    }
  } else {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < columns; c++) {
        to[r * to_stride + c] = load_lanes(from.at(row + r, column + c), 1)[0];
      }
    }
  }
}

// The sums of rows by panels, [panels][rows][GATUN_PANEL]. Where neighbours of a are in a column it
// is copied as it lies.
template <Left kLeft, typename T>
void multiply(const Matrix<T> &a, const Matrix<T> &b, int64_t row, int64_t rows, int64_t panel,
              int64_t count, int64_t n, int64_t k, float *wide, float *sums) {
  constexpr int64_t kStride = kLeft == Left::kRows ? kDepthStride : kRows;
  float *wide_b = wide + kLeftFloats;
  for (int64_t depth = 0; depth < k; depth += kDepth) {
    const int64_t length = k - depth < kDepth ? k - depth : kDepth;
    if (kLeft == Left::kRows) {
      widen(a, row, rows, depth, length, wide, kStride);
    } else {
      widen(a.transposed(), depth, length, row, rows, wide, kStride);
    }
    for (int64_t p = 0; p < count; p++) {
      const int64_t first = (panel + p) * GATUN_PANEL;
      const int64_t columns = n - first < GATUN_PANEL ? n - first : GATUN_PANEL;
      widen(b.transposed(), depth, length, first, columns, wide_b, GATUN_PANEL);
      product<kLeft>(rows, columns, length, wide, kStride, wide_b, GATUN_PANEL,
                     sums + p * kRows * GATUN_PANEL, GATUN_PANEL,
                     depth == 0 ? Into::kNew : Into::kOld);
    }
  }
}

// c (+)= a bᵀ of one entry of a batch by slabs of b.
template <typename T>
class Slabs {
 public:
  Slabs(const Matrix<T> &a, const Matrix<T> &b, float *c, int64_t m, int64_t n, int64_t k,
        bool accumulate)
      : a_(a), b_(b), c_(c), m_(m), n_(n), k_(k), accumulate_(accumulate) {}

  // Sums that are added to what is there must be whole before.
  static int64_t depth(int64_t k, bool accumulate) {
    return accumulate || k < kSlabDepth ? k : kSlabDepth;
  }
  static bool serves(int32_t c_dtype, int64_t m, int64_t n, int64_t k, bool accumulate) {
    return c_dtype == GATUN_DTYPE_F32 && m > 2 * kRows && k > 0 && n * k >= kWorth / m &&
           depth(k, accumulate) * GATUN_PANEL <= kSlab;
  }

  bool run() {
    const int64_t deep = depth(k_, accumulate_), all = panels(n_);
    const int64_t fit = kSlab / (deep * GATUN_PANEL), most = fit < all ? fit : all;
    static thread_local Scratch scratch;
    slab_ = scratch.floats(most * deep * GATUN_PANEL);
    if (slab_ == nullptr) {
      return false;
    }
    bool done = true;
    for (panel_ = 0; done && panel_ < all; panel_ += most) {
      count_ = all - panel_ < most ? all - panel_ : most;
      for (depth_ = 0; done && depth_ < k_; depth_ += deep) {
        length_ = k_ - depth_ < deep ? k_ - depth_ : deep;
        lay_out();
        done = multiply_slab();
      }
    }
    return done;
  }

 private:
  int64_t columns(int64_t panel) const {
    const int64_t rest = n_ - panel * GATUN_PANEL;
    return rest < GATUN_PANEL ? rest : GATUN_PANEL;
  }
  // The panels' parts of one block of k follow each other: panels a power of two apart would share
  // few sets of the second cache.
  float *laid(int64_t p, int64_t depth) const {
    const int64_t rest = length_ - depth, length = rest < kDepth ? rest : kDepth;
    return slab_ + (count_ * depth + p * length) * GATUN_PANEL;
  }

  void lay_out() const {
    const int64_t parts = (length_ + kDepth - 1) / kDepth;
    parallel(count_ * parts, [&](int64_t task) {
      const int64_t p = task / parts, depth = task % parts * kDepth;
      const int64_t length = length_ - depth < kDepth ? length_ - depth : kDepth;
      widen(b_.transposed(), depth_ + depth, length, (panel_ + p) * GATUN_PANEL,
            columns(panel_ + p), laid(p, depth), GATUN_PANEL);
    });
  }

  bool multiply_slab() const {
    // Blocks of rows are as even as whole tiles are.
    constexpr int64_t kTiles = kRows / kTileRows;
    static_assert(kRows % kTileRows == 0, "a block of whole tiles");
    const int64_t tiles = (m_ + kTileRows - 1) / kTileRows, blocks = (tiles + kTiles - 1) / kTiles;
    const int64_t wide = (count_ + kWidePanels - 1) / kWidePanels;
    const int64_t each = blocks * wide >= kTasks ? kWidePanels : kPanels;
    const int64_t groups = (count_ + each - 1) / each;
    std::atomic<bool> failed{false};
    // Tasks that follow each other read the same rows of a, which is the larger one.
    parallel(groups * blocks, [&](int64_t task) {
      const int64_t block = task / groups, first = task % groups * each;
      const int64_t row = tiles * block / blocks * kTileRows;
      const int64_t below = tiles * (block + 1) / blocks * kTileRows;
      const int64_t end = below < m_ ? below : m_;
      const int64_t last = first + each < count_ ? first + each : count_;
      const bool by_columns = a_.stride != 1 && a_.row_stride == 1;
      const bool done = by_columns ? rows<Left::kColumns>(row, end - row, first, last)
                                   : rows<Left::kRows>(row, end - row, first, last);
      if (!done) {
        failed.store(true);
      }
    });
    return !failed.load();
  }

  // Rows of a by panels of the slab.
  template <Left kLeft>
  bool rows(int64_t row, int64_t rows, int64_t first, int64_t last) const {
    constexpr bool kFloats = sizeof(T) == sizeof(float);
    const bool apart = a_.row_stride % kSameSet != 0;
    const bool in_place = apart && kFloats && kLeft == Left::kRows && a_.stride == 1;
    static thread_local Scratch scratch;
    float *block = scratch.floats(kLeftFloats + kWidePanels * kRows * GATUN_PANEL);
    if (block == nullptr) {
      return false;
    }
    float *sums = block + kLeftFloats;
    for (int64_t depth = 0; depth < length_; depth += kDepth) {
      const int64_t length = length_ - depth < kDepth ? length_ - depth : kDepth;
      const float *left = block;
      int64_t stride = kLeft == Left::kRows ? kDepthStride : kRows;
      if (in_place) {
        left = reinterpret_cast<const float *>(a_.at(row, depth_ + depth));
        stride = a_.row_stride;
      } else if (kLeft == Left::kRows) {
        widen(a_, row, rows, depth_ + depth, length, block, stride);
      } else {
        widen(a_.transposed(), depth_ + depth, length, row, rows, block, stride);
      }
      const Into into = depth_ + depth == 0 ? Into::kNew : Into::kOld;
      for (int64_t p = first; p < last; p++) {
        float *to = accumulate_ ? sums + (p - first) * kRows * GATUN_PANEL
                                : c_ + row * n_ + (panel_ + p) * GATUN_PANEL;
        product<kLeft>(rows, columns(panel_ + p), length, left, stride, laid(p, depth), GATUN_PANEL,
                       to, accumulate_ ? GATUN_PANEL : n_, into);
      }
    }
    for (int64_t p = first; accumulate_ && p < last; p++) {
      for (int64_t r = 0; r < rows; r++) {
        float *to = c_ + (row + r) * n_ + (panel_ + p) * GATUN_PANEL;
        const float *more = sums + ((p - first) * kRows + r) * GATUN_PANEL;
        by_vector(columns(panel_ + p), [&](int64_t j, int64_t lanes) {
          store_lanes(to + j, load_lanes(to + j, lanes) + load(more + j), lanes);
        });
      }
    }
    return true;
  }

  const Matrix<T> a_, b_;
  float *const c_;
  const int64_t m_, n_, k_;
  const bool accumulate_;
  float *slab_ = nullptr;
  // The part of b that is laid out.
  int64_t panel_ = 0, count_ = 0, depth_ = 0, length_ = 0;
};

template <typename T>
int32_t multiply_all(const T *a, const int64_t *a_strides, const T *b, const int64_t *b_strides,
                     void *c, int32_t c_dtype, int64_t batch, int64_t m, int64_t n, int64_t k,
                     bool accumulate) {
  if (Slabs<T>::serves(c_dtype, m, n, k, accumulate)) {
    bool done = true;
    for (int64_t i = 0; done && i < batch; i++) {
      const Matrix<T> left{a + i * a_strides[0], a_strides[1], a_strides[2]};
      const Matrix<T> right{b + i * b_strides[0], b_strides[1], b_strides[2]};
      float *to = static_cast<float *>(c) + i * m * n;
      done = Slabs<T>(left, right, to, m, n, k, accumulate).run();
    }
    return done ? GATUN_OK : GATUN_OUT_OF_MEMORY;
  }
  const int64_t groups = (panels(n) + kPanels - 1) / kPanels, blocks = (m + kRows - 1) / kRows;
  std::atomic<bool> failed{false};
  parallel(batch * groups * blocks, [&](int64_t task) {
    static thread_local Scratch scratch;
    const int64_t i = task / (groups * blocks);
    const int64_t panel = task / blocks % groups * kPanels, row = task % blocks * kRows;
    const int64_t rows = m - row < kRows ? m - row : kRows;
    const int64_t count = panels(n) - panel < kPanels ? panels(n) - panel : kPanels;
    float *sums =
        scratch.floats(kPanels * kRows * GATUN_PANEL + kLeftFloats + kDepth * GATUN_PANEL);
    if (sums == nullptr) {
      failed.store(true);
      return;
    }
    if (k == 0) {
      __builtin_memset(sums, 0, kPanels * kRows * GATUN_PANEL * sizeof(float));
    }
    const Matrix<T> left{a + i * a_strides[0], a_strides[1], a_strides[2]};
    const Matrix<T> right{b + i * b_strides[0], b_strides[1], b_strides[2]};
    float *wide = sums + kPanels * kRows * GATUN_PANEL;
    if (left.stride != 1 && left.row_stride == 1) {
      multiply<Left::kColumns>(left, right, row, rows, panel, count, n, k, wide, sums);
    } else {
      multiply<Left::kRows>(left, right, row, rows, panel, count, n, k, wide, sums);
    }
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t p = 0; p < count; p++) {
        const int64_t first = (panel + p) * GATUN_PANEL;
        const float *line = sums + (p * kRows + r) * GATUN_PANEL;
        by_vector(n - first < GATUN_PANEL ? n - first : GATUN_PANEL, [&](int64_t j, int64_t lanes) {
          void *to = at(c, c_dtype, (i * m + row + r) * n + first + j);
          const Floats sum = load(line + j);
          store_as(to, c_dtype, accumulate ? load_as(to, c_dtype, lanes) + sum : sum, lanes);
        });
      }
    }
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace

int32_t batched_matmul(const void *a, int64_t a_batch_stride, int64_t a_row_stride,
                       int64_t a_stride, const void *b, int64_t b_batch_stride,
                       int64_t b_row_stride, int64_t b_stride, int32_t dtype, void *c,
                       int32_t c_dtype, int64_t batch, int64_t m, int64_t n, int64_t k,
                       int32_t accumulate) {
  if (batch < 0 || m < 0 || n < 0 || k < 0 || !is_dtype(dtype) || !is_dtype(c_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const int64_t a_strides[] = {a_batch_stride, a_row_stride, a_stride};
  const int64_t b_strides[] = {b_batch_stride, b_row_stride, b_stride};
  int32_t status = GATUN_OK;
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    status = multiply_all(static_cast<const T *>(a), a_strides, static_cast<const T *>(b),
                          b_strides, c, c_dtype, batch, m, n, k, accumulate != 0);
  });
  return status;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
