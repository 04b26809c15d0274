#include <pthread.h>

#include "gatun_cpu.h"
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__GLIBC__)

// As in thread_pool.cpp: the versions that are everywhere.
#if defined(__x86_64__)
__asm__(".symver pthread_getattr_np,pthread_getattr_np@GLIBC_2.2.5");
__asm__(".symver pthread_attr_getstack,pthread_attr_getstack@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver pthread_getattr_np,pthread_getattr_np@GLIBC_2.17");
__asm__(".symver pthread_attr_getstack,pthread_attr_getstack@GLIBC_2.17");
#endif

#endif

namespace {

// The lowest address of the thread's stack; of one that cannot be told, the highest there is.
uintptr_t stack_end() {
#if defined(__APPLE__)
  if (pthread_main_np()) return UINTPTR_MAX;
  const pthread_t self = pthread_self();
  return reinterpret_cast<uintptr_t>(pthread_get_stackaddr_np(self)) -
         pthread_get_stacksize_np(self);
#else
  if (syscall(SYS_gettid) == getpid()) return UINTPTR_MAX;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return UINTPTR_MAX;
  void *lowest = nullptr;
  size_t bytes = 0;
  const int failed = pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  return failed ? UINTPTR_MAX : reinterpret_cast<uintptr_t>(lowest);
#endif
}

}  // namespace

int64_t gatun_stack_left(void) {
  static thread_local const uintptr_t end = stack_end();
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return here > end ? static_cast<int64_t>(here - end) : 0;
}
