// Weights of 4 and 8 bits.
#include "../dot_codes.h"
#include "../quantized_bf16.h"
#include "../quantized_float.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

template <int kBits>
int32_t quantized_product(const Product &p, const Quantized &q, int32_t activations) {
  if (activations != GATUN_ACTIVATIONS_EXACT && p.k > 0) {
    return quantized_codes<kBits>(p, q, activations);
  }
  if (kBits == 4 && q.group <= kDepthBlock && p.x_dtype == GATUN_DTYPE_BF16 && has(kPairs)) {
    return quantized_bf16(p, q);
  }
  return quantized_float<kBits>(p, q);
}

int32_t quantized_product(const Product &p, const Quantized &q, int32_t activations) {
  if (!p.valid() || !q.valid() || activations < GATUN_ACTIVATIONS_EXACT ||
      activations > GATUN_ACTIVATIONS_INT8_BLOCKS) {
    return GATUN_INVALID_ARGUMENT;
  }
  return with_bits(q.records.bits,
                   [&](auto bits) { return quantized_product<bits>(p, q, activations); });
}

}  // namespace

int32_t quantized_matmul(const void *x, int32_t x_dtype, int64_t x_stride, const float *code_scales,
                         const float *code_offsets, int32_t shared_scale, const void *packed,
                         int32_t bits, int64_t group, int32_t scales, int32_t activations,
                         const float *bias, const void *residual, int64_t residual_stride, void *y,
                         int32_t y_dtype, int64_t y_stride, int64_t m, int64_t n, int64_t k,
                         int32_t activation) {
  if (code_scales != nullptr && (activations != GATUN_ACTIVATIONS_INT8_PER_TOKEN ||
                                 (code_offsets != nullptr && scales != GATUN_SCALES_F32_SUM))) {
    return GATUN_INVALID_ARGUMENT;
  }
  Product p{x,         code_scales == nullptr ? x_dtype : GATUN_DTYPE_F32,
            x_stride,  bias,
            y,         y_dtype,
            y_stride,  m,
            n,         k,
            activation};
  p.residual = residual;
  p.residual_stride = residual_stride;
  p.codes = {static_cast<const int8_t *>(x), x_stride, code_scales, code_offsets,
             shared_scale != 0};
  return quantized_product(p, Quantized(packed, bits, group, scales, k), activations);
}

int32_t block_matmul(const void *x, int32_t x_dtype, int64_t x_stride, const uint8_t *blocks,
                     int64_t row_stride, int32_t kind, int64_t block, int32_t activations,
                     const float *bias, void *y, int32_t y_dtype, int64_t y_stride, int64_t m,
                     int64_t n, int64_t k, int32_t activation) {
  const BlockFormat format = BlockFormat::of(kind, block, k);
  if (!format.valid(k)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  const BlockRows rows{blocks, row_stride, format, packed_form(format), n};
  return quantized_product(p, Quantized(rows, k), activations);
}

int32_t grouped_quantized_matmul(const void *x, int32_t x_dtype, int64_t x_stride,
                                 const int32_t *rows, const int32_t *offsets, int64_t experts,
                                 const void *packed, int32_t bits, int64_t group, int32_t scales,
                                 int32_t activations, const float *bias, void *y, int32_t y_dtype,
                                 int64_t y_stride, int64_t m, int64_t n, int64_t k,
                                 int32_t activation) {
  const Product p{x, x_dtype, x_stride, bias, y, y_dtype, y_stride, m, n, k, activation};
  return quantized_product(p.grouped(rows, offsets, experts),
                           Quantized(packed, bits, group, scales, k), activations);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
