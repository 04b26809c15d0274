// Products of codes by matrix registers. The sums of a run are whole numbers, so results are those
// of codes_tile.h to the bit.
#ifndef GATUN_MATRIX_CODES_H
#define GATUN_MATRIX_CODES_H

#include "activation_codes.h"
#include "matrices.h"

namespace gatun {
namespace GATUN_LEVEL {

// The rows of a task where a whole row is one run, as long_rows.
static inline void matrix_long_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                                    int64_t row, int64_t rows, float *sums) {
  const uint8_t *record = q.record(panel, 0);
  Matrices().product<ByteProducts>(rows, a.codes + row * a.stride, a.stride, record + q.header(),
                                   q.words(), sums, sizeof(float) * GATUN_PANEL, Into::kNew,
                                   From::kMemory);
  for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
    const Floats scale = q.scale(record, j), weights = a.centred ? Floats{} : q.sum(record, j);
    for (int64_t r = 0; r < rows; r++) {
      float *sum = sums + r * GATUN_PANEL + j;
      const Ints part = load_words(sum) + a.begin[row + r];
      const Floats products = __builtin_convertvector(part, Floats) * scale;
      store(sum, fma(splat(a.offsets[row + r]), weights, products * a.scales[row + r]));
    }
  }
}

// Whether matrix_rows takes a task, and is faster: of few rows or in shorter runs what becomes of
// the sums costs more than they do.
static inline bool fits_matrix_rows(const Quantized &q, const ActivationCodes &a, int64_t rows) {
  constexpr int64_t kLeastRun = 128;
  return rows > kMatrixRows && a.run >= kLeastRun && a.run % 4 == 0 && q.group <= kDepthBlock &&
         !q.has_sum() && has(kMatrixBytes);
}

// The rows of a task by way of bytes, as bytes_rows: those of a tile and a run at a time.
template <int kBits>
static inline void matrix_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                               int64_t row, int64_t rows, float *sums) {
  alignas(64) uint8_t bytes[kDepthBlock * GATUN_PANEL];
  alignas(64) int32_t part[kMatrixTileRows * GATUN_PANEL];
  const int64_t together = kDepthBlock / q.group, run = a.run, runs = q.group / run;
  const int64_t shared = a.per_token() ? a.runs : a.block / run;
  const bool per_token = a.per_token(), has_min = q.has_min();
  Matrices matrices;
  clear(sums, rows);
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    code_bytes<kBits>(q, panel, g, last, bytes);
    const char *next = reinterpret_cast<const char *>(q.record(panel, last));
    Ahead{next, (last - g) * q.record_bytes()}.ask_all(0);
    for (int64_t first = 0; first < rows; first += kMatrixTileRows) {
      const int64_t count = rows - first < kMatrixTileRows ? rows - first : kMatrixTileRows;
      const int64_t top = row + first;
      for (int64_t i = g * runs; i < last * runs; i++) {
        matrices.product<ByteProducts>(count, a.codes + top * a.stride + i * run, a.stride,
                                       bytes + (i - g * runs) * run * GATUN_PANEL, run / 4, part,
                                       4 * GATUN_PANEL, Into::kNew, From::kCache);
        const uint8_t *record = q.record(panel, i / runs);
        for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
          const Floats scale = q.scale(record, j), min = q.min(record, j, scale);
          for (int64_t r = 0; r < count; r++) {
            const float by = per_token ? 1.0f : a.scales[(top + r) * a.blocks + i / shared];
            const Ints whole =
                load_words(part + r * GATUN_PANEL + j) + a.begin[(top + r) * a.runs + i];
            float *sum = sums + (first + r) * GATUN_PANEL + j;
            Floats total = fma(__builtin_convertvector(whole, Floats) * by, scale, load(sum));
            if (has_min) {
              total = fma(splat(a.shifts[(top + r) * a.runs + i]), min, total);
            }
            store(sum, total);
          }
        }
      }
    }
  }
  for (int64_t r = 0; per_token && r < rows; r++) {
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      float *sum = sums + r * GATUN_PANEL + j;
      // As codes_tile, which adds an offset of 0.
      store(sum, load(sum) * a.scales[(row + r) * a.blocks] + Floats{});
    }
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
