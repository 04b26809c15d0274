// W4A16 by tensor cores: tiles of 128 features and 8, 16, 64 or 128 tokens.
#include "quantized/exact.h"

using namespace gatun;

GATUN_EXACT_PRODUCT(matmul_int4_bf16_8, true, 4, 1, 2, 1, 128, 4)
GATUN_EXACT_PRODUCT(matmul_int4_bf16_16, true, 4, 2, 2, 1, 128, 4)
GATUN_EXACT_PRODUCT(matmul_int4_bf16_64, true, 4, 4, 1, 2, 64, 4)
GATUN_EXACT_PRODUCT(matmul_int4_bf16_128, true, 4, 8, 1, 2, 64, 4)
GATUN_EXACT_PRODUCT(matmul_int4_f16_8, false, 4, 1, 2, 1, 128, 4)
GATUN_EXACT_PRODUCT(matmul_int4_f16_16, false, 4, 2, 2, 1, 128, 4)
GATUN_EXACT_PRODUCT(matmul_int4_f16_64, false, 4, 4, 1, 2, 64, 4)
GATUN_EXACT_PRODUCT(matmul_int4_f16_128, false, 4, 8, 1, 2, 64, 4)
