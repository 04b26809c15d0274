// Rows of a weight of floats as panels of 32 output features.
//
// A panel's features are neighbours, so packing transposes. Where rows have the packed type's bytes
// they are turned about as they are loaded, each line of memory in one go; else some lines of each
// are brought to a block that stays in the first cache, converted on the way, for rows whose length
// is a power of two would share few sets of the cache.
#ifndef GATUN_PANEL_ROWS_H
#define GATUN_PANEL_ROWS_H

#include <type_traits>

#include "numbers.h"
#include "transpose.h"

namespace gatun {
namespace GATUN_LEVEL {

// Elements of a row that are taken at once.
constexpr int64_t kRowPiece = cut(128, 32);

struct Weight {
  const void *elements;
  int32_t dtype;
  int64_t row_stride;
  int64_t stride;  // of neighbours in a row
};

// Copies so many elements to a line, whole ones without a call.
template <typename T>
GATUN_INLINE inline void copy_piece(const T *from, int64_t count, T *line) {
  if (count == kRowPiece) {
    __builtin_memcpy(line, from, kRowPiece * sizeof(T));
  } else {
    __builtin_memcpy(line, from, static_cast<size_t>(count) * sizeof(T));
  }
}

// The elements from `first` on of a row, in the packed type; 0 behind `count` of them.
template <typename From, typename To>
GATUN_INLINE inline void convert(const Weight &weight, int64_t first, int64_t count, To *line) {
  const From *from = static_cast<const From *>(weight.elements) + first;
  if constexpr (std::is_same_v<From, To>) {
    if (weight.stride == 1) {
      copy_piece(from, count, line);
    } else {
      for (int64_t i = 0; i < count; i++) {
        line[i] = from[i * weight.stride];
      }
    }
  } else {
    by_vector(count, [&](int64_t i, int64_t n) {
      store_lanes(line + i,
                  weight.stride == 1 ? load_lanes(from + i, n)
                                     : load_strided(from + i * weight.stride, weight.stride, n),
                  n);
    });
  }
  for (int64_t i = count; i < kRowPiece; i++) {
    line[i] = To{};
  }
}

// Writes packed[k / together][PANEL][together] of a block of a panel.
template <int kTogether, typename To>
static inline void turn(const To (*block)[kRowPiece], int64_t groups, To *packed) {
  if constexpr (sizeof(To) * kTogether == 4) {
    int64_t g = 0;
    for (; g + kLanes <= groups; g += kLanes) {
      for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
        transpose(block[f] + g * kTogether, kRowPiece / kTogether,
                  packed + (g * GATUN_PANEL + f) * kTogether, GATUN_PANEL);
      }
    }
    block = reinterpret_cast<const To(*)[kRowPiece]>(block[0] + g * kTogether);
    packed += g * GATUN_PANEL * kTogether;
    groups -= g;
  }
  for (int64_t g = 0; g < groups; g++) {
    for (int64_t f = 0; f < GATUN_PANEL; f++) {
      __builtin_memcpy(packed + (g * GATUN_PANEL + f) * kTogether, block[f] + g * kTogether,
                       sizeof(To) * kTogether);
    }
  }
}

// Whether lines of so many rows, each line but once, fit into the first cache next to each other:
// rows whose length is a multiple of 2 KB share two of its sets, and where a line is not the unit
// of what is loaded, it is needed twice.
static inline bool stay_in_cache(const void *rows, int64_t row_bytes) {
  return row_bytes % 2048 != 0 || reinterpret_cast<uintptr_t>(rows) % 64 == 0;
}

// Turns whole squares of a panel's rows [begin, end) about where they lie and gives where they end.
template <int kTogether, typename To>
static inline int64_t turn_in_place(const Weight &weight, int64_t first, int64_t begin, int64_t end,
                                    To *packed) {
  const To *rows = static_cast<const To *>(weight.elements) + first * weight.row_stride;
  int64_t k = begin;
  for (; k + kLanes * kTogether <= end; k += kLanes * kTogether) {
    for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
      transpose(rows + f * weight.row_stride + k, weight.row_stride / kTogether,
                packed + (k - begin) * GATUN_PANEL + f * kTogether, GATUN_PANEL);
    }
  }
  return k;
}

// Packs the elements [begin, end) of a panel's rows, of k in all: begin is that of a group, and
// packed has whole groups.
template <int kTogether, typename From, typename To>
static inline void pack_piece(const Weight &weight, int64_t first, int64_t features, int64_t k,
                              int64_t begin, int64_t end, To *packed) {
  const int64_t from = begin;
  if constexpr (std::is_same_v<From, To> && sizeof(To) * kTogether == 4) {
    if (features == GATUN_PANEL && weight.stride == 1 && weight.row_stride % kTogether == 0 &&
        stay_in_cache(weight.elements, weight.row_stride * static_cast<int64_t>(sizeof(To)))) {
      begin = turn_in_place<kTogether>(weight, first, begin, end < k ? end : k, packed);
    }
  }
  const int64_t depth = (end + kTogether - 1) / kTogether * kTogether;
  if (begin >= depth) {
    return;
  }
  alignas(64) To block[GATUN_PANEL][kRowPiece] = {};
  for (; begin < depth; begin += kRowPiece) {
    const int64_t length = depth - begin < kRowPiece ? depth - begin : kRowPiece;
    const int64_t count = k - begin < length ? k - begin : length;
    for (int64_t f = 0; f < features; f++) {
      const int64_t at = (first + f) * weight.row_stride + begin * weight.stride;
      convert<From>(weight, at, count, block[f]);
    }
    turn<kTogether>(block, length / kTogether, packed + (begin - from) * GATUN_PANEL);
  }
}

