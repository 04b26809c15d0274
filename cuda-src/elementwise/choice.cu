// Comparisons, and the choice between two operands, a thread an element of any strides. Where all
// operands lie alike and without gaps the layout is not looked at.
#include "numbers.h"
#include "strided.h"

using namespace gatun;

enum Comparison : int { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

template <typename T>
static __device__ __forceinline__ bool compares(T a, T b, int comparison) {
  switch (comparison) {
    case kEqual:
      return a == b;
    case kNotEqual:
      return a != b;
    case kLess:
      return a < b;
    case kLessEqual:
      return a <= b;
    case kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

template <typename T>
static __device__ __forceinline__ bool compares_at(const void* a, long i, const void* b, long j,
                                                   int comparison) {
  return compares(static_cast<const T*>(a)[i], static_cast<const T*>(b)[j], comparison);
}

// kernels.list: compare 256 pppiii{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    compare(const void* a, const void* b, uint8_t* y, int dtype, int comparison, int plain,
            StridedLayout layout) {
  const long element = global_thread();
  if (element >= layout.count) {
    return;
  }
  const Places p = places(layout, element, plain);
  const long i = p.of[0], j = p.of[1], to = p.of[2];
  bool told;
  switch (dtype) {
    case kI64:
      told = compares_at<int64_t>(a, i, b, j, comparison);
      break;
    case kI32:
      told = compares_at<int32_t>(a, i, b, j, comparison);
      break;
    case kI8:
      told = compares_at<int8_t>(a, i, b, j, comparison);
      break;
    case kU8:
      told = compares_at<uint8_t>(a, i, b, j, comparison);
      break;
    default:
      told = compares(load(a, i, dtype), load(b, j, dtype), comparison);
  }
  y[to] = told ? 1 : 0;
}

template <typename T>
static __device__ __forceinline__ void choose(const void* from, long i, void* y, long to) {
  static_cast<T*>(y)[to] = static_cast<const T*>(from)[i];
}

// Elements of 1, 2, 4 or 8 bytes. The layout is that of a, b and y; the condition has strides of
// its own for the same shape.
// kernels.list: where 256 ppppii{StridedLayout}{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    where(const uint8_t* condition, const void* a, const void* b, void* y, int bytes, int plain,
          StridedLayout layout, StridedLayout of_condition) {
  const long element = global_thread();
  if (element >= layout.count) {
    return;
  }
  long when = element, i = element, j = element, to = element;
  if (plain == 0) {
    const Places p = places(layout, element);
    i = p.of[0];
    j = p.of[1];
    to = p.of[2];
    when = places(of_condition, element).of[0];
  }
  const bool first = condition[when] != 0;
  const void* from = first ? a : b;
  const long at = first ? i : j;
  switch (bytes) {
    case 1:
      return choose<uint8_t>(from, at, y, to);
    case 2:
      return choose<uint16_t>(from, at, y, to);
    case 4:
      return choose<uint32_t>(from, at, y, to);
    default:
      return choose<uint64_t>(from, at, y, to);
  }
}
