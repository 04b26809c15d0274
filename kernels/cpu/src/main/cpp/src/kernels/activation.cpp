#include "../math.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t activation_f32(const float *x, float *y, int64_t count, int32_t activation) {
  if (count < 0 || activation < GATUN_ACTIVATION_NONE || activation > GATUN_ACTIVATION_QUICK_GELU) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
    by_vector(end - begin, [&](int64_t i, int64_t n) {
      store_lanes(y + begin + i, activate(load_lanes(x + begin + i, n), activation), n);
    });
  });
  return GATUN_OK;
}

int32_t gated_activation_f32(const float *gate, int64_t gate_stride, const float *up,
                             int64_t up_stride, float *y, int64_t rows, int64_t columns,
                             int32_t activation) {
  if (rows < 0 || columns < 0 || activation < GATUN_ACTIVATION_NONE ||
      activation > GATUN_ACTIVATION_QUICK_GELU) {
    return GATUN_INVALID_ARGUMENT;
  }
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      by_vector(columns, [&](int64_t i, int64_t n) {
        const Floats g = activate(load_lanes(gate + r * gate_stride + i, n), activation);
        store_lanes(y + r * columns + i, g * load_lanes(up + r * up_stride + i, n), n);
      });
    }
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
