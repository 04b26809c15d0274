// Weights to blocks. Gatun's own formats round to nearest even; GGML's follow GGML's reference.
//
// Bytes are those of one scalar description, kept by every level: floats are rounded once an
// operation and sums are in the order of the elements.
#include "../extremes.h"
#include "../super_block.h"
#include "../token_codes.h"
#include "../uneven_steps.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// Where a scale is larger, codes times the scale can be infinite.
constexpr float kLargeScale = 1e30f;

// The part before the point. NaN is 0, what is outside of an int is held at its ends: the same on
// every processor.
GATUN_INLINE inline Ints to_ints(Floats x) {
  const Ints inside = (x >= -2147483648.0f) & (x < 2147483648.0f);
  const Ints whole = __builtin_convertvector(select(inside, x, Floats{}), Ints);
  const Ints most = (x > 0.0f) & INT32_MAX, least = (x < 0.0f) & INT32_MIN;
  return whole | (~inside & (most | least));
}

// The nearest whole number, of two the one further from 0.
GATUN_INLINE inline Ints nearest_ints(Floats x) {
  const Ints whole = to_ints(x);
  const Floats rest = x - __builtin_convertvector(whole, Floats);
  // Behind these limits there are no halves.
  const Ints inside = magnitude(x) < 8388608.0f;
  return whole + (inside & ((rest <= -0.5f) - (rest >= 0.5f)));
}

uint32_t size_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits & 0x7fffffff;
}

// The bits of the largest magnitude; those of infinity or more where a number is not finite.
GATUN_INLINE inline uint32_t largest_bits(const float *x, int64_t size) {
  uint32_t most = 0;
  for (int64_t i = 0; i < size; i++) {
    const uint32_t bits = size_bits(x[i]);
    most = bits > most ? bits : most;
  }
  return most;
}

GATUN_INLINE inline float largest_magnitude(const float *x, int64_t size) {
  const uint32_t bits = largest_bits(x, size);
  float most;
  __builtin_memcpy(&most, &bits, sizeof most);
  return most;
}

// The smallest and the largest element, and 0.
struct Range {
  float least, most;

  GATUN_INLINE static inline Range of(const float *x, int64_t size) {
    Floats low{}, high{};
    by_vector(size, [&](int64_t i, int64_t n) {
      const Floats some = load_lanes(x + i, n);
      low = min(some, low);
      high = max(some, high);
    });
    return {-largest(-low), largest(high)};
  }
};

// The element of the largest magnitude, the first of equals, with its sign.
GATUN_INLINE inline float first_extreme(const float *x, int64_t size) {
  const Range range = Range::of(x, size);
  const float above = range.most, below = -range.least;
  if (above != below) {
    return above > below ? above : -below;
  }
  if (above == 0) {
    return 0;
  }
  while (__builtin_fabsf(*x) != above) {
    x++;
  }
  return *x;
}

// x / scale to nearest even, between limits of at most 2^22; 0 where the scale is.
GATUN_INLINE inline Ints even_code(Floats x, float scale, int least, int most) {
  const Floats low = splat(static_cast<float>(least)), high = splat(static_cast<float>(most));
  return scale == 0 ? Ints{} : to_code(min(max(x / scale, low), high));
}

// The same of many, plus an offset, as bytes.
GATUN_INLINE inline void even_codes(const float *x, int64_t size, float scale, int least, int most,
                                    int offset, uint8_t *codes) {
  by_vector(size, [&](int64_t i, int64_t n) {
    const Ints found = even_code(load_lanes(x + i, n), scale, least, most) + offset;
    const Codes some = __builtin_convertvector(found, Codes);
    __builtin_memcpy(codes + i, &some, static_cast<size_t>(n));
  });
}

