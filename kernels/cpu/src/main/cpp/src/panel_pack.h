// Rows of blocks as a panel of a packed weight.
//
// A panel has its 32 features' words beside each other, so packing transposes: whole panels of
// blocks by columns. Else, of rows that are a block each and of fewer than 32 rows, blocks are
// taken apart into bytes, which stay in the first cache, and written as words in the order in which
// products read them.
#ifndef GATUN_PANEL_PACK_H
#define GATUN_PANEL_PACK_H

#include "super_block_columns.h"
#include "tile.h"
#include "transpose.h"

namespace gatun {
namespace GATUN_LEVEL {

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

static inline PackedForm packed_form(const BlockFormat &format) {
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

// Blocks of 32 features beside each other, of as many elements as a super-block has.
struct Pieces {
  // The codes as the packed form stores them, each in a byte. What a line has behind its elements
  // keeps lines from sharing few sets of the cache, and is read with them, but never used.
  alignas(64) uint8_t stored[GATUN_PANEL][kSuperBlock + 64];
  float scales[kMostGroups][GATUN_PANEL];
  float mins[kMostGroups][GATUN_PANEL];
  int32_t zeros[kMostGroups][GATUN_PANEL];
  uint16_t halves[kMostGroups][GATUN_PANEL];  // scales of forms that have them as F16
  int64_t sums[GATUN_PANEL];                  // of all codes so far
};

static inline bool has_halves(const PackedForm &form) {
  return form.scales == GATUN_SCALES_F16 || form.scales == GATUN_SCALES_F16_ZERO;
}

// Elements of zeros: features behind the last one.
static inline void clear_feature(const PackedForm &form, int64_t f, Pieces *out) {
  __builtin_memset(out->stored[f], 1 << (form.bits - 1), kSuperBlock);
  for (int64_t g = 0; g < kMostGroups; g++) {
    out->scales[g][f] = out->mins[g][f] = 0;
    out->zeros[g][f] = 0;
    out->halves[g][f] = 0;
  }
}

// Takes `blocks` blocks of each feature apart; false where a scale is not finite.
static inline bool load_pieces(const BlockFormat &format, const PackedForm &form, const uint8_t *in,
                               int64_t row_stride, int64_t features, int64_t blocks, Pieces *out) {
  const int offset = (1 << (form.bits - 1)) - form.centre;
  // Stores of bytes might change what is behind references, so what the loops need is here.
  const int64_t block_size = format.block, bytes = format.bytes();
  const int64_t groups = block_size / format.group();
  const bool halves = has_halves(form), mins = form.scales == GATUN_SCALES_F32_MIN;
  bool finite = true;
  Piece piece;
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    if (f >= features) {
      clear_feature(form, f, out);
      continue;
    }
    const uint8_t *block = in + f * row_stride;
    for (int64_t b = 0, g = 0; b < blocks; b++, block += bytes) {
      load_piece(format, block, 0, block_size, &piece);
      uint8_t *stored = out->stored[f] + b * block_size;
      for (int64_t i = 0; i < block_size; i++) {
        stored[i] = static_cast<uint8_t>(piece.codes[i] + offset);
      }
      if (halves) {
        // The numbers of the file, to the bit.
        const uint16_t half = load_bytes<uint16_t>(block);
        finite &= (half & 0x7c00) != 0x7c00;
        out->halves[g][f] = half;
        out->zeros[g++][f] = piece.zeros[0];
        continue;
      }
      for (int64_t i = 0; i < groups; i++, g++) {
        finite &= is_finite(piece.scales[i]);
        out->scales[g][f] = piece.scales[i];
        if (mins) {
          finite &= is_finite(piece.mins[i]);
          out->mins[g][f] = piece.mins[i];
          out->zeros[g][f] = piece.zeros[i];
        }
      }
    }
  }
  return finite;
}

// The same of `count` elements from `from` on of rows that are a block each.
static inline bool load_parts(const PackedForm &form, const uint8_t *in, int64_t row_stride,
                              int64_t features, int64_t from, int64_t count, Pieces *out) {
  bool finite = true;
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    if (f >= features) {
      clear_feature(form, f, out);
      continue;
    }
    const uint8_t *row = in + f * row_stride, *codes = row + 4 + from;
    out->scales[0][f] = load_bytes<float>(row);
    finite &= is_finite(out->scales[0][f]);
    int32_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
      out->stored[f][i] = static_cast<uint8_t>(codes[i] ^ 0x80);
      sum += static_cast<int8_t>(codes[i]);
    }
    for (int64_t i = count; i % 4 != 0; i++) {
      out->stored[f][i] = 0x80;
    }
    out->sums[f] += sum;
  }
  return finite;
}

