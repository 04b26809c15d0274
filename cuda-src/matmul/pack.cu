// Lays weights out as dev.gatun.kernels.api.call.matmul.MatmulPack says.
#include "matmul/panels.h"
#include "strided.h"

using namespace gatun;

// In panels of 32 output features. A thread an element of the packed form.
// kernels.list: matmul_pack 256 ppiilllll
extern "C" __global__ void __launch_bounds__(256)
    matmul_pack(const void* weight, void* packed, int from, int to, long row_stride,
                long column_stride, long features, long depth, long count) {
  const long i = global_thread();
  if (i >= count) {
    return;
  }
  const long rows = to == kBf16 ? (depth + 1) / 2 * 2 : depth;
  const long panel = i / (rows * kPanel), inside = i % (rows * kPanel);
  long n, k;
  if (to == kBf16) {
    n = panel * kPanel + inside / 2 % kPanel;
    k = inside / (2 * kPanel) * 2 + inside % 2;
  } else {
    n = panel * kPanel + inside % kPanel;
    k = inside / kPanel;
  }
  const bool there = n < features && k < depth;
  store(packed, i, to, there ? load(weight, n * row_stride + k * column_stride, from) : 0.0f);
}

// In rows, for the library's products: [features, depth] and zeros up to count.
// kernels.list: matmul_pack_rows 256 ppiilllll
extern "C" __global__ void __launch_bounds__(256)
    matmul_pack_rows(const void* weight, void* packed, int from, int to, long row_stride,
                     long column_stride, long features, long depth, long count) {
  const long i = global_thread();
  if (i < count) {
    const bool there = i < features * depth;
    const long n = there ? i / depth : 0, k = there ? i % depth : 0;
    store(packed, i, to, there ? load(weight, n * row_stride + k * column_stride, from) : 0.0f);
  }
}
