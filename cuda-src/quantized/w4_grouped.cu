// Grouped W4A16 and W4A8, of each expert's rows: tiles of 128 features and 16, 64 or 128 tokens,
// and GEMV of few rows.
#include "quantized/gemv.h"
#include "quantized/int8_activations.h"
#include "quantized/weight_only.h"

using namespace gatun;

// kernels.list: grouped_w4a16_bf16_m16 256 {QuantizedProduct}{ExpertRows} 65536 16x128x128
// kernels.list: grouped_w4a16_bf16_m64 256 {QuantizedProduct}{ExpertRows} 57344 64x128x64
// kernels.list: grouped_w4a16_bf16_m128 256 {QuantizedProduct}{ExpertRows} 90112 128x128x64
// kernels.list: grouped_w4a16_f16_m16 256 {QuantizedProduct}{ExpertRows} 65536 16x128x128
// kernels.list: grouped_w4a16_f16_m64 256 {QuantizedProduct}{ExpertRows} 57344 64x128x64
// kernels.list: grouped_w4a16_f16_m128 256 {QuantizedProduct}{ExpertRows} 90112 128x128x64
// kernels.list: grouped_w4a8_m16 256 {QuantizedProduct}{ExpertRows} 58368 16x128x128
// kernels.list: grouped_w4a8_m64 256 {QuantizedProduct}{ExpertRows} 43008 64x128x64
// kernels.list: grouped_w4a8_m128 256 {QuantizedProduct}{ExpertRows} 61440 128x128x64
// kernels.list: grouped_w4a16_gemv_m1 256 {QuantizedProduct}{ExpertRows} 1024
// kernels.list: grouped_w4a16_gemv_m4 256 {QuantizedProduct}{ExpertRows} 4096
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_bf16_m16, Bf16, W4M16)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_bf16_m64, Bf16, W4M64)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_bf16_m128, Bf16, W4M128)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_f16_m16, F16, W4M16)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_f16_m64, F16, W4M64)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w4a16_f16_m128, F16, W4M128)
GATUN_GROUPED_INT8(grouped_w4a8_m16, W4M16)
GATUN_GROUPED_INT8(grouped_w4a8_m64, W4M64)
GATUN_GROUPED_INT8(grouped_w4a8_m128, W4M128)
GATUN_GROUPED_GEMV(grouped_w4a16_gemv_m1, 4, 1)
GATUN_GROUPED_GEMV(grouped_w4a16_gemv_m4, 4, 4)