// The same as nibbles: a byte has a code of the first half and one of the second.
GATUN_INLINE inline void even_nibbles(const float *x, int64_t size, float scale, int least,
                                      int most, int offset, uint8_t *out) {
  const int64_t half = size / 2;
  by_vector(half, [&](int64_t i, int64_t n) {
    const Ints low = even_code(load_lanes(x + i, n), scale, least, most) + offset;
    const Ints high = even_code(load_lanes(x + half + i, n), scale, least, most) + offset;
    const Codes some = __builtin_convertvector(low | high << 4, Codes);
    __builtin_memcpy(out + i, &some, static_cast<size_t>(n));
  });
}

// 32 codes of four bits as nibbles; or of five, the fifth ones in a word and then the low four.
// code(i) gives those from i on.
template <typename CodesAt>
GATUN_INLINE inline void store_codes(int bits, uint8_t *out, const CodesAt &code) {
  if (bits == 5) {
    int32_t codes[32];
    for (int i = 0; i < 32; i += kLanes) {
      const Ints found = code(i);
      __builtin_memcpy(codes + i, &found, sizeof found);
    }
    uint32_t fifths = 0;
    for (int i = 0; i < 32; i++) {
      fifths |= static_cast<uint32_t>(codes[i] >> 4) << i;
    }
    store_bytes(out, fifths);
    out += 4;
  }
  for (int i = 0; i < 16; i += kLanes) {
    const Codes some = __builtin_convertvector((code(i) & 15) | code(i + 16) << 4, Codes);
    __builtin_memcpy(out + i, &some, sizeof some);
  }
}

bool codes_are_finite(float scale, int zero, const uint8_t *codes, bool is_signed, int64_t size) {
  bool finite = true;
  for (int64_t i = 0; scale > kLargeScale && i < size; i++) {
    const int code = is_signed ? static_cast<int8_t>(codes[i]) : codes[i];
    finite &= is_finite(scale * static_cast<float>(code - zero));
  }
  return finite;
}

GATUN_INLINE inline bool encode_int8(const float *x, int64_t size, uint8_t *out) {
  const float scale = largest_magnitude(x, size) / 127;
  store_bytes(out, scale);
  even_codes(x, size, scale, -127, 127, 0, out + 4);
  return codes_are_finite(scale, 0, out + 4, true, size);
}

GATUN_INLINE inline bool encode_int8_zero(const float *x, int64_t size, uint8_t *out) {
  const Range range = Range::of(x, size);
  const float scale = range.most / 255 - range.least / 255;
  const int zero = even(-range.least, scale, 0, 255);
  store_bytes(out, scale);
  store_bytes(out + 4, static_cast<int16_t>(zero));
  even_codes(x, size, scale, -zero, 255 - zero, zero, out + 6);
  return codes_are_finite(scale, zero, out + 6, false, size);
}

GATUN_INLINE inline bool encode_int4(const float *x, int64_t size, uint8_t *out) {
  const float scale = store_f16(out, first_extreme(x, size) / -8);
  even_nibbles(x, size, scale, -8, 7, 8, out + 2);
  return is_finite(scale);
}

GATUN_INLINE inline bool encode_int4_zero(const float *x, int64_t size, uint8_t *out) {
  const Range range = Range::of(x, size);
  const float scale = store_f16(out, (range.most - range.least) / 15);
  const int zero = even(-range.least, scale, 0, 15);
  out[2] = static_cast<uint8_t>(zero);
  even_nibbles(x, size, scale, -zero, 15 - zero, zero, out + 3);
  return is_finite(scale);
}

// Q4_0 and Q5_0.
bool encode_symmetric(const float *x, int bits, uint8_t *out) {
  const int half = 1 << (bits - 1);
  const float scale = first_extreme(x, 32) / static_cast<float>(-half);
  const float inverse = scale == 0 ? 0 : 1 / scale;
  const float stored = store_f16(out, scale);
  store_codes(bits, out + 2, [&](int i) {
    const Ints code = to_ints(load(x + i) * inverse + (static_cast<float>(half) + 0.5f));
    return code < 2 * half - 1 ? code : Ints{} + (2 * half - 1);
  });
  return is_finite(stored);
}

