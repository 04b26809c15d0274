// Sums, means and extremes along one axis of three.
#include "../extremes.h"
#include "../numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

struct Sum {
  static constexpr float kNothing = 0.0f;
  Floats operator()(Floats a, Floats b) const { return a + b; }
};

struct Max {
  static constexpr float kNothing = -__builtin_inff();
  Floats operator()(Floats a, Floats b) const { return maximum(a, b); }
};

struct Min {
  static constexpr float kNothing = __builtin_inff();
  Floats operator()(Floats a, Floats b) const { return minimum(a, b); }
};

template <typename T>
struct Source {
  const T *x;
  int64_t outer, reduced, inner;
  int64_t outer_stride, reduced_stride, inner_stride;
};

struct Target {
  void *y;
  int32_t dtype;
  float divisor;

  void put(int64_t i, Floats v, int64_t n) const {
    store_as(at(y, dtype, i), dtype, v / divisor, n);
  }
};

// What the elements of a run become. Four vectors hold the sums so that no addition waits for the
// one before it.
template <typename T, typename Op>
Floats reduce_run(const T *x, int64_t stride, int64_t count, const Op &op) {
  const Floats nothing = splat(Op::kNothing);
  Floats v[4] = {nothing, nothing, nothing, nothing};
  int64_t i = 0;
  if (stride == 1) {
    for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
      for (int k = 0; k < 4; k++) {
        v[k] = op(v[k], load_lanes(x + i + k * kLanes, kLanes));
      }
    }
    by_vector(count - i, [&](int64_t k, int64_t n) {
      v[0] = op(v[0], keep(load_lanes(x + i + k, n), n, Op::kNothing));
    });
  } else {
    by_vector(count, [&](int64_t k, int64_t n) {
      v[0] = op(v[0], keep(load_strided(x + k * stride, stride, n), n, Op::kNothing));
    });
  }
  return fold(op(op(v[0], v[1]), op(v[2], v[3])), op, LaneNumbers());
}

// Each result is that of a run of elements, cut into pieces: piece c of run i goes to i * pieces +
// c.
template <typename T, typename Op>
void reduce_runs(const Source<T> &s, int64_t piece, int64_t pieces, const Target &target,
                 const Op &op) {
  const int64_t length = s.reduced < piece ? s.reduced : piece;
  parallel_rows(s.outer * s.inner * pieces, length, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t run = i / pieces, first = i % pieces * piece, rest = s.reduced - first;
      const T *x = s.x + run / s.inner * s.outer_stride + run % s.inner * s.inner_stride +
                   first * s.reduced_stride;
      target.put(i, reduce_run(x, s.reduced_stride, rest < piece ? rest : piece, op), 1);
    }
  });
}

// Each vector of results is that of a column of vectors, cut into pieces: piece c of outer o goes
// to (o * pieces + c) * inner.
template <typename T, typename Op>
void reduce_columns(const Source<T> &s, int64_t piece, int64_t pieces, const Target &target,
                    const Op &op) {
  constexpr int64_t kBlock = cut(1024, 16);
  const int64_t blocks = (s.inner + kBlock - 1) / kBlock;
  const int64_t length = s.reduced < piece ? s.reduced : piece;
  const int64_t width = s.inner < kBlock ? s.inner : kBlock;
  parallel_rows(s.outer * pieces * blocks, length * width, [&](int64_t begin, int64_t end) {
    float results[kBlock];
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = i / blocks, column = i % blocks * kBlock;
      const int64_t first = row % pieces * piece, rest = s.reduced - first;
      const int64_t last = first + (rest < piece ? rest : piece);
      const int64_t count = s.inner - column < kBlock ? s.inner - column : kBlock;
      const T *x = s.x + row / pieces * s.outer_stride + column * s.inner_stride;
      by_vector(count,
                [&](int64_t k, int64_t n) { store_lanes(results + k, splat(Op::kNothing), n); });
      const auto element = [&](int64_t r, int64_t k, int64_t n) {
        const T *in = x + r * s.reduced_stride + k * s.inner_stride;
        return s.inner_stride == 1 ? load_lanes(in, n) : load_strided(in, s.inner_stride, n);
      };
      int64_t r = first;
      for (; r + 4 <= last; r += 4) {
        by_vector(count, [&](int64_t k, int64_t n) {
          const Floats v = op(op(element(r, k, n), element(r + 1, k, n)),
                              op(element(r + 2, k, n), element(r + 3, k, n)));
          store_lanes(results + k, op(load_lanes(results + k, n), v), n);
        });
      }
      for (; r < last; r++) {
        by_vector(count, [&](int64_t k, int64_t n) {
          store_lanes(results + k, op(load_lanes(results + k, n), element(r, k, n)), n);
        });
      }
      by_vector(count, [&](int64_t k, int64_t n) {
        target.put(row * s.inner + column + k, load_lanes(results + k, n), n);
      });
    }
  });
}

