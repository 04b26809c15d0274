// Kernels that work on each row on its own.
#include "../math.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t layer_norm_f32(const float *x, const float *residual, const float *weight,
                       const float *bias, float *y, float *sum_out, int64_t rows, int64_t columns,
                       float eps) {
  if (rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float *in = x + r * columns,
                  *more = residual == nullptr ? nullptr : residual + r * columns;
      float *out = y + r * columns;
      Floats total{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        Floats v = load_lanes(in + i, n);
        if (more != nullptr) {
          v += load_lanes(more + i, n);
        }
        store_lanes(out + i, v, n);
        total += v;
      });
      const float about = sum(total) / static_cast<float>(columns);
      Floats squares{}, rest{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = load_lanes(out + i, n);
        if (sum_out != nullptr) {
          store_lanes(sum_out + r * columns + i, v, n);
        }
        const Floats d = keep(v - about, n, 0.0f);
        squares = fma(d, d, squares);
        rest += d;
      });
      // Where the values lie far from 0, rounding moves the mean: what the differences leave is
      // added.
      const float shift = sum(rest) / static_cast<float>(columns);
      const float variance = sum(squares) / static_cast<float>(columns) - shift * shift;
      const float scale = 1.0f / __builtin_sqrtf((variance < 0.0f ? 0.0f : variance) + eps);
      by_vector(columns, [&](int64_t i, int64_t n) {
        Floats v = (load_lanes(out + i, n) - about - shift) * scale;
        if (weight != nullptr) {
          v *= load_lanes(weight + i, n);
        }
        if (bias != nullptr) {
          v += load_lanes(bias + i, n);
        }
        store_lanes(out + i, v, n);
      });
    }
  });
  return GATUN_OK;
}

int32_t rms_norm_f32(const float *x, const float *residual, const float *weight, float *y,
                     float *sum_out, int64_t rows, int64_t columns, float shift, float eps) {
  if (rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float *in = x + r * columns;
      float *out = y + r * columns;
      Floats squares{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        Floats v = load_lanes(in + i, n);
        if (residual != nullptr) {
          v += load_lanes(residual + r * columns + i, n);
          store_lanes(out + i, v, n);
        }
        if (sum_out != nullptr) {
          store_lanes(sum_out + r * columns + i, v, n);
        }
        squares = fma(v, v, squares);
      });
      const float *summed = residual == nullptr ? in : out;
      const float scale = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(columns) + eps);
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats factor = shift + load_lanes(weight + i, n);
        store_lanes(out + i, load_lanes(summed + i, n) * scale * factor, n);
      });
    }
  });
  return GATUN_OK;
}

namespace {

float largest(const float *x, int64_t columns) {
  Floats top = splat(-__builtin_inff());
  by_vector(columns, [&](int64_t i, int64_t n) {
    top = max(top, keep(load_lanes(x + i, n), n, -__builtin_inff()));
  });
  return gatun::GATUN_LEVEL::largest(top);
}

// The sum of e^(x - top) over a row.
float exp_sum(const float *x, int64_t columns, float top) {
  Floats total{};
  by_vector(columns,
            [&](int64_t i, int64_t n) { total += keep(exp(load_lanes(x + i, n) - top), n, 0.0f); });
  return sum(total);
}

}  // namespace

int32_t softmax_f32(const float *x, float *y, int64_t rows, int64_t columns, int32_t log) {
  if (rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float *in = x + r * columns;
      const float top = largest(in, columns);
      const float total = exp_sum(in, columns, top);
      const float logarithm = __builtin_logf(total), inverse = 1.0f / total;
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = load_lanes(in + i, n) - top;
        store_lanes(y + r * columns + i, log ? v - logarithm : exp(v) * inverse, n);
      });
    }
  });
  return GATUN_OK;
}

int32_t cross_entropy_f32(const float *logits, const int64_t *targets, int64_t rows,
                          int64_t columns, int64_t ignore_index, float *loss) {
  if (rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      if (targets[r] == ignore_index) {
        loss[r] = 0.0f;
        continue;
      }
      const float *in = logits + r * columns;
      const float top = largest(in, columns);
      loss[r] = __builtin_logf(exp_sum(in, columns, top)) - (in[targets[r]] - top);
    }
  });
  return GATUN_OK;
}

int32_t l2_normalize_f32(const float *x, float *y, int64_t rows, int64_t columns, float eps) {
  if (rows < 0 || columns < 0) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      Floats squares{};
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats v = load_lanes(x + r * columns + i, n);
        squares = fma(v, v, squares);
      });
      const float norm = __builtin_sqrtf(sum(squares));
      const float divisor = norm < eps ? eps : norm;
      by_vector(columns, [&](int64_t i, int64_t n) {
        store_lanes(y + r * columns + i, load_lanes(x + r * columns + i, n) / divisor, n);
      });
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
