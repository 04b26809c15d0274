#include "memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace gatun {
namespace emulator {

namespace {

constexpr size_t kAlignment = 256;
// Never allocated between two blocks, so that a step past the end of one is not inside the next.
constexpr size_t kGap = kDevicePage;

std::mutex lock;
std::map<uintptr_t, size_t> blocks;  // Bytes by address.
std::map<uintptr_t, size_t> freed;
std::map<uintptr_t, size_t> pinned;
size_t used, peak, total = size_t{8} << 30, next;

char* reserve(size_t bytes, int protection) {
  void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("emulator: mmap");
    std::abort();
  }
  return static_cast<char*>(p);
}

size_t pages(size_t bytes) { return (bytes + kGap - 1) / kGap * kGap; }

void note(const char* start, size_t bytes, Extent extent) {
  Extent* first = device_extents + (start - device_base) / kDevicePage;
  std::fill(first, first + bytes / kDevicePage, extent);
}

}  // namespace

char* const device_base = reserve(kDeviceRange, PROT_NONE);
Extent* const device_extents = reinterpret_cast<Extent*>(
    reserve(kDeviceRange / kDevicePage * sizeof(Extent), PROT_READ | PROT_WRITE));
uint64_t* const device_last_writes =
    reinterpret_cast<uint64_t*>(reserve(kDeviceRange / kDevicePiece * 8, PROT_READ | PROT_WRITE));

void* allocate_device(size_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  if (bytes > total - used) {
    return nullptr;
  }
  const size_t size = bytes == 0 ? 1 : bytes;
  if (next + pages(size) + 2 * kGap > kDeviceRange) {
    // Addresses come round again, so what was freed long ago is forgotten.
    next = 0;
    freed.clear();
  }
  size_t place = next + kGap;
  while (true) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(device_base) + place;
    auto above = blocks.lower_bound(begin);
    if (above != blocks.begin() &&
        std::prev(above)->first + pages(std::prev(above)->second) > begin) {
      place = std::prev(above)->first + pages(std::prev(above)->second) + kGap -
              reinterpret_cast<uintptr_t>(device_base);
    } else if (above != blocks.end() && above->first < begin + pages(size) + kGap) {
      place = above->first + pages(above->second) + kGap - reinterpret_cast<uintptr_t>(device_base);
    } else {
      break;
    }
  }
  next = place + pages(size);
  char* start = device_base + place;
  mprotect(start, pages(size), PROT_READ | PROT_WRITE);
  // The end lies as near to the end of the pages as the alignment lets it.
  char* block = start + (pages(size) - size) / kAlignment * kAlignment;
  std::memset(block, 0xff, size);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(block);
  note(start, pages(size), {begin, begin + bytes});
  blocks[begin] = bytes;
  used += bytes;
  peak = used > peak ? used : peak;
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
  note(reinterpret_cast<const char*>(page), bytes, {0, 0});
  used -= found->second;
  freed[found->first] = found->second;
  blocks.erase(found);
  return true;
}

void* allocate_pinned(size_t bytes) {
  void* host = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  std::lock_guard<std::mutex> guard(lock);
  if (host != nullptr) {
    pinned[reinterpret_cast<uintptr_t>(host)] = bytes;
  }
  return host;
}

bool free_pinned(void* host) {
  std::lock_guard<std::mutex> guard(lock);
  if (pinned.erase(reinterpret_cast<uintptr_t>(host)) == 0) {
    return false;
  }
  std::free(host);
  return true;
}

bool is_pinned(const void* host, size_t bytes) {
  const auto p = reinterpret_cast<uintptr_t>(host);
  std::lock_guard<std::mutex> guard(lock);
  auto above = pinned.upper_bound(p);
  return above != pinned.begin() && p + bytes <= std::prev(above)->first + std::prev(above)->second;
}

size_t device_bytes_used() { return used; }
size_t device_bytes_peak() { return peak; }
size_t device_bytes_total() { return total; }
void set_device_bytes_total(size_t bytes) { total = bytes; }

std::string what_is_wrong(const void* address, size_t bytes) {
  const auto p = reinterpret_cast<uintptr_t>(address);
  std::lock_guard<std::mutex> guard(lock);
  auto above = blocks.upper_bound(p);
  char text[200];
  if (above != blocks.begin()) {
    auto below = std::prev(above);
    if (p <= below->first + below->second + kGap) {
      std::snprintf(text, sizeof text, "%zu bytes at byte %zu of an allocation of %zu bytes", bytes,
                    static_cast<size_t>(p - below->first), below->second);
      return text;
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
  return text;
}

}  // namespace emulator
}  // namespace gatun
