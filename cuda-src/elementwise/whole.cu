// Two whole numbers into one, modulo 2 to the power of their bits, a thread an element of any
// strides. Where all operands lie alike and without gaps the layout is not looked at. y may be an
// input.
#include "binary_op.h"
#include "numbers.h"
#include "strided.h"

using namespace gatun;

template <typename T>
static __device__ __forceinline__ bool is_negative(T x) {
  return x < static_cast<T>(1) && x != 0;
}

template <typename T>
static __device__ __forceinline__ T remainder_of(T a, T b) {
  if (b == 0) {
    return a;
  }
  // The quotient of the least number by -1 is none.
  if (is_negative(b) && b == static_cast<T>(-1)) {
    return 0;
  }
  const T left = static_cast<T>(a % b);
  return left != 0 && is_negative(left) != is_negative(b) ? static_cast<T>(left + b) : left;
}

// T: the type. Bits: the unsigned one of as many bits.
template <typename T, typename Bits>
static __device__ __forceinline__ void apply_at(const void* a, long i, const void* b, long j,
                                                void* y, long to, int op) {
  const T left = static_cast<const T*>(a)[i], right = static_cast<const T*>(b)[j];
  const Bits l = static_cast<Bits>(left), r = static_cast<Bits>(right);
  T result;
  switch (op) {
    case kAdd:
      result = static_cast<T>(l + r);
      break;
    case kSubtract:
      result = static_cast<T>(l - r);
      break;
    case kMultiply:
      result = static_cast<T>(l * r);
      break;
    case kMaximum:
      result = left > right ? left : right;
      break;
    case kMinimum:
      result = left < right ? left : right;
      break;
    default:
      result = remainder_of(left, right);
  }
  static_cast<T*>(y)[to] = result;
}

// kernels.list: elementwise_whole 256 pppiii{StridedLayout}
extern "C" __global__ void __launch_bounds__(256)
    elementwise_whole(const void* a, const void* b, void* y, int dtype, int op, int plain,
                      StridedLayout layout) {
  const long element = global_thread();
  if (element >= layout.count) {
    return;
  }
  const Places p = places(layout, element, plain);
  const long i = p.of[0], j = p.of[1], to = p.of[2];
  switch (dtype) {
    case kI64:
      return apply_at<int64_t, uint64_t>(a, i, b, j, y, to, op);
    case kI32:
      return apply_at<int32_t, uint32_t>(a, i, b, j, y, to, op);
    case kI8:
      return apply_at<int8_t, uint8_t>(a, i, b, j, y, to, op);
    default:
      return apply_at<uint8_t, uint8_t>(a, i, b, j, y, to, op);
  }
}
