// The elements of each row in their order: parts of a row by a block each in shared memory
// (bitonic, Batcher 1968), then pairs of sorted parts merged into one, and at last the elements
// that the keys stand for.
#include "numbers.h"
#include "strided.h"

using namespace gatun;

// Of elements in their order, a part a block.
constexpr int kThreads = 256, kPart = 1024;

// An element's key, whose order is that of the elements, and its place in the row, which no two
// share.
struct Entry {
  uint64_t key;
  long place;
};

static __device__ __forceinline__ bool before(const Entry& a, const Entry& b) {
  return a.key < b.key || (a.key == b.key && a.place < b.place);
}

// Of a float's bits and infinity's, from the highest bit on: 0 and -0 are one, what is no number is
// above all.
static __device__ __forceinline__ uint64_t float_key(uint32_t bits, uint32_t infinity) {
  constexpr uint32_t kSign = 0x80000000;
  const uint32_t magnitude = bits & ~kSign;
  if (magnitude > infinity) {
    return 0xffffffff;
  }
  return magnitude != 0 && (bits & kSign) != 0 ? ~bits : magnitude | kSign;
}

static __device__ __forceinline__ uint32_t high_half(const void* x, long i) {
  return static_cast<uint32_t>(static_cast<const uint16_t*>(x)[i]) << 16;
}

static __device__ __forceinline__ uint64_t key_at(const void* x, long i, int dtype) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  switch (dtype) {
    case kI64:
      return static_cast<const uint64_t*>(x)[i] ^ kSign;
    case kI32:
      return static_cast<uint64_t>(static_cast<const int32_t*>(x)[i]) ^ kSign;
    case kI8:
      return static_cast<uint64_t>(static_cast<const int8_t*>(x)[i]) ^ kSign;
    case kU8:
      return static_cast<const uint8_t*>(x)[i];
    case kF32:
      return float_key(static_cast<const uint32_t*>(x)[i], 0x7f800000);
    case kBf16:
      return float_key(high_half(x, i), 0x7f800000);
    default:
      return float_key(high_half(x, i), 0x7c000000);
  }
}

// Sorts each part of each row. Grid: rows * parts of a row.
// kernels.list: sort_parts 256 ppiilll 16384
GATUN_SHARED(sort_parts, kPart * sizeof(Entry))
extern "C" __global__ void __launch_bounds__(256)
    sort_parts(const void* x, Entry* entries, int dtype, int descending, long row_stride,
               long stride, long columns) {
  Entry* part = shared_memory<Entry>(kPart * sizeof(Entry));
  const int thread = static_cast<int>(threadIdx.x);
  const long parts = (columns + kPart - 1) / kPart;
  const long row = blockIdx.x / parts, begin = blockIdx.x % parts * kPart;
  const long count = columns - begin < kPart ? columns - begin : kPart;
  const uint64_t flip = descending != 0 ? ~uint64_t{0} : 0;
  int size = 1;
  while (size < count) {
    size *= 2;
  }
  for (int i = thread; i < size; i += kThreads) {
    const long place = begin + i;
    // What is behind the row's end comes behind all.
    part[i] = i < count ? Entry{key_at(x, row * row_stride + place * stride, dtype) ^ flip, place}
                        : Entry{~uint64_t{0}, columns};
  }
  for (int width = 2; width <= size; width *= 2) {
    for (int step = width / 2; step > 0; step /= 2) {
      sync_block();
      for (int pair = thread; pair < size / 2; pair += kThreads) {
        const int low = pair % step, i = 2 * (pair - low) + low;
        const Entry a = part[i], b = part[i + step];
        if (before(b, a) == ((i & width) == 0)) {
          part[i] = b;
          part[i + step] = a;
        }
      }
    }
  }
  sync_block();
  for (int i = thread; i < count; i += kThreads) {
    entries[row * columns + begin + i] = part[i];
  }
}

// Merges pairs of neighbouring parts of so many entries, a thread an entry, which goes behind those
// of the other part that come before it.
// kernels.list: sort_merge 256 pplll
extern "C" __global__ void __launch_bounds__(256)
    sort_merge(const Entry* from, Entry* to, long part, long columns, long count) {
  const long element = global_thread();
  if (element >= count) {
    return;
  }
  const long row = element / columns * columns, i = element - row;
  const long begin = i / (2 * part) * 2 * part;
  const long middle = begin + part < columns ? begin + part : columns;
  const long end = middle + part < columns ? middle + part : columns;
  const Entry mine = from[element];
  const bool first = i < middle;
  const long other = first ? middle : begin;
  long low = 0, high = (first ? end : middle) - other;
  while (low < high) {
    const long half = (low + high) / 2;
    if (before(from[row + other + half], mine)) {
      low = half + 1;
    } else {
      high = half;
    }
  }
  to[row + begin + (i - (first ? begin : middle)) + low] = mine;
}

// The first k elements of each row and their places, a thread an element. Either may be null.
// kernels.list: sort_take 256 ppppilllll
extern "C" __global__ void __launch_bounds__(256)
    sort_take(const Entry* entries, const void* x, void* values, long* indices, int bytes,
              long row_stride, long stride, long columns, long k, long count) {
  const long element = global_thread();
  if (element >= count) {
    return;
  }
  const long row = element / k, place = entries[row * columns + element % k].place;
  const long from = row * row_stride + place * stride;
  if (indices != nullptr) {
    indices[element] = place;
  }
  if (values == nullptr) {
    return;
  }
  switch (bytes) {
    case 1:
      static_cast<uint8_t*>(values)[element] = static_cast<const uint8_t*>(x)[from];
      break;
    case 2:
      static_cast<uint16_t*>(values)[element] = static_cast<const uint16_t*>(x)[from];
      break;
    case 4:
      static_cast<uint32_t*>(values)[element] = static_cast<const uint32_t*>(x)[from];
      break;
    default:
      static_cast<uint64_t*>(values)[element] = static_cast<const uint64_t*>(x)[from];
  }
}
