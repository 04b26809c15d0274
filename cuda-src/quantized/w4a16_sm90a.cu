// W4A16 by Hopper's warpgroups: tiles of 256 features and 64 or 128 tokens.
#include "quantized/weight_only_sm90a.h"

using namespace gatun;

// kernels.list: w4a16_bf16_m64_sm90a 384 {TensorMap}{TensorMap}{QuantizedProduct} 99328 64x256x64
// kernels.list: w4a16_bf16_m128_sm90a 384 {TensorMap}{TensorMap}{QuantizedProduct} 148480 128x256x64
// kernels.list: w4a16_f16_m64_sm90a 384 {TensorMap}{TensorMap}{QuantizedProduct} 99328 64x256x64
// kernels.list: w4a16_f16_m128_sm90a 384 {TensorMap}{TensorMap}{QuantizedProduct} 148480 128x256x64
GATUN_WEIGHT_ONLY_SM90A(w4a16_bf16_m64_sm90a, Bf16, W4M64Sm90a)
GATUN_WEIGHT_ONLY_SM90A(w4a16_bf16_m128_sm90a, Bf16, W4M128Sm90a)
GATUN_WEIGHT_ONLY_SM90A(w4a16_f16_m64_sm90a, F16, W4M64Sm90a)
GATUN_WEIGHT_ONLY_SM90A(w4a16_f16_m128_sm90a, F16, W4M128Sm90a)
