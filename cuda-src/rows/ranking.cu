// The largest elements of a row, a block a row. NaN counts as the largest; of equal elements the
// first one comes first.
#include "block_reduce.h"
#include "ranked.h"

using namespace gatun;

// The first of a row's elements that come after `last`, all of them when that is none.
static __device__ __forceinline__ Ranked next(const void* x, long row, int columns, int dtype,
                                              Ranked last) {
  Ranked best = {0, -1};
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    const Ranked candidate = {load(x, row + i, dtype), i};
    if ((last.place < 0 || before(last, candidate)) && before(candidate, best)) {
      best = candidate;
    }
  }
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  Ranked* partial = shared_memory<Ranked>(static_cast<unsigned>(warps * sizeof(Ranked)));
#pragma unroll
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    const Ranked other = {shuffle_xor(best.value, mask), shuffle_xor(best.place, mask)};
    best = before(other, best) ? other : best;
  }
  if (threadIdx.x % kWarpSize == 0) {
    partial[threadIdx.x / kWarpSize] = best;
  }
  sync_block();
  best = partial[0];
  for (int i = 1; i < warps; i++) {
    best = before(partial[i], best) ? partial[i] : best;
  }
  sync_block();
  return best;
}

// Grid: rows.
// kernels.list: argmax 256 ppiil
extern "C" __global__ void __launch_bounds__(256)
    argmax(const void* x, long* y, int dtype, int columns, long stride) {
  const Ranked best = next(x, static_cast<long>(blockIdx.x) * stride, columns, dtype, {0, -1});
  if (threadIdx.x == 0) {
    y[blockIdx.x] = best.place;
  }
}

// Grid: rows. Goes over the row once for each of the k.
// kernels.list: topk 256 pppiili
extern "C" __global__ void __launch_bounds__(256)
    topk(const void* x, void* values, long* indices, int dtype, int columns, long stride, int k) {
  Ranked last = {0, -1};
  for (int i = 0; i < k; i++) {
    last = next(x, static_cast<long>(blockIdx.x) * stride, columns, dtype, last);
    if (threadIdx.x == 0) {
      store(values, static_cast<long>(blockIdx.x) * k + i, dtype, last.value);
      indices[static_cast<long>(blockIdx.x) * k + i] = last.place;
    }
  }
}

// The same for a large k, a thread an element, which counts those before its own. Grid: (rows,
// columns / 256).
// kernels.list: topk_by_rank 256 pppiili
extern "C" __global__ void __launch_bounds__(256)
    topk_by_rank(const void* x, void* values, long* indices, int dtype, int columns, long stride,
                 int k) {
  const long row = static_cast<long>(blockIdx.x) * stride;
  const int place = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (place >= columns) {
    return;
  }
  const Ranked mine = {load(x, row + place, dtype), place};
  int rank = 0;
  for (int i = 0; i < columns; i++) {
    rank += before({load(x, row + i, dtype), i}, mine);
  }
  if (rank < k) {
    store(values, static_cast<long>(blockIdx.x) * k + rank, dtype, mine.value);
    indices[static_cast<long>(blockIdx.x) * k + rank] = place;
  }
}
