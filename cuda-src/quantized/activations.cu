// Numbers as signed bytes, a scale a token or a block of 32, as
// dev.gatun.kernels.api.call.matmul.QuantizedMatmul says.
#include "token_codes.h"

using namespace gatun;

// Vectors of eight numbers that a thread keeps of a row.
constexpr int kKept = 4;

struct QuantizedTokens {
  const void* x;
  // Rows of codes have zeros past k, up to padded_k. Of blocks the scales are [blocks,
  // padded_rows].
  long x_stride, k, padded_k, padded_rows;
  int x_dtype;
  // Whether rows are aligned, and a block can keep one.
  int kept;
};

// Grid: rows.
// kernels.list: quantize_tokens 256 {QuantizedTokens}{TokenCodes} 64
extern "C" __global__ void __launch_bounds__(256)
    quantize_tokens(const QuantizedTokens p, const TokenCodes to) {
  const long row = static_cast<long>(blockIdx.x), from = row * p.x_stride;
  Extremes extremes(to, p.k);
  if (p.kept != 0) {
    float x[kKept][8] = {};
#pragma unroll
    for (int v = 0; v < kKept; v++) {
      const long i = 8 * (static_cast<long>(threadIdx.x) + 256 * v);
      if (i < p.k) {
        load_vector<8>(p.x, from + i, p.x_dtype, x[v]);
#pragma unroll
        for (int q = 0; q < 8; q++) {
          extremes.see(x[v][q]);
        }
      }
    }
    const CodeMeaning meaning = extremes.meaning(to, row);
#pragma unroll
    for (int v = 0; v < kKept; v++) {
      const long i = 8 * (static_cast<long>(threadIdx.x) + 256 * v);
      if (i < p.padded_k) {
        const long count = p.k - i;
        store_codes(to, row, i, meaning, x[v], count);
        store_codes(to, row, i + 4, meaning, x[v] + 4, count - 4);
      }
    }
    return;
  }
  for (long i = threadIdx.x; i < p.k; i += blockDim.x) {
    extremes.see(load(p.x, from + i, p.x_dtype));
  }
  const CodeMeaning meaning = extremes.meaning(to, row);
  for (long i = 4 * static_cast<long>(threadIdx.x); i < p.padded_k; i += 4 * blockDim.x) {
    float x[4];
    for (int q = 0; q < 4; q++) {
      x[q] = i + q < p.k ? load(p.x, from + i + q, p.x_dtype) : 0;
    }
    store_codes(to, row, i, meaning, x, p.k - i);
  }
}

// A warp a block of 32. Grid: (rows, blocks of a row / 8).
// kernels.list: quantize_blocks 256 {QuantizedTokens}{TokenCodes} 0
extern "C" __global__ void __launch_bounds__(256)
    quantize_blocks(const QuantizedTokens p, const TokenCodes to) {
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
    *reinterpret_cast<uint32_t*>(to.codes + row * to.stride + i) = word;
  }
  if (lane == 0) {
    to.scales[block * p.padded_rows + row] = meaning.scale;
  }
}
