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
  PackedRecords records;
  int centre;  // taken off codes of formats with a minimum, so that they lie about 0
};

static inline PackedForm packed_form(const BlockFormat &format) {
  const auto form = [&](int32_t bits, int32_t scales, int centre) {
    return PackedForm{{bits, scales, format.group()}, centre};
  };
  switch (format.kind) {
    case GATUN_BLOCKS_INT8:
      return form(8, format.whole_row ? GATUN_SCALES_F32_SUM : GATUN_SCALES_F32, 0);
    case GATUN_BLOCKS_INT8_ZERO:
      return form(8, GATUN_SCALES_F32_MIN, 0);
    case GATUN_BLOCKS_INT4:
    case GATUN_BLOCKS_Q4_0:
      return form(4, GATUN_SCALES_F16, 0);
    case GATUN_BLOCKS_INT4_ZERO:
      return form(4, GATUN_SCALES_F16_ZERO, 0);
    case GATUN_BLOCKS_Q4_1:
      return form(4, GATUN_SCALES_F16_MIN, 8);
    case GATUN_BLOCKS_Q4_K:
    case GATUN_BLOCKS_Q2_K:
      return form(4, GATUN_SCALES_F16_BYTE_MIN, 8);
    case GATUN_BLOCKS_Q5_0:
      return form(5, GATUN_SCALES_F16, 0);
    case GATUN_BLOCKS_Q5_1:
      return form(5, GATUN_SCALES_F16_MIN, 16);
    case GATUN_BLOCKS_Q5_K:
      return form(5, GATUN_SCALES_F16_BYTE_MIN, 16);
    case GATUN_BLOCKS_Q6_K:
      return form(6, GATUN_SCALES_F16_BYTE, 0);
    case GATUN_BLOCKS_Q8_0:
    case GATUN_BLOCKS_IQ4_NL:
      return form(8, GATUN_SCALES_F16, 0);
    case GATUN_BLOCKS_Q3_K:
      return form(4, GATUN_SCALES_F16_BYTE, 0);
    case GATUN_BLOCKS_IQ4_XS:
      return form(8, GATUN_SCALES_F16_BYTE, 0);
    case GATUN_BLOCKS_MXFP4:
      return form(5, GATUN_SCALES_F32, 0);
    default:
      return form(8, GATUN_SCALES_F32, 0);
  }
}

// Blocks of 32 features beside each other, of as many elements as a super-block has.
struct Pieces {
  // The codes as the packed form stores them, each in a byte. What a line has behind its elements
  // keeps lines from sharing few sets of the cache, and is read with them, but never used.
  alignas(64) uint8_t stored[GATUN_PANEL][kSuperBlock + 64];
  float scales[kMostGroups][GATUN_PANEL];
  int32_t zeros[kMostGroups][GATUN_PANEL];
  // Of forms that have them as F16, scales and minima; of groups that share them, the first.
  uint16_t halves[2][kMostGroups][GATUN_PANEL];
  int8_t times[2][kMostGroups][GATUN_PANEL];  // what groups have of what they share
  int64_t sums[GATUN_PANEL];                  // of all codes so far
};

// How the scales of a form lie in blocks and in pieces.
struct Headers {
  bool halves, seconds, shared, zeros;

  explicit Headers(const PackedRecords &r)
      : halves(r.scales == GATUN_SCALES_F16 || r.scales == GATUN_SCALES_F16_ZERO ||
               r.scales == GATUN_SCALES_F16_MIN),
        seconds(r.scales == GATUN_SCALES_F16_MIN || r.scales == GATUN_SCALES_F16_BYTE_MIN),
        shared(r.shared()),
        zeros(r.scales == GATUN_SCALES_F32_MIN) {}
};

static inline bool is_finite_half(uint16_t half) { return (half & 0x7c00) != 0x7c00; }

// Elements of zeros: features behind the last one.
static inline void clear_feature(const PackedForm &form, int64_t f, Pieces *out) {
  __builtin_memset(out->stored[f], 1 << (form.records.bits - 1), kSuperBlock);
  for (int64_t g = 0; g < kMostGroups; g++) {
    out->scales[g][f] = 0;
    out->zeros[g][f] = 0;
    for (int i = 0; i < 2; i++) {
      out->halves[i][g][f] = 0;
      out->times[i][g][f] = 0;
    }
  }
}

