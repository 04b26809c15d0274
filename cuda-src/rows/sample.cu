// An element of each row that is drawn, all in whole numbers, so that the order of sums does not
// matter: a block a row. See the record Sample.
#include "block_reduce.h"

using namespace gatun;

using Sum64 = unsigned long;

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / kWarpSize;

static __device__ __forceinline__ Sum64 shuffled(Sum64 value, int lane) {
  const unsigned low = static_cast<unsigned>(shuffle(static_cast<int>(value), lane));
  const unsigned high = static_cast<unsigned>(shuffle(static_cast<int>(value >> 32), lane));
  return static_cast<Sum64>(high) << 32 | low;
}

// What each lane and those before it have together.
static __device__ __forceinline__ Sum64 scan_warp(Sum64 value) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
#pragma unroll
  for (int step = 1; step < kWarpSize; step *= 2) {
    const Sum64 before = shuffled(value, lane >= step ? lane - step : lane);
    value += lane >= step ? before : 0;
  }
  return value;
}

static __device__ __forceinline__ Sum64 sum_warp(Sum64 value) {
  return shuffled(scan_warp(value), kWarpSize - 1);
}

// The sum over the block, for each thread; `partial` has a number for each warp, which stay there
// until the next barrier.
static __device__ __forceinline__ Sum64 sum_block(Sum64 value, Sum64* partial) {
  value = sum_warp(value);
  sync_block();
  if (threadIdx.x % kWarpSize == 0) {
    partial[threadIdx.x / kWarpSize] = value;
  }
  sync_block();
  Sum64 sum = 0;
  for (int i = 0; i < kWarps; i++) {
    sum += partial[i];
  }
  return sum;
}

