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

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
