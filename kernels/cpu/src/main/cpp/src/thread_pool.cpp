#include "thread_pool.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#if defined(__linux__)
#include <sched.h>
#endif

#if defined(__GLIBC__)

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

#endif

namespace gatun {
namespace {

constexpr int kMaxThreads = 1024;
// Tasks of a job; more are several jobs.
constexpr int64_t kMostTasks = (int64_t{1} << 31) - 1;
// About 300 us: the pause between two passes through a model, while a text is made into tokens.
constexpr int kSpins = 16000;

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// What the door says: the number of the last job begun, whether workers may still join it, and how
// many are inside. Workers that look at it while they wait need no lock to begin.
constexpr uint64_t kInside = (uint64_t{1} << 16) - 1, kOpen = uint64_t{1} << 16;
constexpr int kNumber = 17;

// Tasks of a job that follow each other: a thread goes on reading where its last task ended, as
// processors foresee.
struct alignas(64) Share {
  std::atomic<uint64_t> left{0};  // the first one in the upper half, the end in the lower

  static uint64_t of(int64_t first, int64_t end) {
    return static_cast<uint64_t>(first) << 32 | static_cast<uint64_t>(end);
  }

  static int64_t first_of(uint64_t tasks) { return static_cast<int64_t>(tasks >> 32); }
  static int64_t end_of(uint64_t tasks) { return static_cast<int64_t>(tasks & 0xffffffff); }

  // Takes the first task; -1 for none.
  int64_t take() {
    uint64_t seen = left.load();
    for (;;) {
      const int64_t begin = first_of(seen), end = end_of(seen);
      if (begin >= end) {
        return -1;
      }
      if (left.compare_exchange_weak(seen, of(begin + 1, end))) {
        return begin;
      }
    }
  }

  // Takes the later half, one task at least; 0 for none.
  uint64_t take_half() {
    uint64_t seen = left.load();
    for (;;) {
      const int64_t begin = first_of(seen), end = end_of(seen);
      if (begin >= end) {
        return 0;
      }
      const int64_t middle = begin + (end - begin) / 2;
      if (left.compare_exchange_weak(seen, of(begin, middle))) {
        return of(middle, end);
      }
    }
  }
};

struct Pool {
  pthread_mutex_t caller = PTHREAD_MUTEX_INITIALIZER;  // held while a job runs
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    // of those who sleep
  pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
  pthread_cond_t left = PTHREAD_COND_INITIALIZER;
  std::atomic<int> sleepers{0};  // workers that wait for `begun`
  std::atomic<bool> caller_sleeps{false};
  std::atomic<int> threads{0};  // 0 until asked for
  int workers = 0;              // threads that exist besides the callers
  // The job; written while no worker is inside.
  void (*body)(const void *, int64_t) = nullptr;
  const void *context = nullptr;
  int64_t before = 0;  // tasks of earlier jobs of the same call
  int shares = 0;
  alignas(64) std::atomic<uint64_t> door{0};
  Share share[kMaxThreads];
};

Pool pool;

// Does the tasks of a share, then half of what another one still has, as its own.
void do_tasks(int self) {
  void (*const body)(const void *, int64_t) = pool.body;
  const void *const context = pool.context;
  const int64_t before = pool.before;
  const int shares = pool.shares;
  Share &own = pool.share[self];
  for (;;) {
    for (int64_t i = own.take(); i >= 0; i = own.take()) {
      body(context, before + i);
    }
    uint64_t found = 0;
    for (int other = self + 1; found == 0 && other < self + shares; other++) {
      found = pool.share[other % shares].take_half();
    }
    if (found == 0) {
      return;
    }
    own.left.store(found);
  }
}

// Waits until a job other than `seen` has begun, and gives what the door says then.
uint64_t await_job(uint64_t seen) {
  uint64_t door = pool.door.load(std::memory_order_acquire);
  for (int spin = 0; spin < kSpins && door >> kNumber == seen; spin++) {
    pause_cpu();
    door = pool.door.load(std::memory_order_acquire);
  }
  if (door >> kNumber == seen) {
    pthread_mutex_lock(&pool.lock);
    pool.sleepers++;
    while ((door = pool.door.load()) >> kNumber == seen) {
      pthread_cond_wait(&pool.begun, &pool.lock);
    }
    pool.sleepers--;
    pthread_mutex_unlock(&pool.lock);
  }
  return door;
}

// Joins the job that the door named, unless its caller has closed it.
bool join(uint64_t door) {
  const uint64_t number = door >> kNumber;
  while ((door & kOpen) != 0 && door >> kNumber == number) {
    if (pool.door.compare_exchange_weak(door, door + 1)) {
      return true;
    }
  }
  return false;
}

void leave() {
  pool.door--;
  if (pool.caller_sleeps.load()) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.left);
    pthread_mutex_unlock(&pool.lock);
  }
}

void *work(void *argument) {
  const int self = static_cast<int>(reinterpret_cast<intptr_t>(argument));  // 0 is the caller
  uint64_t seen = 0;
  for (;;) {
    const uint64_t door = await_job(seen);
    seen = door >> kNumber;
    if (self < pool.threads.load(std::memory_order_relaxed) && join(door)) {
      if (self < pool.shares) {
        do_tasks(self);
      }
      leave();
    }
  }
  return nullptr;
}

void begin_job() {
  const uint64_t number = (pool.door.load(std::memory_order_relaxed) >> kNumber) + 1;
  pool.door.store(number << kNumber | kOpen);
  if (pool.sleepers.load() > 0) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.begun);
    pthread_mutex_unlock(&pool.lock);
  }
}

void end_job() {
  uint64_t door = pool.door.fetch_and(~kOpen);
  for (int spin = 0; spin < kSpins && (door & kInside) != 0; spin++) {
    pause_cpu();
    door = pool.door.load(std::memory_order_acquire);
  }
  if ((door & kInside) != 0) {
    pthread_mutex_lock(&pool.lock);
    pool.caller_sleeps.store(true);
    while ((pool.door.load() & kInside) != 0) {
      pthread_cond_wait(&pool.left, &pool.lock);
    }
    pool.caller_sleeps.store(false);
    pthread_mutex_unlock(&pool.lock);
  }
}

// Runs `count` tasks from `begin` on.
void run_job(int64_t begin, int64_t count, int threads) {
  pool.before = begin;
  pool.shares = count < threads ? static_cast<int>(count) : threads;
  for (int i = 0; i < pool.shares; i++) {
    const uint64_t tasks = Share::of(count * i / pool.shares, count * (i + 1) / pool.shares);
    pool.share[i].left.store(tasks, std::memory_order_relaxed);
  }
  begin_job();
  do_tasks(0);
  end_job();
}

// Starts the workers that are missing; with fewer than asked for, the others do their work.
void start_workers(int wanted) {
  while (pool.workers < wanted) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int failed =
        pthread_create(&thread, &attributes, work,
                       reinterpret_cast<void *>(static_cast<intptr_t>(pool.workers + 1)));
    pthread_attr_destroy(&attributes);
    if (failed) {
      return;
    }
    pool.workers++;
  }
}

// Processors that this process may run on.
int processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
#else
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
#endif
}

}  // namespace

int pool_threads() {
  int threads = pool.threads.load();
  if (threads == 0) {
    threads = processors();
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
  start_workers(threads - 1);
  pool.body = body;
  pool.context = context;
  for (int64_t begin = 0; begin < count; begin += kMostTasks) {
    run_job(begin, count - begin < kMostTasks ? count - begin : kMostTasks, threads);
  }
  pthread_mutex_unlock(&pool.caller);
}

}  // namespace gatun
