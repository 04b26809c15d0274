// W4A16 and W4A32 of up to 1, 4 and 8 rows without tensor cores.
#include "quantized/rows.h"

using namespace gatun;

GATUN_ROWS_PRODUCT(matmul_int4_rows_1, 4, 1)
GATUN_ROWS_PRODUCT(matmul_int4_rows_4, 4, 4)
GATUN_ROWS_PRODUCT(matmul_int4_rows_8, 4, 8)
