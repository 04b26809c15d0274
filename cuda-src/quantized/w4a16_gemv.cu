// GEMV of W4A16 and W4A32: up to 1, 4 and 8 rows without tensor cores.
#include "quantized/gemv.h"

using namespace gatun;

// kernels.list: w4a16_gemv_m1 256 {QuantizedProduct} 1024
// kernels.list: w4a16_gemv_m4 256 {QuantizedProduct} 4096
// kernels.list: w4a16_gemv_m8 256 {QuantizedProduct} 8192
GATUN_GEMV(w4a16_gemv_m1, 4, 1)
GATUN_GEMV(w4a16_gemv_m4, 4, 4)
GATUN_GEMV(w4a16_gemv_m8, 4, 8)
