// The largest elements of each row.
#include "../largest.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// The first of count elements that is `wanted`, or that is not a number where that is none.
template <typename T>
int64_t find(const T *x, int64_t count, float wanted) {
  for (int64_t i = 0; i < count; i++) {
    const float v = load_lanes(x + i, 1)[0];
    if (v == wanted || (v != v && wanted != wanted)) {
      return i;
    }
  }
  return 0;
}

// The largest of count elements; not a number where one is none.
template <typename T>
float top_of(const T *x, int64_t count) {
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
int64_t argmax_row(const T *x, int64_t columns) {
  constexpr int64_t kBlock = 4096;
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

}  // namespace

int32_t argmax(const void *x, int32_t dtype, int64_t x_stride, int64_t rows, int64_t columns,
               int64_t *y) {
  if (!is_dtype(dtype) || rows < 0 || columns < 1) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        y[r] = argmax_row(static_cast<const T *>(x) + r * x_stride, columns);
      }
    });
  });
  return GATUN_OK;
}

int32_t topk(const void *x, int32_t dtype, int64_t x_stride, int64_t rows, int64_t columns,
             int64_t k, void *values, int64_t *indices) {
  if (!is_dtype(dtype) || rows < 0 || columns < 0 || columns > UINT32_MAX || k < 0 || k > columns) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (k == 0) {
    return GATUN_OK;
  }
  std::atomic<bool> failed{false};
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      static thread_local Scratch scratch;
      uint64_t *ranks = reinterpret_cast<uint64_t *>(scratch.floats(2 * k));
      if (ranks == nullptr) {
        failed = true;
        return;
      }
      for (int64_t r = begin; r < end; r++) {
        const T *in = static_cast<const T *>(x) + r * x_stride;
        topk_row(in, columns, ranks, k);
        for (int64_t i = 0; i < k; i++) {
          const int64_t index = index_of(ranks[i]);
          indices[r * k + i] = index;
          static_cast<T *>(values)[r * k + i] = in[index];
        }
      }
    });
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
