// Blocks of a file as floats again, and in panels for products.
#include "../blocks.h"
#include "../panel_pack.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

void dequantize_row(const BlockFormat &format, const uint8_t *in, int64_t k, float *out) {
  const int64_t most = format.block < kSuperBlock ? format.block : kSuperBlock;
  Piece piece;
  for (int64_t b = 0; b < k / format.block; b++) {
    for (int64_t from = 0; from < format.block; from += most) {
      const int64_t count = format.block - from < most ? format.block - from : most;
      const int64_t group = format.whole_row ? kSuperBlock : format.group();
      load_piece(format, in + b * format.bytes(), from, count, &piece);
      for (int64_t i = 0; i < count; i++) {
        const int64_t g = i / group;
        const float product = piece.scales[g] * static_cast<float>(piece.codes[i] - piece.zeros[g]);
        out[b * format.block + from + i] = piece.mins[g] == 0 ? product : product + piece.mins[g];
      }
    }
  }
}

}  // namespace

int32_t dequantize(const uint8_t *blocks, int64_t row_stride, int64_t n, int64_t k, int32_t kind,
                   int64_t block, float *weight) {
  const BlockFormat format = BlockFormat::of(kind, block, k);
  if (n < 0 || !format.valid(k)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (k > 0) {
    parallel_rows(n, k, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        dequantize_row(format, blocks + row * row_stride, k, weight + row * k);
      }
    });
  }
  return GATUN_OK;
}

int32_t quantized_pack(const uint8_t *blocks, int64_t row_stride, int64_t n, int64_t k,
                       int32_t kind, int64_t block, uint8_t *packed) {
  const BlockFormat format = BlockFormat::of(kind, block, k);
  if (n < 0 || !format.valid(k)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (k == 0) {
    return GATUN_OK;
  }
  const PackedForm form = packed_form(format);
  const int64_t size = k / format.group() / form.records.together() * form.records.record_bytes();
  // What is much is needed much later: its panels are packed in a cache and leave it around the
  // caches, so that memory is not read before it is written.
  constexpr int64_t kFar = cut(int64_t{1} << 23, 512);
  const int64_t panels = (n + GATUN_PANEL - 1) / GATUN_PANEL;
  const bool far = kStreams && panels * size >= kFar;
  std::atomic<bool> finite{true};
  parallel(panels, [&](int64_t panel) {
    const int64_t first = panel * GATUN_PANEL, count = size / static_cast<int64_t>(sizeof(float));
    const int64_t features = n - first < GATUN_PANEL ? n - first : GATUN_PANEL;
    float *to = reinterpret_cast<float *>(packed + panel * size);
    static thread_local Scratch scratch;
    float *near = far ? scratch.floats(count) : nullptr;
    if (!pack_panel(format, form, blocks + first * row_stride, row_stride, features, k,
                    reinterpret_cast<uint8_t *>(near == nullptr ? to : near))) {
      finite.store(false, std::memory_order_relaxed);
    }
    if (near != nullptr) {
      copy_row(near, Target<float>::of(to, true), count);
      fence();
    }
  });
  return finite.load() ? GATUN_OK : GATUN_NOT_FINITE;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
