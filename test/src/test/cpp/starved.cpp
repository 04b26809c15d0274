// A library to be loaded before all others: aligned memory, which the kernels allocate, runs out
// when a test says so, for the thread that says it.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {
thread_local bool limited = false;
thread_local int64_t left = 0;
}  // namespace

extern "C" {

// From now on so many of this thread's allocations succeed, and none after them.
void starve(int64_t allocations) {
  limited = true;
  left = allocations;
}

void feed() { limited = false; }

void *aligned_alloc(size_t alignment, size_t size) {
  if (limited && left-- <= 0) {
    errno = ENOMEM;
    return nullptr;
  }
  void *memory = nullptr;
  errno = posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment, size);
  return errno == 0 ? memory : nullptr;
}
}