// Numbers in the order of scores; -0 + 0 is 0.
static __device__ __forceinline__ unsigned order_of(float score) {
  const float plain = score + 0.0f;
  unsigned bits;
  __builtin_memcpy(&bits, &plain, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// e^difference in 2^-40, for numbers that are not above 0.
static __device__ __forceinline__ Sum64 weight_of(double difference) {
  constexpr unsigned kPower[] = {1073741824, 744261118, 257941225, 59597438,
                                 10325273,   1437639,   156870,    22261};
  const double power = difference * 1.4426950408889634;
  if (power <= -41) {
    return 0;
  }
  const double scaled = power * 4294967296.0;
  long fixed = static_cast<long>(scaled);
  fixed -= static_cast<double>(fixed) > scaled;
  const Sum64 fraction = static_cast<Sum64>(fixed) & 0xffffffffu;
  Sum64 sum = kPower[7];
#pragma unroll
  for (int i = 6; i >= 0; i--) {
    sum = kPower[i] + (sum * fraction >> 32);
  }
  return sum << 10 >> -(fixed >> 32);
}

// The upper half of the product.
static __device__ __forceinline__ Sum64 share_of(Sum64 a, Sum64 b) {
  const Sum64 a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
  const Sum64 middle = a1 * b0 + (a0 * b0 >> 32);
  const Sum64 other = a0 * b1 + (middle & 0xffffffffu);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

namespace {

// What a row's elements weigh, with what has been left out so far.
struct Row {
  const float* x;
  int columns;
  float temperature;
  float most;
  unsigned from;  // the least order that is kept
  Sum64 least;

  __device__ __forceinline__ unsigned order(int i) const { return order_of(x[i] / temperature); }

  __device__ __forceinline__ Sum64 weight(int i) const {
    if (temperature == 0) {
      return x[i] == most;
    }
    const float score = x[i] / temperature;
    return order_of(score) < from ? 0 : weight_of_score(score);
  }

  __device__ __forceinline__ Sum64 weight_of_score(float score) const {
    if (score - most < -28.5f) {
      return 0;
    }
    const Sum64 w =
        weight_of(score == most ? 0 : static_cast<double>(score) - static_cast<double>(most));
    return w < least ? 0 : w;
  }
};

// Elements of one order, the first of which are left out.
struct Ties {
  unsigned order;
  Sum64 gone;
  Sum64 before;  // of a warp's elements that are yet to come

  // What an element weighs; the lanes of a warp have neighbours, in turn.
  __device__ __forceinline__ Sum64 weight(const Row& row, int i, bool inside) {
    if (gone == 0) {
      return inside ? row.weight(i) : 0;
    }
    const bool tie = inside && row.order(i) == order;
    const Sum64 count = before + scan_warp(tie);
    before = shuffled(count, kWarpSize - 1);
    return inside && !(tie && count <= gone) ? row.weight(i) : 0;
  }
};

}  // namespace

// The k-th largest order.
static __device__ unsigned ranked(const Row& row, long k, Sum64* partial) {
  unsigned found = 0;
  for (int bit = 31; bit >= 0; bit--) {
    const unsigned next = found | 1u << bit;
    Sum64 count = 0;
    for (int i = threadIdx.x; i < row.columns; i += kThreads) {
      count += row.order(i) >= next;
    }
    found = sum_block(count, partial) >= static_cast<Sum64>(k) ? next : found;
  }
  return found;
}

// The largest order below which elements weigh no more than `most` together; *below is what they
// weigh.
static __device__ unsigned crossing(const Row& row, Sum64 most, Sum64* below, Sum64* partial) {
  // What weighs anything lies between these two, which begin alike.
  const unsigned high = order_of(row.most);
  const unsigned far = order_of(row.most - 29.0f);
  const unsigned low = far > row.from ? far : row.from;
  int bit = 31;
  unsigned found = 0;
  for (; bit >= 0 && ((low ^ high) >> bit & 1) == 0; bit--) {
    found |= high & 1u << bit;
  }
  *below = 0;
  for (; bit >= 0; bit--) {
    const unsigned next = found | 1u << bit;
    Sum64 sum = 0;
    for (int i = threadIdx.x; i < row.columns; i += kThreads) {
      sum += row.order(i) < next ? row.weight(i) : 0;
    }
    sum = sum_block(sum, partial);
    if (sum <= most) {
      found = next;
      *below = sum;
    }
  }
  return found;
}

// Grid: rows.
// kernels.list: sample 512 ppppil 256
extern "C" __global__ void __launch_bounds__(512)
    sample(const float* x, const float* temperature, const long* settings, long* y, int columns,
           long stride) {
  Sum64* partial = shared_memory<Sum64>(2 * kWarps * sizeof(Sum64));
  x += static_cast<long>(blockIdx.x) * stride;
  settings += 4 * static_cast<long>(blockIdx.x);
  y += blockIdx.x;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;

  Sum64 strange = 0;
  float largest = -INFINITY;
  for (int i = threadIdx.x; i < columns; i += kThreads) {
    strange += x[i] != x[i];
    largest = larger(largest, x[i]);
  }
  strange = sum_block(strange, partial);
  sync_block();
  largest = reduce_block<Largest>(largest);
  if (strange > 0 || largest == -INFINITY) {
    if (threadIdx.x == 0) {
      *y = -1;
    }
    return;
  }

  const float t = temperature[blockIdx.x];
  Row row = {x, columns, t, t == 0 ? largest : largest / t, 0, 0};
  Ties ties = {0, 0, 0};
  const long top_k = settings[0];
  if (t != 0 && top_k > 0 && top_k <= columns) {
    row.from = ranked(row, top_k, partial);
  }
  if (t != 0 && settings[1] != 0) {
    Sum64 total = 0;
    for (int i = threadIdx.x; i < columns; i += kThreads) {
      total += row.weight(i);
    }
    total = sum_block(total, partial);
    const Sum64 most = share_of(total, static_cast<Sum64>(settings[1]));
    Sum64 below = 0;
    ties.order = crossing(row, most, &below, partial);
    row.from = ties.order;
    const unsigned bits = ties.order & 0x80000000u ? ties.order & 0x7fffffffu : ~ties.order;
    float score;
    __builtin_memcpy(&score, &bits, sizeof score);
    ties.gone = (most - below) / row.weight_of_score(score);
  }
  row.least = t == 0 ? 0 : static_cast<Sum64>(settings[2]);

  // Each warp has neighbours.
  const int share = (columns + kWarps - 1) / kWarps;
  const int begin = warp * share;
  const int end = begin + share < columns ? begin + share : columns;
  if (ties.gone > 0) {
    Sum64 count = 0;
    for (int i = begin + lane; i < end; i += kWarpSize) {
      count += row.order(i) == ties.order;
    }
    sum_block(count, partial);
    for (int i = 0; i < warp; i++) {
      ties.before += partial[i];
    }
  }
  Ties again = ties;
  Sum64 sum = 0;
  for (int i = begin; i < end; i += kWarpSize) {
    sum += ties.weight(row, i + lane, i + lane < end);
  }
  const Sum64 total = sum_block(sum, partial);
  Sum64 before = 0;
  for (int i = 0; i < warp; i++) {
    before += partial[i];
  }
  const Sum64 drawn = t == 0 ? 0 : share_of(total, static_cast<Sum64>(settings[3]));
  if (drawn < before || drawn - before >= partial[warp]) {
    return;
  }
  for (int i = begin; i < end; i += kWarpSize) {
    const Sum64 weight = again.weight(row, i + lane, i + lane < end);
    const Sum64 reached = before + scan_warp(weight);
    if (reached > drawn && reached - weight <= drawn) {
      *y = i + lane;
    }
    before = shuffled(reached, kWarpSize - 1);
  }
}
