// The gradient of the cross-entropy and the loss, a block a row.
#include "block_reduce.h"
#include "index_fault.h"

using namespace gatun;

// weights (for 1), dlogits and loss may be null; dlogits may be logits.
// kernels.list: cross_entropy_backward 512 pppppillfff{IndexReport}
extern "C" __global__ void __launch_bounds__(512)
    cross_entropy_backward(const void* logits, const long* targets, const float* weights,
                           void* dlogits, float* loss, int dtype, long columns, long ignore_index,
                           float smoothing, float z_loss, float scale, const IndexReport report) {
  const long target = targets[blockIdx.x], first = static_cast<long>(blockIdx.x) * columns;
  if (target == ignore_index) {
    for (long i = threadIdx.x; dlogits != nullptr && i < columns; i += blockDim.x) {
      store(dlogits, first + i, dtype, 0);
    }
    if (threadIdx.x == 0 && loss != nullptr) {
      loss[blockIdx.x] = 0;
    }
    return;
  }
  if (!report.allows(0, blockIdx.x, target, columns, threadIdx.x == 0)) {
    return;
  }
  float top = -INFINITY;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    top = fmaxf(top, load(logits, first + i, dtype));
  }
  top = reduce_block<Largest>(top);
  float total = 0, less = 0;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const float x = load(logits, first + i, dtype) - top;
    total += expf(x);
    less += x;
  }
  total = reduce_block<Sum>(total);
  less = reduce_block<Sum>(less);
  const float logarithm = logf(total), lse = top + logarithm;
  // Read before any thread writes it: the reductions are barriers, and the next one is below.
  const float own = load(logits, first + target, dtype) - top;
  sync_block();
  const float rate = weights == nullptr ? scale : scale * weights[blockIdx.x];
  const float share = smoothing / static_cast<float>(columns);
  const float grown = (1.0f + 2.0f * z_loss * lse) / total;
  for (long i = threadIdx.x; dlogits != nullptr && i < columns; i += blockDim.x) {
    const float p = expf(load(logits, first + i, dtype) - top) * grown - share;
    store(dlogits, first + i, dtype, (i == target ? p - (1.0f - smoothing) : p) * rate);
  }
  if (threadIdx.x == 0 && loss != nullptr) {
    float value = (1.0f - smoothing) * (logarithm - own) + z_loss * lse * lse;
    if (smoothing != 0) {
      value += smoothing * (logarithm - less / static_cast<float>(columns));
    }
    loss[blockIdx.x] = value * rate;
  }
}
