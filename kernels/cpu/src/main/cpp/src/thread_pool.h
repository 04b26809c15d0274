// The library's one pool of threads.
#ifndef GATUN_THREAD_POOL_H
#define GATUN_THREAD_POOL_H

#include <cstdint>

namespace gatun {

// Runs body(context, i) for every i in [0, count), in any order, on the pool's threads and the
// caller's, each of whom begins with neighbours. A caller that finds the pool busy runs them all
// itself.
void run_tasks(int64_t count, void (*body)(const void *, int64_t), const void *context);

int pool_threads();
bool set_pool_threads(int threads);

}  // namespace gatun

#endif
