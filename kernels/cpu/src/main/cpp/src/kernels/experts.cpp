// Mixtures of experts but for their products: which experts a token is given, and what they gave
// it.
#include "../largest.h"
#include "../math.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// The sum of e^(x - top).
template <typename T>
float exp_sum(const T *x, int64_t count, float top) {
  Floats total{};
  by_vector(count, [&](int64_t i, int64_t n) {
    total += exp(keep(load_lanes(x + i, n), n, -__builtin_inff()) - top);
  });
  return sum(total);
}

// What a row's k experts weigh, in numbers beside their ranks.
template <typename T>
void weigh(const T *row, int64_t columns, const uint64_t *ranks, int64_t k, bool renormalize,
           float scale, float *logits, float *weights) {
  for (int64_t i = 0; i < k; i++) {
    logits[i] = load_lanes(row + index_of(ranks[i]), 1)[0];
  }
  const float top = logits[0];
  const float total = renormalize ? exp_sum(logits, k, top) : exp_sum(row, columns, top);
  by_vector(k, [&](int64_t i, int64_t n) {
    store_lanes(weights + i, exp(load_lanes(logits + i, n) - top) / total * scale, n);
  });
}

// Gives every slot its place.
struct Order {
  int64_t tokens, experts, k;
  int64_t capacity;          // 0 for none
  const int32_t *sequences;  // where those begin that share a capacity
  const int32_t *chosen;
  int32_t *rows, *places, *offsets;

  // Leaves 0 as the place of each slot that gets one, and the number of these in offsets.
  void count(int32_t *taken) const {
    __builtin_memset(offsets, 0, static_cast<size_t>(experts + 1) * sizeof *offsets);
    int64_t sequence = 0;
    for (int64_t slot = 0; slot < tokens * k; slot++) {
      while (capacity > 0 && slot == sequences[sequence] * k) {
        __builtin_memset(taken, 0, static_cast<size_t>(experts) * sizeof *taken);
        sequence++;
      }
      const int32_t expert = chosen[slot];
      const bool kept = capacity == 0 || taken[expert]++ < capacity;
      places[slot] = kept ? 0 : -1;
      offsets[expert + 1] += kept;
    }
    for (int64_t e = 0; e < experts; e++) {
      offsets[e + 1] += offsets[e];
    }
  }

  void place(int32_t *next) const {
    __builtin_memcpy(next, offsets, static_cast<size_t>(experts) * sizeof *next);
    for (int64_t slot = 0; slot < tokens * k; slot++) {
      if (places[slot] == 0) {
        places[slot] = next[chosen[slot]]++;
        rows[places[slot]] = static_cast<int32_t>(slot / k);
      }
    }
    for (int64_t i = offsets[experts]; i < tokens * k; i++) {
      rows[i] = -1;
    }
  }
};

bool are_sequences(const int32_t *offsets, int64_t sequences, int64_t tokens) {
  bool right = sequences >= 0 && offsets[0] == 0 && offsets[sequences] == tokens;
  for (int64_t i = 0; right && i < sequences; i++) {
    right = offsets[i] <= offsets[i + 1];
  }
  return right;
}

}  // namespace

int32_t expert_routing(const void *logits, int32_t dtype, int64_t stride, int64_t tokens,
                       int64_t experts, int64_t k, int32_t renormalize, float scale,
                       int64_t capacity, const int32_t *sequences, int64_t sequence_count,
                       int32_t *chosen, float *weights, int32_t *rows, int32_t *places,
                       int32_t *offsets) {
  if (!is_dtype(dtype) || tokens < 0 || experts < 1 || experts >= INT32_MAX || k < 1 ||
      k > experts || tokens > INT32_MAX / k || capacity < 0 ||
      (capacity > 0 && !are_sequences(sequences, sequence_count, tokens))) {
    return GATUN_INVALID_ARGUMENT;
  }
  std::atomic<bool> failed{false};
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(tokens, experts, [&](int64_t begin, int64_t end) {
      static thread_local Scratch scratch;
      uint64_t *ranks = reinterpret_cast<uint64_t *>(scratch.floats(3 * k));
      if (ranks == nullptr) {
        failed = true;
        return;
      }
      for (int64_t t = begin; t < end; t++) {
        const T *row = static_cast<const T *>(logits) + t * stride;
        topk_row(row, experts, ranks, k);
        for (int64_t i = 0; i < k; i++) {
          chosen[t * k + i] = static_cast<int32_t>(index_of(ranks[i]));
        }
        weigh(row, experts, ranks, k, renormalize != 0, scale, reinterpret_cast<float *>(ranks + k),
              weights + t * k);
      }
    });
  });
  static thread_local Scratch scratch;
  int32_t *counts = reinterpret_cast<int32_t *>(scratch.floats(experts));
  if (failed || counts == nullptr) {
    return GATUN_OUT_OF_MEMORY;
  }
  const Order order{tokens, experts, k, capacity, sequences, chosen, rows, places, offsets};
  order.count(counts);
  order.place(counts);
  return GATUN_OK;
}

int32_t expert_combine(const void *x, int32_t x_dtype, int64_t x_stride, int64_t x_rows,
                       const float *weights, const int32_t *places, const void *residual,
                       int64_t residual_stride, void *y, int32_t y_dtype, int64_t y_stride,
                       int64_t tokens, int64_t k, int64_t columns) {
  if (!is_dtype(x_dtype) || !is_dtype(y_dtype) || tokens < 0 || k < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  for (int64_t slot = 0; slot < tokens * k; slot++) {
    if (places[slot] < -1 || places[slot] >= x_rows) {
      return GATUN_INVALID_ARGUMENT;
    }
  }
  parallel_rows(tokens, columns * (k + 1), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      by_vector(columns, [&](int64_t c, int64_t n) {
        Floats total{};
        if (residual != nullptr) {
          total = load_as(at(residual, y_dtype, t * residual_stride + c), y_dtype, n);
        }
        for (int64_t slot = t * k; slot < (t + 1) * k; slot++) {
          if (places[slot] >= 0) {
            const void *part = at(x, x_dtype, places[slot] * x_stride + c);
            total = fma(splat(weights[slot]), load_as(part, x_dtype, n), total);
          }
        }
        store_as(at(y, y_dtype, t * y_stride + c), y_dtype, total, n);
      });
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
