// W4A16 by Hopper's warpgroups: tiles of 256 features and 128 tokens.
#include "quantized/exact_sm90a.h"

using namespace gatun;

GATUN_HOPPER_EXACT_PRODUCT(matmul_int4_bf16_sm90a, true, 4)
GATUN_HOPPER_EXACT_PRODUCT(matmul_int4_f16_sm90a, false, 4)
