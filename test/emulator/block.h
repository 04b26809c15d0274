// The block that runs on a native thread.
#ifndef GATUN_EMULATOR_BLOCK_H
#define GATUN_EMULATOR_BLOCK_H

#include <cstdint>
#include <random>
#include <vector>

#include "machine.h"

namespace gatun {
namespace emulator {

constexpr size_t kSharedArena = 256 << 10;
constexpr size_t kStack = 96 << 10;
// Shared memory is watched in pieces of so many bytes.
constexpr size_t kGranule = 2;

// Who touched a piece of shared memory last. Generations count the barriers that a block passed
// and the collectives that a warp met at.
struct Touch {
  uint16_t thread;  // One more than its number; 0 for nobody.
  uint16_t block_generation;
  uint32_t warp_generation;
};

struct Shadow {
  Touch written, read;
  bool in_flight;
};

struct AsyncCopy {
  char* shared;
  const char* global;
  bool valid;
};

enum class State : uint8_t { kReady, kAtBarrier, kAtCollective, kDone };

struct Thread {
  void* stack_pointer;
  Index3 index;
  State state;
  Site site;
  std::vector<AsyncCopy> open;
  std::vector<std::vector<AsyncCopy>> groups;
};

struct Warp {
  int arrived;
  int lanes;
  uint32_t generation;
  Site site;
  uint32_t in[kWarp][8];
  uint32_t out[kWarp][4];
  const void* rows[kWarp];
};

struct Block {
  const Launch* launch;
  Index3 index;
  uint64_t launch_number;  // Never 0.
  uint32_t number;
  int threads;
  int current;
  int done;
  int at_barrier;
  uint16_t generation;
  Site barrier_site;
  std::string failure;
  void* home;
  std::mt19937_64 random;
  std::vector<Thread> thread;
  std::vector<Warp> warp;
  char* stacks;
  char* shared;
  std::vector<Shadow> shadow;
  std::function<void()> body;
};

extern thread_local Block* block __attribute__((tls_model("initial-exec")));

inline int lane() { return block->current % kWarp; }
inline Warp& warp() { return block->warp[block->current / kWarp]; }

// Goes on with another thread, when this one waits.
void switch_away();

}  // namespace emulator
}  // namespace gatun

#endif
