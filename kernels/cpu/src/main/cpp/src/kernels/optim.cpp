// Steps of optimisers and the norm of gradients, over lists of parameters.
#include "../optim.h"

#include "../halves.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Elements of a task.
constexpr int64_t kChunk = cut(16384, 48);

int64_t chunks(int64_t count) { return (count + kChunk - 1) / kChunk; }

// Calls body(item, begin, end) for all chunks of all items of a list, each of which has a count.
template <typename Item, typename Body>
void each_chunk(const Item *items, int64_t count, const Body &body) {
  int64_t tasks = 0;
  for (int64_t i = 0; i < count; i++) {
    tasks += chunks(items[i].count);
  }
  parallel(tasks, [&](int64_t task) {
    int64_t item = 0, chunk = task;
    while (chunk >= chunks(items[item].count)) {
      chunk -= chunks(items[item++].count);
    }
    const int64_t begin = chunk * kChunk, end = begin + kChunk;
    body(items[item], begin, end < items[item].count ? end : items[item].count, task);
  });
}

template <typename Item>
bool has_counts(const Item *items, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (items[i].count < 0) {
      return false;
    }
  }
  return count >= 0;
}

// Vectors of a parameter from element i on, n of their lanes.
struct Element {
  const gatun_parameter &p;
  int64_t i, n;

  Floats state(int which) const { return load_lanes(p.states[which] + i, n); }
  Floats keep(int which, Floats v) const {
    store_lanes(p.states[which] + i, v, n);
    return v;
  }
  float number(int which) const { return p.numbers[which]; }
};

// What becomes of a parameter x with the gradient g, for each update. A weight decay of numbers[1]
// is in g already.
struct Sgd {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    return x - splat(e.number(0)) * g;
  }
};

template <bool kNesterov>
struct SgdMomentum {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    const Floats b = e.keep(0, fma(splat(e.number(3)), e.state(0), splat(e.number(4)) * g));
    return x - splat(e.number(0)) * (kNesterov ? fma(splat(e.number(2)), b, g) : b);
  }
};

template <bool kAmsgrad>
struct Adam {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    const Floats old = e.state(0);
    const Floats m = e.keep(0, fma(splat(e.number(3)), g - old, old));
    Floats v = e.keep(1, fma(splat(e.number(4)), e.state(1), splat(e.number(5)) * g * g));
    if (kAmsgrad) {
      const Floats most = e.state(2);
      // A NaN of either stays.
      v = e.keep(2, select((v > most) | (v != v), v, most));
    }
    const Floats d = root(v) / splat(e.number(6)) + splat(e.number(7));
    return x * splat(e.number(2)) - splat(e.number(0)) * (m / d);
  }
};

struct Adagrad {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    const Floats s = e.keep(0, fma(g, g, e.state(0)));
    return x - splat(e.number(0)) * (g / (root(s) + splat(e.number(2))));
  }
};

template <bool kCentered, bool kMomentum>
struct RmsProp {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    Floats s = e.keep(0, fma(splat(e.number(2)), e.state(0), splat(e.number(3)) * g * g));
    if (kCentered) {
      const Floats old = e.state(1);
      const Floats mean = e.keep(1, fma(splat(e.number(3)), g - old, old));
      s = s - mean * mean;
    }
    Floats step = g / (root(s) + splat(e.number(4)));
    if (kMomentum) {
      constexpr int kBuffer = kCentered ? 2 : 1;
      step = e.keep(kBuffer, fma(splat(e.number(5)), e.state(kBuffer), step));
    }
    return x - splat(e.number(0)) * step;
  }
};

struct Adadelta {
  Floats operator()(const Element &e, Floats x, Floats g) const {
    const Floats rho = splat(e.number(2)), rest = splat(e.number(3)), eps = splat(e.number(4));
    const Floats s = e.keep(0, fma(rho, e.state(0), rest * g * g)), a = e.state(1);
    const Floats d = root(a + eps) / root(s + eps) * g;
    e.keep(1, fma(rho, a, rest * d * d));
    return x - splat(e.number(0)) * d;
  }
};

