// What remote_cpu.cpp and remote_runner.cpp tell each other through a pipe each way: a call of
// gatun_cpu.h with the memory that its pointers lead to, and back its result with that memory as it
// is then.
#ifndef GATUN_REMOTE_CPU_H
#define GATUN_REMOTE_CPU_H

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "gatun_cpu.h"

// The functions that are no kernels.
#define GATUN_REMOTE_SETTINGS(F)                  \
  F(abi, (void), ())                              \
  F(features, (void), ())                         \
  F(set_features, (int32_t features), (features)) \
  F(levels, (void), ())                           \
  F(best_level, (void), ())                       \
  F(level_needs, (int32_t level), (level))        \
  F(get_level, (void), ())                        \
  F(set_level, (int32_t level), (level))          \
  F(get_threads, (void), ())                      \
  F(set_threads, (int32_t threads), (threads))

namespace gatun_remote {

enum Function : int32_t {
#define GATUN_KERNEL(name, parameters, arguments) k_##name,
#include "gatun_cpu_kernels.def"
  GATUN_REMOTE_SETTINGS(GATUN_KERNEL)
#undef GATUN_KERNEL
      kFunctions
};

constexpr int kMostArguments = 32, kMostPieces = 512;
// gatun_attention begins with this many pointers.
constexpr int kAttentionPointers = 16;
static_assert(offsetof(gatun_attention, query_strides) == kAttentionPointers * 8, "its pointers");

// Lists begin each element with this many pointers, and are followed by how many elements they
// have.
template <typename A>
constexpr int kListPointers = 0;
template <>
inline constexpr int kListPointers<const gatun_parameter *> = 6;
template <>
inline constexpr int kListPointers<const gatun_factored_parameter *> = 6;
template <>
inline constexpr int kListPointers<const gatun_range *> = 1;
static_assert(offsetof(gatun_parameter, count) == 6 * 8 && offsetof(gatun_range, count) == 8);
static_assert(offsetof(gatun_factored_parameter, batches) == 6 * 8);

// Memory of the caller; what is not `kept` is only read.
struct Piece {
  uint64_t address, bytes, kept;

  bool has(uint64_t p) const { return p - address <= bytes; }
};

struct Request {
  int32_t function, pieces;
  uint64_t arguments[kMostArguments];
  Piece piece[kMostPieces];  // their bytes follow

  // The piece that an address lies in, or -1: of the kept ones first, for others may overlap them.
  int find(uint64_t p) const {
    for (uint64_t kept : {1, 0}) {
      for (int i = 0; i < pieces; i++) {
        if (piece[i].kept == kept && piece[i].has(p)) {
          return i;
        }
      }
    }
    return -1;
  }
};

inline void read_all(int file, void *to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t n = read(file, static_cast<char *>(to) + done, bytes - done);
    if (n <= 0) {
      _exit(n == 0 ? 0 : 1);  // the other side has ended
    }
    done += static_cast<size_t>(n);
  }
}

inline void write_all(int file, const void *from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t n = write(file, static_cast<const char *>(from) + done, bytes - done);
    if (n <= 0) {
      _exit(1);
    }
    done += static_cast<size_t>(n);
  }
}

}  // namespace gatun_remote

#endif
