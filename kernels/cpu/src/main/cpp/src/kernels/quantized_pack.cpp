// Blocks of a file as floats again, and in panels for products.
//
// A panel has its 32 features' words beside each other, so packing transposes: blocks of 32 rows
// are taken apart into bytes, which stay in the first cache, and written as words in the order in
// which products read them.
#include "../block_formats.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// How a format is packed.
struct PackedForm {
  int bits;
  int32_t scales;  // gatun_scales
  int centre;      // taken off codes of formats with a minimum, so that they lie about 0

  // Bytes of what a group of a panel has ahead of its words.
  int64_t header() const {
    switch (scales) {
      case GATUN_SCALES_F16:
        return 2 * GATUN_PANEL;
      case GATUN_SCALES_F16_ZERO:
        return 3 * GATUN_PANEL;
      case GATUN_SCALES_F32:
        return 4 * GATUN_PANEL;
      default:
        return 8 * GATUN_PANEL;
    }
  }

  // Bytes of a panel's group.
  int64_t record(int64_t group) const {
    const int64_t each = 32 / bits;
    return header() + (group + each - 1) / each * 4 * GATUN_PANEL;
  }
};

PackedForm packed_form(const BlockFormat &format) {
  switch (format.kind) {
    case GATUN_BLOCKS_INT8:
      return {8, format.whole_row ? GATUN_SCALES_F32_SUM : GATUN_SCALES_F32, 0};
    case GATUN_BLOCKS_INT8_ZERO:
      return {8, GATUN_SCALES_F32_MIN, 0};
    case GATUN_BLOCKS_INT4:
    case GATUN_BLOCKS_Q4_0:
      return {4, GATUN_SCALES_F16, 0};
    case GATUN_BLOCKS_INT4_ZERO:
      return {4, GATUN_SCALES_F16_ZERO, 0};
    case GATUN_BLOCKS_Q4_1:
    case GATUN_BLOCKS_Q4_K:
      return {4, GATUN_SCALES_F32_MIN, 8};
    case GATUN_BLOCKS_Q5_0:
    case GATUN_BLOCKS_Q8_0:
    case GATUN_BLOCKS_IQ4_NL:
      return {8, GATUN_SCALES_F16, 0};
    case GATUN_BLOCKS_Q5_1:
    case GATUN_BLOCKS_Q5_K:
      return {8, GATUN_SCALES_F32_MIN, 16};
    case GATUN_BLOCKS_Q2_K:
      return {4, GATUN_SCALES_F32_MIN, 2};
    case GATUN_BLOCKS_Q3_K:
      return {4, GATUN_SCALES_F32, 0};
    default:
      return {8, GATUN_SCALES_F32, 0};
  }
}

// Pieces of 32 features beside each other; the codes as the packed form stores them.
struct Pieces {
  alignas(64) uint8_t stored[GATUN_PANEL][kSuperBlock];
  float scales[kMostGroups][GATUN_PANEL];
  float mins[kMostGroups][GATUN_PANEL];
  int32_t zeros[kMostGroups][GATUN_PANEL];
  int64_t sums[GATUN_PANEL];  // of all codes so far
};

// Takes `count` elements from `from` on of a block of each feature apart; false where a scale is
// not finite. Features behind the last one, and codes behind the last up to a word, are 0.
bool load_pieces(const BlockFormat &format, const PackedForm &form, const uint8_t *in,
                 int64_t row_stride, int64_t features, int64_t from, int64_t count, Pieces *out) {
  const int zero = 1 << (form.bits - 1), offset = zero - form.centre;
  const int64_t groups = format.whole_row ? 1 : format.block / format.group();
  bool finite = true;
  Piece piece;
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    uint8_t *stored = out->stored[f];
    if (f >= features) {
      __builtin_memset(stored, zero, kSuperBlock);
      for (int64_t g = 0; g < groups; g++) {
        out->scales[g][f] = out->mins[g][f] = 0;
        out->zeros[g][f] = 0;
      }
      continue;
    }
    load_piece(format, in + f * row_stride, from, count, &piece);
    for (int64_t i = 0; i < count; i++) {
      stored[i] = static_cast<uint8_t>(piece.codes[i] + offset);
    }
    for (int64_t i = count; i % 4 != 0; i++) {
      stored[i] = static_cast<uint8_t>(zero);
    }
    if (format.whole_row) {
      int32_t sum = 0;
      for (int64_t i = 0; i < count; i++) {
        sum += piece.codes[i];
      }
      out->sums[f] += sum;
    }
    for (int64_t g = 0; g < groups; g++) {
      finite &= is_finite(piece.scales[g]) && is_finite(piece.mins[g]);
      out->scales[g][f] = piece.scales[g];
      out->mins[g][f] = piece.mins[g];
      out->zeros[g][f] = piece.zeros[g];
    }
  }
  return finite;
}

