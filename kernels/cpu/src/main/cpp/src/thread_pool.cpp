#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>

// glibc 2.34 gave these new versions for moving them between libraries; the old ones are
// everywhere.
#if defined(__x86_64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_mutex_trylock,pthread_mutex_trylock@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.17");
__asm__(".symver pthread_mutex_trylock,pthread_mutex_trylock@GLIBC_2.17");
#endif

// What the C++ runtime would give for thread_local objects with destructors: without its library,
// minimal systems can load ours too.
extern "C" int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern "C" __attribute__((visibility("hidden"))) int __cxa_thread_atexit(void (*destroy)(void *),
                                                                         void *object, void *dso) {
  return __cxa_thread_atexit_impl(destroy, object, dso);
}

namespace gatun {
namespace {

constexpr int kMaxThreads = 1024;
// About 20 us: the usual pause between the kernels of a layer.
constexpr int kSpins = 2000;

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

struct Pool {
  pthread_mutex_t caller = PTHREAD_MUTEX_INITIALIZER;  // held while a job runs
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    // guards what follows
  pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
  pthread_cond_t left = PTHREAD_COND_INITIALIZER;
  bool open = false;  // whether workers may still join the job
  int workers = 0;    // threads that exist besides the callers
  void (*body)(const void *, int64_t) = nullptr;
  const void *context = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next{0};
  std::atomic<uint64_t> job{0};  // the number of the last job begun
  std::atomic<int> joined{0};    // workers inside the job
  std::atomic<int> threads{0};   // 0 until asked for
};

Pool pool;

void claim(void (*body)(const void *, int64_t), const void *context, int64_t count) {
  for (int64_t i = pool.next++; i < count; i = pool.next++) {
    body(context, i);
  }
}

void *work(void *argument) {
  const int self = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  uint64_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < kSpins && pool.job.load(std::memory_order_acquire) == seen; spin++) {
      pause_cpu();
    }
    pthread_mutex_lock(&pool.lock);
    while (pool.job.load() == seen) {
      pthread_cond_wait(&pool.begun, &pool.lock);
    }
    seen = pool.job.load();
    const bool join = pool.open && self < pool.threads.load() - 1;
    auto body = pool.body;
    auto context = pool.context;
    auto count = pool.count;
    if (join) {
      pool.joined++;
    }
    pthread_mutex_unlock(&pool.lock);
    if (join) {
      claim(body, context, count);
      if (--pool.joined == 0) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.left);
        pthread_mutex_unlock(&pool.lock);
      }
    }
  }
  return nullptr;
}

// Starts the workers that are missing; with fewer than asked for, the others do their work.
void start_workers(int wanted) {
  while (pool.workers < wanted) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int failed = pthread_create(
        &thread, &attributes, work, reinterpret_cast<void *>(static_cast<intptr_t>(pool.workers)));
    pthread_attr_destroy(&attributes);
    if (failed) {
      return;
    }
    pool.workers++;
  }
}

}  // namespace

int pool_threads() {
  int threads = pool.threads.load();
  if (threads == 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    threads = threads < 1 ? 1 : threads > kMaxThreads ? kMaxThreads : threads;
    pool.threads.store(threads);
  }
  return threads;
}

bool set_pool_threads(int threads) {
  if (threads < 1 || threads > kMaxThreads) {
    return false;
  }
  pool.threads.store(threads);
  return true;
}

void run_tasks(int64_t count, void (*body)(const void *, int64_t), const void *context) {
  const int threads = pool_threads();
  if (count <= 1 || threads == 1 || pthread_mutex_trylock(&pool.caller) != 0) {
    for (int64_t i = 0; i < count; i++) {
      body(context, i);
    }
    return;
  }
  pthread_mutex_lock(&pool.lock);
  start_workers(threads - 1);
  pool.body = body;
  pool.context = context;
  pool.count = count;
  pool.next.store(0);
  pool.open = true;
  pool.job++;
  pthread_cond_broadcast(&pool.begun);
  pthread_mutex_unlock(&pool.lock);
  claim(body, context, count);
  pthread_mutex_lock(&pool.lock);
  pool.open = false;
  pthread_mutex_unlock(&pool.lock);
  for (int spin = 0; spin < kSpins && pool.joined.load() != 0; spin++) {
    pause_cpu();
  }
  pthread_mutex_lock(&pool.lock);
  while (pool.joined.load() != 0) {
    pthread_cond_wait(&pool.left, &pool.lock);
  }
  pthread_mutex_unlock(&pool.lock);
  pthread_mutex_unlock(&pool.caller);
}

}  // namespace gatun
