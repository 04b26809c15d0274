#include "../narrow.h"
#include "../panel_rows.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// A task is this many rows by this many panels. Of x, kRows * kDepth floats stay in the
// second-level cache while a panel's kDepth * 32 floats pass; the cut follows from the shape alone.
constexpr int64_t kRows = cut(132, 24), kPanels = cut(4, 2), kDepth = cut(512, 16);
// Of a weight's rows so many elements are packed at a time.
constexpr int64_t kPacked = cut(128, 16);
// So few rows of x stay there by themselves, and smaller tasks are more even.
constexpr int64_t kFewRows = cut(32, 8), kFewPanels = cut(2, 1);

// Rows so many floats apart, 4 KB, have their lines in the same set of the first cache: those of a
// tile push each other out.
constexpr int64_t kSameSet = cut(1024, 16);

// The rows of x that a thread's tasks have in common, copied to where they lie otherwise apart.
class OwnRows {
 public:
  static int64_t stride(int64_t k) { return (k + kSameSet - 1) / kSameSet * kSameSet + kLanes; }

  // The rows from `row` on of the product that a number stands for; null when there is no memory.
  const float *copy(int64_t product, const float *x, int64_t x_stride, int64_t row, int64_t rows,
                    int64_t k) {
    float *own = scratch_.floats(kRows * stride(k));
    if (own != nullptr && (product != product_ || row != row_)) {
      for (int64_t r = 0; r < rows; r++) {
        __builtin_memcpy(own + r * stride(k), x + (row + r) * x_stride,
                         static_cast<size_t>(k) * sizeof(float));
      }
      product_ = product;
      row_ = row;
    }
    return own;
  }

 private:
  Scratch scratch_;
  int64_t product_ = 0, row_ = 0;
};

// y (+)= x[rows][length] * weights[length][PANEL], while the weights at `next` are asked for, or
// those that follow where one tile reads them as they come.
void multiply(int64_t rows, int64_t columns, int64_t length, const float *x, int64_t x_stride,
              const float *weights, const float *next, float *y, int64_t y_stride, Into into) {
  if (columns < GATUN_PANEL) {
    product(rows, columns, length, x, x_stride, weights, GATUN_PANEL, y, y_stride, into);
    return;
  }
  const int64_t bytes = length * kTileColumns * 4;
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    by_even_tile<kTileRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      const bool once = kWholePanel && tiles == 1;
      const float *from = once ? weights + ahead_of(rows) / sizeof(float) : next + j * length;
      tile_dispatch<kTileRows>(count, x + r * x_stride, x_stride, weights + j, GATUN_PANEL,
                               y + r * y_stride + j, y_stride, length, kTileColumns, into,
                               comes_by_itself(rows)
                                   ? Ahead::nothing(weights)
                                   : Ahead::share(from, bytes, length, tiles, which));
    });
  }
}

void finish(float *y, int64_t y_stride, int64_t rows, int64_t columns, const float *bias,
            int32_t activation) {
  for (int64_t r = 0; r < rows; r++) {
    by_vector(columns, [&](int64_t i, int64_t n) {
      Floats v = load_lanes(y + r * y_stride + i, n);
      if (bias != nullptr) {
        v += load_lanes(bias + i, n);
      }
      store_lanes(y + r * y_stride + i, activate(v, activation), n);
    });
  }
}

using FloatPanels = Panels<1, float>;

