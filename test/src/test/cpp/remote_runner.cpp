// Runs calls that remote_cpu.cpp sends, with copies of the memory that they are about.
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "remote_cpu.h"

namespace gatun_remote {
namespace {

struct Free {
  void operator()(char *p) const { free(p); }
};

struct Memory {
  const Request &request;
  std::vector<std::unique_ptr<char, Free>> memory;
  std::vector<char *> copies;

  explicit Memory(const Request &r) : request(r) {
    for (int i = 0; i < r.pieces; i++) {
      // Aligned as the caller's.
      const Piece &piece = r.piece[i];
      const uint64_t skip = piece.address % 64;
      memory.emplace_back(
          static_cast<char *>(aligned_alloc(64, (piece.bytes + skip + 128) / 64 * 64)));
      copies.push_back(memory.back().get() + skip);
      read_all(0, copies.back(), piece.bytes);
    }
  }

  // Where an address of the caller is here.
  uint64_t here(uint64_t address) const {
    const int i = request.find(address);
    if (i >= 0) {
      return reinterpret_cast<uint64_t>(copies[static_cast<size_t>(i)]) + address -
             request.piece[i].address;
    }
    return 0;
  }
};

template <typename A>
A argument(const Memory &memory, const uint64_t *given) {
  uint64_t bits = *given;
  if constexpr (std::is_pointer_v<A>) {
    bits = memory.here(bits);
  }
  if constexpr (kListPointers < A >> 0) {
    for (uint64_t i = 0; i < given[1]; i++) {
      char *element = reinterpret_cast<char *>(bits) + i * sizeof(std::remove_pointer_t<A>);
      uint64_t members[kListPointers<A>];
      std::memcpy(members, element, sizeof members);
      for (uint64_t &member : members) {
        member = memory.here(member);
      }
      std::memcpy(element, members, sizeof members);
    }
  }
  if constexpr (std::is_same_v<A, const gatun_attention *>) {
    uint64_t members[kAttentionPointers];
    std::memcpy(members, reinterpret_cast<void *>(bits), sizeof members);
    for (uint64_t &member : members) {
      member = memory.here(member);
    }
    std::memcpy(reinterpret_cast<void *>(bits), members, sizeof members);
  }
  A value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename... A, size_t... kAt>
int32_t invoke(int32_t (*function)(A...), const Memory &memory, std::index_sequence<kAt...>) {
  return function(argument<A>(memory, memory.request.arguments + kAt)...);
}

template <typename... A, size_t... kAt>
int32_t invoke(int32_t (*function)(gatun_recording *, A...), const Memory &memory,
               std::index_sequence<kAt...>) {
  return function(nullptr, argument<A>(memory, memory.request.arguments + kAt)...);
}

// A kernel, and what is none.
template <typename... A>
int32_t invoke(int32_t (*function)(gatun_recording *, A...), const Memory &memory) {
  return invoke(function, memory, std::index_sequence_for<A...>());
}

template <typename... A>
int32_t invoke(int32_t (*function)(A...), const Memory &memory) {
  return invoke(function, memory, std::index_sequence_for<A...>());
}

int32_t run(const Memory &memory) {
  switch (memory.request.function) {
#define GATUN_KERNEL(name, parameters, arguments) \
  case k_##name:                                  \
    return invoke(gatun_##name, memory);
#include "gatun_cpu_kernels.def"
    GATUN_REMOTE_SETTINGS(GATUN_KERNEL)
    default:
      return -1;
  }
}

}  // namespace
}  // namespace gatun_remote

int main() {
  using namespace gatun_remote;
  for (;;) {
    static Request request;
    read_all(0, &request, sizeof request);
    const Memory memory(request);
    const int32_t status = run(memory);
    write_all(3, &status, sizeof status);
    for (int i = 0; i < request.pieces; i++) {
      if (request.piece[i].kept) {
        write_all(3, memory.copies[static_cast<size_t>(i)], request.piece[i].bytes);
      }
    }
  }
}
