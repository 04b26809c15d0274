// W4A8 by tensor cores: tiles of 128 features and 16, 64 or 128 tokens.
#include "quantized/integers.h"

using namespace gatun;

GATUN_INTEGER_PRODUCT(matmul_int4_codes_16, 4, 2, 2, 1, 128, 4)
GATUN_INTEGER_PRODUCT(matmul_int4_codes_64, 4, 4, 1, 2, 64, 4)
GATUN_INTEGER_PRODUCT(matmul_int4_codes_128, 4, 8, 1, 2, 64, 4)
