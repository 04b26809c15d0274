#include "../blocks.h"
#include "../math.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// What a row's loss is made of.
struct Terms {
  float smoothing, z_loss, scale;
};

template <typename T>
void zero_row(T *y, int64_t columns) {
  __builtin_memset(y, 0, static_cast<size_t>(columns) * sizeof(T));
}

// Writes the gradient of a row, which y may be, and gives its loss.
template <typename T>
float row(const T *x, T *y, int64_t columns, int64_t target, const Terms &terms) {
  constexpr float kLeast = -__builtin_inff();
  Block tops = like(Block{}, kLeast), sums{};
  by_block(columns, [&](auto at) {
    take(tops, at.keep(at.load(x), kLeast), [](auto a, auto b) { return max(a, b); });
  });
  const float top = largest(tops), own = load_lanes(x + target, 1)[0];
  Block total{};
  by_block(columns, [&](auto at) {
    const auto v = at.load(x);
    add(total, at.keep(exp(v - top), 0.0f));
    add(sums, at.keep(v - top, 0.0f));
  });
  const float sum_of_exp = sum(total), logarithm = __builtin_logf(sum_of_exp);
  const float share = terms.smoothing / static_cast<float>(columns);
  const float lse = top + logarithm;
  // What the probability counts for, the share of every class being the smoothing's.
  const float grown = (1.0f + 2.0f * terms.z_loss * lse) / sum_of_exp;
  if (y != nullptr) {
    const Target<T> to{y, false};
    by_block(columns,
             [&](auto at) { at.store(to, (exp(at.load(x) - top) * grown - share) * terms.scale); });
    const float p = exp(splat(own - top))[0] * grown;
    store_lanes(y + target, splat(((p - share) - (1.0f - terms.smoothing)) * terms.scale), 1);
  }
  const float likelihood = logarithm - (own - top);
  float loss = (1.0f - terms.smoothing) * likelihood + terms.z_loss * lse * lse;
  if (terms.smoothing != 0.0f) {
    loss += terms.smoothing * (logarithm - sum(sums) / static_cast<float>(columns));
  }
  return loss * terms.scale;
}

}  // namespace

int32_t cross_entropy_backward(const void *logits, int32_t dtype, const int64_t *targets,
                               const float *weights, int64_t rows, int64_t columns,
                               int64_t ignore_index, float smoothing, float z_loss, float scale,
                               void *dlogits, float *loss) {
  if (rows < 0 || columns < 0 || !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        T *y = dlogits == nullptr ? nullptr : static_cast<T *>(dlogits) + r * columns;
        float own = 0.0f;
        if (targets[r] != ignore_index) {
          const float weight = weights == nullptr ? 1.0f : weights[r];
          own = row(static_cast<const T *>(logits) + r * columns, y, columns, targets[r],
                    {smoothing, z_loss, scale * weight});
        } else if (y != nullptr) {
          zero_row(y, columns);
        }
        if (loss != nullptr) {
          loss[r] = own;
        }
      }
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