// Writes the scales of a group, and what is beside them. Features behind the last one have 0 of
// all.
static inline void store_header(const PackedForm &form, const Pieces &pieces, int64_t g,
                                int64_t features, uint8_t *out) {
  if (has_halves(form)) {
    __builtin_memcpy(out, pieces.halves[g], sizeof pieces.halves[g]);
    for (int64_t f = 0; f < GATUN_PANEL && form.scales == GATUN_SCALES_F16_ZERO; f++) {
      out[2 * GATUN_PANEL + f] = static_cast<uint8_t>(pieces.zeros[g][f]);
    }
    return;
  }
  __builtin_memcpy(out, pieces.scales[g], sizeof pieces.scales[g]);
  if (form.scales == GATUN_SCALES_F32) {
    return;
  }
  float beside[GATUN_PANEL];
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    const double scale = static_cast<double>(pieces.scales[g][f]);
    const double zero = form.centre - pieces.zeros[g][f], min = pieces.mins[g][f];
    beside[f] = static_cast<float>(form.scales == GATUN_SCALES_F32_SUM
                                       ? scale * static_cast<double>(pieces.sums[f])
                                       : min + zero * scale);
  }
  for (int64_t f = features; f < GATUN_PANEL; f++) {
    beside[f] = 0;
  }
  __builtin_memcpy(out + 4 * GATUN_PANEL, beside, sizeof beside);
}

// Writes the words of `count` elements, `each` of them in a record; the first record's words begin
// at `out`.
static inline void store_words(const PackedForm &form, const Pieces &pieces, int64_t count,
                               int64_t each, int64_t record, uint8_t *out) {
  const int64_t units = (count + 3) / 4, together = 8 / form.bits;  // units are bytes of four
  const int64_t own = (each + 3) / 4;
  for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
    for (int64_t u = 0; u < units; u += kLanes) {
      Ints rows[kLanes];
      load_square(pieces.stored[f] + 4 * u, sizeof pieces.stored[f] / 4, rows);
      turn_about(rows);
      const int64_t left = units - u < kLanes ? units - u : kLanes;
      uint8_t *to = out + u / own * record + (u % own / together * GATUN_PANEL + f) * 4;
      for (int64_t i = 0, place = u % own; i < left; i += together) {
        const Ints words = together == 1 ? rows[i] : rows[i] | rows[i + 1] << 4;
        __builtin_memcpy(to, &words, sizeof words);
        to += 4 * GATUN_PANEL;
        place += together;
        if (place == own) {
          to += record - own / together * 4 * GATUN_PANEL;
          place = 0;
        }
      }
    }
  }
}

// Packs a panel by columns; false where a scale is not finite. What is read next, the rows behind
// these, is asked for.
template <typename Block>
static inline bool pack_columns(const BlockFormat &format, const PackedForm &form,
                                const uint8_t *blocks, int64_t row_stride, int64_t k, uint8_t *out,
                                const Block &block) {
  const int64_t all = k / format.block, groups = format.block / format.group();
  const Ahead ahead =
      Ahead::share(blocks + GATUN_PANEL * row_stride, GATUN_PANEL * format.row_bytes(k), all, 1, 0);
  Columns c{blocks, row_stride, out, form.record(format.group()), form.header(), 0};
  Ints wrong = {};
  for (int64_t b = 0; b < all; b++, c.in += format.bytes(), c.out += groups * c.record) {
    ahead.ask_all(b);
    for (c.feature = 0; c.feature < GATUN_PANEL; c.feature += kLanes) {
      Columns some = c;
      some.in += c.feature * row_stride;
      wrong |= block(some);
    }
  }
  return !any(wrong);
}

