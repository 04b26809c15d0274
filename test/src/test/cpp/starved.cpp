// A library to be loaded before all others: aligned memory, which the kernels allocate, runs out
// when a test says so, for the thread that says it, and threads that it would start do not start.
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace {
thread_local bool limited = false;
thread_local int64_t left = 0;

bool starves() { return limited && left-- <= 0; }
}  // namespace

extern "C" {

// From now on so many of this thread's allocations succeed, and none after them.
void starve(int64_t allocations) {
  limited = true;
  left = allocations;
}

void feed() { limited = false; }

void *aligned_alloc(size_t alignment, size_t size) {
  if (starves()) {
    errno = ENOMEM;
    return nullptr;
  }
  return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = starves() ? nullptr : memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
  using Create = int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return limited ? EAGAIN : create(thread, attributes, start, argument);
}
}
