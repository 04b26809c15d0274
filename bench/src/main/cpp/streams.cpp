// Reads arrays and writes others, or the same ones, with next to no arithmetic: what memory allows
// a kernel that reads and writes as many. Threads share the work by a counter.
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

constexpr int64_t kLines = 4;    // of a step, of the narrower arrays
constexpr int64_t kSteps = 256;  // of a task

struct alignas(64) Line {
  uint64_t words[8];
};

inline void take(Line &sum, const char *from) {
  const Line &line = *reinterpret_cast<const Line *>(from);
#pragma GCC unroll 8
  for (int w = 0; w < 8; w++) {
    sum.words[w] ^= line.words[w];
  }
}

template <bool kStreaming>
inline void put(char *to, const Line &line) {
#if defined(__AVX512F__)
  if (kStreaming) {
    _mm512_stream_si512(reinterpret_cast<__m512i *>(to), _mm512_load_si512(&line));
    return;
  }
#elif defined(__SSE2__)
  if (kStreaming) {
    for (int part = 0; part < 4; part++) {
      const __m128i quarter = _mm_load_si128(reinterpret_cast<const __m128i *>(&line) + part);
      _mm_stream_si128(reinterpret_cast<__m128i *>(to) + part, quarter);
    }
    return;
  }
#endif
  std::memcpy(to, &line, sizeof(Line));
}

struct Arrays {
  char *const *of;
  int64_t count;
  int64_t lines;  // of a step, a multiple of kLines

  char *at(int64_t array, int64_t step, int64_t line) const {
    return of[array] + (step * lines + line) * static_cast<int64_t>(sizeof(Line));
  }
};

template <bool kStreaming>
void run(const Arrays &from, const Arrays &to, int64_t begin, int64_t end) {
  for (int64_t step = begin; step < end; step++) {
    Line sums[kLines] = {};
    for (int64_t array = 0; array < from.count; array++) {
      for (int64_t line = 0; line < from.lines; line += kLines) {
#pragma GCC unroll 4
        for (int64_t l = 0; l < kLines; l++) {
          take(sums[l], from.at(array, step, line + l));
        }
      }
    }
    for (int64_t array = 0; array < to.count; array++) {
      for (int64_t line = 0; line < to.lines; line += kLines) {
#pragma GCC unroll 4
        for (int64_t l = 0; l < kLines; l++) {
          put<kStreaming>(to.at(array, step, line + l), sums[l]);
        }
      }
    }
  }
}

}  // namespace

// A thread's part. Arrays of bytes for each byte of the narrower ones: 1, or 2 where the other side
// has 1. next: the next task, 0 at first, of all threads. streaming: whether stores go past caches.
extern "C" void streams(char *const *read, int64_t reads, int64_t read_width, char *const *written,
                        int64_t writes, int64_t write_width, int64_t narrow_bytes,
                        int32_t streaming, int64_t *next) {
  const Arrays from{read, reads, read_width * kLines}, to{written, writes, write_width * kLines};
  const int64_t steps = narrow_bytes / (kLines * static_cast<int64_t>(sizeof(Line)));
  for (;;) {
    const int64_t begin = __atomic_fetch_add(next, kSteps, __ATOMIC_RELAXED);
    if (begin >= steps) {
      break;
    }
    const int64_t end = begin + kSteps < steps ? begin + kSteps : steps;
    if (streaming != 0) {
      run<true>(from, to, begin, end);
    } else {
      run<false>(from, to, begin, end);
    }
  }
#if defined(__SSE2__)
  _mm_sfence();
#endif
}