// Q4_1 and Q5_1.
bool encode_affine(const float *x, int bits, uint8_t *out) {
  Floats low = load(x), high = low;
  for (int i = kLanes; i < 32; i += kLanes) {
    low = minimum(low, load(x + i));
    high = maximum(high, load(x + i));
  }
  // Of the zeros -0 is the smaller one.
  const float most = largest(high);
  const float least = fold(
      low, [](Floats a, Floats b) { return minimum(a, b); }, LaneNumbers())[0];
  const int steps = (1 << bits) - 1;
  const float scale = (most - least) / static_cast<float>(steps);
  const float inverse = scale == 0 ? 0 : 1 / scale;
  const float stored = store_f16(out, scale), minimum = store_f16(out + 2, least);
  store_codes(bits, out + 4, [&](int i) {
    const Ints code = to_ints((load(x + i) - least) * inverse + 0.5f);
    return code < steps ? code : Ints{} + steps;
  });
  return is_finite(stored) && is_finite(minimum);
}

// Ties are rounded away from 0.
bool encode_q8_0(const float *x, uint8_t *out) {
  const float scale = largest_magnitude(x, 32) / 127;
  const float inverse = scale == 0 ? 0 : 1 / scale;
  const float stored = store_f16(out, scale);
  for (int i = 0; i < 32; i += kLanes) {
    const Codes codes = __builtin_convertvector(nearest_ints(load(x + i) * inverse), Codes);
    __builtin_memcpy(out + 2 + i, &codes, sizeof codes);
  }
  return is_finite(stored);
}

// Q4_K and Q5_K.
bool encode_super_block(const float *x, int bits, uint8_t *out) {
  constexpr int kSub = 32, kSubs = 8;
  SuperBlock<kSub, 63> best;
  if (!SuperBlock<kSub, 63>::best(x, (1 << bits) - 1, &best)) {
    return false;
  }
  store_f16(out, best.scale);
  store_f16(out + 2, best.min);
  const int *six = best.chosen;
  for (int j = 0; j < 4; j++) {
    out[4 + j] = static_cast<uint8_t>(six[j] | six[4 + j] >> 4 << 6);
    out[8 + j] = static_cast<uint8_t>(six[kSubs + j] | six[kSubs + 4 + j] >> 4 << 6);
    out[12 + j] = static_cast<uint8_t>((six[4 + j] & 15) | (six[kSubs + 4 + j] & 15) << 4);
  }
  uint8_t *fifths = out + 16, *low = bits == 5 ? fifths + kSub : fifths;
  for (int i = 0; bits == 5 && i < kSub; i++) {
    int fifth = 0;
    for (int s = 0; s < kSubs; s++) {
      fifth |= best.codes[s * kSub + i] >> 4 << s;
    }
    fifths[i] = static_cast<uint8_t>(fifth);
  }
  for (int pair = 0; pair < kSubs / 2; pair++) {
    for (int i = 0; i < kSub; i++) {
      const int first = best.codes[2 * pair * kSub + i] & 15;
      const int second = best.codes[(2 * pair + 1) * kSub + i] & 15;
      low[pair * kSub + i] = static_cast<uint8_t>(first | second << 4);
    }
  }
  return true;
}

bool encode_q2_k(const float *x, uint8_t *out) {
  SuperBlock<16, 15> best;
  if (!SuperBlock<16, 15>::best(x, 3, &best)) {
    return false;
  }
  store_f16(out + 80, best.scale);
  store_f16(out + 82, best.min);
  for (int s = 0; s < 16; s++) {
    out[s] = static_cast<uint8_t>(best.chosen[s] | best.chosen[16 + s] << 4);
  }
  __builtin_memset(out + 16, 0, 64);
  for (int i = 0; i < kSuperBlock; i++) {
    out[16 + i / 128 * 32 + i % 32] |= static_cast<uint8_t>(best.codes[i] << i % 128 / 32 * 2);
  }
  return true;
}

