// W8A8 by tensor cores: tiles of 128 features and 16, 64 or 128 tokens.
#include "quantized/int8_activations.h"

using namespace gatun;

// kernels.list: w8a8_m16 256 {QuantizedProduct} 45568 16x128x64
// kernels.list: w8a8_m64 256 {QuantizedProduct} 59392 64x128x64
// kernels.list: w8a8_m128 256 {QuantizedProduct} 77824 128x128x64
GATUN_INT8(w8a8_m16, W8M16)
GATUN_INT8(w8a8_m64, W8M64)
GATUN_INT8(w8a8_m128, W8M128)
