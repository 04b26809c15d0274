// What is asked for while products are computed.
#ifndef GATUN_UPCOMING_H
#define GATUN_UPCOMING_H

#include "tile.h"

namespace gatun {
namespace GATUN_LEVEL {

// Rows in memory that are read or written before long.
class RowQueue {
 public:
  void forget() { begin = end = 0; }
  bool is_empty() const { return begin == end; }

  // Rows of `size` elements, `stride` elements apart; at most kMost times before it is emptied.
  template <typename T>
  void add(const T *row, int64_t stride, int64_t count, int64_t size) {
    constexpr int64_t kBytes = sizeof(T);
    if (count > 0) {
      rows[end++] = {reinterpret_cast<const char *>(row), stride * kBytes, count, size * kBytes};
    }
  }

  struct Row {
    const char *begin;
    int64_t bytes;
  };

  GATUN_INLINE Row take() {
    Rows &next = rows[begin];
    const Row row{next.row, next.bytes};
    next.row += next.stride;
    next.count--;
    begin += next.count == 0 ? 1 : 0;
    return row;
  }

 private:
  static constexpr int kMost = 8;

  struct Rows {
    const char *row;
    int64_t stride, count, bytes;
  };

  Rows rows[kMost];
  int begin = 0, end = 0;
};

// What is asked for while products are computed, line by line, so that memory and arithmetic work
// at the same time.
class Upcoming {
 public:
  // What is needed first, and the rest.
  RowQueue soon, later;

  // With nothing to ask for, the last line is asked for again: at first one that is there anyway.
  Upcoming() : line(reinterpret_cast<const char *>(this)), end(line) {}

  // For the steps of a tile: a line for as many products as hide what that costs.
  struct Asks {
    static constexpr int64_t kSteps = 384 / (kTileRows * kTileColumns);
    static_assert(kSteps > 0, "no more than a line a step");

    Upcoming *of;

    GATUN_INLINE void ask(int64_t i) const {
      if (i % kSteps == 0) {
        of->ask();
      }
    }
  };
  Asks asks() { return {this}; }

  // As many lines, or all that are left.
  void ask(int64_t lines) {
    for (int64_t i = 0; i < lines && is_left(); i++) {
      ask();
    }
  }

  // Asks for a line.
  GATUN_INLINE void ask() {
    // Into the second cache, as the first one holds what is in use.
    __builtin_prefetch(line, 0, 2);
    line += 64;
    if (line >= end) {
      if (!soon.is_empty()) {
        start(soon.take());
      } else if (!later.is_empty()) {
        start(later.take());
      } else {
        line -= 64;
      }
    }
  }

 private:
  const char *line, *end;

  bool is_left() const { return line + 64 < end || !soon.is_empty() || !later.is_empty(); }

  GATUN_INLINE void start(RowQueue::Row row) {
    line = row.begin;
    end = line + row.bytes;
  }
};

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
