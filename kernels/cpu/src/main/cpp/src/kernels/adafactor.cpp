// Steps of Adafactor over lists of parameters (Shazeer and Stern, arXiv 1804.04235). Parameters are
// cut into slices of whole rows; sums over slices are added in their order.
#include "../halves.h"
#include "../optim.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

using Parameter = gatun_factored_parameter;

// Elements of a slice, and its fewest rows: each has a row of sums over its columns.
constexpr int64_t kSlice = cut(16384, 48), kFewestRows = cut(16, 2);
// Columns whose sums a task adds up.
constexpr int64_t kColumns = cut(4096, 16);

bool is_matrix(const Parameter &p) { return p.column_squares != nullptr; }
bool is_empty(const Parameter &p) { return p.batches * p.rows * p.columns == 0; }

// The rows of a slice, or of what is no matrix its elements.
int64_t step(const Parameter &p) {
  if (!is_matrix(p)) {
    return kSlice;
  }
  const int64_t rows = (kSlice + p.columns - 1) / p.columns;
  return rows < kFewestRows ? kFewestRows : rows;
}

int64_t slices_of_matrix(const Parameter &p) {
  const int64_t all = is_matrix(p) ? p.rows : p.columns;
  return (all + step(p) - 1) / step(p);
}

int64_t slices(const Parameter &p) { return is_empty(p) ? 0 : p.batches * slices_of_matrix(p); }

int64_t column_tasks(const Parameter &p) {
  return is_empty(p) || !is_matrix(p) ? 0 : p.batches * ((p.columns + kColumns - 1) / kColumns);
}

// The numbers of the rule.
struct Numbers {
  float rate, decay, kept, rest, eps1, eps2, threshold, beta1;

  explicit Numbers(const float *n)
      : rate(n[0]),
        decay(n[1]),
        kept(n[2]),
        rest(n[3]),
        eps1(n[4]),
        eps2(n[5]),
        threshold(n[6]),
        beta1(n[7]) {}

  bool scales() const { return eps2 >= 0.0f; }
  float mean(float old, float x) const { return kept * old + rest * x; }
};

// What is found for a parameter on the way.
struct Found {
  int64_t first_slice, first_matrix;
  float *column_sums;  // [batches][slices of a matrix][columns]; the first of each becomes factors
  float share, left;   // of the update, and of the parameter
};

// The sums of squares of a slice.
struct Squares {
  float parameter, update;
};

// Part of a parameter: rows of one of its matrices, or elements.
struct Slice {
  const Parameter &p;
  Found &of;
  int64_t batch, within, begin, end;

  int64_t at(int64_t row) const { return (batch * p.rows + row) * p.columns; }
  float *sums(int64_t slice) const {
    return of.column_sums + (batch * slices_of_matrix(p) + slice) * p.columns;
  }
};

class Step {
 public:
  Step(const Parameter *parameters, int64_t count, int32_t copy_dtype, float factor)
      : parameters(parameters), count(count), copy_dtype(copy_dtype), factor(factor) {}
  ~Step() { gatun_free(memory); }

  int32_t run() {
    if (!reserve()) {
      return GATUN_OUT_OF_MEMORY;
    }
    each_slice([&](const Slice &s, Squares &squares) {
      squares = is_matrix(s.p) ? sum_matrix(s) : sum_elements(s);
    });
    each_task(column_tasks, [&](const Parameter &p, Found &of, int64_t task) {
      const int64_t tasks = column_tasks(p) / p.batches;
      join(p, of, task / tasks, task % tasks * kColumns);
    });
    each_slice([&](const Slice &s, Squares &squares) {
      if (is_matrix(s.p)) {
        squares.update = measure(s);
      }
    });
    for (int64_t i = 0; i < count; i++) {
      settle(parameters[i], found[i]);
    }
    each_slice([&](const Slice &s, Squares &) { change(s); });
    return GATUN_OK;
  }

 private:
  const Parameter *parameters;
  const int64_t count;
  const int32_t copy_dtype;
  const float factor;
  void *memory = nullptr;
  Found *found = nullptr;
  Squares *squares = nullptr;  // of each slice
  float *means = nullptr;      // of each matrix's rows

