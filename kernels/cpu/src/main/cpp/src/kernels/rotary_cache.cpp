#include "../rotary.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t rotary_cache_update(const void *qkv, int64_t qkv_stride, const float *cosine,
                            const float *sine, const int64_t *positions, const int64_t *slots,
                            void *query, int64_t query_stride, void *key_cache, void *value_cache,
                            const int64_t *strides, int32_t dtype, int64_t tokens, int64_t heads,
                            int64_t kv_heads, int64_t head_size, int64_t rotary,
                            int32_t interleaved, int64_t room) {
  const Rotation rotation{cosine, sine, head_size, rotary, interleaved != 0};
  if (tokens < 0 || heads < 0 || kv_heads < 0 || room < 0 || !rotation.valid() ||
      !is_dtype(dtype)) {
    return GATUN_INVALID_ARGUMENT;
  }
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(tokens, (heads + 2 * kv_heads) * head_size, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        const T *in = static_cast<const T *>(qkv) + t * qkv_stride;
        for (int64_t h = 0; h < heads; h++) {
          turn_head(rotation, positions[t], in + h * head_size,
                    Target<T>{static_cast<T *>(query) + t * query_stride + h * head_size, false});
        }
        if (slots[t] < 0) {
          continue;
        }
        const int64_t row = slots[t] / room, place = slots[t] % room;
        const T *keys = in + heads * head_size, *values = keys + kv_heads * head_size;
        for (int64_t h = 0; h < kv_heads; h++) {
          T *key = static_cast<T *>(key_cache) + row * strides[0] + place * strides[1];
          turn_head(rotation, positions[t], keys + h * head_size,
                    Target<T>{key + h * strides[2], false});
          __builtin_memcpy(static_cast<T *>(value_cache) + row * strides[3] + place * strides[4] +
                               h * strides[5],
                           values + h * head_size, static_cast<size_t>(head_size) * sizeof(T));
        }
      }
    });
  });
  return GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
