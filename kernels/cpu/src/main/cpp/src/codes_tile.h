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

// sums[kRows][PANEL] += a * weights^T of a panel's groups [first, last), whose codes are in `bytes`
// [k / 4][PANEL][4]. The sums of a run alone fill the registers.
template <int kRows>
GATUN_DOT_TARGET static inline void bytes_tile(const Quantized &q, int64_t panel, int64_t first,
                                               int64_t last, const uint8_t *bytes,
                                               const ActivationCodes &a, int64_t row, float *sums,
                                               Ahead ahead) {
  // Stores might change what is behind references, so what the loops need is here.
  const int64_t stride = a.stride, run = a.run, all = a.runs, blocks = a.blocks;
  const int64_t runs = q.group / run, shared = a.per_token() ? all : a.block / run;
  const bool per_token = a.per_token(), has_min = q.has_min();
  const int32_t *begin = a.begin + row * all;
  const float *scales = a.scales + row * blocks, *shifts = a.shifts + row * all;
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const int8_t *x = a.codes + row * stride + first * q.group;
    const uint8_t *words = bytes + j * 4;
    int64_t step = 0, i = first * runs, block = i / shared, left = shared - i % shared;
    for (int64_t g = first; g < last; g++) {
      const uint8_t *record = q.record(panel, g);
      const Floats scale[2] = {q.scale(record, j), q.scale(record, j + kLanes)};
      for (int64_t end = i + runs; i < end; i++) {
        Ints part[kRows][2];
        for (int r = 0; r < kRows; r++) {
          part[r][0] = part[r][1] = Ints{} + begin[r * all + i];
        }
        for (int64_t e = 0; e < run; e += 4, x += 4, words += 4 * GATUN_PANEL, step++) {
          ahead.ask(step);
          const Ints w0 = load_words(words), w1 = load_words(words + kLanes * 4);
          for (int r = 0; r < kRows; r++) {
            int32_t four;
            __builtin_memcpy(&four, x + r * stride, sizeof four);
            part[r][0] = dot(part[r][0], w0, four);
            part[r][1] = dot(part[r][1], w1, four);
          }
        }
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          const float by = per_token ? 1.0f : scales[r * blocks + block];
          float *sum = sums + r * GATUN_PANEL + j;
          for (int v = 0; v < 2; v++) {
            const Floats products = __builtin_convertvector(part[r][v], Floats) * by;
            store(sum + v * kLanes, fma(products, scale[v], load(sum + v * kLanes)));
          }
        }
        for (int v = 0; has_min && v < 2; v++) {
          const Floats min = q.min(record, j + v * kLanes, scale[v]);
          for (int r = 0; r < kRows; r++) {
            float *sum = sums + r * GATUN_PANEL + j + v * kLanes;
            store(sum, fma(splat(shifts[r * all + i]), min, load(sum)));
          }
        }
        if (--left == 0) {
          block++;
          left = shared;
        }
      }
    }
  }
}

template <int kRows>
static inline void bytes_tile(int64_t rows, const Quantized &q, int64_t panel, int64_t first,
                              int64_t last, const uint8_t *bytes, const ActivationCodes &a,
                              int64_t row, float *sums, Ahead ahead) {
  if (rows == kRows) {
    bytes_tile<kRows>(q, panel, first, last, bytes, a, row, sums, ahead);
  } else if constexpr (kRows > 1) {
    bytes_tile<kRows - 1>(rows, q, panel, first, last, bytes, a, row, sums, ahead);
  }
}

constexpr int kByteRows = kTileRows < 8 ? kTileRows : 8;

// The rows of a task where runs are short: codes become bytes in the first cache, once for all
// rows.
template <int kBits>
static inline void bytes_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                              int64_t row, int64_t rows, float *sums) {
  alignas(64) uint8_t bytes[kDepthBlock * GATUN_PANEL];
  clear(sums, rows);
  const int64_t together = kDepthBlock / q.group;
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    code_bytes<kBits>(q, panel, g, last, bytes);
    const int64_t size = (last - g) * q.record_bytes(), steps = (last - g) * q.group / 4;
    by_even_tile<kByteRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      bytes_tile<kByteRows>(count, q, panel, g, last, bytes, a, row + r, sums + r * GATUN_PANEL,
                            Ahead::share(q.record(panel, last), size, steps, tiles, which));
    });
  }
  for (int64_t r = 0; a.per_token() && r < rows; r++) {
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      float *sum = sums + r * GATUN_PANEL + j;
      store(sum, load(sum) * a.scales[(row + r) * a.blocks]);
    }
  }
}

