// Rows of numbers, a block of vectors at a time: how the kernels whose time is that of memory read
// and write them.
#ifndef GATUN_BLOCKS_H
#define GATUN_BLOCKS_H

#include "numbers.h"
#include "pair.h"

namespace gatun {
namespace GATUN_LEVEL {

static inline void stream(Bf16 *p, Floats v) { stream(&p->bits, to_bf16(v)); }
static inline void stream(F16 *p, Floats v) { stream(&p->bits, to_f16(v)); }

// A row of results.
template <typename T>
struct Target {
  T *p;
  bool streams;

  // The row from an element on, by streaming where it may and that is at the begin of a line.
  static Target of(T *p, bool far) { return {p, far && reinterpret_cast<uintptr_t>(p) % 64 == 0}; }
  Target operator+(int64_t elements) const { return of(p + elements, streams); }
};

// Where a kernel's results go. Far more than the caches hold goes around them: then memory is not
// read before it is written.
template <typename T>
class Output {
 public:
  Output(T *p, int64_t count) : p_(p), far_(kStreams && count >= kFar) {}

  // The results from element `begin` on.
  Target<T> row(int64_t begin) const { return Target<T>::of(p_ + begin, far_); }

  // To be called when a task has written its rows.
  void finish() const {
    if (far_) {
      fence();
    }
  }

 private:
  static constexpr int64_t kFar = cut(int64_t{1} << 25, 512) / static_cast<int64_t>(sizeof(T));

  T *p_;
  bool far_;
};

template <typename T>
static inline void load_whole(const T *p, Floats &v) {
  v = load_lanes(p, kLanes);
}
static inline void load_whole(const Bf16 *p, Pair<Floats> &v) { load_bf16(&p->bits, v.lo, v.hi); }
template <typename T, typename V>
static inline void load_whole(const T *p, Pair<V> &v) {
  load_whole(p, v.lo);
  load_whole(p + lanes_of<V>, v.hi);
}

template <typename T>
static inline void store_whole(T *p, Floats v) {
  store_lanes(p, v, kLanes);
}
static inline void store_whole(Bf16 *p, Pair<Floats> v) { store_bf16(&p->bits, v.lo, v.hi); }
static inline void stream(Bf16 *p, Pair<Floats> v) { stream_bf16(&p->bits, v.lo, v.hi); }

template <typename T, typename V>
static inline void store_whole(T *p, Pair<V> v) {
  store_whole(p, v.lo);
  store_whole(p + lanes_of<V>, v.hi);
}
template <typename T, typename V>
static inline void stream(T *p, Pair<V> v) {
  stream(p, v.lo);
  stream(p + lanes_of<V>, v.hi);
}

// Vectors of a row in the order that costs the least, and back: what is given was taken from rows
// of the same type.
template <typename T>
static inline void take_whole(const T *p, Floats &v) {
  load_whole(p, v);
}
template <typename T>
static inline void give_whole(T *p, Floats v) {
  store_whole(p, v);
}
template <typename T>
static inline void give_stream(T *p, Floats v) {
  stream(p, v);
}
static inline void take_whole(const Bf16 *p, Pair<Floats> &v) { take_bf16(&p->bits, v.lo, v.hi); }
static inline void give_whole(Bf16 *p, Pair<Floats> v) { give_bf16(&p->bits, v.lo, v.hi); }
static inline void give_stream(Bf16 *p, Pair<Floats> v) { give_stream_bf16(&p->bits, v.lo, v.hi); }
template <typename T, typename V>
static inline void take_whole(const T *p, Pair<V> &v) {
  take_whole(p, v.lo);
  take_whole(p + lanes_of<V>, v.hi);
}
template <typename T, typename V>
static inline void give_whole(T *p, Pair<V> v) {
  give_whole(p, v.lo);
  give_whole(p + lanes_of<V>, v.hi);
}
template <typename T, typename V>
static inline void give_stream(T *p, Pair<V> v) {
  give_stream(p, v.lo);
  give_stream(p + lanes_of<V>, v.hi);
}

// Elements of a row from i on, as many as V has.
template <typename V>
struct Whole {
  int64_t i;

  template <typename T>
  V load(const T *row) const {
    V v;
    load_whole(row + i, v);
    return v;
  }
  template <typename T>
  void store(T *row, V v) const {
    store_whole(row + i, v);
  }
  template <typename T>
  void store(Target<T> row, V v) const {
    if (kStreams && row.streams) {
      stream(row.p + i, v);
    } else {
      store_whole(row.p + i, v);
    }
  }
  // The elements in an order of T's own: for what is computed of rows of T alone.
  template <typename T>
  V take(const T *row) const {
    V v;
    take_whole(row + i, v);
    return v;
  }
  // Stores what was taken.
  template <typename T>
  void give(Target<T> row, V v) const {
    if (kStreams && row.streams) {
      give_stream(row.p + i, v);
    } else {
      give_whole(row.p + i, v);
    }
  }
  V keep(V v, float) const { return v; }

