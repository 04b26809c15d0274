// Rows by index and by sequence. An index outside of its table is told and not used.
#include "index_fault.h"
#include "numbers.h"
#include "strided.h"

using namespace gatun;

// Copies a block table; where a page in use is not one of the cache, or is not in use, page 0 takes
// its place. Grid: sequences.
// kernels.list: checked_pages 256 pppllll{IndexReport}
extern "C" __global__ void __launch_bounds__(256)
    checked_pages(const int* table, int* checked, const int* lengths, long stride, long width,
                  long page_size, long pages, const IndexReport report) {
  const long used = (lengths[blockIdx.x] + page_size - 1) / page_size;
  const long row = blockIdx.x * stride;
  for (long i = threadIdx.x; i < width; i += blockDim.x) {
    const int page = i < used ? table[row + i] : 0;
    const bool fits = i >= used || (page >= 0 && page < pages);
    if (!fits) {
      report.tell(0, blockIdx.x, i, page);
    }
    checked[row + i] = fits ? page : 0;
  }
}

// Where an element of a weight lies in the panels of matmul_pack.
static __device__ __forceinline__ long place_in_panels(long row, long k, long columns, int dtype) {
  constexpr long kPanel = 32;
  const long depth = dtype == kBf16 ? 2 : 1;
  const long panel = row / kPanel * kPanel * ((columns + depth - 1) / depth * depth);
  return panel + (k / depth * kPanel + row % kPanel) * depth + k % depth;
}

// Grid: ids. The table's elements lie row by row, or packed.
// kernels.list: embedding 256 pppiiiill{IndexReport}
extern "C" __global__ void __launch_bounds__(256)
    embedding(const void* table, const long* ids, void* y, int table_dtype, int y_dtype,
              int accumulate, int packed, long columns, long limit, const IndexReport report) {
  const long id = ids[blockIdx.x];
  if (!report.allows(0, blockIdx.x, id, limit, threadIdx.x == 0)) {
    return;
  }
  const long to = blockIdx.x * columns;
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    const long from = packed ? place_in_panels(id, i, columns, table_dtype) : id * columns + i;
    const float value = load(table, from, table_dtype);
    store(y, to + i, y_dtype, accumulate ? load(y, to + i, y_dtype) + value : value);
  }
}

// The block's threads copy so many bytes.
static __device__ __forceinline__ void copy_bytes(const uint8_t* from, uint8_t* to, long bytes) {
  if (((reinterpret_cast<uint64_t>(from) | reinterpret_cast<uint64_t>(to) |
        static_cast<uint64_t>(bytes)) &
       3) == 0) {
    for (long i = threadIdx.x; i < bytes / 4; i += blockDim.x) {
      reinterpret_cast<uint32_t*>(to)[i] = reinterpret_cast<const uint32_t*>(from)[i];
    }
  } else {
    for (long i = threadIdx.x; i < bytes; i += blockDim.x) {
      to[i] = from[i];
    }
  }
}

// Grid: ids. The ids are distinct; a row whose id is -1 goes nowhere.
// kernels.list: scatter_rows 256 pppll{IndexReport}
extern "C" __global__ void __launch_bounds__(256)
    scatter_rows(const uint8_t* x, const long* ids, uint8_t* y, long bytes, long limit,
                 const IndexReport report) {
  const long id = ids[blockIdx.x];
  if (id != -1 && report.allows(0, blockIdx.x, id, limit, threadIdx.x == 0)) {
    copy_bytes(x + blockIdx.x * bytes, y + id * bytes, bytes);
  }
}

// Grid: outer * count. Entries of so many bytes.
// kernels.list: index_select 256 ppplll{IndexReport}
extern "C" __global__ void __launch_bounds__(256)
    index_select(const uint8_t* x, const long* ids, uint8_t* y, long length, long count, long bytes,
                 const IndexReport report) {
  const long outer = blockIdx.x / count, place = blockIdx.x % count, id = ids[place];
  if (report.allows(0, place, id, length, threadIdx.x == 0)) {
    copy_bytes(x + (outer * length + id) * bytes, y + blockIdx.x * bytes, bytes);
  }
}