// Sub-blocks of 16 with codes about kHalf, whose scales are whole numbers about kMost.
template <int kHalf, int kMost>
struct SymmetricBlock {
  static constexpr int kSub = 16, kSubs = 16, kParts = kSubs / kLanes;
  using Codes = EvenCodes<kHalf>;
  float scale;  // of f16
  int chosen[kSubs];
  int codes[kSuperBlock];  // from 0 on

  explicit SymmetricBlock(const float *x) {
    SubBlocks<kSub> parts[kParts];
    float scales[kSubs];
    for (int p = 0; p < kParts; p++) {
      parts[p] = SubBlocks<kSub>::load(x + p * kLanes * kSub, kLanes);
      store(scales + p * kLanes, search_scales<Codes>(parts[p]));
    }
    uint8_t half[2];
    scale = store_f16(half, extreme(scales, kSubs) / -kMost);
    for (int p = 0; is_finite(scale) && p < kParts; p++) {
      const int first = p * kLanes;
      refine_scales<Codes>(parts[p], scale, scales + first, kMost, kLanes, chosen + first);
      const Floats inverse = inverse_of(scale * lanes_of_ints(chosen + first, kLanes));
      for (int i = 0; i < kSub; i++) {
        float found[kLanes];
        store(found, Codes::nearest(parts[p].x[i] * inverse));
        for (int lane = 0; lane < kLanes; lane++) {
          codes[(first + lane) * kSub + i] = static_cast<int>(found[lane]) + kHalf;
        }
      }
    }
  }
};

bool encode_q3_k(const float *x, uint8_t *out) {
  const SymmetricBlock<4, 32> best(x);
  if (!is_finite(best.scale)) {
    return false;
  }
  __builtin_memset(out, 0, 108);
  store_f16(out + 108, best.scale);
  for (int s = 0; s < 16; s++) {
    const int stored = best.chosen[s] + 32;
    out[96 + s % 8] |= static_cast<uint8_t>((stored & 15) << s / 8 * 4);
    out[104 + s % 4] |= static_cast<uint8_t>(stored >> 4 << s / 4 * 2);
  }
  for (int i = 0; i < kSuperBlock; i++) {
    out[i % 32] |= static_cast<uint8_t>(best.codes[i] >> 2 << i / 32);
    out[32 + i / 128 * 32 + i % 32] |=
        static_cast<uint8_t>((best.codes[i] & 3) << i % 128 / 32 * 2);
  }
  return true;
}

bool encode_q6_k(const float *x, uint8_t *out) {
  const SymmetricBlock<32, 128> best(x);
  if (!is_finite(best.scale)) {
    return false;
  }
  __builtin_memset(out, 0, 192);
  store_f16(out + 208, best.scale);
  for (int s = 0; s < 16; s++) {
    out[192 + s] = static_cast<uint8_t>(best.chosen[s]);
  }
  for (int i = 0; i < kSuperBlock; i++) {
    const int code = best.codes[i];
    out[i / 128 * 64 + i % 64] |= static_cast<uint8_t>((code & 15) << i % 128 / 64 * 4);
    out[128 + i / 128 * 32 + i % 32] |= static_cast<uint8_t>(code >> 4 << i % 128 / 32 * 2);
  }
  return true;
}

void store_uneven_codes(const float *x, float scale, uint8_t *out) {
  const float inverse = scale == 0 ? 0 : 1 / scale;
  for (int i = 0; i < 16; i++) {
    out[i] =
        static_cast<uint8_t>(uneven_code(x[i], inverse) | uneven_code(x[i + 16], inverse) << 4);
  }
}

