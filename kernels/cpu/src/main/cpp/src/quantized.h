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
  int32_t bits;
  int32_t scales;
  int64_t group;  // input features that share a scale
  int64_t k;
  int64_t first = 0;                  // the panel that lies at `packed`
  const BlockRows *source = nullptr;  // what panels are packed of when they are needed, else null

  Quantized(const BlockRows &rows, int64_t k)
      : packed(nullptr),
        bits(rows.form.bits),
        scales(rows.form.scales),
        group(rows.format.group()),
        k(k),
        source(&rows) {}

  Quantized(const void *memory, int32_t bits, int64_t group, int32_t scales, int64_t k)
      : packed(static_cast<const uint8_t *>(memory)),
        bits(bits),
        scales(scales),
        group(group == 0 ? k : group),
        k(k) {}

  bool valid() const {
    return (bits == 4 || bits == 8) && scales >= GATUN_SCALES_F32 &&
           scales <= GATUN_SCALES_F32_SUM && group >= 0 && (group == 0 || k % group == 0) &&
           (bits == 8 || group % 8 == 0);
  }

  bool has_min() const { return scales == GATUN_SCALES_F16_ZERO || scales == GATUN_SCALES_F32_MIN; }
  bool has_sum() const { return scales == GATUN_SCALES_F32_SUM; }
  int64_t groups() const { return group == 0 ? 0 : k / group; }
  int64_t header() const {
    constexpr int64_t kBytes[] = {4, 2, 3, 8, 8};
    return GATUN_PANEL * kBytes[scales];
  }
  // Words of one output feature in a record.
  int64_t words() const { return (group + 32 / bits - 1) / (32 / bits); }
  int64_t record_bytes() const { return header() + words() * GATUN_PANEL * 4; }
  const uint8_t *record(int64_t panel, int64_t g) const {
    return packed + ((panel - first) * groups() + g) * record_bytes();
  }

  // The scales of kLanes features from `feature` on.
  Floats scale(const uint8_t *record, int64_t feature) const {
    if (scales != GATUN_SCALES_F16 && scales != GATUN_SCALES_F16_ZERO) {
      return load(reinterpret_cast<const float *>(record) + feature);
    }
    return from_f16(load_halves(reinterpret_cast<const uint16_t *>(record) + feature));
  }

  // The sums of a group's elements.
  Floats sum(const uint8_t *record, int64_t feature) const {
    return load(reinterpret_cast<const float *>(record) + GATUN_PANEL + feature);
  }

  // What a code of 0 means.
  Floats min(const uint8_t *record, int64_t feature, Floats scale) const {
    if (scales == GATUN_SCALES_F32_MIN) {
      return load(reinterpret_cast<const float *>(record) + GATUN_PANEL + feature);
    }
    if (scales == GATUN_SCALES_F16_ZERO) {
      typedef int8_t Zeros __attribute__((vector_size(kLanes)));
      Zeros zeros;
      __builtin_memcpy(&zeros, record + 2 * GATUN_PANEL + feature, sizeof zeros);
      // By way of whole numbers, which is one instruction a step.
      return -scale * __builtin_convertvector(__builtin_convertvector(zeros, Ints), Floats);
    }
    return Floats{};
  }
};

// A thread's panel that is packed for its products; the next task's takes its place.
static inline float *panel_memory(int64_t bytes) {
  static thread_local Scratch scratch;
  return scratch.floats(bytes / static_cast<int64_t>(sizeof(float)) + 1);
}

// Gives q's panel, packed of the blocks, a place.
static inline int32_t pack_own(int64_t panel, Quantized *q) {
  const BlockRows &rows = *q->source;
  const int64_t begin = panel * GATUN_PANEL, left = rows.n - begin;
  uint8_t *memory = reinterpret_cast<uint8_t *>(panel_memory(q->groups() * q->record_bytes()));
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

// The words of kLanes features.
static inline Ints load_words(const void *words) {
  Ints w;
  __builtin_memcpy(&w, words, sizeof w);
  return w;
}

// Element i of each word as a float.
template <int kBits>
static inline Floats code(Ints words, int i) {
  if constexpr (kBits == 4) {
    const int at = i % 4 * 8 + i / 4 * 4;
    return code4(words, at);
  } else {
    return __builtin_convertvector(((words >> 8 * i) & 255) - 128, Floats);
  }
}

// The codes of a panel's groups [first, last) as bytes, [k / 4][PANEL][4], unsigned as they are
// kept or signed.
template <int kBits, typename Byte>
static inline void code_bytes(const Quantized &q, int64_t panel, int64_t first, int64_t last,
                              Byte *bytes) {
  typedef Byte Bytes __attribute__((vector_size(4 * kLanes)));
  constexpr int64_t kLine = 4 * GATUN_PANEL;
  constexpr Byte kZero = static_cast<Byte>(-1) < 0 ? static_cast<Byte>(1 << (kBits - 1)) : 0;
  const auto put = [](Byte *to, Ints codes) {
    Bytes all;
    __builtin_memcpy(&all, &codes, sizeof all);
    all -= kZero;
    __builtin_memcpy(to, &all, sizeof all);
  };
  for (int64_t g = first; g < last; g++) {
    const uint8_t *words = q.record(panel, g) + q.header();
    for (int64_t w = 0; w < q.words(); w++, words += kLine) {
      for (int64_t j = 0; j < kLine; j += 4 * kLanes) {
        const Ints word = load_words(words + j);
        if constexpr (kBits == 8) {
          put(bytes + j, word);
        } else {
          put(bytes + j, word & 0x0f0f0f0f);
          put(bytes + kLine + j, (word >> 4) & 0x0f0f0f0f);
        }
      }
      bytes += kBits == 8 ? kLine : 2 * kLine;
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