  bool reserve() {
    int64_t all = 0, matrices = 0, sums = 0;
    for (int64_t i = 0; i < count; i++) {
      const Parameter &p = parameters[i];
      all += slices(p);
      matrices += is_empty(p) ? 0 : p.batches;
      sums += is_matrix(p) ? slices(p) * p.columns : 0;
    }
    const int64_t bytes = count * static_cast<int64_t>(sizeof(Found)) +
                          all * static_cast<int64_t>(sizeof(Squares)) + (matrices + sums) * 4;
    memory = gatun_allocate(bytes + 1);
    if (memory == nullptr) {
      return false;
    }
    found = static_cast<Found *>(memory);
    squares = reinterpret_cast<Squares *>(found + count);
    means = reinterpret_cast<float *>(squares + all);
    float *next = means + matrices;
    for (int64_t i = 0, slice = 0, matrix = 0; i < count; i++) {
      const Parameter &p = parameters[i];
      found[i] = {slice, matrix, next, 0.0f, 1.0f};
      slice += slices(p);
      matrix += is_empty(p) ? 0 : p.batches;
      next += is_matrix(p) ? slices(p) * p.columns : 0;
    }
    return true;
  }

  // Calls body(parameter, what is found for it, number) for as many numbers as each has.
  template <typename Many, typename Body>
  void each_task(const Many &many, const Body &body) {
    int64_t tasks = 0;
    for (int64_t i = 0; i < count; i++) {
      tasks += many(parameters[i]);
    }
    parallel(tasks, [&](int64_t task) {
      int64_t item = 0, number = task;
      while (number >= many(parameters[item])) {
        number -= many(parameters[item++]);
      }
      body(parameters[item], found[item], number);
    });
  }

  template <typename Body>
  void each_slice(const Body &body) {
    each_task(slices, [&](const Parameter &p, Found &of, int64_t slice) {
      const int64_t each = slices_of_matrix(p), all = is_matrix(p) ? p.rows : p.columns;
      const int64_t begin = slice % each * step(p), end = begin + step(p);
      body(Slice{p, of, slice / each, slice % each, begin, end < all ? end : all},
           squares[of.first_slice + slice]);
    });
  }

  Floats gradient(const Parameter &p, int64_t i, int64_t n) const {
    return factor * load_lanes(p.gradient + i, n);
  }

  // Takes the squares of the slice's gradients into its rows' means, and adds up those of columns.
  Squares sum_matrix(const Slice &s) const {
    const Numbers numbers(s.p.numbers);
    float *sums = s.sums(s.within);
    __builtin_memset(sums, 0, static_cast<size_t>(s.p.columns) * sizeof(float));
    Floats parameters{};
    for (int64_t r = s.begin; r < s.end; r++) {
      const int64_t at = s.at(r);
      Floats total{};
      by_vector(s.p.columns, [&](int64_t j, int64_t n) {
        const Floats g = gradient(s.p, at + j, n);
        const Floats squared = keep(fma(g, g, splat(numbers.eps1)), n, 0.0f);
        store_lanes(sums + j, load_lanes(sums + j, n) + squared, n);
        total += squared;
        if (numbers.scales()) {
          const Floats x = load_lanes(s.p.parameter + at + j, n);
          parameters = fma(x, x, parameters);
        }
      });
      float &row = s.p.row_squares[s.batch * s.p.rows + r];
      row = numbers.mean(row, sum(total) / static_cast<float>(s.p.columns));
    }
    return {sum(parameters), 0.0f};
  }

  // The same of elements that have means of their own.
  Squares sum_elements(const Slice &s) const {
    const Numbers numbers(s.p.numbers);
    Floats parameters{}, updates{};
    by_vector(s.end - s.begin, [&](int64_t at, int64_t n) {
      const int64_t i = s.begin + at;
      const Floats g = gradient(s.p, i, n), x = load_lanes(s.p.parameter + i, n);
      const Floats old = load_lanes(s.p.row_squares + i, n);
      const Floats v = numbers.kept * old + numbers.rest * fma(g, g, splat(numbers.eps1));
      store_lanes(s.p.row_squares + i, v, n);
      const Floats u = keep(g / root(v), n, 0.0f);
      updates = fma(u, u, updates);
      parameters = fma(x, x, parameters);
    });
    return {sum(parameters), sum(updates)};
  }

