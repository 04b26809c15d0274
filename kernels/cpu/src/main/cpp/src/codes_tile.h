// The tile of products of codes, included once for each way to multiply bytes: GATUN_DOT names its
// namespace, with dot(sums, words, x) in it, and GATUN_DOT_TARGET its instructions. No guard.

namespace GATUN_DOT {

// sums[kRows][PANEL] = a * weights^T of a panel, from row `row` of a on.
template <int kBits, int kRows>
GATUN_DOT_TARGET static inline void codes_tile(const Quantized &q, int64_t panel,
                                               const ActivationCodes &a, int64_t row, float *sums) {
  constexpr int kTogether = 32 / kBits;
  const int8_t *codes = a.codes + row * a.stride;
  const int64_t runs = (q.group + a.run - 1) / a.run;
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    Floats total[kRows][2] = {}, weights[2] = {};
    for (int64_t g = 0; g < q.groups(); g++) {
      const uint8_t *record = q.record(panel, g);
      if (!a.centred) {
        weights[0] += q.sum(record, j);
        weights[1] += q.sum(record, j + kLanes);
      }
      const uint8_t *words = record + q.header() + j * 4;
      for (int64_t i = g * runs; i < (g + 1) * runs; i++) {
        Ints part[kRows][2];
        for (int r = 0; r < kRows; r++) {
          part[r][0] = part[r][1] = Ints{} + a.begin[(row + r) * a.runs + i];
        }
        const int64_t left = q.k - i * a.run, length = left < a.run ? left : a.run;
        const int8_t *x = codes + i * a.run;
        for (int64_t e = 0; e < length; e += kTogether, words += 4 * GATUN_PANEL) {
          if (kRows <= 4) {
            __builtin_prefetch(words + 2048);
            __builtin_prefetch(words + 2048 + 64);
          }
          const Ints w0 = load_words(words), w1 = load_words(words + kLanes * 4);
          if constexpr (kBits == 8) {
            for (int r = 0; r < kRows; r++) {
              int32_t four;
              __builtin_memcpy(&four, x + r * a.stride + e, sizeof four);
              part[r][0] = dot(part[r][0], w0, four);
              part[r][1] = dot(part[r][1], w1, four);
            }
          } else {
            const Ints low0 = w0 & 0x0f0f0f0f, low1 = w1 & 0x0f0f0f0f;
            const Ints high0 = (w0 >> 4) & 0x0f0f0f0f, high1 = (w1 >> 4) & 0x0f0f0f0f;
            for (int r = 0; r < kRows; r++) {
              int32_t four[2];
              __builtin_memcpy(four, x + r * a.stride + e, sizeof four);
              part[r][0] = dot(dot(part[r][0], low0, four[0]), high0, four[1]);
              part[r][1] = dot(dot(part[r][1], low1, four[0]), high1, four[1]);
            }
          }
        }
        const Floats scale[2] = {q.scale(record, j), q.scale(record, j + kLanes)};
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          const float by =
              a.per_token() ? 1.0f : a.scales[(row + r) * a.blocks + i * a.run / a.block];
          for (int v = 0; v < 2; v++) {
            const Floats products = __builtin_convertvector(part[r][v], Floats) * by;
            total[r][v] = fma(products, scale[v], total[r][v]);
          }
        }
        if (q.has_min()) {
#pragma GCC unroll 2
          for (int v = 0; v < 2; v++) {
            const Floats min = q.min(record, j + v * kLanes, scale[v]);
#pragma GCC unroll 12
            for (int r = 0; r < kRows; r++) {
              total[r][v] = fma(splat(a.shifts[(row + r) * a.runs + i]), min, total[r][v]);
            }
          }
        }
      }
    }
    for (int r = 0; r < kRows; r++) {
      const Floats by = splat(a.per_token() ? a.scales[(row + r) * a.blocks] : 1.0f);
      const Floats offset = splat(a.offsets[row + r]);
      store(sums + r * GATUN_PANEL + j, fma(offset, weights[0], total[r][0] * by));
      store(sums + r * GATUN_PANEL + j + kLanes, fma(offset, weights[1], total[r][1] * by));
    }
  }
}

template <int kBits, int kRows>
static inline void codes_tile(int64_t rows, const Quantized &q, int64_t panel,
                              const ActivationCodes &a, int64_t row, float *sums) {
  if (rows == kRows) {
    codes_tile<kBits, kRows>(q, panel, a, row, sums);
  } else if constexpr (kRows > 1) {
    codes_tile<kBits, kRows - 1>(rows, q, panel, a, row, sums);
  }
}

template <int kBits>
static inline int32_t quantized_codes(const Product &p, const Quantized &q, int32_t activations) {
  static thread_local Scratch scratch;
  // Short runs need their sums in registers, long ones fill them with whole numbers.
  constexpr int64_t kLong = 512;
  for (int64_t chunk = 0, m; chunk < p.m; chunk += m) {
    m = chunk_rows(p, chunk);
    ActivationCodes a(q, activations);
    float *memory = scratch.floats(a.floats(m));
    if (memory == nullptr) {
      return GATUN_OUT_OF_MEMORY;
    }
    a.place(memory, m);
    quantize_rows(p, chunk, m, 1 << (kBits - 1), a);
    parallel_tiles(p, chunk, m, [&](int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      if (kBits == 8 && a.run >= kLong) {
        by_tile<kTileRows>(rows, [&](int64_t r, int64_t count) {
          codes_tile<kBits, kTileRows>(count, q, panel, a, row + r, sums + r * GATUN_PANEL);
        });
      } else {
        by_tile<kTileRows / 2>(rows, [&](int64_t r, int64_t count) {
          codes_tile<kBits, kTileRows / 2>(count, q, panel, a, row + r, sums + r * GATUN_PANEL);
        });
      }
      finish_panel(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}

}  // namespace GATUN_DOT
