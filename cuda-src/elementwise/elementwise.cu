// Kernels of each element on its own, a thread an element.
#include "activation.h"
#include "binary_op.h"
#include "numbers.h"
#include "strided.h"

using namespace gatun;

// kernels.list: elementwise 256 pppii{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    elementwise(const void* a, const void* b, void* y, int dtype, int op, StridedLayout layout) {
  const long i = global_thread();
  if (i < layout.count) {
    const Places p = places(layout, i);
    store(y, p.of[2], dtype, apply(load(a, p.of[0], dtype), load(b, p.of[1], dtype), op));
  }
}

// y may be x.
// kernels.list: activate_elements 256 ppiil
extern "C" __global__ void __launch_bounds__(256)
    activate_elements(const void* x, void* y, int dtype, int activation, long count) {
  const long i = global_thread();
  if (i < count) {
    store(y, i, dtype, activate(load(x, i, dtype), activation));
  }
}

// kernels.list: gated_activation 256 pppiillll
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

static __device__ __forceinline__ float number_at(const void* x, long i, int dtype) {
  switch (dtype) {
    case kI64:
      return static_cast<float>(static_cast<const int64_t*>(x)[i]);
    case kI32:
      return static_cast<float>(static_cast<const int32_t*>(x)[i]);
    case kI8:
      return static_cast<float>(static_cast<const int8_t*>(x)[i]);
    case kU8:
      return static_cast<float>(static_cast<const uint8_t*>(x)[i]);
    default:
      return load(x, i, dtype);
  }
}

// The nearest whole number from `least` to below `above`, which the type's limits stand for.
template <typename Y>
static __device__ __forceinline__ Y whole(float v, float least, float above, Y smallest,
                                          Y largest) {
  const float rounded = rintf(v);
  return v != v             ? static_cast<Y>(0)
         : rounded >= above ? largest
         : rounded <= least ? smallest
                            : static_cast<Y>(rounded);
}

static __device__ __forceinline__ void set_number(void* y, long i, int dtype, float v) {
  switch (dtype) {
    case kI64:
      static_cast<int64_t*>(y)[i] =
          whole<int64_t>(v, -0x1p63f, 0x1p63f, -0x7fffffffffffffffL - 1, 0x7fffffffffffffffL);
      break;
    case kI32:
      static_cast<int32_t*>(y)[i] =
          whole<int32_t>(v, -0x1p31f, 0x1p31f, -0x7fffffff - 1, 0x7fffffff);
      break;
    case kI8:
      static_cast<int8_t*>(y)[i] = whole<int8_t>(v, -128, 128, -128, 127);
      break;
    case kU8:
      static_cast<uint8_t*>(y)[i] = whole<uint8_t>(v, 0, 256, 0, 255);
      break;
    default:
      store(y, i, dtype, v);
  }
}

// kernels.list: cast 256 ppiil
extern "C" __global__ void __launch_bounds__(256)
    cast(const void* x, void* y, int x_dtype, int y_dtype, long count) {
  const long i = global_thread();
  if (i < count) {
    set_number(y, i, y_dtype, number_at(x, i, x_dtype));
  }
}

// Elements of 1, 2, 4 or 8 bytes.
// kernels.list: copy_strided 256 ppi{StridedLayout}
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
