// Checks of what a kernel reads and writes.
#ifndef GATUN_EMULATOR_ACCESS_H
#define GATUN_EMULATOR_ACCESS_H

#include <cstddef>
#include <cstdint>

#include "emulated_device.h"

namespace gatun {
namespace emulator {

// Fails the block when its thread may not touch these bytes now; otherwise notes that it did. The
// instruction is a place in the kernel's code.
void check_access(const void* address, size_t bytes, bool write, const void* instruction);

// The same of a read past the first-level cache, which may be of another block's data.
void check_fresh_read(const void* address, size_t bytes, const void* instruction);

// A thread has begun to copy so many bytes into shared memory; the copy has landed.
void begin_copy(const void* shared, size_t bytes, const void* instruction);
void end_copy(const void* shared, size_t bytes);

// The copy engine writes 16 bytes of shared memory from one call to the other; the number of the
// copy is its clock.
void begin_async_write(uint32_t offset, Site site);
void end_async_write(uint32_t offset, uint32_t number);
// A product or a store reads 16 bytes of shared memory from one call to the other.
void begin_async_read(uint32_t offset, const char* what, Site site);
void end_async_read(uint32_t offset);

}  // namespace emulator
}  // namespace gatun

#endif
