// W8A16 and W8A32 of up to 1, 4 and 8 rows without tensor cores.
#include "quantized/rows.h"

using namespace gatun;

GATUN_ROWS_PRODUCT(matmul_int8_rows_1, 8, 1)
GATUN_ROWS_PRODUCT(matmul_int8_rows_4, 8, 4)
GATUN_ROWS_PRODUCT(matmul_int8_rows_8, 8, 8)
