// Gradients of what each element gets by itself, and dropout, a thread an element or a counter.
#include "activation.h"
#include "numbers.h"
#include "philox.h"
#include "strided.h"

using namespace gatun;

// dx may be dy or x.
// kernels.list: activation_backward 256 pppiil
extern "C" __global__ void __launch_bounds__(256)
    activation_backward(const void* dy, const void* x, void* dx, int dtype, int activation,
                        long count) {
  const long i = global_thread();
  if (i < count) {
    store(dx, i, dtype, load(dy, i, dtype) * slope(load(x, i, dtype), activation));
  }
}

// Outputs may be inputs: a thread reads all of its numbers before it writes.
// kernels.list: gated_activation_backward 256 pppppiilllllll
extern "C" __global__ void __launch_bounds__(256)
    gated_activation_backward(const void* dy, const void* gate, const void* up, void* dgate,
                              void* dup, int dtype, int activation, long dy_stride,
                              long gate_stride, long up_stride, long dgate_stride, long dup_stride,
                              long columns, long count) {
  const long i = global_thread();
  if (i < count) {
    const long row = i / columns, column = i % columns;
    const float d = load(dy, row * dy_stride + column, dtype);
    const float g = load(gate, row * gate_stride + column, dtype);
    const float u = load(up, row * up_stride + column, dtype);
    store(dgate, row * dgate_stride + column, dtype, d * u * slope(g, activation));
    store(dup, row * dup_stride + column, dtype, d * activate(g, activation));
  }
}

// A thread the four elements of a counter; y may be x.
// kernels.list: dropout 256 ppiifll
extern "C" __global__ void __launch_bounds__(256)
    dropout(const void* x, void* y, int dtype, int threshold, float kept, long seed, long count) {
  const long counter = global_thread();
  if (counter * 4 < count) {
    const PhiloxWords words =
        philox_words(static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0,
                     static_cast<uint64_t>(seed));
    const float grown = 1.0f / kept;
    for (int k = 0; k < 4 && counter * 4 + k < count; k++) {
      const long i = counter * 4 + k;
      const bool drops = words.of[k] < static_cast<uint32_t>(threshold);
      store(y, i, dtype, drops ? 0 : load(x, i, dtype) * grown);
    }
  }
}
