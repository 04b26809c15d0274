// The emulated device's memory: a range of addresses of which only allocations may be touched.
#ifndef GATUN_EMULATOR_MEMORY_H
#define GATUN_EMULATOR_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace gatun {
namespace emulator {

// Whether an address belongs to the device, allocated or not.
bool on_device(const void* address);

// A block whose bytes are poison, aligned as CUDA aligns; nullptr when there is no room left.
void* allocate_device(size_t bytes);

// Whether there was such a block. What it held is poison from then on.
bool free_device(void* address);

size_t device_bytes_used();
size_t device_bytes_peak();
size_t device_bytes_total();
void set_device_bytes_total(size_t bytes);

// Whether all of a range lies in one allocation; otherwise what is wrong with it.
bool in_allocation(const void* address, size_t bytes, std::string* problem);

// For each two bytes of device memory, who wrote them last; see access.cpp.
uint64_t* last_write(const void* address);

}  // namespace emulator
}  // namespace gatun

#endif
