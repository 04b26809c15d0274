// A packed quantised weight: where its records lie and what its scales are.
#ifndef GATUN_QUANTIZED_H
#define GATUN_QUANTIZED_H

#include <atomic>

#include "narrow.h"
#include "panel_pack.h"

namespace gatun {
namespace GATUN_LEVEL {

// A weight [n][k] as rows of blocks, of which a task packs the panel that it multiplies by.
struct BlockRows {
  const uint8_t *blocks;
  int64_t row_stride;
  BlockFormat format;
  PackedForm form;
  int64_t n;
};

struct Quantized {
  const uint8_t *packed;
  PackedRecords records;
  int64_t group;  // input features that share a scale
  int64_t k;
  int64_t first = 0;                  // the panel that lies at `packed`
  const BlockRows *source = nullptr;  // what panels are packed of when they are needed, else null
  const float *wide = nullptr;        // the scales and minima of groups as floats, or null
  int64_t wide_first = 0;             // the first of these

  Quantized(const BlockRows &rows, int64_t k)
      : packed(nullptr), records(rows.form.records), group(records.group), k(k), source(&rows) {}

  Quantized(const void *memory, int32_t bits, int64_t group, int32_t scales, int64_t k)
      : packed(static_cast<const uint8_t *>(memory)),
        records{bits, scales, group == 0 ? k : group},
        group(records.group),
        k(k) {}

  bool valid() const { return records.valid(k); }

  bool has_min() const {
    return records.scales == GATUN_SCALES_F16_ZERO || records.scales == GATUN_SCALES_F32_MIN ||
           records.scales == GATUN_SCALES_F16_MIN || records.scales == GATUN_SCALES_F16_BYTE_MIN;
  }
  bool has_sum() const { return records.scales == GATUN_SCALES_F32_SUM; }
  int64_t groups() const { return group == 0 ? 0 : k / group; }
  // Of whole records, and about as many of parts.
  int64_t bytes_of(int64_t groups) const {
    return groups * records.record_bytes() / records.together();
  }
  const uint8_t *place(int64_t panel, int64_t g) const {
    return packed + (panel - first) * bytes_of(groups()) + bytes_of(g);
  }
};

// Of a record: line `line` of F16 numbers, for kLanes features from `feature` on.
GATUN_INLINE static inline Floats half_line(const uint8_t *record, int64_t line, int64_t feature) {
  return from_f16(
      load_halves(reinterpret_cast<const uint16_t *>(record) + line * GATUN_PANEL + feature));
}

// Line `line` of signed bytes.
GATUN_INLINE static inline Floats byte_line(const uint8_t *record, int64_t line, int64_t feature) {
  const auto *bytes = reinterpret_cast<const int8_t *>(record + line * GATUN_PANEL + feature);
  return __builtin_convertvector(load_signed(bytes), Floats);
}

// The groups of a panel, one after another.
class Groups {
 public:
  // Begins at group g.
  GATUN_INLINE Groups(const Quantized &q, int64_t panel, int64_t g)
      : scales_(q.records.scales),
        together_(q.records.together()),
        header_(q.records.header()),
        size_(q.records.group_bytes()),
        centre_(static_cast<float>(1 << (q.records.bits - 1))),
        at_(g % together_),
        record_(q.place(panel, g - at_)),
        words_(record_ + header_ + at_ * size_),
        wide_(q.wide == nullptr ? nullptr : q.wide + (g - q.wide_first) * 2 * GATUN_PANEL) {}

  GATUN_INLINE void next() {
    words_ += size_;
    if (++at_ == together_) {
      record_ = words_;
      words_ += header_;
      at_ = 0;
    }
    wide_ = wide_ == nullptr ? nullptr : wide_ + 2 * GATUN_PANEL;
  }

  GATUN_INLINE const uint8_t *words() const { return words_; }

