// W4A16 by tensor cores: tiles of 128 features and 8, 16, 64 or 128 tokens.
#include "quantized/weight_only.h"

using namespace gatun;

// kernels.list: w4a16_bf16_m8 256 {QuantizedProduct} 57344 8x128x128
// kernels.list: w4a16_bf16_m16 256 {QuantizedProduct} 65536 16x128x128
// kernels.list: w4a16_bf16_m64 256 {QuantizedProduct} 57344 64x128x64
// kernels.list: w4a16_bf16_m128 256 {QuantizedProduct} 90112 128x128x64
// kernels.list: w4a16_f16_m8 256 {QuantizedProduct} 57344 8x128x128
// kernels.list: w4a16_f16_m16 256 {QuantizedProduct} 65536 16x128x128
// kernels.list: w4a16_f16_m64 256 {QuantizedProduct} 57344 64x128x64
// kernels.list: w4a16_f16_m128 256 {QuantizedProduct} 90112 128x128x64
GATUN_WEIGHT_ONLY(w4a16_bf16_m8, Bf16, W4M8)
GATUN_WEIGHT_ONLY(w4a16_bf16_m16, Bf16, W4M16)
GATUN_WEIGHT_ONLY(w4a16_bf16_m64, Bf16, W4M64)
GATUN_WEIGHT_ONLY(w4a16_bf16_m128, Bf16, W4M128)
GATUN_WEIGHT_ONLY(w4a16_f16_m8, F16, W4M8)
GATUN_WEIGHT_ONLY(w4a16_f16_m16, F16, W4M16)
GATUN_WEIGHT_ONLY(w4a16_f16_m64, F16, W4M64)
GATUN_WEIGHT_ONLY(w4a16_f16_m128, F16, W4M128)
