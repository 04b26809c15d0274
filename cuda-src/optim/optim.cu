// Steps of optimisers and the norm of gradients, over lists: a launch has as many items as fit
// among its arguments.
#include "optim.h"

using namespace gatun;

enum UpdateFormula : int {
  kSgd,
  kSgdMomentum,
  kSgdNesterov,
  kAdam,
  kAdamAmsgrad,
  kAdagrad,
  kRmsprop,
  kRmspropCentered,
  kRmspropMomentum,
  kRmspropCenteredMomentum,
  kAdadelta
};

// Elements of a block.
constexpr long kStepChunk = 1024, kNormChunk = 16384;

struct Parameter {
  float* parameter;
  const float* gradient;
  float* states[3];
  void* copy;
  long count;
  long first;  // of its blocks
  float numbers[8];
};

struct ParameterList {
  Parameter of[32];
};

struct Range {
  const float* elements;
  long count;
  long first;  // of its blocks
};

struct RangeList {
  Range of[128];
};

// What becomes of a parameter x with the gradient g, which has a weight decay of n[1] in it. Sums
// and products round as the formulas are written, but for fused ones.
static __device__ __forceinline__ float updated(const Parameter& p, long i, int update, float x,
                                                float g) {
  const float* n = p.numbers;
  switch (update) {
    case kSgd:
      return x - n[0] * g;
    case kSgdMomentum:
    case kSgdNesterov: {
      const float b = fmaf(n[3], p.states[0][i], n[4] * g);
      p.states[0][i] = b;
      return x - n[0] * (update == kSgdNesterov ? fmaf(n[2], b, g) : b);
    }
    case kAdam:
    case kAdamAmsgrad: {
      const float old = p.states[0][i];
      const float m = fmaf(n[3], g - old, old);
      float v = fmaf(n[4], p.states[1][i], n[5] * g * g);
      p.states[0][i] = m;
      p.states[1][i] = v;
      if (update == kAdamAmsgrad) {
        v = larger(v, p.states[2][i]);
        p.states[2][i] = v;
      }
      return x * n[2] - n[0] * (m / (sqrtf(v) / n[6] + n[7]));
    }
    case kAdagrad: {
      const float s = fmaf(g, g, p.states[0][i]);
      p.states[0][i] = s;
      return x - n[0] * (g / (sqrtf(s) + n[2]));
    }
    case kAdadelta: {
      const float s = fmaf(n[2], p.states[0][i], n[3] * g * g), a = p.states[1][i];
      const float d = sqrtf(a + n[4]) / sqrtf(s + n[4]) * g;
      p.states[0][i] = s;
      p.states[1][i] = fmaf(n[2], a, n[3] * d * d);
      return x - n[0] * d;
    }
    default: {
      const bool centered = update == kRmspropCentered || update == kRmspropCenteredMomentum;
      float s = fmaf(n[2], p.states[0][i], n[3] * g * g);
      p.states[0][i] = s;
      if (centered) {
        const float old = p.states[1][i];
        const float mean = fmaf(n[3], g - old, old);
        p.states[1][i] = mean;
        s = s - mean * mean;
      }
      float step = g / (sqrtf(s) + n[4]);
      if (update == kRmspropMomentum || update == kRmspropCenteredMomentum) {
        float* buffer = p.states[centered ? 2 : 1];
        step = fmaf(n[5], buffer[i], step);
        buffer[i] = step;
      }
      return x - n[0] * step;
    }
  }
}

// kernels.list: optimizer_step 256 {ParameterList}iiiffp 0
extern "C" __global__ void __launch_bounds__(256)
    optimizer_step(const __grid_constant__ ParameterList list, int items, int update,
                   int copy_dtype, float scale, float max_norm, const float* norm) {
  const Clipping clipping{scale, max_norm, norm};
  if (clipping.skips()) {
    return;
  }
  const float factor = clipping.factor();
  const Parameter& p = list.of[item_of(list, items)];
  const long begin = (static_cast<long>(blockIdx.x) - p.first) * kStepChunk;
  const long end = begin + kStepChunk < p.count ? begin + kStepChunk : p.count;
  for (long i = begin + threadIdx.x; i < end; i += blockDim.x) {
    const float x = p.parameter[i];
    const float y = updated(p, i, update, x, fmaf(p.numbers[1], x, factor * p.gradient[i]));
    p.parameter[i] = y;
    if (p.copy != nullptr) {
      store(p.copy, i, copy_dtype, y);
    }
  }
}

// The sum of squares of each block's part.
// kernels.list: gradient_squares 256 {RangeList}ifp
extern "C" __global__ void __launch_bounds__(256)
    gradient_squares(const __grid_constant__ RangeList list, int items, float scale,
                     float* partial) {
  const Range& range = list.of[item_of(list, items)];
  const long begin = (static_cast<long>(blockIdx.x) - range.first) * kNormChunk;
  const long end = begin + kNormChunk < range.count ? begin + kNormChunk : range.count;
  float sum = 0;
  for (long i = begin + threadIdx.x; i < end; i += blockDim.x) {
    const float x = scale * range.elements[i];
    sum = fmaf(x, x, sum);
  }
  sum = reduce_block<Sum>(sum);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sum;
  }
}

// A thread an item: the root of its parts' sum, from the first on.
// kernels.list: gradient_norms 128 {RangeList}ipp 0
extern "C" __global__ void __launch_bounds__(128)
    gradient_norms(const __grid_constant__ RangeList list, int items, const float* partial,
                   float* norms) {
  const int item = static_cast<int>(threadIdx.x);
  if (item < items) {
    const Range& range = list.of[item];
    double squares = 0;
    for (long i = 0; i * kNormChunk < range.count; i++) {
      squares += static_cast<double>(partial[range.first + i]);
    }
    norms[item] = static_cast<float>(sqrt(squares));
  }
}

// kernels.list: global_norm 32 ppl 0
extern "C" __global__ void __launch_bounds__(32)
    global_norm(const float* norms, float* norm, long count) {
  if (threadIdx.x == 0) {
    double squares = 0;
    for (long i = 0; i < count; i++) {
      squares += static_cast<double>(norms[i]) * static_cast<double>(norms[i]);
    }
    *norm = static_cast<float>(sqrt(squares));
  }
}