template <typename Update>
void step_all(const gatun_parameter *parameters, int64_t count, int32_t copy_dtype, float scale,
              const Update &update) {
  // A copy of its own, which no store may change: its pointers and numbers stay in registers.
  each_chunk(parameters, count, [&](const gatun_parameter p, int64_t begin, int64_t end, int64_t) {
    const Floats factor = splat(scale), decay = splat(p.numbers[1]);
    by_vector(end - begin, [&](int64_t at, int64_t n) {
      const Element e{p, begin + at, n};
      const Floats x = load_lanes(p.parameter + e.i, n);
      const Floats g = fma(decay, x, factor * load_lanes(p.gradient + e.i, n));
      const Floats y = update(e, x, g);
      store_lanes(p.parameter + e.i, y, n);
      if (p.copy != nullptr) {
        store_as(gatun::GATUN_LEVEL::at(p.copy, copy_dtype, e.i), copy_dtype, y, n);
      }
    });
  });
}

// Calls body with what an update does.
template <typename Body>
void by_update(int32_t update, const Body &body) {
  switch (update) {
    case GATUN_UPDATE_SGD:
      return body(Sgd());
    case GATUN_UPDATE_SGD_MOMENTUM:
      return body(SgdMomentum<false>());
    case GATUN_UPDATE_SGD_NESTEROV:
      return body(SgdMomentum<true>());
    case GATUN_UPDATE_ADAM:
      return body(Adam<false>());
    case GATUN_UPDATE_ADAM_AMSGRAD:
      return body(Adam<true>());
    case GATUN_UPDATE_ADAGRAD:
      return body(Adagrad());
    case GATUN_UPDATE_RMSPROP:
      return body(RmsProp<false, false>());
    case GATUN_UPDATE_RMSPROP_CENTERED:
      return body(RmsProp<true, false>());
    case GATUN_UPDATE_RMSPROP_MOMENTUM:
      return body(RmsProp<false, true>());
    case GATUN_UPDATE_RMSPROP_CENTERED_MOMENTUM:
      return body(RmsProp<true, true>());
    default:
      return body(Adadelta());
  }
}

float sum_of_squares(const float *x, int64_t count, float scale) {
  const Floats factor = splat(scale);
  Floats sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (int k = 0; k < 4; k++) {
      const Floats v = factor * load(x + i + k * kLanes);
      sums[k] = fma(v, v, sums[k]);
    }
  }
  by_vector(count - i, [&](int64_t at, int64_t n) {
    const Floats v = factor * load_lanes(x + i + at, n);
    sums[0] = fma(v, v, sums[0]);
  });
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace

int32_t optimizer_step(const gatun_parameter *parameters, int64_t count, int32_t update,
                       int32_t copy_dtype, float scale, const float *norm, float max_norm) {
  if (!has_counts(parameters, count) || update < GATUN_UPDATE_SGD ||
      update > GATUN_UPDATE_ADADELTA || !is_dtype(copy_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (!clip(scale, norm, max_norm)) {
    return GATUN_OK;
  }
  by_update(update,
            [&](auto function) { step_all(parameters, count, copy_dtype, scale, function); });
  return GATUN_OK;
}

int32_t global_norm(const gatun_range *ranges, int64_t count, float scale, float *norms,
                    float *norm) {
  if (!has_counts(ranges, count)) {
    return GATUN_INVALID_ARGUMENT;
  }
  static thread_local Scratch scratch;
  int64_t all = 0;
  for (int64_t i = 0; i < count; i++) {
    all += chunks(ranges[i].count);
  }
  float *partial = scratch.floats(all + 1);
  if (partial == nullptr) {
    return GATUN_OUT_OF_MEMORY;
  }
  each_chunk(ranges, count, [&](const gatun_range &r, int64_t begin, int64_t end, int64_t chunk) {
    partial[chunk] = sum_of_squares(r.first + begin, end - begin, scale);
  });
  double total = 0;
  for (int64_t i = 0, chunk = 0; i < count; i++) {
    double squares = 0;
    for (int64_t last = chunk + chunks(ranges[i].count); chunk < last; chunk++) {
      squares += static_cast<double>(partial[chunk]);
    }
    const float root = static_cast<float>(__builtin_sqrt(squares));
    if (norms != nullptr) {
      norms[i] = root;
    }
    total += static_cast<double>(root) * static_cast<double>(root);
  }
  *norm = static_cast<float>(__builtin_sqrt(total));
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