// sums[kRows][PANEL] = a * weights^T of a panel of bytes with one scale an output feature, where a
// token has one scale too: whole numbers to the end.
template <int kRows>
GATUN_DOT_TARGET static inline void long_tile(const Quantized &q, int64_t panel,
                                              const ActivationCodes &a, int64_t row, float *sums,
                                              Ahead ahead) {
  const int64_t stride = a.stride, steps = (q.k + 3) / 4;
  const uint8_t *record = q.record(panel, 0);
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const uint8_t *words = record + q.header() + j * 4;
    const int8_t *x = a.codes + row * stride;
    Ints part[kRows][2];
    for (int r = 0; r < kRows; r++) {
      part[r][0] = part[r][1] = Ints{} + a.begin[row + r];
    }
    for (int64_t i = 0; i < steps; i++, x += 4, words += 4 * GATUN_PANEL) {
      ahead.ask(i);
      const Ints w0 = load_words(words), w1 = load_words(words + kLanes * 4);
      for (int r = 0; r < kRows; r++) {
        int32_t four;
        __builtin_memcpy(&four, x + r * stride, sizeof four);
        part[r][0] = dot(part[r][0], w0, four);
        part[r][1] = dot(part[r][1], w1, four);
      }
    }
    const Floats zero{};
    const Floats scale[2] = {q.scale(record, j), q.scale(record, j + kLanes)};
    const Floats weights[2] = {a.centred ? zero : q.sum(record, j),
                               a.centred ? zero : q.sum(record, j + kLanes)};
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) {
      const Floats by = splat(a.scales[row + r]), offset = splat(a.offsets[row + r]);
      for (int v = 0; v < 2; v++) {
        const Floats products = __builtin_convertvector(part[r][v], Floats) * scale[v];
        store(sums + r * GATUN_PANEL + j + v * kLanes, fma(offset, weights[v], products * by));
      }
    }
  }
}

template <int kRows>
static inline void long_tile(int64_t rows, const Quantized &q, int64_t panel,
                             const ActivationCodes &a, int64_t row, float *sums, Ahead ahead) {
  if (rows == kRows) {
    long_tile<kRows>(q, panel, a, row, sums, ahead);
  } else if constexpr (kRows > 1) {
    long_tile<kRows - 1>(rows, q, panel, a, row, sums, ahead);
  }
}

// The rows of a task where a whole row is one run.
static inline void long_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                             int64_t row, int64_t rows, float *sums) {
  const int64_t bytes = q.record_bytes(), steps = q.words(), next = panel + pool_threads();
  by_even_tile<kTileRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
    // One tile reads the weights as they come, several share the next ones.
    const uint8_t *from = tiles == 1 ? q.record(panel, 0) + kAhead : q.record(next, 0);
    long_tile<kTileRows>(count, q, panel, a, row + r, sums + r * GATUN_PANEL,
                         Ahead::share(from, bytes, steps, tiles, which));
  });
}

template <int kBits>
static inline int32_t quantized_codes(const Product &p, const Quantized &q, int32_t activations) {
  static thread_local Scratch scratch;
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
      if (kBits == 8 && a.runs == 1 && !q.has_min()) {
        long_rows(q, panel, a, row, rows, sums);
      } else if (rows > kTileRows / 2 && q.group <= kDepthBlock && q.group % 4 == 0 &&
                 !q.has_sum()) {
        bytes_rows<kBits>(q, panel, a, row, rows, sums);
      } else {
        by_tile<kTileRows / 2>(rows, [&](int64_t r, int64_t count) {
          codes_tile<kBits, kTileRows / 2>(count, q, panel, a, row + r, sums + r * GATUN_PANEL);
        });
      }
      finish_tile(p, sums, chunk + row, rows, panel);
    });
  }
  return GATUN_OK;
}

}  // namespace GATUN_DOT
