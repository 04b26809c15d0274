// The tile of products of codes, included once for each way to multiply bytes: GATUN_DOT names its
// namespace, with dot(sums, words, x), kUnroll and kMakesBytes in it, and GATUN_DOT_TARGET its
// instructions. No guard.

namespace GATUN_DOT {

// Elements of k whose steps are written out.
constexpr int64_t kStretch = 32;

// part[kRows][2] += the products of a unit of codes.
template <int kBits, int kRows>
GATUN_DOT_TARGET static inline __attribute__((always_inline)) void codes_step(
    Ints (&part)[kRows][2], const uint8_t *unit, const int8_t *x, int64_t stride) {
#pragma GCC unroll 8
  for (int i = 0; i < kUnit<kBits> / 4; i++) {
    const Ints c0 = four_codes<kBits>(unit, i), c1 = four_codes<kBits>(unit + kLanes * 4, i);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; r++) {
      int32_t four;
      __builtin_memcpy(&four, x + r * stride + 4 * i, sizeof four);
      part[r][0] = dot(part[r][0], c0, four);
      part[r][1] = dot(part[r][1], c1, four);
    }
  }
}

// Elements of k at which what comes next is asked for, where a run has so many or, of 0, any.
constexpr int64_t ask_steps(int64_t run) { return run == 0 ? kStretch : run; }

// sums[kRows][PANEL] = a * weights^T of a panel, from row `row` of a on, straight from the words:
// the sums of a run and of all runs fill the registers. kRun says that groups are runs of so many,
// of blocks of kStretch; 0 that they are any.
template <int kBits, int kRows, int kRun>
GATUN_DOT_TARGET static inline void codes_tile(const Quantized &q, int64_t panel,
                                               const ActivationCodes &a, int64_t row, float *sums,
                                               Ahead ahead) {
  constexpr int64_t kStep = ask_steps(kRun), kTogether = kUnit<kBits>;
  constexpr int64_t kLine = kUnitWords<kBits> * kWordLine;
  const int64_t stride = a.stride, all = a.runs, blocks = a.blocks, groups = q.groups();
  const int64_t run = kRun > 0 ? kRun : a.run;
  const int64_t runs = kRun > 0 ? 1 : (q.group + run - 1) / run;
  const int64_t shared = kRun > 0 ? kStretch / kStep : a.per_token() ? all : a.block / run;
  const bool per_token = kRun == 0 && a.per_token(), has_min = q.has_min();
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    Floats total[kRows][2] = {};
    const int8_t *x = a.codes + row * stride;
    const int32_t *begin = a.begin + row * all;
    const float *scales = a.scales + row * blocks, *shifts = a.shifts + row * all;
    int64_t asked = 0, left = shared, to_go = q.k;
    Groups group(q, panel, 0);
    for (int64_t g = 0; g < groups; g++, group.next()) {
      const Floats scale[2] = {group.scale(j), group.scale(j + kLanes)};
      const uint8_t *words = group.words() + j * 4;
      for (int64_t i = 0; i < runs; i++, begin++, shifts++) {
        Ints part[kRows][2];
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          part[r][0] = part[r][1] = Ints{} + begin[r * all];
        }
        int64_t length = kRun == 0 && to_go < run ? to_go : run;
        to_go -= length;
        for (; length >= kStep; length -= kStep, x += kStep) {
          ahead.ask_all<kLine * kStep / kTogether / 64>(asked++);
#pragma GCC unroll kUnroll
          for (int64_t e = 0; e < kStep; e += kTogether, words += kLine) {
            codes_step<kBits, kRows>(part, words, x + e, stride);
          }
        }
        for (; kRun == 0 && length > 0; length -= kTogether, x += kTogether, words += kLine) {
          codes_step<kBits, kRows>(part, words, x, stride);
        }
#pragma GCC unroll 12
        for (int r = 0; r < kRows; r++) {
          const float by = per_token ? 1.0f : scales[r * blocks];
          for (int v = 0; v < 2; v++) {
            const Floats products = __builtin_convertvector(part[r][v], Floats) * by;
            total[r][v] = fma(products, scale[v], total[r][v]);
          }
        }
        if (has_min) {
#pragma GCC unroll 2
          for (int v = 0; v < 2; v++) {
            const Floats min = group.min(j + v * kLanes, scale[v]);
#pragma GCC unroll 12
            for (int r = 0; r < kRows; r++) {
              total[r][v] = fma(splat(shifts[r * all]), min, total[r][v]);
            }
          }
        }
        if (--left == 0) {
          scales++;
          left = shared;
        }
      }
    }
    Floats weights[2] = {};
    if (!a.centred) {
      Groups of(q, panel, 0);
      for (int64_t g = 0; g < groups; g++, of.next()) {
        weights[0] += of.sum(j);
        weights[1] += of.sum(j + kLanes);
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

constexpr int kCodeTileRows = kTileRows / 2;

template <int kBits, int kRun, int kRows = kCodeTileRows>
static inline void codes_tile(int64_t rows, const Quantized &q, int64_t panel,
                              const ActivationCodes &a, int64_t row, float *sums, Ahead ahead) {
  if (rows == kRows) {
    codes_tile<kBits, kRows, kRun>(q, panel, a, row, sums, ahead);
  } else if constexpr (kRows > 1) {
    codes_tile<kBits, kRun, kRows - 1>(rows, q, panel, a, row, sums, ahead);
  }
}

// The rows of a task, straight from the words.
template <int kBits, int kRun>
static inline void codes_rows_by(const Quantized &packed, int64_t panel, const ActivationCodes &a,
                                 int64_t row, int64_t rows, float *sums) {
  const Quantized q =
      rows > kCodeTileRows ? with_wide_scales(packed, panel, 0, packed.groups()) : packed;
  const int64_t bytes = q.bytes_of(q.groups()), steps = q.k / ask_steps(kRun);
  by_even_tile<kCodeTileRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
    // One tile reads the weights as they come, several share the next ones. Where groups share a
    // record's header they come in no order that processors foresee.
    const bool jumps = q.records.shared();
    const uint8_t *from =
        tiles == 1 ? q.place(panel, 0) + ahead_of(rows, jumps) : q.place(panel + 1, 0);
    codes_tile<kBits, kRun>(count, q, panel, a, row + r, sums + r * GATUN_PANEL,
                            comes_by_itself(rows) && !jumps
                                ? Ahead::nothing(from)
                                : Ahead::share(from, bytes, steps, tiles, which));
  });
}

