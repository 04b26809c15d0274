// W4A8 by tensor cores: tiles of 128 features and 16, 64 or 128 tokens.
#include "quantized/int8_activations.h"

using namespace gatun;

// kernels.list: w4a8_m16 256 {QuantizedProduct} 58368 16x128x128
// kernels.list: w4a8_m64 256 {QuantizedProduct} 43008 64x128x64
// kernels.list: w4a8_m128 256 {QuantizedProduct} 61440 128x128x64
GATUN_INT8(w4a8_m16, W4M16)
GATUN_INT8(w4a8_m64, W4M64)
GATUN_INT8(w4a8_m128, W4M128)