// Up to kLanes blocks.
bool encode_iq4_nl(const float *x, int count, uint8_t *out) {
  constexpr int kSize = 32, kBytes = 18;
  float scales[kLanes];
  store(scales, search_scales<UnevenCodes>(SubBlocks<kSize>::load(x, count)));
  bool finite = true;
  for (int b = 0; b < count; b++) {
    const float scale = store_f16(out + b * kBytes, scales[b]);
    finite &= is_finite(scale);
    store_uneven_codes(x + b * kSize, scale, out + b * kBytes + 2);
  }
  return finite;
}

bool encode_iq4_xs(const float *x, uint8_t *out) {
  constexpr int kSub = 32, kSubs = 8, kMost = 32, kParts = (kSubs + kLanes - 1) / kLanes;
  SubBlocks<kSub> parts[kParts];
  float scales[kParts * kLanes];
  for (int p = 0; p < kParts; p++) {
    parts[p] = SubBlocks<kSub>::load(x + p * kLanes * kSub, kSubs - p * kLanes);
    store(scales + p * kLanes, search_scales<UnevenCodes>(parts[p]));
  }
  const float scale = store_f16(out, extreme(scales, kSubs) / -kMost);
  if (!is_finite(scale)) {
    return false;
  }
  int chosen[kSubs];
  for (int p = 0; p < kParts; p++) {
    const int first = p * kLanes;
    refine_scales<UnevenCodes>(parts[p], scale, scales + first, kMost, kSubs - first,
                               chosen + first);
  }
  __builtin_memset(out + 2, 0, 6);
  uint32_t uppers = 0;
  for (int s = 0; s < kSubs; s++) {
    const uint32_t stored = static_cast<uint32_t>(chosen[s] + kMost);
    uppers |= stored >> 4 << 2 * s;
    out[4 + s / 2] |= static_cast<uint8_t>((stored & 15) << s % 2 * 4);
    store_uneven_codes(x + s * kSub, scale * static_cast<float>(chosen[s]), out + 8 + 16 * s);
  }
  store_bytes(out + 2, static_cast<uint16_t>(uppers));
  return true;
}

// The nearest element, the smaller one of two.
int mxfp4_code(float x, float scale) {
  const float size = __builtin_fabsf(x);
  int code = 0;
  for (int i = 1; i < 8; i++) {
    const float upper = static_cast<float>(kMxfp4[i]) * scale - size;
    const float lower = static_cast<float>(kMxfp4[i - 1]) * scale - size;
    code += __builtin_fabsf(upper) < __builtin_fabsf(lower) ? 1 : 0;
  }
  return x < 0 && code > 0 ? code + 8 : code;
}

// The largest element comes to lie between 4 and 8, of which 6 is the largest there is.
bool encode_mxfp4(const float *x, uint8_t *out) {
  const int exponent = static_cast<int>(largest_bits(x, 32) >> 23);
  const int stored = exponent > 2 ? exponent - 2 : 0;
  const float scale = mxfp4_half_scale(stored);
  out[0] = static_cast<uint8_t>(stored);
  for (int i = 0; i < 16; i++) {
    out[1 + i] = static_cast<uint8_t>(mxfp4_code(x[i], scale) | mxfp4_code(x[i + 16], scale) << 4);
  }
  return true;
}

// Work whose loops the compiler unrolls where blocks are of the usual size.
template <typename Work>
inline bool by_size(int64_t size, const Work &work) {
  return size == 32 ? work(std::integral_constant<int64_t, 32>()) : work(size);
}