int32_t multiply(const float *x, int64_t x_stride, const FloatPanels &weight, const float *bias,
                 float *y, int64_t y_stride, int64_t m, int64_t n, int64_t k, int32_t activation) {
  const int64_t panels = (n + GATUN_PANEL - 1) / GATUN_PANEL;
  const int64_t together = m <= kFewRows ? kFewPanels : kPanels;
  const int64_t groups = (panels + together - 1) / together, blocks = (m + kRows - 1) / kRows;
  const int64_t most = !weight.packed()                         ? kPacked
                       : kWholePanel && m <= kTileRows && k > 0 ? k
                                                                : kDepth;
  static std::atomic<int64_t> products{0};
  const int64_t product = products.fetch_add(1, std::memory_order_relaxed) + 1;
  // Then a thread's tasks follow each other along their rows, else along the weights of a group.
  const bool copied = x_stride % kSameSet == 0 && m > kFewRows;
  parallel(groups * blocks, [&](int64_t task) {
    alignas(64) float room[kPacked * GATUN_PANEL];
    const int64_t row = (copied ? task / groups : task % blocks) * kRows;
    const int64_t panel = (copied ? task % groups : task / blocks) * together;
    const int64_t rows = m - row < kRows ? m - row : kRows;
    static thread_local OwnRows own_rows;
    const float *own = copied ? own_rows.copy(product, x, x_stride, row, rows, k) : nullptr;
    const float *in = own != nullptr ? own : x + row * x_stride;
    const int64_t in_stride = own != nullptr ? OwnRows::stride(k) : x_stride;
    const int64_t last = panel + together < panels ? panel + together : panels;
    float *out = y + row * y_stride;
    for (int64_t depth = 0; depth < k || depth == 0; depth += most) {
      const int64_t length = k - depth < most ? k - depth : most;
      for (int64_t p = panel; p < last; p++) {
        const int64_t first = p * GATUN_PANEL;
        const float *weights = weight.at(p, depth, depth + length, room);
        const float *next = !weight.packed() ? weights
                            : p + 1 < last
                                ? weights + k * GATUN_PANEL
                                : weight.at(panel, depth + length, depth + length, nullptr);
        multiply(rows, n - first < GATUN_PANEL ? n - first : GATUN_PANEL, length, in + depth,
                 in_stride, weights, next, out + first, y_stride,
                 depth == 0 ? Into::kNew : Into::kOld);
      }
    }
    if (bias != nullptr || activation != GATUN_ACTIVATION_NONE) {
      const int64_t first = panel * GATUN_PANEL;
      const int64_t end = last * GATUN_PANEL < n ? last * GATUN_PANEL : n;
      finish(out + first, y_stride, rows, end - first, bias == nullptr ? nullptr : bias + first,
             activation);
    }
  });
  return GATUN_OK;
}

}  // namespace

int32_t matmul_f32(const float *x, int64_t x_stride, const float *weight, int64_t weight_stride,
                   const float *bias, float *y, int64_t y_stride, int64_t m, int64_t n, int64_t k,
                   int32_t activation) {
  if (m < 0 || n < 0 || k < 0 || activation < GATUN_ACTIVATION_NONE ||
      activation > GATUN_ACTIVATION_QUICK_GELU) {
    return GATUN_INVALID_ARGUMENT;
  }
  const FloatPanels panels(weight, weight_stride, n, k);
  if (panels.packed() || m <= kRows) {
    return multiply(x, x_stride, panels, bias, y, y_stride, m, n, k, activation);
  }
  return panels.by_strips([&](const float *packed, int64_t first, int64_t features) {
    return multiply(x, x_stride, FloatPanels(packed, GATUN_PACKED, features, k),
                    bias == nullptr ? nullptr : bias + first, y + first, y_stride, m, features, k,
                    activation);
  });
}

int32_t grouped_matmul_f32(const float *x, int64_t x_stride, const int32_t *rows,
                           const int32_t *offsets, int64_t experts, const float *packed,
                           const float *bias, float *y, int64_t y_stride, int64_t m, int64_t n,
                           int64_t k, int32_t activation) {
  const int32_t f32 = GATUN_DTYPE_F32;
  const Product all{x, f32, x_stride, bias, y, f32, y_stride, m, n, k, activation};
  const Product p = all.grouped(rows, offsets, experts);
  if (!p.valid()) {
    return GATUN_INVALID_ARGUMENT;
  }
  return float_product(p, false, [&](int64_t panel, int64_t depth, int64_t, const float *) {
    return packed + (panel * k + depth) * GATUN_PANEL;
  });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