// Writes the scales of a group, and what is beside them. Features behind the last one have 0 of
// all.
void store_header(const PackedForm &form, const Pieces &pieces, int64_t g, int64_t features,
                  uint8_t *out) {
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    const float scale = pieces.scales[g][f];
    if (form.scales == GATUN_SCALES_F16 || form.scales == GATUN_SCALES_F16_ZERO) {
      store_f16(out + 2 * f, scale);
      if (form.scales == GATUN_SCALES_F16_ZERO) {
        out[2 * GATUN_PANEL + f] = static_cast<uint8_t>(pieces.zeros[g][f]);
      }
      continue;
    }
    store_bytes(out + 4 * f, scale);
    float beside = 0;
    if (form.scales == GATUN_SCALES_F32_MIN && f < features) {
      beside = static_cast<float>(pieces.mins[g][f] +
                                  static_cast<double>(form.centre - pieces.zeros[g][f]) * scale);
    } else if (form.scales == GATUN_SCALES_F32_SUM && f < features) {
      beside = static_cast<float>(static_cast<double>(scale) * static_cast<double>(pieces.sums[f]));
    }
    if (form.scales != GATUN_SCALES_F32) {
      store_bytes(out + 4 * GATUN_PANEL + 4 * f, beside);
    }
  }
}

// Writes the words of `count` elements from `from` on of the pieces.
void store_words(const PackedForm &form, const Pieces &pieces, int64_t from, int64_t count,
                 uint8_t *out) {
  if (form.bits == 8) {
    for (int64_t w = 0; w < (count + 3) / 4; w++) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        const uint32_t word = load_bytes<uint32_t>(&pieces.stored[f][from + 4 * w]);
        store_bytes(out + (w * GATUN_PANEL + f) * 4, word);
      }
    }
    return;
  }
  for (int64_t w = 0; w < count / 8; w++) {
    for (int64_t f = 0; f < GATUN_PANEL; f++) {
      const uint64_t both = load_bytes<uint64_t>(&pieces.stored[f][from + 8 * w]);
      const uint32_t word = static_cast<uint32_t>(both | both >> 28);
      store_bytes(out + (w * GATUN_PANEL + f) * 4, word);
    }
  }
}

// Packs a panel; false where a scale is not finite.
bool pack_panel(const BlockFormat &format, const PackedForm &form, const uint8_t *blocks,
                int64_t row_stride, int64_t features, int64_t k, uint8_t *out) {
  const int64_t group = format.group(), bytes = form.record(group);
  bool finite = true;
  static thread_local Pieces pieces;
  if (format.whole_row) {
    __builtin_memset(pieces.sums, 0, sizeof pieces.sums);
    for (int64_t from = 0; from < k; from += kSuperBlock) {
      const int64_t count = k - from < kSuperBlock ? k - from : kSuperBlock;
      finite &= load_pieces(format, form, blocks, row_stride, features, from, count, &pieces);
      store_words(form, pieces, 0, count, out + form.header() + from * GATUN_PANEL);
    }
    store_header(form, pieces, 0, features, out);
    return finite;
  }
  for (int64_t b = 0; b < k / format.block; b++) {
    finite &= load_pieces(format, form, blocks + b * format.bytes(), row_stride, features, 0,
                          format.block, &pieces);
    for (int64_t g = 0; g < format.block / group; g++) {
      store_header(form, pieces, g, features, out);
      store_words(form, pieces, g * group, group, out + form.header());
      out += bytes;
    }
  }
  return finite;
}

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
  const int64_t size = k / format.group() * form.record(format.group());
  std::atomic<bool> finite{true};
  parallel((n + GATUN_PANEL - 1) / GATUN_PANEL, [&](int64_t panel) {
    const int64_t first = panel * GATUN_PANEL;
    const int64_t features = n - first < GATUN_PANEL ? n - first : GATUN_PANEL;
    if (!pack_panel(format, form, blocks + first * row_stride, row_stride, features, k,
                    packed + panel * size)) {
      finite.store(false, std::memory_order_relaxed);
    }
  });
  return finite.load() ? GATUN_OK : GATUN_NOT_FINITE;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