// A weight [n][k] of floats that products read: packed, or its rows as they lie in memory, of which
// the panels are packed where they are multiplied by.
template <int kTogether, typename To>
class Panels {
 public:
  // Rows are row_stride elements apart; GATUN_PACKED where the weight is packed.
  Panels(const void *elements, int64_t row_stride, int64_t n, int64_t k)
      : elements_(static_cast<const To *>(elements)), row_stride_(row_stride), n_(n), k_(k) {}

  bool packed() const { return row_stride_ == GATUN_PACKED; }
  // All panels of a packed weight.
  const To *all() const { return elements_; }
  // Elements of a packed panel.
  int64_t panel_size() const { return groups() * kTogether * GATUN_PANEL; }

  // A panel's elements [begin, end), of any floats, in room where they are made of rows; the next
  // ones are asked for.
  template <typename Float>
  void pack(int64_t panel, int64_t begin, int64_t end, Float *room) const {
    const int64_t first = panel * GATUN_PANEL, left = n_ - first;
    const int64_t features = left < GATUN_PANEL ? left : GATUN_PANEL;
    ask(first, end, end - begin);
    constexpr int kGroup = std::is_same_v<Float, To> ? kTogether : 1;
    pack_piece<kGroup, To>({elements_, 0, row_stride_, 1}, first, features, k_, begin, end, room);
  }

  // Where the elements of a panel's first row lie from one on; behind the last one, those of the
  // next panel's. Rows are row_stride() elements apart.
  const To *rows(int64_t panel, int64_t begin) const {
    const int64_t first = (begin < k_ ? panel : panel + 1) * GATUN_PANEL;
    return elements_ + first * row_stride_ + (begin < k_ ? begin : begin - k_);
  }
  int64_t row_stride() const { return row_stride_; }
  // Whether they are, and are those of a whole panel without parts of groups.
  bool turns(int64_t panel) const {
    return !packed() && (panel + 1) * GATUN_PANEL <= n_ && k_ % kTogether == 0 &&
           row_stride_ % kTogether == 0;
  }

  // The same in the packed type; where the weight is packed, where they are.
  const To *at(int64_t panel, int64_t begin, int64_t end, To *room) const {
    if (packed()) {
      return elements_ + panel * panel_size() + begin * GATUN_PANEL;
    }
    pack(panel, begin, end, room);
    return room;
  }

  // Calls product(weight, first, features) for strips of the features, packed one after the other
  // in the same memory, which stays in caches.
  template <typename Product>
  int32_t by_strips(const Product &product) const {
    static thread_local Scratch scratch;
    const int64_t all = (n_ + GATUN_PANEL - 1) / GATUN_PANEL;
    const int64_t fit = kStrip / (panel_size() * static_cast<int64_t>(sizeof(To)) + 1);
    const int64_t most = fit < 1 ? 1 : fit;
    float *memory = scratch.floats(most * panel_size() * static_cast<int64_t>(sizeof(To)) / 4 + 1);
    if (memory == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    To *packed = reinterpret_cast<To *>(memory);
    int32_t status = GATUN_OK;
    for (int64_t panel = 0; panel < all && status == GATUN_OK; panel += most) {
      const int64_t count = all - panel < most ? all - panel : most;
      parallel(count, [&](int64_t i) { pack(panel + i, 0, k_, packed + i * panel_size()); });
      const int64_t first = panel * GATUN_PANEL, left = n_ - first;
      status = product(packed, first, left < count * GATUN_PANEL ? left : count * GATUN_PANEL);
    }
    return status;
  }

 private:
  // Bytes of packed panels at a time.
  static constexpr int64_t kStrip = cut(4 << 20, 4096);

  int64_t groups() const { return (k_ + kTogether - 1) / kTogether; }

  // Asks for so many elements of a panel's rows from one on, or of the next panel's where they end,
  // into the second cache.
  void ask(int64_t first, int64_t begin, int64_t count) const {
    if (begin >= k_) {
      first += GATUN_PANEL;
      begin = 0;
    }
    const int64_t last = first + GATUN_PANEL < n_ ? first + GATUN_PANEL : n_;
    const int64_t bytes = (k_ - begin < count ? k_ - begin : count) * sizeof(To);
    for (int64_t row = first; row < last; row++) {
      const char *line = reinterpret_cast<const char *>(elements_ + row * row_stride_ + begin);
      for (int64_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(line + i, 0, 2);
      }
    }
  }

  const To *elements_;
  int64_t row_stride_, n_, k_;
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
