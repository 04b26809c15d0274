// A kernel for each primitive, that shows what it does to given words: the same on a device and on
// the emulator. dev.gatun.test.emulator.Probes has the words and what becomes of them.
#include "primitives.h"

using namespace gatun;

constexpr int kNumbers = 2048;

static __device__ __forceinline__ float as_float(uint32_t word) {
  float value;
  memcpy(&value, &word, 4);
  return value;
}

static __device__ __forceinline__ uint32_t as_word(float value) {
  uint32_t word;
  memcpy(&word, &value, 4);
  return word;
}

#define GATUN_PROBE(name) extern "C" __global__ void probe_##name(const uint32_t* in, uint32_t* out)

// kernels.list: probe_shuffle_xor 32 pp
GATUN_PROBE(shuffle_xor) {
  const uint32_t lane = threadIdx.x, word = in[lane];
  for (int bit = 0; bit < 5; bit++) {
    out[bit * 32 + lane] = static_cast<uint32_t>(shuffle_xor(static_cast<int>(word), 1 << bit));
    out[(5 + bit) * 32 + lane] = as_word(shuffle_xor(as_float(word), 31 - bit));
  }
}

// kernels.list: probe_shuffle 32 pp
GATUN_PROBE(shuffle) {
  const uint32_t lane = threadIdx.x, word = in[lane];
  const int from = static_cast<int>(in[32 + lane]);
  out[lane] = static_cast<uint32_t>(shuffle(static_cast<int>(word), from));
  out[32 + lane] = as_word(shuffle(as_float(word), from));
}

// kernels.list: probe_any_lane 32 pp
GATUN_PROBE(any_lane) {
  for (int round = 0; round < 4; round++) {
    out[round * 32 + threadIdx.x] = any_lane(in[round * 32 + threadIdx.x] != 0) ? 1 : 0;
  }
}

// 32 rows of four words in shared memory, and from word 128 on the row that each lane names.
template <bool Transposed>
static __device__ __forceinline__ void load_matrices(const uint32_t* in, uint32_t* out) {
  uint32_t* shared = shared_memory<uint32_t>(512);
  const uint32_t lane = threadIdx.x;
  for (uint32_t i = lane; i < 128; i += 32) {
    shared[i] = in[i];
  }
  sync_block();
  uint32_t r[4];
  if (Transposed) {
    ldmatrix_x4_transposed(r, shared + in[128 + lane] * 4);
  } else {
    ldmatrix_x4(r, shared + in[128 + lane] * 4);
  }
  for (int i = 0; i < 4; i++) {
    out[i * 32 + lane] = r[i];
  }
}

// kernels.list: probe_ldmatrix 32 pp
// kernels.list: probe_ldmatrix_transposed 32 pp
GATUN_PROBE(ldmatrix) { load_matrices<false>(in, out); }
GATUN_PROBE(ldmatrix_transposed) { load_matrices<true>(in, out); }

// Registers of a, b and of what is added to, each for all lanes.
template <class T, class Multiply>
static __device__ __forceinline__ void multiply_add(const uint32_t* in, uint32_t* out,
                                                    Multiply multiply) {
  const uint32_t lane = threadIdx.x;
  uint32_t a[4], b[2];
  T d[4];
  for (int i = 0; i < 4; i++) {
    a[i] = in[i * 32 + lane];
    memcpy(&d[i], &in[(6 + i) * 32 + lane], 4);
  }
  for (int i = 0; i < 2; i++) {
    b[i] = in[(4 + i) * 32 + lane];
  }
  multiply(d, a, b);
  for (int i = 0; i < 4; i++) {
    memcpy(&out[i * 32 + lane], &d[i], 4);
  }
}

struct MmaBf16 {
  __device__ void operator()(float* d, const uint32_t* a, const uint32_t* b) const {
    mma_bf16(d, a, b);
  }
};
struct MmaF16 {
  __device__ void operator()(float* d, const uint32_t* a, const uint32_t* b) const {
    mma_f16(d, a, b);
  }
};
struct MmaS8 {
  __device__ void operator()(int32_t* d, const uint32_t* a, const uint32_t* b) const {
    mma_s8(d, a, b);
  }
};

// kernels.list: probe_mma_bf16 32 pp
// kernels.list: probe_mma_f16 32 pp
// kernels.list: probe_mma_s8 32 pp
GATUN_PROBE(mma_bf16) { multiply_add<float>(in, out, MmaBf16()); }
GATUN_PROBE(mma_f16) { multiply_add<float>(in, out, MmaF16()); }
GATUN_PROBE(mma_s8) { multiply_add<int32_t>(in, out, MmaS8()); }

// Two groups of a copy a lane; from word 256 on, whether the source is valid.
// kernels.list: probe_copy_async 32 pp
GATUN_PROBE(copy_async) {
  uint32_t* shared = shared_memory<uint32_t>(1024);
  const uint32_t lane = threadIdx.x;
  for (int group = 0; group < 2; group++) {
    const uint32_t place = group * 128 + lane * 4;
    copy_async_16(shared + place, in + place, in[256 + group * 32 + lane] != 0);
    copy_async_commit();
  }
  copy_async_wait<1>();
  for (int i = 0; i < 4; i++) {
    out[lane * 4 + i] = shared[lane * 4 + i];
  }
  copy_async_wait<0>();
  for (int i = 0; i < 4; i++) {
    out[128 + lane * 4 + i] = shared[128 + lane * 4 + i];
  }
}

