#include "memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "block.h"

namespace gatun {
namespace emulator {

namespace {

constexpr size_t kRange = size_t{64} << 30;
constexpr size_t kAlignment = 256;
// Never allocated between two blocks, so that a step past the end of one is not inside the next.
constexpr size_t kGap = 4096;

struct Range {
  char* base;
  uint64_t* shadow;
};

std::mutex lock;
std::map<uintptr_t, size_t> blocks;  // Bytes by address.
std::map<uintptr_t, size_t> freed;
size_t used, peak, total = size_t{8} << 30, next;
// Counts allocations and frees, so that threads know when what they remember is old.
uint64_t changes = 1;

char* reserve(size_t bytes, int protection) {
  void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("emulator: mmap");
    std::abort();
  }
  return static_cast<char*>(p);
}

const Range& range() {
  static const Range range = {
      reserve(kRange, PROT_NONE),
      reinterpret_cast<uint64_t*>(reserve(kRange / kGranule * 8, PROT_READ | PROT_WRITE))};
  return range;
}

size_t pages(size_t bytes) { return (bytes + kGap - 1) / kGap * kGap; }

}  // namespace

bool on_device(const void* address) {
  const char* p = static_cast<const char*>(address);
  return p >= range().base && p < range().base + kRange;
}

uint64_t* last_write(const void* address) {
  return range().shadow + (static_cast<const char*>(address) - range().base) / kGranule;
}

void* allocate_device(size_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  if (bytes > total - used) {
    return nullptr;
  }
  const size_t size = bytes == 0 ? 1 : bytes;
  if (next + pages(size) + 2 * kGap > kRange) {
    // Addresses come round again, so what was freed long ago is forgotten.
    next = 0;
    freed.clear();
  }
  size_t place = next + kGap;
  while (true) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(range().base) + place;
    auto above = blocks.lower_bound(begin);
    if (above != blocks.begin() &&
        std::prev(above)->first + pages(std::prev(above)->second) > begin) {
      place = std::prev(above)->first + pages(std::prev(above)->second) + kGap -
              reinterpret_cast<uintptr_t>(range().base);
    } else if (above != blocks.end() && above->first < begin + pages(size) + kGap) {
      place =
          above->first + pages(above->second) + kGap - reinterpret_cast<uintptr_t>(range().base);
    } else {
      break;
    }
  }
  next = place + pages(size);
  char* start = range().base + place;
  mprotect(start, pages(size), PROT_READ | PROT_WRITE);
  // The end lies as near to the end of the pages as the alignment lets it.
  char* block = start + (pages(size) - size) / kAlignment * kAlignment;
  std::memset(block, 0xff, size);
  blocks[reinterpret_cast<uintptr_t>(block)] = bytes;
  used += bytes;
  peak = used > peak ? used : peak;
  changes++;
  return block;
}

bool free_device(void* address) {
  std::lock_guard<std::mutex> guard(lock);
  auto found = blocks.find(reinterpret_cast<uintptr_t>(address));
  if (found == blocks.end()) {
    return false;
  }
  const uintptr_t page = found->first / kGap * kGap;
  const size_t bytes = pages(found->second == 0 ? 1 : found->second + (found->first - page));
  madvise(reinterpret_cast<void*>(page), bytes, MADV_DONTNEED);
  mprotect(reinterpret_cast<void*>(page), bytes, PROT_NONE);
  used -= found->second;
  freed[found->first] = found->second;
  blocks.erase(found);
  changes++;
  return true;
}

size_t device_bytes_used() { return used; }
size_t device_bytes_peak() { return peak; }
size_t device_bytes_total() { return total; }
void set_device_bytes_total(size_t bytes) { total = bytes; }

bool in_allocation(const void* address, size_t bytes, std::string* problem) {
  struct Last {
    uintptr_t begin, end;
    uint64_t changes;
  };
  static thread_local Last last;
  const auto p = reinterpret_cast<uintptr_t>(address);
  if (last.changes == __atomic_load_n(&changes, __ATOMIC_RELAXED) && p >= last.begin &&
      p + bytes <= last.end) {
    return true;
  }
  std::lock_guard<std::mutex> guard(lock);
  auto above = blocks.upper_bound(p);
  char text[200];
  if (above != blocks.begin()) {
    auto below = std::prev(above);
    if (p + bytes <= below->first + below->second) {
      last = {below->first, below->first + below->second, changes};
      return true;
    }
    if (p <= below->first + below->second + kGap) {
      std::snprintf(text, sizeof text, "%zu bytes at byte %zu of an allocation of %zu bytes", bytes,
                    static_cast<size_t>(p - below->first), below->second);
      *problem = text;
      return false;
    }
  }
  auto old = freed.upper_bound(p);
  if (old != freed.begin() && p < std::prev(old)->first + std::prev(old)->second) {
    std::snprintf(text, sizeof text,
                  "%zu bytes at byte %zu of an allocation of %zu bytes that was freed", bytes,
                  static_cast<size_t>(p - std::prev(old)->first), std::prev(old)->second);
  } else if (above != blocks.end() && p + kGap >= above->first) {
    std::snprintf(text, sizeof text, "%zu bytes, %zu bytes before an allocation of %zu bytes",
                  bytes, static_cast<size_t>(above->first - p), above->second);
  } else {
    std::snprintf(text, sizeof text, "%zu bytes at %p, in no allocation", bytes, address);
  }
  *problem = text;
  return false;
}

}  // namespace emulator
}  // namespace gatun