  // Adds up what the slices of a matrix have of some columns, which become what gradients are
  // multiplied by for them.
  void join(const Parameter &p, Found &of, int64_t batch, int64_t begin) {
    const Numbers numbers(p.numbers);
    const int64_t each = slices_of_matrix(p), rest = p.columns - begin;
    float *first = of.column_sums + batch * each * p.columns + begin;
    float *means_of_columns = p.column_squares + batch * p.columns + begin;
    by_vector(rest < kColumns ? rest : kColumns, [&](int64_t j, int64_t n) {
      Floats total{};
      for (int64_t slice = 0; slice < each; slice++) {
        total += load_lanes(first + slice * p.columns + j, n);
      }
      const Floats mean = total / static_cast<float>(p.rows);
      const Floats v = numbers.kept * load_lanes(means_of_columns + j, n) + numbers.rest * mean;
      store_lanes(means_of_columns + j, v, n);
      store_lanes(first + j, 1.0f / root(v), n);
    });
    if (begin == 0) {
      Floats total{};
      by_vector(p.rows, [&](int64_t r, int64_t n) {
        total += load_lanes(p.row_squares + batch * p.rows + r, n);
      });
      means[of.first_matrix + batch] = sum(total) / static_cast<float>(p.rows);
    }
  }

  // What the gradients of a row are multiplied by for it.
  float factor_of(const Slice &s, int64_t row) const {
    const float mean = means[s.of.first_matrix + s.batch];
    return 1.0f / __builtin_sqrtf(s.p.row_squares[s.batch * s.p.rows + row] / mean);
  }

  // The sum of squares of a slice's updates.
  float measure(const Slice &s) const {
    const float *columns = s.sums(0);
    Floats total{};
    for (int64_t r = s.begin; r < s.end; r++) {
      const float row = factor_of(s, r);
      by_vector(s.p.columns, [&](int64_t j, int64_t n) {
        const Floats u = gradient(s.p, s.at(r) + j, n) * row * load_lanes(columns + j, n);
        total = fma(u, u, total);
      });
    }
    return sum(total);
  }

  // How far the parameter goes.
  void settle(const Parameter &p, Found &of) const {
    const Numbers numbers(p.numbers);
    double parameter = 0, update = 0;
    for (int64_t i = 0; i < slices(p); i++) {
      parameter += static_cast<double>(squares[of.first_slice + i].parameter);
      update += static_cast<double>(squares[of.first_slice + i].update);
    }
    const double elements = static_cast<double>(p.batches * p.rows * p.columns);
    float own = numbers.rate;
    // A NaN of either root stays.
    if (numbers.scales()) {
      const float size = static_cast<float>(__builtin_sqrt(parameter / elements));
      own *= size <= numbers.eps2 ? numbers.eps2 : size;
    }
    const float size = static_cast<float>(__builtin_sqrt(update / elements)) / numbers.threshold;
    of.share = own / (size <= 1.0f ? 1.0f : size);
    of.left = 1.0f - numbers.decay * own;
  }

  void change(const Slice &s) const {
    if (!is_matrix(s.p)) {
      by_vector(s.end - s.begin, [&](int64_t at, int64_t n) {
        const int64_t i = s.begin + at;
        change(s, i, n, gradient(s.p, i, n) / root(load_lanes(s.p.row_squares + i, n)));
      });
      return;
    }
    const float *columns = s.sums(0);
    for (int64_t r = s.begin; r < s.end; r++) {
      const float row = factor_of(s, r);
      by_vector(s.p.columns, [&](int64_t j, int64_t n) {
        const int64_t i = s.at(r) + j;
        change(s, i, n, gradient(s.p, i, n) * row * load_lanes(columns + j, n));
      });
    }
  }

  void change(const Slice &s, int64_t i, int64_t n, Floats update) const {
    Floats by = update * s.of.share;
    if (s.p.mean != nullptr) {
      const float beta1 = s.p.numbers[7];
      by = beta1 * load_lanes(s.p.mean + i, n) + (1.0f - beta1) * by;
      store_lanes(s.p.mean + i, by, n);
    }
    const Floats y = load_lanes(s.p.parameter + i, n) * s.of.left - by;
    store_lanes(s.p.parameter + i, y, n);
    if (s.p.copy != nullptr) {
      store_as(gatun::GATUN_LEVEL::at(s.p.copy, copy_dtype, i), copy_dtype, y, n);
    }
  }
};

bool has_sizes(const Parameter *parameters, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const Parameter &p = parameters[i];
    if (p.batches < 0 || p.rows < 0 || p.columns < 0) {
      return false;
    }
  }
  return count >= 0;
}

}  // namespace

int32_t adafactor_step(const gatun_factored_parameter *parameters, int64_t count,
                       int32_t copy_dtype, float scale, const float *norm, float max_norm) {
  if (!has_sizes(parameters, count) || !is_dtype(copy_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  return clip(scale, norm, max_norm) ? Step(parameters, count, copy_dtype, scale).run() : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
