// Numbers as signed bytes, a scale a token or a block of 32, as
// dev.gatun.kernels.api.QuantizedMatmul says.
#include "block_reduce.h"
#include "vectors.h"

using namespace gatun;

struct QuantizedTokens {
  const void* x;
  // [rows, padded_k], with zeros past k; [blocks, padded_rows]; [rows].
  uint32_t* codes;
  float* scales;
  float* offsets;
  long x_stride, k, padded_k, padded_rows;
  int x_dtype, with_offset;
  // Whether rows are aligned, and a block can keep one.
  int kept;
};

// What codes mean, offset + scale * code, and the scale's inverse.
struct CodeMeaning {
  float scale, offset, inverse;
  bool finite;
};

static __device__ __forceinline__ CodeMeaning meaning_of(float least, float most,
                                                         bool with_offset) {
  constexpr float kLargest = 3.402823466e38f, kNothing = 7.52316385e-37f;  // 2^-120.
  CodeMeaning meaning;
  // Where any of the numbers is NaN both are.
  meaning.finite = fabsf(least) <= kLargest && fabsf(most) <= kLargest;
  meaning.offset = with_offset ? 0.5f * most + 0.5f * least : 0;
  const float half = with_offset ? 0.5f * most - 0.5f * least : larger(most, -least);
  const bool zero = half < kNothing;
  meaning.inverse = zero ? 0 : 127 / half;
  meaning.scale = meaning.finite ? zero ? 0 : half / 127 : NAN;
  return meaning;
}

static __device__ __forceinline__ uint32_t code_of(const CodeMeaning& meaning, float x) {
  const float code = meaning.finite ? rintf((x - meaning.offset) * meaning.inverse) : 0;
  // The lower bits of 1.5 * 2^23 + code.
  return word_of(code + 12582912.0f) & 0xff;
}

// The least and the largest number of a row whose threads have found some of them.
static __device__ __forceinline__ CodeMeaning meaning_of_row(const QuantizedTokens& p, long row,
                                                             float least, float most) {
  least = reduce_block<Smallest>(least);
  most = reduce_block<Largest>(most);
  const CodeMeaning meaning = meaning_of(least, most, p.with_offset != 0);
  if (threadIdx.x == 0) {
    p.scales[row] = meaning.scale;
    p.offsets[row] = meaning.offset;
  }
  return meaning;
}

// Four codes, zeros past the last number.
static __device__ __forceinline__ uint32_t four_codes(const CodeMeaning& meaning, const float* x,
                                                      long count) {
  uint32_t word = 0;
#pragma unroll
  for (int q = 0; q < 4; q++) {
    word |= q < count ? code_of(meaning, x[q]) << (8 * q) : 0;
  }
  return word;
}

// Grid: rows.
extern "C" __global__ void __launch_bounds__(256) quantize_tokens(const QuantizedTokens p) {
  constexpr int kKept = 4;
  const long row = static_cast<long>(blockIdx.x), from = row * p.x_stride;
  uint32_t* codes = p.codes + row * p.padded_k / 4;
  float least = p.with_offset != 0 ? Smallest::nothing() : 0;
  float most = p.with_offset != 0 ? Largest::nothing() : 0;
  const auto see = [&](float x) {
    least = Smallest::of(least, x);
    most = Largest::of(most, x);
  };
  if (p.kept != 0) {
    float x[kKept][8] = {};
#pragma unroll
    for (int v = 0; v < kKept; v++) {
      const long i = 8 * (static_cast<long>(threadIdx.x) + 256 * v);
      if (i < p.k) {
        load_vector<8>(p.x, from + i, p.x_dtype, x[v]);
#pragma unroll
        for (int q = 0; q < 8; q++) {
          see(x[v][q]);
        }
      }
    }
    const CodeMeaning meaning = meaning_of_row(p, row, least, most);
#pragma unroll
    for (int v = 0; v < kKept; v++) {
      const long i = 8 * (static_cast<long>(threadIdx.x) + 256 * v);
      if (i < p.padded_k) {
        const long count = p.k - i;
        codes[i / 4] = four_codes(meaning, x[v], count);
        codes[i / 4 + 1] = four_codes(meaning, x[v] + 4, count - 4);
      }
    }
    return;
  }
  for (long i = threadIdx.x; i < p.k; i += blockDim.x) {
    see(load(p.x, from + i, p.x_dtype));
  }
  const CodeMeaning meaning = meaning_of_row(p, row, least, most);
  for (long i = 4 * static_cast<long>(threadIdx.x); i < p.padded_k; i += 4 * blockDim.x) {
    float x[4];
    for (int q = 0; q < 4; q++) {
      x[q] = i + q < p.k ? load(p.x, from + i + q, p.x_dtype) : 0;
    }
    codes[i / 4] = four_codes(meaning, x, p.k - i);
  }
}

// A warp a block of 32. Grid: (rows, blocks of a row / 8).
extern "C" __global__ void __launch_bounds__(256) quantize_blocks(const QuantizedTokens p) {
  const int lane = threadIdx.x % 32;
  const long row = blockIdx.x;
  const long block = static_cast<long>(blockIdx.y) * 8 + threadIdx.x / 32, i = block * 32 + lane;
  if (block * 32 >= p.padded_k) {
    return;
  }
  const float x = i < p.k ? load(p.x, row * p.x_stride + i, p.x_dtype) : 0;
  const float most = reduce_warp<Largest>(larger(x, -x));
  const CodeMeaning meaning = meaning_of(-most, most, false);
  const int code = static_cast<int>(code_of(meaning, x));
  // Every fourth lane writes its own and its three neighbours' codes.
  uint32_t word = static_cast<uint32_t>(code);
  for (int q = 1; q < 4; q++) {
    word |= static_cast<uint32_t>(shuffle(code, lane + q)) << (8 * q);
  }
  if (lane % 4 == 0) {
    p.codes[(row * p.padded_k + i) / 4] = word;
  }
  if (lane == 0) {
    p.scales[block * p.padded_rows + row] = meaning.scale;
  }
}
