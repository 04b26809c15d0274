// Measures what this processor can do at most and prints it as JSON: ceilings THREADS
//
// f32, bf16, int8: operations a second (a multiplication and an addition are two) of the widest
// multiply-add instruction, on registers: matrix registers where there are such. read, copy: bytes
// a second from memory, copied bytes counted once for reading and once for writing. Medians of
// rounds.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__AMX_BF16__) && defined(__AMX_INT8__) && defined(__linux__)
#define MATRICES
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRounds = 3;
constexpr int64_t kBytes = int64_t{1} << 27;  // a thread's; far larger than the last cache

// Threads that stay awake between rounds: those that just begin may share a core for a while.
class Threads {
 public:
  explicit Threads(int count) : count_(count) {
    for (int t = 1; t < count; t++) {
      others_.emplace_back([this, t] { work(t); });
    }
  }

  ~Threads() {
    body_ = nullptr;
    round_++;
    for (std::thread &other : others_) {
      other.join();
    }
  }

  int count() const { return count_; }

  // The time until body(t) has returned on all threads.
  double seconds(const std::function<void(int)> &body) {
    const auto start = Clock::now();
    body_ = &body;
    done_ = 1;
    round_++;
    body(0);
    while (done_ != count_) {
    }
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  double median(const std::function<void(int)> &body) {
    std::vector<double> times;
    for (int i = 0; i < kRounds; i++) {
      times.push_back(seconds(body));
    }
    std::sort(times.begin(), times.end());
    return times[kRounds / 2];
  }

 private:
  void work(int t) {
    for (int64_t seen = 0;; seen++) {
      while (round_ == seen) {
      }
      if (body_ == nullptr) {
        return;
      }
      (*body_)(t);
      done_++;
    }
  }

  const int count_;
  const std::function<void(int)> *body_ = nullptr;
  std::atomic<int64_t> round_{0};
  std::atomic<int> done_{0};
  std::vector<std::thread> others_;
};

// Twelve sums, so that none waits for itself; `step` is one multiply-add on a vector.
template <typename Vector, typename Step>
double rate(Threads &threads, double operations, const Step &step) {
  constexpr int64_t kSteps = 4000000;
  const double time = threads.median([&](int) {
    const Step own = step;  // a copy that can stay in registers
    Vector sums[12] = {};
    for (int64_t i = 0; i < kSteps; i++) {
#pragma GCC unroll 12
      for (int s = 0; s < 12; s++) {
        sums[s] = own(sums[s]);
        asm volatile("" : "+v"(sums[s]));
      }
    }
  });
  return threads.count() * operations * 12 * kSteps / time;
}

#if defined(MATRICES)
bool may_use_matrices() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

// Four sums of 16 x 16 by two registers of each side, each 16 rows of 64 bytes; `step` is the four
// products, of so many operations.
template <typename Step>
double matrix_rate(Threads &threads, double operations, const Step &step) {
  constexpr int64_t kSteps = 1000000;
  struct {
    uint8_t palette = 1, row = 0, unused[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } configuration;
  const double time = threads.median([&](int) {
    _tile_loadconfig(&configuration);  // all are 0
    for (int64_t i = 0; i < kSteps; i++) {
      step();
    }
    _tile_release();
  });
  return threads.count() * operations * kSteps / time;
}
#endif

}  // namespace

int main(int, char **args) {
  Threads threads(std::max(1, std::atoi(args[1])));
  std::printf("{");
#if defined(__AVX512F__)
  const __m512 a = _mm512_set1_ps(1.0f), b = _mm512_set1_ps(0.5f);
  std::printf("\"f32\": %.4g, ",
              rate<__m512>(threads, 32, [=](__m512 sum) { return _mm512_fmadd_ps(a, b, sum); }));
#elif defined(__FMA__)
  const __m256 a = _mm256_set1_ps(1.0f), b = _mm256_set1_ps(0.5f);
  std::printf("\"f32\": %.4g, ",
              rate<__m256>(threads, 16, [=](__m256 sum) { return _mm256_fmadd_ps(a, b, sum); }));
#endif
#if defined(MATRICES)
  const bool matrices = may_use_matrices();
  if (matrices) {
    std::printf("\"bf16\": %.4g, ", matrix_rate(threads, 4 * 16 * 16 * 32 * 2, [] {
                  _tile_dpbf16ps(0, 4, 6);
                  _tile_dpbf16ps(1, 4, 7);
                  _tile_dpbf16ps(2, 5, 6);
                  _tile_dpbf16ps(3, 5, 7);
                }));
    std::printf("\"int8\": %.4g, ", matrix_rate(threads, 4 * 16 * 16 * 64 * 2, [] {
                  _tile_dpbsud(0, 4, 6);
                  _tile_dpbsud(1, 4, 7);
                  _tile_dpbsud(2, 5, 6);
                  _tile_dpbsud(3, 5, 7);
                }));
  }
#else
  const bool matrices = false;
#endif
#if defined(__AVX512BF16__)
  const __m512bh pairs = (__m512bh)_mm512_set1_epi32(0x3f803f80);
  if (!matrices) {
    std::printf("\"bf16\": %.4g, ", rate<__m512>(threads, 64, [=](__m512 sum) {
                  return _mm512_dpbf16_ps(sum, pairs, pairs);
                }));
  }
#endif
#if defined(__AVX512VNNI__)
  const __m512i bytes = _mm512_set1_epi32(0x01010101);
  if (!matrices) {
    std::printf("\"int8\": %.4g, ", rate<__m512i>(threads, 128, [=](__m512i sum) {
                  return _mm512_dpbusd_epi32(sum, bytes, bytes);
                }));
  }
#endif
  std::vector<char *> from(threads.count()), to(threads.count());
  for (int t = 0; t < threads.count(); t++) {
    from[t] = static_cast<char *>(std::aligned_alloc(64, kBytes));
    to[t] = static_cast<char *>(std::aligned_alloc(64, kBytes));
    std::memset(from[t], 1, kBytes);
    std::memset(to[t], 1, kBytes);
  }
  const double read = threads.median([&](int t) {
    int64_t sums[8] = {};
    const int64_t *words = reinterpret_cast<const int64_t *>(from[t]);
    for (int64_t i = 0; i < kBytes / 8; i += 8) {
      for (int s = 0; s < 8; s++) {
        sums[s] += words[i + s];
      }
    }
    for (int64_t sum : sums) {
      asm volatile("" : : "r"(sum));
    }
  });
  const double copy = threads.median([&](int t) { std::memcpy(to[t], from[t], kBytes); });
  std::printf("\"read\": %.4g, \"copy\": %.4g}\n", threads.count() * kBytes / read,
              2.0 * threads.count() * kBytes / copy);
}
