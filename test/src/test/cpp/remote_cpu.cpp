// A libgatun_cpu whose kernels run in another process, of another machine's instructions: the
// program that GATUN_REMOTE names with its arguments, remote_runner.cpp under an emulator.
#include "remote_cpu.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace gatun_remote {
namespace {

std::mutex lock;
std::map<uint64_t, uint64_t> blocks;  // of gatun_allocate: where they begin, their bytes
int to_runner, from_runner;

[[maybe_unused]] const bool started = [] {
  int there[2], back[2];
  const char *command = std::getenv("GATUN_REMOTE");
  if (command == nullptr || pipe(there) != 0 || pipe(back) != 0) {
    std::fprintf(stderr, "remote_cpu: GATUN_REMOTE is not set, or there are no pipes\n");
    std::_Exit(1);
  }
  if (fork() == 0) {
    dup2(there[0], 0);
    dup2(back[1], 3);
    close(there[1]);
    close(back[0]);
    execl("/bin/sh", "sh", "-c", (std::string("exec ") + command).c_str(), nullptr);
    _exit(127);
  }
  close(there[0]);
  close(back[1]);
  to_runner = there[1];
  from_runner = back[0];
  return true;
}();

struct Call {
  Request request = {};
  std::vector<std::vector<char>> bytes;
  int arguments = 0;

  // Memory from p on that may be read, as it was not allocated here: small arrays, and what lies
  // behind them.
  static std::vector<char> readable(uint64_t p) {
    std::vector<char> found;
    while (found.size() < 65536) {
      char page[4096];
      const uint64_t at = p + found.size(), n = 4096 - at % 4096;
      const iovec to = {page, n}, from = {reinterpret_cast<void *>(at), n};
      if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != static_cast<ssize_t>(n)) {
        break;
      }
      found.insert(found.end(), page, page + n);
    }
    return found;
  }

  void take(const void *pointer) {
    const uint64_t p = reinterpret_cast<uint64_t>(pointer);
    const int found = request.find(p);
    if (p == 0 || (found >= 0 && request.piece[found].kept)) {
      return;
    }
    auto block = blocks.upper_bound(p);
    if (block != blocks.begin() && p - (--block)->first <= block->second) {
      const char *begin = reinterpret_cast<const char *>(block->first);
      bytes.emplace_back(begin, begin + block->second);
      request.piece[request.pieces++] = {block->first, block->second, 1};
    } else if (found < 0) {
      bytes.push_back(readable(p));
      request.piece[request.pieces++] = {p, bytes.back().size(), 0};
    }
  }

  template <typename A>
  void add(A argument) {
    if constexpr (std::is_pointer_v<A>) {
      take(argument);
    }
    if constexpr (std::is_same_v<A, const gatun_attention *>) {
      const void *members[kAttentionPointers];
      std::memcpy(members, argument, sizeof members);
      for (const void *member : members) {
        take(member);
      }
    }
    std::memcpy(&request.arguments[arguments++], &argument, sizeof argument);
  }

  // The same of a list's elements.
  template <typename A>
  void add_elements(A list, int at) {
    if constexpr (kListPointers < A >> 0) {
      for (uint64_t i = 0; i < request.arguments[at + 1]; i++) {
        const void *members[kListPointers<A>];
        std::memcpy(members, list + i, sizeof members);
        for (const void *member : members) {
          take(member);
        }
      }
    }
  }

  int32_t run() {
    write_all(to_runner, &request, sizeof request);
    for (const std::vector<char> &b : bytes) {
      write_all(to_runner, b.data(), b.size());
    }
    int32_t status;
    read_all(from_runner, &status, sizeof status);
    for (int i = 0; i < request.pieces; i++) {
      if (request.piece[i].kept) {
        read_all(from_runner, reinterpret_cast<void *>(request.piece[i].address),
                 request.piece[i].bytes);
      }
    }
    return status;
  }
};

template <typename... A>
int32_t call(Function function, A... arguments) {
  const std::lock_guard<std::mutex> guard(lock);
  Call c;
  c.request.function = function;
  (c.add(arguments), ...);
  int at = 0;
  (c.add_elements(arguments, at++), ...);
  return c.run();
}

}  // namespace
}  // namespace gatun_remote

#define GATUN_CALL(name, arguments)                                                             \
  const auto with = [](auto... a) { return gatun_remote::call(gatun_remote::k_##name, a...); }; \
  return with arguments;
// Nothing is recorded here.
#define GATUN_KERNEL(name, parameters, arguments) \
  int32_t gatun_##name(gatun_recording *, GATUN_LIST parameters) { GATUN_CALL(name, arguments) }
#define GATUN_SETTING(name, parameters, arguments) \
  int32_t gatun_##name parameters { GATUN_CALL(name, arguments) }
extern "C" {
#include "gatun_cpu_kernels.def"
GATUN_REMOTE_SETTINGS(GATUN_SETTING)

void *gatun_allocate(int64_t bytes) {
  const uint64_t size = (static_cast<uint64_t>(bytes) + 63) / 64 * 64;
  void *memory = bytes < 0 ? nullptr : aligned_alloc(64, size);
  if (memory != nullptr) {
    const std::lock_guard<std::mutex> guard(gatun_remote::lock);
    gatun_remote::blocks[reinterpret_cast<uint64_t>(memory)] = size;
  }
  return memory;
}

void gatun_free(void *memory) {
  const std::lock_guard<std::mutex> guard(gatun_remote::lock);
  gatun_remote::blocks.erase(reinterpret_cast<uint64_t>(memory));
  free(memory);
}
}
