// Kernels with one mistake each, and one without, that the emulator is tried on.
#include "numbers.h"

using namespace gatun;

struct __align__(16) Vector {
  uint32_t word[4];
};

// Reverses the elements of a block in shared memory. Sound.
// kernels.list: sound 64 pp
extern "C" __global__ void sound(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  shared[threadIdx.x] = x[threadIdx.x];
  sync_block();
  y[threadIdx.x] = shared[63 - threadIdx.x];
}

// kernels.list: missing_barrier 64 pp
extern "C" __global__ void missing_barrier(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  shared[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = shared[63 - threadIdx.x];
}

// Nothing keeps the second round's writes from the first round's reads.
// kernels.list: missing_second_barrier 64 pp
extern "C" __global__ void missing_second_barrier(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  for (int round = 0; round < 2; round++) {
    shared[threadIdx.x] = x[threadIdx.x] + static_cast<float>(round);
    sync_block();
    y[threadIdx.x] = shared[63 - threadIdx.x];
  }
}

// Waits for all groups but one, and reads that one.
// kernels.list: wrong_wait_count 64 pp
extern "C" __global__ void wrong_wait_count(const float* x, float* y) {
  float* shared = shared_memory<float>(256 * sizeof(float));
  for (int group = 0; group < 2; group++) {
    if (threadIdx.x < 16) {
      copy_async_16(shared + group * 64 + threadIdx.x * 4, x + threadIdx.x * 4, true);
    }
    copy_async_commit();
  }
  copy_async_wait<1>();
  sync_block();
  y[threadIdx.x] = shared[64 + threadIdx.x];
  copy_async_wait<0>();
}

// kernels.list: copy_never_waited_for 64 pp
extern "C" __global__ void copy_never_waited_for(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  y[threadIdx.x] = 0;
  if (threadIdx.x < 16) {
    copy_async_16(shared + threadIdx.x * 4, x + threadIdx.x * 4, true);
    copy_async_commit();
  }
}

// kernels.list: write_past_the_end 64 pp
extern "C" __global__ void write_past_the_end(const float* x, float* y) {
  y[threadIdx.x + 1] = x[threadIdx.x];
}

// kernels.list: read_before_the_start 64 pp
extern "C" __global__ void read_before_the_start(const float* x, float* y) {
  y[threadIdx.x] = x[static_cast<int>(threadIdx.x) - 1];
}

// kernels.list: null_pointer 64 pp
extern "C" __global__ void null_pointer(const float*, float* y) {
  const float* none = nullptr;
  y[threadIdx.x] = none[threadIdx.x];
}

// kernels.list: unaligned_vector 64 pp
extern "C" __global__ void unaligned_vector(const float* x, float* y) {
  const Vector v = *reinterpret_cast<const Vector*>(x + 1);
  y[threadIdx.x] = static_cast<float>(v.word[threadIdx.x % 4]);
}

// kernels.list: unwritten_shared 64 pp
extern "C" __global__ void unwritten_shared(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  if (threadIdx.x != 5) {
    shared[threadIdx.x] = x[threadIdx.x];
  }
  sync_block();
  y[threadIdx.x] = shared[threadIdx.x];
}

// kernels.list: past_shared 64 pp
extern "C" __global__ void past_shared(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  shared[threadIdx.x + 1] = x[threadIdx.x];
  y[threadIdx.x] = 0;
}

// kernels.list: too_little_shared 64 pp
extern "C" __global__ void too_little_shared(const float*, float* y) {
  y[threadIdx.x] = *shared_memory<float>(1024);
}

// kernels.list: divergent_collective 64 pp
extern "C" __global__ void divergent_collective(const float* x, float* y) {
  float value = x[threadIdx.x];
  if (threadIdx.x % 32 < 16) {
    value += shuffle_xor(value, 1);
  } else {
    value += shuffle_xor(value, 2);
  }
  y[threadIdx.x] = value;
}

// kernels.list: collective_of_half_a_warp 64 pp
extern "C" __global__ void collective_of_half_a_warp(const float* x, float* y) {
  float value = x[threadIdx.x];
  if (threadIdx.x % 32 < 16) {
    value += shuffle_xor(value, 1);
  }
  y[threadIdx.x] = value;
}

// kernels.list: barrier_after_a_return 64 pp
extern "C" __global__ void barrier_after_a_return(const float* x, float* y) {
  if (threadIdx.x == 3) {
    return;
  }
  y[threadIdx.x] = x[threadIdx.x];
  sync_block();
}

// kernels.list: divergent_barrier 64 pp
extern "C" __global__ void divergent_barrier(const float* x, float* y) {
  if (threadIdx.x < 32) {
    sync_block();
  } else {
    sync_block();
  }
  y[threadIdx.x] = x[threadIdx.x];
}

// One warp waits at the barrier, one at a collective for lanes that wait at the barrier.
// kernels.list: deadlock 64 pp
extern "C" __global__ void deadlock(const float* x, float* y) {
  float value = x[threadIdx.x];
  if (threadIdx.x < 16) {
    value = shuffle_xor(value, 1);
  }
  sync_block();
  y[threadIdx.x] = value;
}

// All blocks add to one element, without an atomic.
// kernels.list: race_between_blocks 64 pp
extern "C" __global__ void race_between_blocks(const float* x, float* y) {
  if (threadIdx.x == 0) {
    y[0] += x[blockIdx.x];
  }
}

// kernels.list: race_in_device_memory 64 pp
extern "C" __global__ void race_in_device_memory(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = 2 * y[63 - threadIdx.x];
}

// kernels.list: use_after_free 64 pp
extern "C" __global__ void use_after_free(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
}

// Lanes read what others of the warp wrote, and only a shuffle stands between.
// kernels.list: missing_sync_warp 64 pp
extern "C" __global__ void missing_sync_warp(const float* x, float* y) {
  float* shared = shared_memory<float>(64 * sizeof(float));
  shared[threadIdx.x] = x[threadIdx.x];
  const float other = shuffle_xor(x[threadIdx.x], 1);
  y[threadIdx.x] = shared[threadIdx.x ^ 1] + other;
}

enum JoinMistake { kSoundJoin, kNoRelease, kEarlyRelease, kNoAcquire };

// Two blocks leave numbers; who comes second adds them.
template <int M>
static __device__ __forceinline__ void join(const float* x, float* y) {
  int* last = shared_memory<int>(sizeof(int));
  if (M == kEarlyRelease) {
    fence_device();
  }
  if (threadIdx.x < 16) {
    y[16 * blockIdx.x + threadIdx.x] = x[threadIdx.x];
  }
  if (M != kNoRelease && M != kEarlyRelease) {
    fence_device();
  }
  sync_block();
  if (threadIdx.x == 0) {
    *last = atomic_add(reinterpret_cast<int*>(y + 63), 1);
  }
  sync_block();
  if (*last == 0) {
    return;
  }
  if (M != kNoAcquire) {
    fence_device();
  }
  if (threadIdx.x < 16) {
    y[32 + threadIdx.x] = load_fresh(y + threadIdx.x) + load_fresh(y + 16 + threadIdx.x);
  }
}

// kernels.list: sound_join 64 pp
extern "C" __global__ void sound_join(const float* x, float* y) { join<kSoundJoin>(x, y); }
// kernels.list: join_without_release 64 pp
extern "C" __global__ void join_without_release(const float* x, float* y) {
  join<kNoRelease>(x, y);
}
// kernels.list: join_with_early_release 64 pp
extern "C" __global__ void join_with_early_release(const float* x, float* y) {
  join<kEarlyRelease>(x, y);
}
// kernels.list: join_without_acquire 64 pp
extern "C" __global__ void join_without_acquire(const float* x, float* y) {
  join<kNoAcquire>(x, y);
}

// Sound, for planted_calls.cpp to launch with too many threads.
// kernels.list: bounded 32 pp
extern "C" __global__ void __launch_bounds__(32) bounded(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
}
