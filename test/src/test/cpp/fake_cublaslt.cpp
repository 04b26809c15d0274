// A cuBLASLt on the emulated device: the functions that Gatun calls, strict about what they are
// given, the product as a plain loop. Numbers are cublasLt.h's. The environment says what it plays:
// FAKE_CUBLASLT_VERSION (130100 is 13.1.0) and FAKE_CUBLASLT_FAIL (FUNCTION:STATUS). Each product
// that ran is a line on standard error.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// Of the emulated driver.
extern "C" int gatun_emulator_submit(void *stream, int (*run)(void *), void (*release)(void *),
                                     void *data);
extern "C" int gatun_emulator_touch(const void *address, size_t bytes, int written);

namespace {

enum Status {
  kSuccess = 0,
  kNotInitialized = 1,
  kInvalidValue = 7,
  kArchMismatch = 8,
  kExecutionFailed = 13,
  kInternalError = 14,
  kNotSupported = 15,
};
enum { kF32 = 0, kF16 = 2, kBf16 = 14, kCompute32 = 68, kComputeTf32 = 77 };
enum { kDefault = 1, kRelu = 2, kBias = 4, kGelu = 32 };

struct Handle {
  int magic = 0x11;
};
struct Operation {
  int magic = 0x22;
  int compute, transposed_a = 0, transposed_b = 0, epilogue = kDefault;
  const void *bias = nullptr;
};
struct Layout {
  int magic = 0x33;
  int type;
  uint64_t rows, columns;
  int64_t stride;
};
struct Preference {
  int magic = 0x44;
  uint64_t workspace = 0;
  uint32_t reductions = 0xffffffff;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

// What a product is; an algorithm carries it, and is good for no other.
struct Problem {
  uint32_t magic;
  int32_t compute, epilogue, inputs, output, parts;
  uint32_t alignment[3];
  int32_t m, n, k, weight_stride, x_stride, y_stride;
  uint32_t unused;
};
static_assert(sizeof(Problem) == 64, "cublasLtMatmulAlgo_t has 64 bytes");

struct Heuristic {
  Problem algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

struct Product {
  Problem of;
  const char *weight, *x, *bias;
  char *y;
  float *workspace;
};

int fails(const char *function) {
  const char *text = std::getenv("FAKE_CUBLASLT_FAIL");
  const size_t length = std::strlen(function);
  return text != nullptr && std::strncmp(text, function, length) == 0 && text[length] == ':'
             ? std::atoi(text + length + 1)
             : 0;
}

#define ENTER(function)                     \
  if (const int status = fails(function)) { \
    return status;                          \
  }

template <class T>
bool is(const void *object) {
  return object != nullptr && static_cast<const T *>(object)->magic == T().magic;
}

size_t bytes_of(int type) { return type == kF32 ? 4 : 2; }

float load(const char *base, size_t i, int type) {
  if (type == kF32) {
    float value;
    std::memcpy(&value, base + 4 * i, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, base + 2 * i, 2);
  if (type == kBf16) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, 4);
    return value;
  }
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                           : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                            : std::ldexp(1024 + fraction, exponent - 25);
  return static_cast<float>(bits >> 15 ? -magnitude : magnitude);
}

// To nearest, ties to even.
void store(char *base, size_t i, int type, float value) {
  if (type == kF32) {
    std::memcpy(base + 4 * i, &value, 4);
    return;
  }
  uint32_t wide;
  std::memcpy(&wide, &value, 4);
  uint16_t bits;
  if (type == kBf16) {
    bits = std::isnan(value) ? 0x7fff
                             : static_cast<uint16_t>((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
  } else if (std::isnan(value)) {
    bits = 0x7fff;
  } else {
    const double magnitude = std::fabs(static_cast<double>(value));
    int exponent = magnitude == 0 ? -14 : std::ilogb(magnitude);
    exponent = exponent < -14 ? -14 : exponent;
    // In units of the last place, where a carry into the exponent is right by itself.
    const double units =
        magnitude >= 65520 ? 0 : std::nearbyint(std::ldexp(magnitude, 10 - exponent));
    const int whole = (exponent + 14) * 1024 + static_cast<int>(units);
    bits = static_cast<uint16_t>((magnitude >= 65520 ? 0x7c00 : whole) | wide >> 31 << 15);
  }
  std::memcpy(base + 2 * i, &bits, 2);
}

float input(const char *base, size_t i, const Problem &of) {
  float value = load(base, i, of.inputs);
  if (of.compute == kComputeTf32 && of.inputs == kF32 && std::isfinite(value)) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~uint32_t{0x1fff};
    std::memcpy(&value, &bits, 4);
  }
  return value;
}

float finish(float sum, const Product &p, size_t feature) {
  if (p.of.epilogue & kBias) {
    sum += load(p.bias, feature, p.of.output);
  }
  if (p.of.epilogue & kRelu) {
    return sum < 0 ? 0 : sum;
  }
  if (p.of.epilogue & kGelu) {
    const float inner = 0.79788456f * (sum + 0.044715f * sum * sum * sum);
    return 0.5f * sum * (1 + std::tanh(inner));
  }
  return sum;
}

int touch(const void *address, int64_t rows, int64_t columns, int64_t stride, int type,
          int written) {
  const char *base = static_cast<const char *>(address);
  for (int64_t column = 0; column < columns; column++) {
    const int status = gatun_emulator_touch(base + column * stride * bytes_of(type),
                                            rows * bytes_of(type), written);
    if (status != 0) {
      return status;
    }
  }
  return 0;
}

int run(void *data) {
  const Product &p = *static_cast<Product *>(data);
  const Problem &of = p.of;
  int status = touch(p.weight, of.k, of.n, of.weight_stride, of.inputs, 0);
  status = status != 0 ? status : touch(p.x, of.k, of.m, of.x_stride, of.inputs, 0);
  status = status != 0 ? status : touch(p.y, of.n, of.m, of.y_stride, of.output, 1);
  if (status == 0 && of.epilogue & kBias) {
    status = touch(p.bias, of.n, 1, of.n, of.output, 0);
  }
  const size_t count = static_cast<size_t>(of.m) * of.n;
  if (status == 0 && of.parts > 1) {
    status = gatun_emulator_touch(p.workspace, count * of.parts * sizeof(float), 1);
  }
  if (status != 0) {
    return status;
  }
  std::vector<float> own(of.parts > 1 ? 0 : count);
  float *sums = of.parts > 1 ? p.workspace : own.data();
  for (int part = 0; part < of.parts; part++) {
    const int first = part * of.k / of.parts, end = (part + 1) * of.k / of.parts;
    for (int i = 0; i < of.m; i++) {
      for (int j = 0; j < of.n; j++) {
        float sum = 0;
        for (int k = first; k < end; k++) {
          sum += input(p.weight, static_cast<size_t>(j) * of.weight_stride + k, of) *
                 input(p.x, static_cast<size_t>(i) * of.x_stride + k, of);
        }
        sums[part * count + static_cast<size_t>(i) * of.n + j] = sum;
      }
    }
  }
  for (int i = 0; i < of.m; i++) {
    for (int j = 0; j < of.n; j++) {
      float sum = 0;
      for (int part = 0; part < of.parts; part++) {
        sum += sums[part * count + static_cast<size_t>(i) * of.n + j];
      }
      store(p.y, static_cast<size_t>(i) * of.y_stride + j, of.output, finish(sum, p, j));
    }
  }
  std::fprintf(stderr, "fake cuBLASLt: %d x %d x %d, %d parts\n", of.m, of.n, of.k, of.parts);
  return 0;
}

bool aligned(const void *address, uint32_t to) {
  return reinterpret_cast<uintptr_t>(address) % to == 0;
}

// The problem of descriptors that fit each other, or a status.
int problem(const void *operation, const void *a, const void *b, const void *c, const void *d,
            Problem *result) {
  if (!is<Operation>(operation) || !is<Layout>(a) || !is<Layout>(b) || !is<Layout>(c) ||
      !is<Layout>(d)) {
    return kInvalidValue;
  }
  const Operation &o = *static_cast<const Operation *>(operation);
  const Layout &weight = *static_cast<const Layout *>(a), &x = *static_cast<const Layout *>(b);
  const Layout &y = *static_cast<const Layout *>(d), &also = *static_cast<const Layout *>(c);
  for (const Layout *l : {&weight, &x, &y, &also}) {
    if (l->rows == 0 || l->columns == 0 || l->stride < static_cast<int64_t>(l->rows)) {
      return kInvalidValue;
    }
  }
  if (weight.rows != x.rows || weight.columns != y.rows || x.columns != y.columns ||
      also.rows != y.rows || also.columns != y.columns || also.type != y.type ||
      also.stride != y.stride) {
    return kInvalidValue;
  }
  if (o.epilogue & kBias && o.bias != nullptr && !aligned(o.bias, bytes_of(y.type))) {
    return kInvalidValue;
  }
  const bool tf32 = o.compute == kComputeTf32;
  if (o.transposed_a != 1 || o.transposed_b != 0 || weight.type != x.type ||
      (y.type != kF32 && y.type != weight.type) || (tf32 && weight.type != kF32)) {
    return kNotSupported;
  }
  *result = {0xa190,
             o.compute,
             o.epilogue,
             weight.type,
             y.type,
             1,
             {1, 1, 1},
             static_cast<int32_t>(y.columns),
             static_cast<int32_t>(y.rows),
             static_cast<int32_t>(x.rows),
             static_cast<int32_t>(weight.stride),
             static_cast<int32_t>(x.stride),
             static_cast<int32_t>(y.stride),
             0};
  return kSuccess;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default")))

API size_t cublasLtGetVersion() {
  const char *text = std::getenv("FAKE_CUBLASLT_VERSION");
  return text == nullptr ? 130100 : static_cast<size_t>(std::atoi(text));
}

API const char *cublasLtGetStatusName(int status) {
  switch (status) {
    case kNotInitialized:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kInvalidValue:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case kArchMismatch:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case kExecutionFailed:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case kInternalError:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case kNotSupported:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS_UNKNOWN";
  }
}

API const char *cublasLtGetStatusString(int) { return "as the test asked for"; }

API int cublasLtCreate(void **handle) {
  ENTER("cublasLtCreate")
  *handle = new Handle();
  return kSuccess;
}

API int cublasLtMatmulDescCreate(void **operation, int compute, int scale) {
  ENTER("cublasLtMatmulDescCreate")
  if ((compute != kCompute32 && compute != kComputeTf32) || scale != kF32) {
    return kInvalidValue;
  }
  Operation *made = new Operation();
  made->compute = compute;
  *operation = made;
  return kSuccess;
}

API int cublasLtMatmulDescDestroy(void *operation) {
  if (!is<Operation>(operation)) {
    return kInvalidValue;
  }
  static_cast<Operation *>(operation)->magic = 0;
  delete static_cast<Operation *>(operation);
  return kSuccess;
}

API int cublasLtMatmulDescSetAttribute(void *operation, int which, const void *value,
                                       size_t bytes) {
  ENTER("cublasLtMatmulDescSetAttribute")
  if (!is<Operation>(operation) || bytes != (which == 8 ? 8u : 4u)) {
    return kInvalidValue;
  }
  Operation &o = *static_cast<Operation *>(operation);
  if (which == 8) {
    std::memcpy(&o.bias, value, 8);
    return kSuccess;
  }
  int number;
  std::memcpy(&number, value, 4);
  switch (which) {
    case 3:
      o.transposed_a = number;
      return number == 0 || number == 1 ? kSuccess : kInvalidValue;
    case 4:
      o.transposed_b = number;
      return number == 0 || number == 1 ? kSuccess : kInvalidValue;
    case 7:
      o.epilogue = number;
      return number == kDefault || (number & ~(kRelu | kBias)) == 0 ||
                     (number & ~(kGelu | kBias)) == 0
                 ? kSuccess
                 : kInvalidValue;
    default:
      return kInvalidValue;
  }
}

API int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns,
                                   int64_t stride) {
  ENTER("cublasLtMatrixLayoutCreate")
  if (type != kF32 && type != kF16 && type != kBf16) {
    return kInvalidValue;
  }
  Layout *made = new Layout();
  made->type = type;
  made->rows = rows;
  made->columns = columns;
  made->stride = stride;
  *layout = made;
  return kSuccess;
}

API int cublasLtMatrixLayoutDestroy(void *layout) {
  if (!is<Layout>(layout)) {
    return kInvalidValue;
  }
  static_cast<Layout *>(layout)->magic = 0;
  delete static_cast<Layout *>(layout);
  return kSuccess;
}

API int cublasLtMatmulPreferenceCreate(void **preference) {
  ENTER("cublasLtMatmulPreferenceCreate")
  *preference = new Preference();
  return kSuccess;
}

API int cublasLtMatmulPreferenceDestroy(void *preference) {
  if (!is<Preference>(preference)) {
    return kInvalidValue;
  }
  delete static_cast<Preference *>(preference);
  return kSuccess;
}

API int cublasLtMatmulPreferenceSetAttribute(void *preference, int which, const void *value,
                                             size_t bytes) {
  ENTER("cublasLtMatmulPreferenceSetAttribute")
  if (!is<Preference>(preference) || bytes != (which == 1 ? 8u : 4u)) {
    return kInvalidValue;
  }
  Preference &p = *static_cast<Preference *>(preference);
  if (which == 1) {
    std::memcpy(&p.workspace, value, 8);
  } else if (which == 3) {
    std::memcpy(&p.reductions, value, 4);
  } else if (which >= 5 && which <= 8) {
    uint32_t to;
    std::memcpy(&to, value, 4);
    if (to == 0 || (to & (to - 1)) != 0) {
      return kInvalidValue;
    }
    p.alignment[which - 5] = to;
  } else {
    return kInvalidValue;
  }
  return kSuccess;
}

API int cublasLtMatmulAlgoGetHeuristic(void *handle, void *operation, void *a, void *b, void *c,
                                       void *d, void *preference, int wanted, void *results,
                                       int *found) {
  ENTER("cublasLtMatmulAlgoGetHeuristic")
  if (!is<Handle>(handle) || !is<Preference>(preference) || wanted != 1) {
    return kInvalidValue;
  }
  const Preference &p = *static_cast<Preference *>(preference);
  Heuristic result = {};
  *found = 0;
  const int status = problem(operation, a, b, c, d, &result.algorithm);
  if (status != kSuccess) {
    return status;
  }
  Problem &of = result.algorithm;
  if (p.alignment[0] < bytes_of(of.inputs) || p.alignment[1] < bytes_of(of.inputs) ||
      p.alignment[2] < bytes_of(of.output) || p.alignment[3] != p.alignment[2]) {
    return kNotSupported;
  }
  for (int i = 0; i < 3; i++) {
    of.alignment[i] = p.alignment[i];
  }
  // A deep product is cut in three, summed in the workspace.
  const size_t bytes = size_t{3} * of.m * of.n * sizeof(float);
  if (of.k >= 96 && (p.reductions & 2) != 0 && bytes <= p.workspace) {
    of.parts = 3;
    result.workspace = bytes;
  }
  std::memcpy(results, &result, sizeof result);
  *found = 1;
  return kSuccess;
}

API int cublasLtMatmul(void *handle, void *operation, const void *alpha, const void *a,
                       void *a_layout, const void *b, void *b_layout, const void *beta,
                       const void *c, void *c_layout, void *d, void *d_layout,
                       const void *algorithm, void *workspace, size_t workspace_bytes,
                       void *stream) {
  ENTER("cublasLtMatmul")
  float one, zero;
  std::memcpy(&one, alpha, 4);
  std::memcpy(&zero, beta, 4);
  if (!is<Handle>(handle) || one != 1 || zero != 0 || c != d || algorithm == nullptr) {
    return kInvalidValue;
  }
  Problem of = {};
  const int status = problem(operation, a_layout, b_layout, c_layout, d_layout, &of);
  if (status != kSuccess) {
    return status;
  }
  Problem chosen;
  std::memcpy(&chosen, algorithm, sizeof chosen);
  of.parts = chosen.parts;
  std::memcpy(of.alignment, chosen.alignment, sizeof of.alignment);
  if (std::memcmp(&of, &chosen, sizeof of) != 0 || !aligned(a, of.alignment[0]) ||
      !aligned(b, of.alignment[1]) || !aligned(d, of.alignment[2])) {
    return kInvalidValue;
  }
  const size_t needed = of.parts == 1 ? 0 : sizeof(float) * of.parts * of.m * of.n;
  if (workspace_bytes < needed ||
      (needed != 0 && (workspace == nullptr || !aligned(workspace, 256)))) {
    return kInvalidValue;
  }
  const void *bias = static_cast<Operation *>(operation)->bias;
  if (of.epilogue & kBias && bias == nullptr) {
    return kInvalidValue;
  }
  auto *product = new Product{of,
                              static_cast<const char *>(a),
                              static_cast<const char *>(b),
                              static_cast<const char *>(bias),
                              static_cast<char *>(d),
                              static_cast<float *>(workspace)};
  return gatun_emulator_submit(
             stream, run, [](void *data) { delete static_cast<Product *>(data); }, product) == 0
             ? kSuccess
             : kExecutionFailed;
}