// Takes `blocks` blocks of each feature apart; false where a scale is not finite.
static inline bool load_pieces(const BlockFormat &format, const PackedForm &form, const uint8_t *in,
                               int64_t row_stride, int64_t features, int64_t blocks, Pieces *out) {
  const int offset = (1 << (form.records.bits - 1)) - form.centre;
  // Stores of bytes might change what is behind references, so what the loops need is here.
  const int64_t block_size = format.block, bytes = format.bytes();
  const int64_t groups = block_size / format.group();
  const Headers have(form.records);
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
      if (have.halves || have.shared) {
        // The numbers of the file, to the bit.
        for (int i = 0; i < (have.seconds ? 2 : 1); i++) {
          const uint16_t half = have.shared ? piece.shared[i] : load_bytes<uint16_t>(block + 2 * i);
          finite &= is_finite_half(half);
          out->halves[i][g][f] = half;
        }
        out->zeros[g][f] = piece.zeros[0];
        for (int64_t i = 0; have.shared && i < groups; i++) {
          out->times[0][g + i][f] = piece.times[i];
          out->times[1][g + i][f] = piece.less[i];
        }
        g += groups;
        continue;
      }
      for (int64_t i = 0; i < groups; i++, g++) {
        finite &= is_finite(piece.scales[i]);
        out->scales[g][f] = piece.scales[i];
        if (have.zeros) {
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

// Writes the scales of a record that begins with group g, and what is beside them. Features behind
// the last one have 0 of all.
static inline void store_header(const PackedForm &form, const Pieces &pieces, int64_t g,
                                int64_t features, uint8_t *out) {
  const int32_t scales = form.records.scales;
  const Headers have(form.records);
  if (have.halves || have.shared) {
    for (int i = 0; i < (have.seconds ? 2 : 1); i++, out += 2 * GATUN_PANEL) {
      __builtin_memcpy(out, pieces.halves[i][g], sizeof pieces.halves[i][g]);
    }
    for (int64_t f = 0; f < GATUN_PANEL && scales == GATUN_SCALES_F16_ZERO; f++) {
      out[f] = static_cast<uint8_t>(pieces.zeros[g][f]);
    }
    const size_t bytes = static_cast<size_t>(form.records.together() * GATUN_PANEL);
    for (int i = 0; have.shared && i < (have.seconds ? 2 : 1); i++, out += bytes) {
      __builtin_memcpy(out, pieces.times[i][g], bytes);
    }
    return;
  }
  __builtin_memcpy(out, pieces.scales[g], sizeof pieces.scales[g]);
  if (scales == GATUN_SCALES_F32) {
    return;
  }
  float beside[GATUN_PANEL];
  for (int64_t f = 0; f < GATUN_PANEL; f++) {
    const double scale = static_cast<double>(pieces.scales[g][f]);
    // What a code of 0 means is not -0.
    beside[f] = static_cast<float>(scales == GATUN_SCALES_F32_SUM
                                       ? scale * static_cast<double>(pieces.sums[f])
                                       : scale * -pieces.zeros[g][f] + 0.0);
  }
  for (int64_t f = features; f < GATUN_PANEL; f++) {
    beside[f] = 0;
  }
  __builtin_memcpy(out + 4 * GATUN_PANEL, beside, sizeof beside);
}

// Writes the words of `count` elements, `each` of them in a group; groups' words are `step` bytes
// apart, the first one's begin at `out`.
template <int kBits>
static inline void store_words(const Pieces &pieces, int64_t count, int64_t each, int64_t step,
                               uint8_t *out) {
  // Fours of elements that are turned about at once, as many as one unit has or more.
  constexpr int kAtOnce = kLanes < 8 ? 8 : kLanes;
  constexpr int kFours = kUnit<kBits> / 4;
  constexpr int64_t kBytes = kUnitWords<kBits> * kWordLine;
  const int64_t fours = (count + 3) / 4, own = (each + 3) / 4;
  for (int64_t f = 0; f < GATUN_PANEL; f += kLanes) {
    for (int64_t u = 0; u < fours; u += kAtOnce) {
      Ints squares[kAtOnce / kLanes][kLanes];
      for (int s = 0; s < kAtOnce / kLanes; s++) {
        load_square(pieces.stored[f] + 4 * (u + s * kLanes), sizeof pieces.stored[f] / 4,
                    squares[s]);
        turn_about(squares[s]);
      }
      const int64_t left = fours - u < kAtOnce ? fours - u : kAtOnce;
      int64_t place = u % own;
      uint8_t *to = out + u / own * step + place / kFours * kBytes + f * 4;
      for (int64_t i = 0; i < left; i += kFours) {
        store_unit<kBits>(squares[0] + i, to);
        to += kBytes;
        place += kFours;
        if (place == own) {
          to += step - own / kFours * kBytes;
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
  const PackedRecords &records = form.records;
  const int64_t size = groups / records.together() * records.record_bytes();
  Columns c{blocks, row_stride, out, records.step(), records.header(), 0};
  Ints wrong = {};
  for (int64_t b = 0; b < all; b++, c.in += format.bytes(), c.out += size) {
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
  const int64_t group = format.group(), header = form.records.header();
  const int64_t record = form.records.record_bytes(), records = form.records.together();
  const int64_t step = form.records.step();
  bool finite = true;
  static thread_local Pieces pieces;
  if (format.whole_row) {
    __builtin_memset(pieces.sums, 0, sizeof pieces.sums);
    for (int64_t from = 0; from < k; from += kSuperBlock) {
      const int64_t count = k - from < kSuperBlock ? k - from : kSuperBlock;
      finite &= load_parts(form, blocks, row_stride, features, from, count, &pieces);
      store_words<8>(pieces, count, kSuperBlock, 0, out + header + from * GATUN_PANEL);
    }
    store_header(form, pieces, 0, features, out);
    return finite;
  }
  const int64_t all = k / format.block, most = kSuperBlock / format.block;
  for (int64_t b = 0; b < all; b += most) {
    const int64_t together = all - b < most ? all - b : most, count = together * format.block;
    finite &= load_pieces(format, form, blocks + b * format.bytes(), row_stride, features, together,
                          &pieces);
    with_bits(form.records.bits,
              [&](auto bits) { store_words<bits>(pieces, count, group, step, out + header); });
    for (int64_t g = 0; g < count / group; g += records, out += record) {
      store_header(form, pieces, g, features, out);
    }
  }
  return finite;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