template <int kBits>
static inline void codes_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                              int64_t row, int64_t rows, float *sums) {
  const bool blocks = a.block == kStretch && !a.per_token();
  if (blocks && q.group == kStretch) {
    codes_rows_by<kBits, kStretch>(q, panel, a, row, rows, sums);
    return;
  }
  if constexpr (kUnit<kBits> <= 16) {
    if (blocks && q.group == 16) {
      codes_rows_by<kBits, 16>(q, panel, a, row, rows, sums);
      return;
    }
  }
  codes_rows_by<kBits, 0>(q, panel, a, row, rows, sums);
}

// sums[kRows][PANEL] += a * weights^T of a panel's groups [first, last), whose codes are in `bytes`
// [k / 4][PANEL][4]. The sums of a run alone fill the registers.
template <int kRows, bool kMin>
GATUN_DOT_TARGET static inline void bytes_tile(const Quantized &q, int64_t panel, int64_t first,
                                               int64_t last, const uint8_t *bytes,
                                               const ActivationCodes &a, int64_t row, float *sums,
                                               Ahead ahead) {
  // Stores might change what is behind references, so what the loops need is here.
  const int64_t stride = a.stride, run = a.run, all = a.runs, blocks = a.blocks;
  const int64_t runs = q.group / run, shared = a.per_token() ? all : a.block / run;
  const bool per_token = a.per_token();
  const int32_t *begin = a.begin + row * all;
  const float *scales = a.scales + row * blocks, *shifts = a.shifts + row * all;
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const int8_t *x = a.codes + row * stride + first * q.group;
    const uint8_t *words = bytes + j * 4;
    int64_t step = 0, i = first * runs, block = i / shared, left = shared - i % shared;
    Groups group(q, panel, first);
    for (int64_t g = first; g < last; g++, group.next()) {
      const Floats scale[2] = {group.scale(j), group.scale(j + kLanes)};
      const Floats min[2] = {kMin ? group.min(j, scale[0]) : Floats{},
                             kMin ? group.min(j + kLanes, scale[1]) : Floats{}};
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
            Floats total = fma(products, scale[v], load(sum + v * kLanes));
            if (kMin) {
              total = fma(splat(shifts[r * all + i]), min[v], total);
            }
            store(sum + v * kLanes, total);
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
    if (q.has_min()) {
      bytes_tile<kRows, true>(q, panel, first, last, bytes, a, row, sums, ahead);
    } else {
      bytes_tile<kRows, false>(q, panel, first, last, bytes, a, row, sums, ahead);
    }
  } else if constexpr (kRows > 1) {
    bytes_tile<kRows - 1>(rows, q, panel, first, last, bytes, a, row, sums, ahead);
  }
}