  // The scales of kLanes features from `feature` on.
  GATUN_INLINE Floats scale(int64_t feature) const {
    if (wide_ != nullptr) {
      return load(wide_ + feature);
    }
    switch (scales_) {
      case GATUN_SCALES_F32:
      case GATUN_SCALES_F32_MIN:
      case GATUN_SCALES_F32_SUM:
        return number(0, feature);
      case GATUN_SCALES_F16_BYTE:
        return half_line(record_, 0, feature) * byte_line(record_, 2 + at_, feature);
      case GATUN_SCALES_F16_BYTE_MIN:
        return half_line(record_, 0, feature) * byte_line(record_, 4 + at_, feature);
      default:
        return half_line(record_, 0, feature);
    }
  }

  // The sums of a group's elements.
  GATUN_INLINE Floats sum(int64_t feature) const { return number(1, feature); }

  // What a code of 0 means. The middle code's product is exact, as is that of a byte.
  GATUN_INLINE Floats min(int64_t feature, Floats scale) const {
    if (wide_ != nullptr) {
      return load(wide_ + GATUN_PANEL + feature);
    }
    switch (scales_) {
      case GATUN_SCALES_F32_MIN:
        return number(1, feature);
      case GATUN_SCALES_F16_ZERO:
        return -scale * byte_line(record_, 2, feature);
      case GATUN_SCALES_F16_MIN:
        return half_line(record_, 1, feature) + scale * centre_;
      case GATUN_SCALES_F16_BYTE_MIN:
        return scale * centre_ -
               half_line(record_, 1, feature) * byte_line(record_, 4 + together_ + at_, feature);
      default:
        return Floats{};
    }
  }

 private:
  int32_t scales_;
  int64_t together_, header_, size_;
  float centre_;
  int64_t at_;
  const uint8_t *record_, *words_;
  const float *wide_;

