// W8A16 by tensor cores: tiles of 128 features and 8, 16, 64 or 128 tokens.
#include "quantized/weight_only.h"

using namespace gatun;

// kernels.list: w8a16_bf16_m8 256 {QuantizedProduct} 45056 8x128x64
// kernels.list: w8a16_bf16_m16 256 {QuantizedProduct} 49152 16x128x64
// kernels.list: w8a16_bf16_m64 256 {QuantizedProduct} 73728 64x128x64
// kernels.list: w8a16_bf16_m128 256 {QuantizedProduct} 79872 128x128x64
// kernels.list: w8a16_f16_m8 256 {QuantizedProduct} 45056 8x128x64
// kernels.list: w8a16_f16_m16 256 {QuantizedProduct} 49152 16x128x64
// kernels.list: w8a16_f16_m64 256 {QuantizedProduct} 73728 64x128x64
// kernels.list: w8a16_f16_m128 256 {QuantizedProduct} 79872 128x128x64
GATUN_WEIGHT_ONLY(w8a16_bf16_m8, Bf16, W8M8)
GATUN_WEIGHT_ONLY(w8a16_bf16_m16, Bf16, W8M16)
GATUN_WEIGHT_ONLY(w8a16_bf16_m64, Bf16, W8M64)
GATUN_WEIGHT_ONLY(w8a16_bf16_m128, Bf16, W8A16M128)
GATUN_WEIGHT_ONLY(w8a16_f16_m8, F16, W8M8)
GATUN_WEIGHT_ONLY(w8a16_f16_m16, F16, W8M16)
GATUN_WEIGHT_ONLY(w8a16_f16_m64, F16, W8M64)
GATUN_WEIGHT_ONLY(w8a16_f16_m128, F16, W8A16M128)
