// Rotary position embedding (Su et al., arXiv 2104.09864), alone and with what follows a
// projection.
#include "numbers.h"

using namespace gatun;

// The angles of one token.
struct Angles {
  const float* cosine;
  const float* sine;
  int interleaved;
  long pairs;
};

static __device__ __forceinline__ Angles angles_of(const float* cosine, const float* sine,
                                                   long position, int interleaved, long pairs) {
  return {cosine + position * pairs, sine + position * pairs, interleaved, pairs};
}

// Rotates one pair of a head, or copies one of the elements behind the pairs: the tasks of a head
// are its pairs and then those elements. `to` may be `from`.
static __device__ __forceinline__ void rotate_task(const Angles& angles, const void* from,
                                                   long first_from, void* to, long first_to,
                                                   int dtype, long task) {
  if (task >= angles.pairs) {
    const long place = angles.pairs + task;
    store(to, first_to + place, dtype, load(from, first_from + place, dtype));
    return;
  }
  const long first = angles.interleaved ? 2 * task : task;
  const long second = angles.interleaved ? first + 1 : first + angles.pairs;
  const float c = angles.cosine[task], s = angles.sine[task];
  const float a = load(from, first_from + first, dtype), b = load(from, first_from + second, dtype);
  store(to, first_to + first, dtype, a * c - b * s);
  store(to, first_to + second, dtype, b * c + a * s);
}

// Grid: tokens. y may be x.
extern "C" __global__ void __launch_bounds__(128)
    rotary_embedding(const void* x, const float* cosine, const float* sine, const long* positions,
                     void* y, int dtype, int interleaved, long x_stride, long y_stride, long heads,
                     long head_size, long pairs) {
  const Angles angles = angles_of(cosine, sine, positions[blockIdx.x], interleaved, pairs);
  const long tasks = head_size - pairs;
  for (long i = threadIdx.x; i < heads * tasks; i += blockDim.x) {
    const long head = i / tasks * head_size;
    rotate_task(angles, x, blockIdx.x * x_stride + head, y, blockIdx.x * y_stride + head, dtype,
                i % tasks);
  }
}

// Splits a row of queries, keys and values, rotates queries and keys, and writes keys and values to
// a slot of their caches, which a page table may have given; a slot of -1 is none. Grid: tokens.
extern "C" __global__ void __launch_bounds__(128)
    rotary_cache_update(const void* qkv, const float* cosine, const float* sine,
                        const long* positions, const long* slots, void* query, void* key_cache,
                        void* value_cache, int dtype, int interleaved, long qkv_stride,
                        long query_stride, long key_row, long key_place, long key_head,
                        long value_row, long value_place, long value_head, long heads,
                        long kv_heads, long head_size, long pairs, long room) {
  const Angles angles = angles_of(cosine, sine, positions[blockIdx.x], interleaved, pairs);
  const long from = blockIdx.x * qkv_stride, slot = slots[blockIdx.x];
  const long tasks = head_size - pairs;
  for (long i = threadIdx.x; i < heads * tasks; i += blockDim.x) {
    const long head = i / tasks * head_size;
    rotate_task(angles, qkv, from + head, query, blockIdx.x * query_stride + head, dtype,
                i % tasks);
  }
  if (slot < 0) {
    return;
  }
  const long row = slot / room, place = slot % room;
  const long keys = from + heads * head_size, values = keys + kv_heads * head_size;
  for (long i = threadIdx.x; i < kv_heads * tasks; i += blockDim.x) {
    const long head = i / tasks;
    rotate_task(angles, qkv, keys + head * head_size, key_cache,
                row * key_row + place * key_place + head * key_head, dtype, i % tasks);
  }
  for (long i = threadIdx.x; i < kv_heads * head_size; i += blockDim.x) {
    const long to =
        row * value_row + place * value_place + i / head_size * value_head + i % head_size;
    if (dtype == kF32) {
      static_cast<float*>(value_cache)[to] = static_cast<const float*>(qkv)[values + i];
    } else {
      static_cast<uint16_t*>(value_cache)[to] = static_cast<const uint16_t*>(qkv)[values + i];
    }
  }
}
