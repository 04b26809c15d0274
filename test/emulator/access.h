// Checks of what a kernel reads and writes.
#ifndef GATUN_EMULATOR_ACCESS_H
#define GATUN_EMULATOR_ACCESS_H

#include <cstddef>

namespace gatun {
namespace emulator {

// Fails the block when its thread may not touch these bytes now; otherwise notes that it did. The
// instruction is a place in the kernel's code.
void check_access(const void* address, size_t bytes, bool write, const void* instruction);

// A thread has begun to copy into shared memory; the copy has landed.
void begin_copy(const void* shared, const void* instruction);
void end_copy(const void* shared);

}  // namespace emulator
}  // namespace gatun

#endif