// Four copies a lane, of words that lie apart; from word 128 on, whether the source is valid.
// kernels.list: probe_copy_async_4 32 pp
GATUN_PROBE(copy_async_4) {
  uint32_t* shared = shared_memory<uint32_t>(512);
  const uint32_t lane = threadIdx.x;
  for (uint32_t i = lane; i < 128; i += 32) {
    copy_async_4(shared + i, in + 127 - i, in[128 + i] != 0);
  }
  copy_async_commit();
  copy_async_wait<0>();
  for (uint32_t i = lane; i < 128; i += 32) {
    out[i] = shared[i];
  }
}

// Reverses the block's words, then each warp's.
// kernels.list: probe_barriers 64 pp
GATUN_PROBE(barriers) {
  uint32_t* shared = shared_memory<uint32_t>(512);
  const uint32_t i = threadIdx.x;
  shared[i] = in[i];
  sync_block();
  const uint32_t word = shared[63 - i];
  out[i] = word;
  shared[64 + i] = word;
  sync_warp();
  out[64 + i] = shared[64 + (i ^ 31)];
}

// Each lane adds twice to a word of its own; all lanes of a parity to one.
// kernels.list: probe_atomic_add 32 pp
GATUN_PROBE(atomic_add) {
  const uint32_t lane = threadIdx.x;
  const int value = static_cast<int>(in[lane]);
  int* words = reinterpret_cast<int*>(out);
  atomic_add(words + lane, value);
  out[64 + lane] = static_cast<uint32_t>(atomic_add(words + lane, value));
  atomic_add(words + 32 + lane % 2, value);
}

// Odd lanes expect what is there, all bits set.
// kernels.list: probe_atomic_cas 32 pp
GATUN_PROBE(atomic_cas) {
  const uint32_t lane = threadIdx.x;
  int* words = reinterpret_cast<int*>(out);
  const int expected = lane % 2 == 1 ? -1 : 5;
  out[32 + lane] =
      static_cast<uint32_t>(atomic_cas(words + lane, expected, static_cast<int>(in[lane])));
}

// A product that is rounded, and one that is not before it is added to.
// kernels.list: probe_rounded 32 pp
GATUN_PROBE(rounded) {
  const uint32_t lane = threadIdx.x;
  float a, b, c;
  memcpy(&a, in + lane, 4);
  memcpy(&b, in + 32 + lane, 4);
  memcpy(&c, in + 64 + lane, 4);
  const float product = multiply_rounded(a, b), sum = gatun::multiply_add(a, b, c);
  memcpy(out + lane, &product, 4);
  memcpy(out + 32 + lane, &sum, 4);
}

// kernels.list: probe_atomic_min 32 pp
GATUN_PROBE(atomic_min) {
  const uint32_t lane = threadIdx.x;
  unsigned long long value;
  memcpy(&value, in + 2 * lane, 8);
  unsigned long long* least = reinterpret_cast<unsigned long long*>(out) + lane % 2;
  atomic_min(least, ~value);
  atomic_min(least, value);
}

// kernels.list: probe_load_fresh 32 pp
GATUN_PROBE(load_fresh) {
  const uint32_t lane = threadIdx.x;
  out[32 + lane] = in[lane];
  fence_device();
  out[lane] = as_word(load_fresh(reinterpret_cast<const float*>(out + 32 + lane)));
}

// Of the words that the lane beside it wrote.
// kernels.list: probe_load_fresh_16 32 pp
GATUN_PROBE(load_fresh_16) {
  const uint32_t lane = threadIdx.x;
  for (uint32_t i = 0; i < 4; i++) {
    out[128 + 4 * lane + i] = in[4 * lane + i];
  }
  fence_device();
  sync_warp();
  uint32_t four[4];
  load_fresh_16(four, out + 128 + 4 * (lane ^ 1));
  for (uint32_t i = 0; i < 4; i++) {
    out[4 * lane + i] = four[i];
  }
}

#define GATUN_EACH_NUMBER(name, expression)            \
  GATUN_PROBE(name) {                                  \
    for (int i = threadIdx.x; i < kNumbers; i += 32) { \
      const uint32_t word = in[i];                     \
      out[i] = expression;                             \
    }                                                  \
  }

// kernels.list: probe_exp2 32 pp
// kernels.list: probe_from_bf16 32 pp
// kernels.list: probe_to_bf16 32 pp
// kernels.list: probe_from_f16 32 pp
// kernels.list: probe_to_f16 32 pp
GATUN_EACH_NUMBER(exp2, as_word(exp2_approximate(as_float(word))))
GATUN_EACH_NUMBER(from_bf16, as_word(from_bf16(static_cast<uint16_t>(word))))
GATUN_EACH_NUMBER(to_bf16, to_bf16(as_float(word)))
GATUN_EACH_NUMBER(from_f16, as_word(from_f16(static_cast<uint16_t>(word))))
GATUN_EACH_NUMBER(to_f16, to_f16(as_float(word)))

#define GATUN_EACH_TRIPLE(name, expression)                               \
  GATUN_PROBE(name) {                                                     \
    for (int i = threadIdx.x; i < kNumbers / 4; i += 32) {                \
      const uint32_t a = in[3 * i], b = in[3 * i + 1], c = in[3 * i + 2]; \
      out[i] = expression;                                                \
    }                                                                     \
  }

// kernels.list: probe_permute_bytes 32 pp
// kernels.list: probe_and_xor 32 pp
// kernels.list: probe_fma_f16x2 32 pp
// kernels.list: probe_fma_bf16x2 32 pp
GATUN_EACH_TRIPLE(permute_bytes, permute_bytes(a, b, c))
GATUN_EACH_TRIPLE(and_xor, and_xor(a, b, c))
GATUN_EACH_TRIPLE(fma_f16x2, fma_f16x2(a, b, c))
GATUN_EACH_TRIPLE(fma_bf16x2, fma_bf16x2(a, b, c))
