// Products with packed weights of codes: how these lie, as
// dev.gatun.kernels.api.memory.PackedLayout says, and what the kernels share.
//
// A word of a panel has neighbours on the input axis of one feature, and words of neighbouring
// features follow each other. So 16 bytes are one word of four features, and those that lane
// (g, t) = (lane / 4, lane % 4) of a warp takes, row t and features 4g to 4g + 3, are whole
// fragments of the left matrix of mma: rows g and g + 8 of two tiles are the features 4g, 4g + 1
// and 4g + 2, 4g + 3, and which input features a step of mma has does not matter as long as the
// right matrix has the same. Tokens are the columns of the right matrix.
#ifndef GATUN_QUANTIZED_PRODUCT_H
#define GATUN_QUANTIZED_PRODUCT_H

#include "activation.h"
#include "vectors.h"

namespace gatun {

constexpr int kPanelFeatures = 32;
// Bytes of a word of all features of a panel, and 16-byte chunks of it.
constexpr int kRowBytes = 4 * kPanelFeatures, kRowChunks = kRowBytes / 16;

// What a group has beside its codes, numbered as PackedLayout.Scales.
enum Scales : int {
  kScaleF32,
  kScaleF16,
  kScaleF16Zero,
  kScaleF32Min,
  kScaleF32Sum,
  kScaleF16Min,
  kScaleF16Byte,
  kScaleF16ByteMin
};

static __device__ __forceinline__ int header_bytes(int scales) {
  switch (scales) {
    case kScaleF32:
      return 4 * kPanelFeatures;
    case kScaleF16:
      return 2 * kPanelFeatures;
    case kScaleF16Zero:
      return 3 * kPanelFeatures;
    default:
      return 8 * kPanelFeatures;
  }
}

struct QuantizedProduct {
  const void* x;
  const uint8_t* packed;
  const float* bias;
  // Of y's type, or null.
  const void* residual;
  void* y;
  // Of products of codes: what the codes of x mean, [blocks, padded_rows], or of tokens [rows],
  // where x_shared is not 0 one for all, and offsets of tokens, null where they are 0.
  const float* x_scales;
  const float* x_offsets;
  // Where blocks that share a tile leave their sums, and how many have done so.
  float* partial;
  int* arrived;
  long x_stride, residual_stride, y_stride, m, n, k, padded_rows;
  // Input features of a group, bytes of a group's record and of a panel.
  long group, record, panel;
  // The group's logarithm, 62 where it is the whole row.
  int shift;
  int scales, x_dtype, y_dtype, activation, bits, blocks, x_shared, wide_x;
  // Whether four neighbours of y, and of the residual, may be read and written at once.
  int wide_y;
};

static __device__ __forceinline__ float token_scale(const QuantizedProduct& p, long row) {
  return p.x_scales[p.x_shared != 0 ? 0 : row];
}

static __device__ __forceinline__ float token_offset(const QuantizedProduct& p, long row) {
  return p.x_offsets == nullptr ? 0 : p.x_offsets[p.x_shared != 0 ? 0 : row];
}

// What a sum with its bias becomes in y.
static __device__ __forceinline__ float finished(const QuantizedProduct& p, float sum, long row,
                                                 long column) {
  const float value = activate(sum, p.activation);
  return p.residual == nullptr
             ? value
             : value + load(p.residual, row * p.residual_stride + column, p.y_dtype);
}

// The float of an element; what is beside the codes of its group lies in `record`.
static __device__ __forceinline__ float float_at(const uint8_t* at) {
  uint32_t word = 0;
  for (int i = 0; i < 4; i++) {
    word |= static_cast<uint32_t>(at[i]) << (8 * i);
  }
  return float_of(word);
}

// The scale of a feature's group.
static __device__ __forceinline__ float scale_of(const uint8_t* record, int feature, int scales) {
  if (scales == kScaleF16 || scales == kScaleF16Zero) {
    return from_f16(static_cast<uint16_t>(record[2 * feature] | record[2 * feature + 1] << 8));
  }
  return float_at(record + 4 * feature);
}

// What is added to each code of a feature's group.
static __device__ __forceinline__ int shift_of(const uint8_t* record, int feature, int scales,
                                               int bits) {
  const int zero =
      scales == kScaleF16Zero ? static_cast<int8_t>(record[2 * kPanelFeatures + feature]) : 0;
  return -(1 << (bits - 1)) - zero;
}

// The stored code of a group's i-th element.
static __device__ __forceinline__ int stored_code(const uint8_t* record, int feature, long i,
                                                  int scales, int bits) {
  const int per_word = 32 / bits;
  const int byte = record[header_bytes(scales) + i / per_word * kRowBytes + feature * 4 + i % 4];
  return bits == 8 ? byte : byte >> (i % 8 >= 4 ? 4 : 0) & 15;
}

}  // namespace gatun

#endif