// Long axes are cut into pieces by their length alone, whose results are then reduced in turn.
template <typename T, typename Op>
int32_t reduce_all(Source<T> s, const Target &target, const Op &op) {
  if (s.inner == 1 && s.outer_stride == 1 && s.reduced_stride != 1) {
    s = {s.x, 1, s.reduced, s.outer, 1, s.reduced_stride, 1};
  }
  const bool runs = s.inner == 1 || (s.reduced_stride == 1 && s.inner_stride != 1);
  const int64_t piece = runs ? cut(16384, 32) : cut(256, 8);
  const int64_t pieces = s.reduced == 0 ? 1 : (s.reduced + piece - 1) / piece;
  float *partial = nullptr;
  Target to = target;
  if (pieces > 1) {
    partial = static_cast<float *>(gatun_allocate(s.outer * s.inner * pieces * 4));
    if (partial == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    to = {partial, GATUN_DTYPE_F32, 1.0f};
  }
  if (runs) {
    reduce_runs(s, piece, pieces, to, op);
  } else {
    reduce_columns(s, piece, pieces, to, op);
  }
  if (pieces == 1) {
    return GATUN_OK;
  }
  const Source<float> rest =
      runs ? Source<float>{partial, s.outer * s.inner, pieces, 1, pieces, 1, 1}
           : Source<float>{partial, s.outer, pieces, s.inner, pieces * s.inner, s.inner, 1};
  const int32_t status = reduce_all(rest, target, op);
  gatun_free(partial);
  return status;
}

}  // namespace

int32_t reduce(const void *x, int32_t x_dtype, int64_t outer_stride, int64_t reduced_stride,
               int64_t inner_stride, void *y, int32_t y_dtype, int64_t outer, int64_t reduced,
               int64_t inner, int32_t reduction) {
  if (!is_dtype(x_dtype) || !is_dtype(y_dtype) || outer < 0 || reduced < 0 || inner < 0 ||
      reduction < GATUN_REDUCTION_SUM || reduction > GATUN_REDUCTION_MIN) {
    return GATUN_INVALID_ARGUMENT;
  }
  const float divisor = reduction == GATUN_REDUCTION_MEAN ? static_cast<float>(reduced) : 1.0f;
  const Target target{y, y_dtype, divisor};
  int32_t status = GATUN_OK;
  by_dtype(x_dtype, [&](auto number) {
    using T = decltype(number);
    const Source<T> s{static_cast<const T *>(x),
                      outer,
                      reduced,
                      inner,
                      outer_stride,
                      reduced_stride,
                      inner_stride};
    status = reduction == GATUN_REDUCTION_MAX   ? reduce_all(s, target, Max())
             : reduction == GATUN_REDUCTION_MIN ? reduce_all(s, target, Min())
                                                : reduce_all(s, target, Sum());
  });
  return status;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
