// W4A16 and W4A8 of each expert's rows: tiles of 128 features and 16, 64 or 128 tokens, and few
// rows without tensor cores.
#include "quantized/exact.h"
#include "quantized/integers.h"
#include "quantized/rows.h"

using namespace gatun;

GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_bf16_16, true, 4, 2, 2, 1, 128, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_bf16_64, true, 4, 4, 1, 2, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_bf16_128, true, 4, 8, 1, 2, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_f16_16, false, 4, 2, 2, 1, 128, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_f16_64, false, 4, 4, 1, 2, 64, 4)
GATUN_GROUPED_EXACT_PRODUCT(grouped_matmul_int4_f16_128, false, 4, 8, 1, 2, 64, 4)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int4_codes_16, 4, 2, 2, 1, 128, 4)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int4_codes_64, 4, 4, 1, 2, 64, 4)
GATUN_GROUPED_INTEGER_PRODUCT(grouped_matmul_int4_codes_128, 4, 8, 1, 2, 64, 4)
GATUN_GROUPED_ROWS_PRODUCT(grouped_matmul_int4_rows_1, 4, 1)
GATUN_GROUPED_ROWS_PRODUCT(grouped_matmul_int4_rows_4, 4, 4)
