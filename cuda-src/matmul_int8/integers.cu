// W8A8 by tensor cores: tiles of 128 features and 16, 64 or 128 tokens.
#include "quantized/integers.h"

using namespace gatun;

GATUN_INTEGER_PRODUCT(matmul_int8_codes_16, 8, 2, 2, 1, 64, 4)
GATUN_INTEGER_PRODUCT(matmul_int8_codes_64, 8, 4, 1, 2, 64, 4)
GATUN_INTEGER_PRODUCT(matmul_int8_codes_128, 8, 8, 1, 2, 64, 4)
