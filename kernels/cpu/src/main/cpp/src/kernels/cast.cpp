#include <limits>

#include "../blocks.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_number(int32_t dtype) { return dtype >= GATUN_DTYPE_F32 && dtype <= GATUN_DTYPE_U8; }

float number_at(const void *x, int64_t i, int32_t dtype) {
  switch (dtype) {
    case GATUN_DTYPE_F32:
      return static_cast<const float *>(x)[i];
    case GATUN_DTYPE_BF16:
      return load_lanes(static_cast<const Bf16 *>(x) + i, 1)[0];
    case GATUN_DTYPE_F16:
      return load_lanes(static_cast<const F16 *>(x) + i, 1)[0];
    case GATUN_DTYPE_I64:
      return static_cast<float>(static_cast<const int64_t *>(x)[i]);
    case GATUN_DTYPE_I32:
      return static_cast<float>(static_cast<const int32_t *>(x)[i]);
    case GATUN_DTYPE_I8:
      return static_cast<float>(static_cast<const int8_t *>(x)[i]);
    default:
      return static_cast<float>(static_cast<const uint8_t *>(x)[i]);
  }
}

// `above` is the first float that is too large.
template <typename Y>
Y whole(float v, float above) {
  const float least = static_cast<float>(std::numeric_limits<Y>::min());
  if (v != v) {
    return 0;
  }
  const float rounded = __builtin_nearbyintf(v);
  return rounded >= above   ? std::numeric_limits<Y>::max()
         : rounded <= least ? std::numeric_limits<Y>::min()
                            : static_cast<Y>(rounded);
}

void set_number(void *y, int64_t i, int32_t dtype, float v) {
  switch (dtype) {
    case GATUN_DTYPE_F32:
      static_cast<float *>(y)[i] = v;
      break;
    case GATUN_DTYPE_BF16:
      store_lanes(static_cast<Bf16 *>(y) + i, splat(v), 1);
      break;
    case GATUN_DTYPE_F16:
      store_lanes(static_cast<F16 *>(y) + i, splat(v), 1);
      break;
    case GATUN_DTYPE_I64:
      static_cast<int64_t *>(y)[i] = whole<int64_t>(v, 0x1p63f);
      break;
    case GATUN_DTYPE_I32:
      static_cast<int32_t *>(y)[i] = whole<int32_t>(v, 0x1p31f);
      break;
    case GATUN_DTYPE_I8:
      static_cast<int8_t *>(y)[i] = whole<int8_t>(v, 128);
      break;
    default:
      static_cast<uint8_t *>(y)[i] = whole<uint8_t>(v, 256);
  }
}

}  // namespace

int32_t cast(const void *x, int32_t x_dtype, void *y, int32_t y_dtype, int64_t count) {
  if (count < 0 || !is_number(x_dtype) || !is_number(y_dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (!is_dtype(x_dtype) || !is_dtype(y_dtype)) {
    parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        set_number(y, i, y_dtype, number_at(x, i, x_dtype));
      }
    });
    return GATUN_OK;
  }
  by_dtype(x_dtype, [&](auto number) {
    by_dtype(y_dtype, [&](auto result) {
      using Y = decltype(result);
      const auto *from = static_cast<const decltype(number) *>(x);
      const Output<Y> output(static_cast<Y *>(y), count);
      parallel_rows(count, 1, [&](int64_t begin, int64_t end) {
        const Target<Y> out = output.row(begin);
        by_block(end - begin, [&](auto at) { at.store(out, at.load(from + begin)); });
        output.finish();
      });
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