// A thread a column, so that rows are added in their order.
// kernels.list: index_add 256 pppiilll{IndexReport}
extern "C" __global__ void __launch_bounds__(256)
    index_add(const void* x, const long* ids, void* y, int x_dtype, int y_dtype, long count,
              long columns, long limit, const IndexReport report) {
  const long column = global_thread();
  if (column < columns) {
    for (long i = 0; i < count; i++) {
      if (!report.allows(0, i, ids[i], limit, column == 0)) {
        continue;
      }
      const long place = ids[i] * columns + column;
      store(y, place, y_dtype, load(y, place, y_dtype) + load(x, i * columns + column, x_dtype));
    }
  }
}

enum Pooling : int { kMean, kFirst, kMax, kLast };

// Grid: sequences.
// kernels.list: pool 256 pppiil
extern "C" __global__ void __launch_bounds__(256)
    pool(const void* x, const int* offsets, void* y, int dtype, int mode, long columns) {
  const long begin = offsets[blockIdx.x], end = offsets[blockIdx.x + 1];
  for (long i = threadIdx.x; i < columns; i += blockDim.x) {
    float value = 0;
    if (end > begin) {
      value = load(x, (mode == kLast ? end - 1 : begin) * columns + i, dtype);
      for (long t = begin + 1; t < end && (mode == kMean || mode == kMax); t++) {
        const float other = load(x, t * columns + i, dtype);
        value = mode == kMean ? value + other : larger(value, other);
      }
      value = mode == kMean ? value / static_cast<float>(end - begin) : value;
    }
    store(y, blockIdx.x * columns + i, dtype, value);
  }
}

static __device__ __forceinline__ long bucket(long distance, long buckets, long max_position) {
  const long middle = buckets / 2;
  const long far = distance < 0 ? -distance : distance;
  if (buckets == 0 || far <= middle) {
    return distance;
  }
  const float ratio = static_cast<float>(far) / static_cast<float>(middle);
  const float limit =
      static_cast<float>(static_cast<double>(max_position - 1) / static_cast<double>(middle));
  // The logarithms as they round in float: a model was trained with these edges.
  const float steps = static_cast<float>(log(static_cast<double>(ratio))) /
                      static_cast<float>(log(static_cast<double>(limit))) *
                      static_cast<float>(middle - 1);
  const long result = static_cast<long>(ceilf(steps)) + middle;
  return distance < 0 ? -result : result;
}

// Grid: (longest * longest / 256, heads, sequences).
// kernels.list: disentangled_bias 256 ppppplllllf
extern "C" __global__ void __launch_bounds__(256)
    disentangled_bias(const float* c2p, const float* p2c, const int* offsets, const long* positions,
                      float* bias, long longest, long tokens, long span, long buckets,
                      long max_position, float scale) {
  const long place = global_thread();
  const long i = place / longest, j = place % longest;
  const long first = offsets[blockIdx.z], length = offsets[blockIdx.z + 1] - first;
  if (i >= length || j >= length) {
    return;
  }
  const long distance = positions[first + i] - positions[first + j];
  const long last = 2 * span - 1;
  float value = 0;
  if (c2p != nullptr) {
    long index = span + bucket(distance, buckets, max_position);
    index = index < 0 ? 0 : index > last ? last : index;
    value += c2p[(blockIdx.y * tokens + first + i) * 2 * span + index];
  }
  if (p2c != nullptr) {
    long index = span - bucket(-distance, buckets, max_position);
    index = index < 0 ? 0 : index > last ? last : index;
    value += p2c[(blockIdx.y * tokens + first + j) * 2 * span + index];
  }
  bias[((static_cast<long>(blockIdx.z) * gridDim.y + blockIdx.y) * longest + i) * longest + j] =
      scale * value;
}
