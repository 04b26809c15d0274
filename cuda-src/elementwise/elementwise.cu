// Kernels of each element on its own, a thread an element.
#include "activation.h"
#include "binary_op.h"
#include "numbers.h"
#include "strided.h"

using namespace gatun;

extern "C" __global__ void __launch_bounds__(256)
    elementwise(const void* a, const void* b, void* y, int dtype, int op, StridedLayout layout) {
  const long i = global_thread();
  if (i < layout.count) {
    const Places p = places(layout, i);
    store(y, p.of[2], dtype, apply(load(a, p.of[0], dtype), load(b, p.of[1], dtype), op));
  }
}

// y may be x.
extern "C" __global__ void __launch_bounds__(256)
    activate_elements(const void* x, void* y, int dtype, int activation, long count) {
  const long i = global_thread();
  if (i < count) {
    store(y, i, dtype, activate(load(x, i, dtype), activation));
  }
}

extern "C" __global__ void __launch_bounds__(256)
    gated_activation(const void* gate, const void* up, void* y, int dtype, int activation,
                     long gate_stride, long up_stride, long columns, long count) {
  const long i = global_thread();
  if (i < count) {
    const long row = i / columns, column = i % columns;
    const float g = activate(load(gate, row * gate_stride + column, dtype), activation);
    store(y, i, dtype, g * load(up, row * up_stride + column, dtype));
  }
}

extern "C" __global__ void __launch_bounds__(256)
    cast(const void* x, void* y, int x_dtype, int y_dtype, long count) {
  const long i = global_thread();
  if (i < count) {
    store(y, i, y_dtype, load(x, i, x_dtype));
  }
}

// Elements of 1, 2, 4 or 8 bytes.
extern "C" __global__ void __launch_bounds__(256)
    copy_strided(const void* x, void* y, int bytes, StridedLayout layout) {
  const long i = global_thread();
  if (i >= layout.count) {
    return;
  }
  const Places p = places(layout, i);
  switch (bytes) {
    case 1:
      static_cast<uint8_t*>(y)[p.of[1]] = static_cast<const uint8_t*>(x)[p.of[0]];
      break;
    case 2:
      static_cast<uint16_t*>(y)[p.of[1]] = static_cast<const uint16_t*>(x)[p.of[0]];
      break;
    case 4:
      static_cast<uint32_t*>(y)[p.of[1]] = static_cast<const uint32_t*>(x)[p.of[0]];
      break;
    default:
      static_cast<uint64_t*>(y)[p.of[1]] = static_cast<const uint64_t*>(x)[p.of[0]];
  }
}
