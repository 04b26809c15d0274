#include "../rotary.h"
#include "../token_codes.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Where the keys or values of tokens are kept: numbers, or codes with a scale a row of a head.
struct Cache {
  void *memory;
  const int64_t *strides;
  float *scales;

  template <typename T>
  T *head(int64_t row, int64_t place, int64_t h) const {
    return static_cast<T *>(memory) + row * strides[0] + place * strides[1] + h * strides[2];
  }

  // Keeps a row as codes, whose scale has this number.
  template <typename T>
  void encode(int64_t row, int64_t place, int64_t h, int64_t scale, const T *x, int64_t n) const {
    TokenCodes{head<int8_t>(row, place, h), 0, scales + scale, nullptr, false}.write(x, n, 0);
  }
};

}  // namespace

int32_t rotary_cache_update(const void *qkv, int64_t qkv_stride, const float *cosine,
                            const float *sine, const int64_t *positions, const int64_t *slots,
                            void *query, int64_t query_stride, void *key_cache, void *value_cache,
                            const int64_t *strides, float *key_scales, float *value_scales,
                            int32_t dtype, int64_t tokens, int64_t heads, int64_t kv_heads,
                            int64_t head_size, int64_t rotary, int32_t interleaved, int64_t room) {
  const Rotation rotation{cosine, sine, head_size, rotary, interleaved != 0};
  if (tokens < 0 || heads < 0 || kv_heads < 0 || room < 0 || !rotation.valid() ||
      !is_dtype(dtype) || (key_scales == nullptr) != (value_scales == nullptr)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const Cache key{key_cache, strides, key_scales}, value{value_cache, strides + 3, value_scales};
  std::atomic<bool> failed{false};
  by_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    parallel_rows(tokens, (heads + 2 * kv_heads) * head_size, [&](int64_t begin, int64_t end) {
      static thread_local Scratch scratch;
      float *turned = key_scales == nullptr ? nullptr : scratch.floats(head_size + 1);
      if (key_scales != nullptr && turned == nullptr) {
        failed.store(true);
        return;
      }
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
        for (int64_t h = 0; h < kv_heads; h++, keys += head_size, values += head_size) {
          if (turned == nullptr) {
            turn_head(rotation, positions[t], keys,
                      Target<T>{key.template head<T>(row, place, h), false});
            copy_row(values, Target<T>{value.template head<T>(row, place, h), false}, head_size);
            continue;
          }
          by_vector(head_size, [&](int64_t d, int64_t n) {
            store_lanes(turned + d, load_lanes(keys + d, n), n);
          });
          turn_head(rotation, positions[t], static_cast<const float *>(turned),
                    Target<float>{turned, false});
          const int64_t scale = slots[t] * kv_heads + h;
          key.encode(row, place, h, scale, turned, head_size);
          value.encode(row, place, h, scale, values, head_size);
        }
      }
    });
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