  GATUN_INLINE Floats number(int64_t line, int64_t feature) const {
    return load(reinterpret_cast<const float *>(record_) + line * GATUN_PANEL + feature);
  }
};

// The weight with the scales and minima of a panel's groups [first, last) as floats where groups
// share what theirs are made of, which several tiles of rows need: else, and without memory for
// them, as it is.
static inline Quantized with_wide_scales(const Quantized &q, int64_t panel, int64_t first,
                                         int64_t last) {
  Quantized wide = q;
  if (!q.records.shared()) {
    return wide;
  }
  static thread_local Scratch scratch;
  float *to = scratch.floats((last - first) * 2 * GATUN_PANEL);
  if (to == nullptr) {
    return wide;
  }
  wide.wide = to;
  wide.wide_first = first;
  const bool has_min = q.has_min();
  const int64_t together = q.records.together(), ahead = has_min ? 4 : 2;
  const float centre = static_cast<float>(1 << (q.records.bits - 1));
  for (int64_t g = first, count; g < last; g += count, to += count * 2 * GATUN_PANEL) {
    const int64_t at = g % together;
    count = together - at < last - g ? together - at : last - g;
    const uint8_t *record = q.place(panel, g - at);
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      const Floats scale = half_line(record, 0, j), middle = scale * centre;
      const Floats min = has_min ? half_line(record, 1, j) : Floats{};
      for (int64_t i = 0; i < count; i++) {
        float *out = to + i * 2 * GATUN_PANEL + j;
        const Floats times = byte_line(record, ahead + at + i, j);
        store(out, scale * times);
        if (has_min) {
          const Floats less = byte_line(record, ahead + together + at + i, j);
          store(out + GATUN_PANEL, middle * times - min * less);
        }
      }
    }
  }
  return wide;
}

// A thread's panel that is packed for its products; the next task's takes its place.
static inline float *panel_memory(int64_t bytes) {
  static thread_local Scratch scratch;
  return scratch.floats(bytes / static_cast<int64_t>(sizeof(float)) + 1);
}

// Gives q's panel, packed of the blocks, a place.
static inline int32_t pack_own(int64_t panel, Quantized *q) {
  const BlockRows &rows = *q->source;
  const int64_t begin = panel * GATUN_PANEL, left = rows.n - begin;
  uint8_t *memory = reinterpret_cast<uint8_t *>(panel_memory(q->bytes_of(q->groups())));
  if (memory == nullptr) {
    return GATUN_OUT_OF_MEMORY;
  }
  q->packed = memory;
  q->first = panel;
  const bool finite =
      q->k == 0 ||
      pack_panel(rows.format, rows.form, rows.blocks + begin * rows.row_stride, rows.row_stride,
                 left < GATUN_PANEL ? left : GATUN_PANEL, q->k, memory);
  return finite ? GATUN_OK : GATUN_NOT_FINITE;
}

// Calls body(q, row, rows, panel) for the tasks that make up the m rows of a chunk by all features,
// as parallel_tiles; a panel that is packed for them has all of its rows in one task.
template <typename Body>
static inline int32_t parallel_panels(const Product &p, const Quantized &q, int64_t chunk,
                                      int64_t m, const Body &body) {
  RowBlock blocks[kBlocks];
  const int64_t count = row_blocks(p, chunk, m, blocks), each = panels(p.n);
  const int64_t together = q.source == nullptr ? 1 : count;
  std::atomic<int32_t> status{GATUN_OK};
  parallel(each * count / together, [&](int64_t task) {
    const int64_t panel = task * together / count, begin = task * together % count;
    Quantized own = q;
    if (q.source != nullptr) {
      const int32_t packed = pack_own(panel, &own);
      if (packed != GATUN_OK) {
        status.store(packed, std::memory_order_relaxed);
        return;
      }
    }
    for (int64_t b = begin; b < begin + together; b++) {
      body(own, blocks[b].row, blocks[b].rows, blocks[b].expert * each + panel);
    }
  });
  return status.load();
}

// The codes of a panel's groups [first, last) as bytes, [k / 4][PANEL][4], unsigned as they are
// kept or signed.
template <int kBits, typename Byte>
static inline void code_bytes(const Quantized &q, int64_t panel, int64_t first, int64_t last,
                              Byte *bytes) {
  typedef Byte Bytes __attribute__((vector_size(4 * kLanes)));
  constexpr Byte kZero = static_cast<Byte>(-1) < 0 ? static_cast<Byte>(1 << (kBits - 1)) : 0;
  const auto put = [](Byte *to, Ints codes) {
    Bytes all;
    __builtin_memcpy(&all, &codes, sizeof all);
    all -= kZero;
    __builtin_memcpy(to, &all, sizeof all);
  };
  Groups group(q, panel, first);
  const int64_t size = q.records.group_bytes();
  for (int64_t g = first; g < last; g++, group.next()) {
    const uint8_t *end = group.words() + size;
    for (const uint8_t *unit = group.words(); unit < end; unit += kUnitWords<kBits> * kWordLine) {
#pragma GCC unroll 8
      for (int i = 0; i < kUnit<kBits> / 4; i++, bytes += kWordLine) {
        for (int64_t j = 0; j < kWordLine; j += 4 * kLanes) {
          put(bytes + j, four_codes<kBits>(unit + j, i));
        }
      }
    }
  }
}

// sums[rows][groups], of the elements of rows of x from a row on.
static inline void group_sums(const Quantized &q, const Product &p, int64_t row, int64_t rows,
                              float *sums) {
  parallel_rows(rows, q.k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const void *x = p.row(row + r);
      for (int64_t g = 0; g < q.groups(); g++) {
        Floats total = {};
        by_vector(q.group, [&](int64_t i, int64_t n) {
          total += load_as(at(x, p.x_dtype, g * q.group + i), p.x_dtype, n);
        });
        sums[r * q.groups() + g] = sum(total);
      }
    }
  });
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
