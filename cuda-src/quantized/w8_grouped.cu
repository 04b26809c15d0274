// Grouped W8A16 and W8A8, of each expert's rows: tiles of 128 features and 16, 64 or 128 tokens,
// and GEMV of few rows.
#include "quantized/gemv.h"
#include "quantized/int8_activations.h"
#include "quantized/weight_only.h"

using namespace gatun;

// kernels.list: grouped_w8a16_bf16_m16 256 {QuantizedProduct}{ExpertRows} 49152 16x128x64
// kernels.list: grouped_w8a16_bf16_m64 256 {QuantizedProduct}{ExpertRows} 73728 64x128x64
// kernels.list: grouped_w8a16_bf16_m128 256 {QuantizedProduct}{ExpertRows} 79872 128x128x64
// kernels.list: grouped_w8a16_f16_m16 256 {QuantizedProduct}{ExpertRows} 49152 16x128x64
// kernels.list: grouped_w8a16_f16_m64 256 {QuantizedProduct}{ExpertRows} 73728 64x128x64
// kernels.list: grouped_w8a16_f16_m128 256 {QuantizedProduct}{ExpertRows} 79872 128x128x64
// kernels.list: grouped_w8a8_m16 256 {QuantizedProduct}{ExpertRows} 45568 16x128x64
// kernels.list: grouped_w8a8_m64 256 {QuantizedProduct}{ExpertRows} 59392 64x128x64
// kernels.list: grouped_w8a8_m128 256 {QuantizedProduct}{ExpertRows} 77824 128x128x64
// kernels.list: grouped_w8a16_gemv_m1 256 {QuantizedProduct}{ExpertRows} 1024
// kernels.list: grouped_w8a16_gemv_m4 256 {QuantizedProduct}{ExpertRows} 4096
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_bf16_m16, Bf16, W8M16)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_bf16_m64, Bf16, W8M64)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_bf16_m128, Bf16, W8A16M128)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_f16_m16, F16, W8M16)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_f16_m64, F16, W8M64)
GATUN_GROUPED_WEIGHT_ONLY(grouped_w8a16_f16_m128, F16, W8A16M128)
GATUN_GROUPED_INT8(grouped_w8a8_m16, W8M16)
GATUN_GROUPED_INT8(grouped_w8a8_m64, W8M64)
GATUN_GROUPED_INT8(grouped_w8a8_m128, W8M128)
GATUN_GROUPED_GEMV(grouped_w8a16_gemv_m1, 8, 1)
GATUN_GROUPED_GEMV(grouped_w8a16_gemv_m4, 8, 4)