// False where the block's scale is too large for its type.
bool encode(const BlockFormat &format, const float *x, uint8_t *out) {
  switch (format.kind) {
    case GATUN_BLOCKS_INT8:
      return by_size(format.block, [&](auto size) { return encode_int8(x, size, out); });
    case GATUN_BLOCKS_INT8_ZERO:
      return by_size(format.block, [&](auto size) { return encode_int8_zero(x, size, out); });
    case GATUN_BLOCKS_INT4:
      return by_size(format.block, [&](auto size) { return encode_int4(x, size, out); });
    case GATUN_BLOCKS_INT4_ZERO:
      return by_size(format.block, [&](auto size) { return encode_int4_zero(x, size, out); });
    case GATUN_BLOCKS_Q4_0:
      return encode_symmetric(x, 4, out);
    case GATUN_BLOCKS_Q4_1:
      return encode_affine(x, 4, out);
    case GATUN_BLOCKS_Q5_0:
      return encode_symmetric(x, 5, out);
    case GATUN_BLOCKS_Q5_1:
      return encode_affine(x, 5, out);
    case GATUN_BLOCKS_Q8_0:
      return encode_q8_0(x, out);
    case GATUN_BLOCKS_Q4_K:
      return encode_super_block(x, 4, out);
    case GATUN_BLOCKS_Q5_K:
      return encode_super_block(x, 5, out);
    case GATUN_BLOCKS_Q6_K:
      return encode_q6_k(x, out);
    case GATUN_BLOCKS_Q2_K:
      return encode_q2_k(x, out);
    case GATUN_BLOCKS_Q3_K:
      return encode_q3_k(x, out);
    case GATUN_BLOCKS_IQ4_XS:
      return encode_iq4_xs(x, out);
    default:
      return encode_mxfp4(x, out);
  }
}

// A row of floats: in place where it is one.
const float *floats(const void *weight, int32_t dtype, int64_t first, int64_t stride, int64_t k,
                    float *row) {
  const void *from = at(weight, dtype, first);
  if (dtype == GATUN_DTYPE_F32 && stride == 1) {
    return static_cast<const float *>(from);
  }
  by_dtype(dtype, [&](auto number) {
    const auto *elements = static_cast<const decltype(number) *>(from);
    by_vector(k, [&](int64_t i, int64_t n) {
      store_lanes(row + i,
                  stride == 1 ? load_lanes(elements + i, n)
                              : load_strided(elements + i * stride, stride, n),
                  n);
    });
  });
  return row;
}

bool quantize_row(const BlockFormat &format, const float *x, int64_t k, uint8_t *out) {
  constexpr uint32_t kInfinity = 0x7f800000;
  if (largest_bits(x, k) >= kInfinity) {
    return false;
  }
  bool finite = true;
  const int64_t count = k / format.block;
  for (int64_t b = 0; format.kind == GATUN_BLOCKS_IQ4_NL && b < count; b += kLanes) {
    const int64_t some = count - b < kLanes ? count - b : kLanes;
    finite &= encode_iq4_nl(x + b * format.block, static_cast<int>(some), out + b * format.bytes());
  }
  for (int64_t b = 0; format.kind != GATUN_BLOCKS_IQ4_NL && b < count; b++) {
    finite &= encode(format, x + b * format.block, out + b * format.bytes());
  }
  return finite;
}

}  // namespace

int32_t quantize(const void *weight, int32_t dtype, int64_t weight_stride, int64_t element_stride,
                 int64_t n, int64_t k, int32_t kind, int64_t block, uint8_t *blocks) {
  const BlockFormat format = BlockFormat::of(kind, block, k);
  if (n < 0 || !is_dtype(dtype) || !format.valid(k)) {
    return GATUN_INVALID_ARGUMENT;
  }
  if (k == 0) {
    return GATUN_OK;
  }
  std::atomic<int32_t> status{GATUN_OK};
  parallel_rows(n, k, [&](int64_t begin, int64_t end) {
    static thread_local Scratch scratch;
    float *row = scratch.floats(k);
    if (row == nullptr) {
      status.store(GATUN_OUT_OF_MEMORY, std::memory_order_relaxed);
      return;
    }
    for (int64_t i = begin; i < end; i++) {
      const float *x = floats(weight, dtype, i * weight_stride, element_stride, k, row);
      if (!quantize_row(format, x, k, blocks + i * format.row_bytes(k))) {
        status.store(GATUN_NOT_FINITE, std::memory_order_relaxed);
      }
    }
  });
  return status.load();
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