static inline bool pack_columns(const BlockFormat &format, const PackedForm &form,
                                const uint8_t *blocks, int64_t row_stride, int64_t k,
                                uint8_t *out) {
  const auto pack = [&](const auto &block) {
    return pack_columns(format, form, blocks, row_stride, k, out, block);
  };
  const auto pack_sized = [&](const auto &block) {
    return pack([&](const Columns &c) { return block(c, format.block); });
  };
  switch (format.kind) {
    case GATUN_BLOCKS_INT8:
      return pack_sized(int8_columns);
    case GATUN_BLOCKS_INT8_ZERO:
      return pack_sized(int8_zero_columns);
    case GATUN_BLOCKS_INT4_ZERO:
      return pack_sized(int4_zero_columns);
    case GATUN_BLOCKS_Q4_1:
      return pack(q4_1_columns);
    case GATUN_BLOCKS_Q5_0:
      return pack(q5_0_columns);
    case GATUN_BLOCKS_Q5_1:
      return pack(q5_1_columns);
    case GATUN_BLOCKS_Q8_0:
      return pack(q8_0_columns);
    case GATUN_BLOCKS_Q4_K:
      return pack(q4_k_columns);
    case GATUN_BLOCKS_Q5_K:
      return pack(q5_k_columns);
    case GATUN_BLOCKS_Q6_K:
      return pack(q6_k_columns);
    case GATUN_BLOCKS_Q2_K:
      return pack(q2_k_columns);
    case GATUN_BLOCKS_Q3_K:
      return pack(q3_k_columns);
    case GATUN_BLOCKS_IQ4_NL:
      return pack(iq4_nl_columns);
    case GATUN_BLOCKS_IQ4_XS:
      return pack(iq4_xs_columns);
    case GATUN_BLOCKS_MXFP4:
      return pack(mxfp4_columns);
    default:
      return pack_sized(int4_columns);
  }
}

// Packs a panel; false where a scale is not finite.
static inline bool pack_panel(const BlockFormat &format, const PackedForm &form,
                              const uint8_t *blocks, int64_t row_stride, int64_t features,
                              int64_t k, uint8_t *out) {
  if (features == GATUN_PANEL && !format.whole_row) {
    return pack_columns(format, form, blocks, row_stride, k, out);
  }
  const int64_t group = format.group(), record = form.record(group), header = form.header();
  bool finite = true;
  static thread_local Pieces pieces;
  if (format.whole_row) {
    __builtin_memset(pieces.sums, 0, sizeof pieces.sums);
    for (int64_t from = 0; from < k; from += kSuperBlock) {
      const int64_t count = k - from < kSuperBlock ? k - from : kSuperBlock;
      finite &= load_parts(form, blocks, row_stride, features, from, count, &pieces);
      store_words(form, pieces, count, kSuperBlock, 0, out + header + from * GATUN_PANEL);
    }
    store_header(form, pieces, 0, features, out);
    return finite;
  }
  const int64_t all = k / format.block, most = kSuperBlock / format.block;
  for (int64_t b = 0; b < all; b += most) {
    const int64_t together = all - b < most ? all - b : most, count = together * format.block;
    finite &= load_pieces(format, form, blocks + b * format.bytes(), row_stride, features, together,
                          &pieces);
    store_words(form, pieces, count, group, record, out + header);
    for (int64_t g = 0; g < count / group; g++, out += record) {
      store_header(form, pieces, g, features, out);
    }
  }
  return finite;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