  // Asks for what will be loaded.
  template <typename T>
  void prefetch(const T *row) const {
    constexpr int64_t kLine = 64 / sizeof(T);
    for (int64_t j = 0; j < lanes_of<V>; j += kLine) {
      __builtin_prefetch(row + i + j);
    }
  }
  // The same into the second cache, of what is read later.
  template <typename T>
  void prefetch_second(const T *row) const {
    constexpr int64_t kLine = 64 / sizeof(T);
    for (int64_t j = 0; j < lanes_of<V>; j += kLine) {
      __builtin_prefetch(row + i + j, 0, 2);
    }
  }
};

// The last n elements of a row, fewer than a vector has.
struct Part {
  int64_t i, n;

  // The other lanes are 0.
  template <typename T>
  Floats load(const T *row) const {
    return load_lanes(row + i, n);
  }
  template <typename T>
  void store(T *row, Floats v) const {
    store_lanes(row + i, v, n);
  }
  template <typename T>
  void store(Target<T> row, Floats v) const {
    store_lanes(row.p + i, v, n);
  }
  template <typename T>
  Floats take(const T *row) const {
    return load(row);
  }
  template <typename T>
  void give(Target<T> row, Floats v) const {
    store(row, v);
  }
  // v with `rest` in the other lanes.
  Floats keep(Floats v, float rest) const { return gatun::GATUN_LEVEL::keep(v, n, rest); }
  template <typename T>
  void prefetch(const T *row) const {
    __builtin_prefetch(row + i);
  }
  template <typename T>
  void prefetch_second(const T *row) const {
    __builtin_prefetch(row + i, 0, 2);
  }
};

// Calls body with the Wholes and the Part that make up a row of count elements.
template <typename Body>
static inline void by_block(int64_t count, const Body &body) {
  int64_t i = 0;
  for (; i + lanes_of<Block> <= count; i += lanes_of<Block>) {
    body(Whole<Block>{i});
  }
  for (; i + kLanes <= count; i += kLanes) {
    body(Whole<Floats>{i});
  }
  if (i < count) {
    body(Part{i, count - i});
  }
}

// Copies a row.
template <typename T>
static inline void copy_row(const T *from, Target<T> to, int64_t count) {
  if (!to.streams) {
    __builtin_memcpy(to.p, from, static_cast<size_t>(count) * sizeof(T));
    return;
  }
  // As floats, of which only the bits are moved.
  constexpr int64_t kWords = sizeof(float) / sizeof(T);
  const int64_t words = count / kWords / kLanes * kLanes;
  for (int64_t i = 0; i < words; i += kLanes) {
    Floats v;
    __builtin_memcpy(&v, from + i * kWords, sizeof v);
    stream(reinterpret_cast<float *>(to.p) + i, v);
  }
  __builtin_memcpy(to.p + words * kWords, from + words * kWords,
                   static_cast<size_t>(count - words * kWords) * sizeof(T));
}

// A block of running results takes in a block, or a vector in its first place.
template <typename Combine>
static inline void take(Floats &all, Floats v, const Combine &combine) {
  all = combine(all, v);
}
template <typename V, typename Combine>
static inline void take(Pair<V> &all, Pair<V> v, const Combine &combine) {
  all = combine(all, v);
}
template <typename V, typename Combine>
static inline void take(Pair<V> &all, Floats v, const Combine &combine) {
  take(all.lo, v, combine);
}

template <typename V>
static inline void add(Block &sums, V v) {
  take(sums, v, [](auto a, auto b) { return a + b; });
}
template <typename V>
static inline void add_square(Block &sums, V v) {
  take(sums, v, [](auto a, auto b) { return fma(b, b, a); });
}

static inline void add_product(Floats &sums, Floats a, Floats b) { sums = fma(a, b, sums); }
template <typename V>
static inline void add_product(Pair<V> &sums, Pair<V> a, Pair<V> b) {
  sums = fma(a, b, sums);
}
template <typename V>
static inline void add_product(Pair<V> &sums, Floats a, Floats b) {
  add_product(sums.lo, a, b);
}

// The sum of a block's vectors.
static inline Floats as_vector(Floats v) { return v; }
template <typename V>
static inline Floats as_vector(Pair<V> v) {
  return as_vector(v.lo + v.hi);
}
static inline float sum(Block v) { return sum(as_vector(v)); }
template <typename V>
static inline float largest(Pair<V> v) {
  return largest(max(v.lo, v.hi));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
