// GEMV of W8A16 and W8A32: up to 1, 4 and 8 rows without tensor cores.
#include "quantized/gemv.h"

using namespace gatun;

// kernels.list: w8a16_gemv_m1 256 {QuantizedProduct} 1024
// kernels.list: w8a16_gemv_m4 256 {QuantizedProduct} 4096
// kernels.list: w8a16_gemv_m8 256 {QuantizedProduct} 8192
GATUN_GEMV(w8a16_gemv_m1, 8, 1)
GATUN_GEMV(w8a16_gemv_m4, 8, 4)
GATUN_GEMV(w8a16_gemv_m8, 8, 8)