constexpr int kByteRows = kTileRows < 8 ? kTileRows : 8;

// Whether bytes_rows takes a task, and is faster.
static inline bool fits_bytes_rows(const Quantized &q, const ActivationCodes &a, int64_t rows) {
  return kMakesBytes && rows > kCodeTileRows && q.group <= kDepthBlock && a.has_whole_runs(q) &&
         !q.has_sum();
}

// The same by way of bytes: codes are taken apart once for all rows, into the first cache.
template <int kBits>
static inline void bytes_rows(const Quantized &q, int64_t panel, const ActivationCodes &a,
                              int64_t row, int64_t rows, float *sums) {
  alignas(64) uint8_t bytes[kDepthBlock * GATUN_PANEL];
  clear(sums, rows);
  const int64_t together = kDepthBlock / q.group;
  for (int64_t g = 0; g < q.groups(); g += together) {
    const int64_t last = g + together < q.groups() ? g + together : q.groups();
    code_bytes<kBits>(q, panel, g, last, bytes);
    const int64_t size = q.bytes_of(last - g), steps = (last - g) * q.group / 4;
    const Quantized wide = with_wide_scales(q, panel, g, last);
    by_even_tile<kByteRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
      bytes_tile<kByteRows>(count, wide, panel, g, last, bytes, a, row + r, sums + r * GATUN_PANEL,
                            Ahead::share(q.place(panel, last), size, steps, tiles, which));
    });
  }
  for (int64_t r = 0; a.per_token() && r < rows; r++) {
    for (int64_t j = 0; j < GATUN_PANEL; j += kLanes) {
      float *sum = sums + r * GATUN_PANEL + j;
      // As codes_tile, which adds an offset of 0.
      store(sum, load(sum) * a.scales[(row + r) * a.blocks] + Floats{});
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
  const Groups all(q, panel, 0);
  for (int64_t j = 0; j < GATUN_PANEL; j += kTileColumns) {
    const uint8_t *words = all.words() + j * 4;
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
    const Floats scale[2] = {all.scale(j), all.scale(j + kLanes)};
    const Floats weights[2] = {a.centred ? zero : all.sum(j),
                               a.centred ? zero : all.sum(j + kLanes)};
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
  const int64_t bytes = q.records.record_bytes(), steps = q.records.words();
  by_even_tile<kTileRows>(rows, [&](int64_t r, int64_t count, int64_t which, int64_t tiles) {
    // One tile reads the weights as they come, several share the next ones.
    const uint8_t *from = tiles == 1 ? q.place(panel, 0) + ahead_of(rows) : q.place(panel + 1, 0);
    long_tile<kTileRows>(count, q, panel, a, row + r, sums + r * GATUN_PANEL,
                         comes_by_itself(rows) ? Ahead::nothing(from)
                                               : Ahead::share(from, bytes, steps, tiles, which));
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
    const auto tile = [&](const Quantized &own, int64_t row, int64_t rows, int64_t panel) {
      alignas(64) float sums[kRowBlock * GATUN_PANEL];
      if (kBits == 8 && a.runs == 1 && !q.has_min()) {
        if (has(kMatrixBytes)) {
          matrix_long_rows(own, panel, a, row, rows, sums);
        } else {
          long_rows(own, panel, a, row, rows, sums);
        }
      } else if (fits_matrix_rows(q, a, rows)) {
        matrix_rows<kBits>(own, panel, a, row, rows, sums);
      } else if (fits_bytes_rows(q, a, rows)) {
        bytes_rows<kBits>(own, panel, a, row, rows, sums);
      } else {
        codes_rows<kBits>(own, panel, a, row, rows, sums);
      }
      finish_tile(p, sums, chunk + row, rows, panel);
    };
    const int32_t status = parallel_panels(p, q, chunk, m, tile);
    if (status != GATUN_OK) {
      return status;
    }
  }
  return GATUN_OK;
}

}  // namespace GATUN_DOT
