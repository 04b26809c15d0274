// W8A16 and W8A8 of each expert's rows: tiles of 128 features and 16, 64 or 128 tokens, and few
// rows without tensor cores.
#include "quantized/exact.h"
#include "quantized/integers.h"
#include "quantized/rows.h"

using namespace gatun;

GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_bf16_16, true, 8, 2, 2, 1, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_bf16_64, true, 8, 4, 1, 2, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_bf16_128, true, 8, 8, 1, 2, 64, 3)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_f16_16, false, 8, 2, 2, 1, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_f16_64, false, 8, 4, 1, 2, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int8_f16_128, false, 8, 8, 1, 2, 64, 3)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int8_codes_16, 8, 2, 2, 1, 64, 4)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int8_codes_64, 8, 4, 1, 2, 64, 4)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int8_codes_128, 8, 8, 1, 2, 64, 4)
GATUN_GROUPED_ROWS_PRODUCT(grouped_matmul_int8_rows_1, 8, 1)
GATUN_GROUPED_ROWS_PRODUCT(grouped_matmul_int8_rows_4, 8, 4)
