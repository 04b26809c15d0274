// Calls kernels of the portable level with numbers that are the same everywhere, and prints what
// each gives as a hash of its bits: on every processor the same lines.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "gatun_cpu.h"

namespace {

constexpr int64_t kRows = 37, kColumns = 211;

uint32_t state = 1;

// In [-4, 4), a multiple of 2^-13.
float number() {
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(static_cast<int32_t>(state >> 16)) / 8192.0f - 4.0f;
}

std::vector<float> numbers(int64_t count) {
  std::vector<float> x(count);
  for (float &v : x) {
    v = number();
  }
  return x;
}

// Numbers of an element type.
std::vector<uint8_t> of(int32_t dtype, const std::vector<float> &x) {
  std::vector<uint8_t> y(x.size() * (dtype == GATUN_DTYPE_F32 ? 4 : 2));
  gatun_cast(nullptr, x.data(), GATUN_DTYPE_F32, y.data(), dtype, static_cast<int64_t>(x.size()));
  return y;
}

template <typename T>
void print(const char *name, int32_t a, int32_t b, int32_t status, const std::vector<T> &y) {
  uint64_t hash = 14695981039346656037u;
  const uint8_t *bytes = reinterpret_cast<const uint8_t *>(y.data());
  for (size_t i = 0; i < y.size() * sizeof(T); i++) {
    hash = (hash ^ bytes[i]) * 1099511628211u;
  }
  std::printf("%s %d %d: status %d, %016" PRIx64 "\n", name, a, b, status, hash);
}

void rows_of(int32_t dtype) {
  const std::vector<uint8_t> x = of(dtype, numbers(kRows * kColumns)),
                             other = of(dtype, numbers(kRows * kColumns)),
                             weight = of(dtype, numbers(kColumns));
  std::vector<uint8_t> y(x.size());
  for (int32_t a = GATUN_ACTIVATION_NONE; a <= GATUN_ACTIVATION_QUICK_GELU; a++) {
    int32_t status = gatun_activate(nullptr, x.data(), y.data(), dtype, kRows * kColumns, a);
    print("activate", dtype, a, status, y);
    status = gatun_gated_activation(nullptr, x.data(), kColumns, other.data(), kColumns, y.data(),
                                    dtype, kRows, kColumns, a);
    print("gated_activation", dtype, a, status, y);
  }
  int32_t status = gatun_softmax(nullptr, x.data(), y.data(), dtype, kRows, kColumns, 0);
  print("softmax", dtype, 0, status, y);
  std::vector<int8_t> codes(kRows * kColumns);
  std::vector<float> scales(kRows), offsets(kRows);
  status = gatun_layer_norm(nullptr, x.data(), other.data(), weight.data(), weight.data(), y.data(),
                            nullptr, dtype, dtype, kRows, kColumns, 1e-5f, codes.data(), kColumns,
                            scales.data(), offsets.data(), 0);
  print("layer_norm", dtype, 0, status, y);
  print("layer_norm codes", dtype, 0, status, codes);
  print("layer_norm scales", dtype, 0, status, scales);
  print("layer_norm offsets", dtype, 0, status, offsets);
  status = gatun_rms_norm(nullptr, x.data(), other.data(), weight.data(), y.data(), nullptr, dtype,
                          dtype, kRows, kColumns, 0, 1e-6f, nullptr, 0, nullptr, nullptr, 0);
  print("rms_norm", dtype, 0, status, y);
  status = gatun_quantize_tokens(nullptr, x.data(), dtype, kColumns, codes.data(), kColumns,
                                 scales.data(), nullptr, 0, kRows, kColumns);
  print("quantize_tokens", dtype, 0, status, codes);
  status = gatun_l2_normalize(nullptr, x.data(), y.data(), dtype, kRows, kColumns, 1e-12f);
  print("l2_normalize", dtype, 0, status, y);
  for (int32_t op = GATUN_BINARY_OP_ADD; op <= GATUN_BINARY_OP_MINIMUM; op++) {
    const int64_t layout[] = {kRows, kColumns, kColumns, 1, 0, 1, kColumns, 1};
    status = gatun_elementwise(nullptr, x.data(), weight.data(), y.data(), dtype, op, 2, layout);
    print("elementwise", dtype, op, status, y);
  }
  for (int32_t to = GATUN_DTYPE_F32; to <= GATUN_DTYPE_F16; to++) {
    std::vector<uint8_t> cast(kRows * kColumns * (to == GATUN_DTYPE_F32 ? 4 : 2));
    status = gatun_cast(nullptr, x.data(), dtype, cast.data(), to, kRows * kColumns);
    print("cast", dtype, to, status, cast);
  }
}

void products(int32_t dtype) {
  const int64_t n = 75, k = 128;
  const std::vector<uint8_t> x = of(dtype, numbers(kRows * k)), weight = of(dtype, numbers(n * k));
  const std::vector<float> bias = numbers(n);
  std::vector<float> y(kRows * n);
  const int64_t panels = (n + GATUN_PANEL - 1) / GATUN_PANEL * GATUN_PANEL;
  std::vector<uint16_t> narrow(panels * k);
  int32_t status = gatun_matmul_pack_bf16(nullptr, weight.data(), dtype, k, 1, n, k, narrow.data());
  status |= gatun_matmul_bf16(nullptr, x.data(), dtype, k, narrow.data(), GATUN_PACKED, bias.data(),
                              y.data(), GATUN_DTYPE_F32, n, kRows, n, k, GATUN_ACTIVATION_GELU);
  print("matmul_bf16", dtype, 0, status, y);
  status = gatun_matmul_pack_f16(nullptr, weight.data(), dtype, k, 1, n, k, narrow.data());
  status |= gatun_matmul_f16(nullptr, x.data(), dtype, k, narrow.data(), GATUN_PACKED, bias.data(),
                             y.data(), GATUN_DTYPE_F32, n, kRows, n, k, GATUN_ACTIVATION_SILU);
  print("matmul_f16", dtype, 0, status, y);
  status = gatun_batched_matmul(nullptr, x.data(), 0, k, 1, weight.data(), 0, k, 1, dtype, y.data(),
                                GATUN_DTYPE_F32, 1, kRows, n, k, 0);
  print("batched_matmul", dtype, 0, status, y);
  if (dtype == GATUN_DTYPE_F32) {
    std::vector<float> packed(panels * k);
    status = gatun_matmul_pack_f32(nullptr, weight.data(), dtype, k, 1, n, k, packed.data());
    status |= gatun_matmul_f32(nullptr, reinterpret_cast<const float *>(x.data()), k, packed.data(),
                               GATUN_PACKED, bias.data(), y.data(), n, kRows, n, k,
                               GATUN_ACTIVATION_TANH);
    print("matmul_f32", dtype, 0, status, y);
  }
  for (int32_t bits = 4; bits <= 8; bits += 4) {
    // A record of a group of 32: scales, and the words of the codes.
    const int64_t record = GATUN_PANEL * 4 + bits * GATUN_PANEL * 4;
    std::vector<uint8_t> packed(panels / GATUN_PANEL * (k / 32) * record);
    for (size_t i = 0; i < packed.size(); i++) {
      packed[i] = static_cast<uint8_t>(state >> 24);
      number();
    }
    for (size_t at = 0; at < packed.size(); at += record) {
      for (int64_t f = 0; f < GATUN_PANEL; f++) {
        const float scale = 0.01f * number();
        std::memcpy(&packed[at + 4 * f], &scale, sizeof scale);
      }
    }
    for (int32_t a = GATUN_ACTIVATIONS_EXACT; a <= GATUN_ACTIVATIONS_INT8_BLOCKS; a++) {
      status =
          gatun_quantized_matmul(nullptr, x.data(), dtype, k, nullptr, nullptr, 0, packed.data(),
                                 bits, 32, GATUN_SCALES_F32, a, bias.data(), nullptr, 0, y.data(),
                                 GATUN_DTYPE_F32, n, kRows, n, k, GATUN_ACTIVATION_NONE);
      print("quantized_matmul", bits, a, status, y);
    }
  }
}

void attention(int32_t dtype) {
  const int64_t heads = 4, kv_heads = 2, queries = 29, keys = 53, size = 40;
  const std::vector<uint8_t> q = of(dtype, numbers(heads * queries * size)),
                             k = of(dtype, numbers(kv_heads * keys * size)),
                             v = of(dtype, numbers(kv_heads * keys * size));
  std::vector<uint8_t> y(q.size());
  for (int32_t causal = GATUN_CAUSAL_NONE; causal <= GATUN_CAUSAL_BOTTOM_RIGHT; causal++) {
    gatun_attention args = {};
    args.query = q.data();
    args.key = k.data();
    args.value = v.data();
    args.output = y.data();
    const int64_t strides[2][3] = {{heads * queries * size, heads * size, size},
                                   {kv_heads * keys * size, kv_heads * size, size}};
    std::memcpy(args.query_strides, strides[0], sizeof strides[0]);
    std::memcpy(args.output_strides, strides[0], sizeof strides[0]);
    std::memcpy(args.key_strides, strides[1], sizeof strides[1]);
    std::memcpy(args.value_strides, strides[1], sizeof strides[1]);
    args.batch = 1;
    args.heads = heads;
    args.kv_heads = kv_heads;
    args.query_length = queries;
    args.key_length = keys;
    args.head_size = args.value_head_size = size;
    args.seed = 7;
    args.scale = 0.2f;
    args.softcap = causal == GATUN_CAUSAL_TOP_LEFT ? 5.0f : 0.0f;
    args.dropout = 0.1f;
    args.causal = causal;
    args.dtype = dtype;
    const int32_t status = gatun_scaled_dot_product_attention(nullptr, &args);
    print("attention", dtype, causal, status, y);
  }
}

}  // namespace

int main() {
  if (gatun_set_level(GATUN_LEVEL_PORTABLE) != GATUN_OK || gatun_set_threads(2) != GATUN_OK) {
    return 1;
  }
  for (int32_t dtype = GATUN_DTYPE_F32; dtype <= GATUN_DTYPE_F16; dtype++) {
    rows_of(dtype);
    products(dtype);
    attention(dtype);
  }
}
