// The emulated device's memory: a range of addresses of which only allocations may be touched.
#ifndef GATUN_EMULATOR_MEMORY_H
#define GATUN_EMULATOR_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace gatun {
namespace emulator {

constexpr size_t kDeviceRange = size_t{64} << 30;
constexpr size_t kDevicePage = 4096;

// Where an allocation begins and ends; both 0 where there is none.
struct Extent {
  uintptr_t begin, end;
};

// The range of addresses, and of each page in it the allocation there: no two share a page.
extern char* const device_base;
extern Extent* const device_extents;

// Whether an address belongs to the device, allocated or not.
inline bool on_device(const void* address) {
  return static_cast<size_t>(static_cast<const char*>(address) - device_base) < kDeviceRange;
}

// Whether all of a range lies in one allocation.
inline bool in_allocation(const void* address, size_t bytes) {
  if (!on_device(address)) {
    return false;
  }
  const char* p = static_cast<const char*>(address);
  const Extent& extent = device_extents[static_cast<size_t>(p - device_base) / kDevicePage];
  const uintptr_t begin = reinterpret_cast<uintptr_t>(p);
  return begin >= __atomic_load_n(&extent.begin, __ATOMIC_RELAXED) &&
         begin + bytes <= __atomic_load_n(&extent.end, __ATOMIC_RELAXED);
}

// What is wrong with a range that does not lie in one allocation.
std::string what_is_wrong(const void* address, size_t bytes);

// A block whose bytes are poison, aligned as CUDA aligns; nullptr when there is no room left.
void* allocate_device(size_t bytes);

// Whether there was such a block. What it held is poison from then on.
bool free_device(void* address);

// Host memory that the device may touch: nullptr when there is no room, and whether there was such.
void* allocate_pinned(size_t bytes);
bool free_pinned(void* host);
bool is_pinned(const void* host, size_t bytes);

size_t device_bytes_used();
size_t device_bytes_peak();
size_t device_bytes_total();
void set_device_bytes_total(size_t bytes);

// Device memory is watched in pieces of so many bytes: what is kept of each, from the one with an
// address on; see access.cpp.
constexpr size_t kDevicePiece = 2;
extern uint64_t* const device_last_writes;
inline uint64_t* last_writes(const void* address) {
  return device_last_writes + (static_cast<const char*>(address) - device_base) / kDevicePiece;
}

}  // namespace emulator
}  // namespace gatun

#endif
