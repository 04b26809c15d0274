// The largest elements of a row.
#ifndef GATUN_LARGEST_H
#define GATUN_LARGEST_H

#include "numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

// The first of count elements that is `wanted`, or that is not a number where that is none.
template <typename T>
static inline int64_t find(const T *x, int64_t count, float wanted) {
  for (int64_t i = 0; i < count; i++) {
    const float v = load_lanes(x + i, 1)[0];
    if (wanted == wanted ? v == wanted : v != v) {
      return i;
    }
  }
  return 0;
}

// The largest of count elements; not a number where one is none.
template <typename T>
static inline float top_of(const T *x, int64_t count) {
  const Floats lowest = splat(-__builtin_inff());
  Floats top[4] = {lowest, lowest, lowest, lowest};
  Ints nan{};
  const auto take = [&](Floats &best, Floats v) {
    best = select(v > best, v, best);
    nan |= (v != v);
  };
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (int k = 0; k < 4; k++) {
      take(top[k], load_lanes(x + i + k * kLanes, kLanes));
    }
  }
  by_vector(count - i, [&](int64_t k, int64_t n) {
    take(top[0], keep(load_lanes(x + i + k, n), n, -__builtin_inff()));
  });
  return any(nan) ? __builtin_nanf("") : largest(max(max(top[0], top[1]), max(top[2], top[3])));
}

template <typename T>
static inline int64_t argmax_row(const T *x, int64_t columns) {
  constexpr int64_t kBlock = cut(4096, 16);
  float top = -__builtin_inff();
  int64_t begin = 0;  // of the first block that has the largest element
  for (int64_t i = 0; i < columns && top == top; i += kBlock) {
    const float here = top_of(x + i, columns - i < kBlock ? columns - i : kBlock);
    if (!(here <= top)) {
      top = here;
      begin = i;
    }
  }
  return begin + find(x + begin, columns - begin, top);
}

// Elements as numbers in their order, not numbers above all; of equal ones the first is the
// largest. -0 + 0 is 0, so that they are equal.
static inline uint64_t rank(float v, int64_t index) {
  const float plain = v + 0.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &plain, sizeof bits);
  const uint32_t order = v != v ? UINT32_MAX : (bits & 0x80000000u ? ~bits : bits | 0x80000000u);
  return static_cast<uint64_t>(order) << 32 | (UINT32_MAX - static_cast<uint64_t>(index));
}

static inline int64_t index_of(uint64_t rank) { return UINT32_MAX - (rank & UINT32_MAX); }

// Puts v in the place of the root of a heap whose root is the smallest.
static inline void replace_root(uint64_t *heap, int64_t count, uint64_t v) {
  int64_t i = 0;
  for (int64_t child = 1; child < count; child = 2 * i + 1) {
    child += child + 1 < count && heap[child + 1] < heap[child];
    if (v <= heap[child]) {
      break;
    }
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = v;
}

static inline void add_to_heap(uint64_t *heap, int64_t count, uint64_t v) {
  int64_t i = count;
  for (; i > 0 && v < heap[(i - 1) / 2]; i = (i - 1) / 2) {
    heap[i] = heap[(i - 1) / 2];
  }
  heap[i] = v;
}

// The ranks of the k largest elements, the largest first.
template <typename T>
static inline void topk_row(const T *x, int64_t columns, uint64_t *heap, int64_t k) {
  const auto element = [&](int64_t i) { return load_lanes(x + i, 1)[0]; };
  int64_t i = 0;
  for (; i < k; i++) {
    add_to_heap(heap, i, rank(element(i), i));
  }
  // What enters the heap is larger than its least; nothing is larger than one that is no number.
  float least = element(index_of(heap[0]));
  const auto offer = [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end && least == least; j++) {
      if (const float v = element(j); !(v <= least)) {
        replace_root(heap, k, rank(v, j));
        least = element(index_of(heap[0]));
      }
    }
  };
  for (; i + 4 * kLanes <= columns && least == least; i += 4 * kLanes) {
    Ints larger{};
    for (int j = 0; j < 4; j++) {
      larger |= ~(load_lanes(x + i + j * kLanes, kLanes) <= least);
    }
    if (any(larger)) {
      offer(i, i + 4 * kLanes);
    }
  }
  offer(i, columns);
  for (int64_t count = k - 1; count > 0; count--) {
    const uint64_t smallest = heap[0];
    replace_root(heap, count, heap[count]);
    heap[count] = smallest;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
