// W8A16 by Hopper's warpgroups: tiles of 256 features and 64 or 128 tokens.
#include "quantized/exact_sm90a.h"

using namespace gatun;

GATUN_HOPPER_EXACT_PRODUCT(matmul_int8_bf16_64_sm90a, true, 8, 64)
GATUN_HOPPER_EXACT_PRODUCT(matmul_int8_bf16_128_sm90a, true, 8, 128)
GATUN_HOPPER_EXACT_PRODUCT(matmul_int8_f16_64_sm90a, false, 8, 64)
GATUN_HOPPER_EXACT_PRODUCT(matmul_int8_f16_128_sm90a, false, 8, 128)
