// The block that runs on a native thread.
#ifndef GATUN_EMULATOR_BLOCK_H
#define GATUN_EMULATOR_BLOCK_H

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "machine.h"

namespace gatun {
namespace emulator {

constexpr size_t kSharedArena = 256 << 10;
constexpr size_t kStack = 96 << 10;
// Shared memory is watched in pieces of so many bytes.
constexpr size_t kGranule = 2;

// The number of the copy engine among those who touch shared memory.
constexpr int kCopyEngine = kMostThreads;

// Who touched a piece of shared memory last. Generations count the barriers that a block passed
// and the collectives that a warp met at; the clock is the thread's own, see sm90.h.
struct Touch {
  uint16_t thread;  // One more than its number; 0 for nobody.
  uint16_t block_generation;
  uint32_t warp_generation;
  uint32_t clock;
};

struct Shadow {
  Touch written, read;
  bool in_flight;
  uint16_t reading;  // Products and stores under way that read it.
};

// What each thread did that is known here: its clock then; the copy engine's comes last.
using Clocks = std::vector<uint32_t>;

struct Mbarrier;
struct NamedBarrier;
struct Product;
struct TensorCopy;
struct Warpgroup;

// Registers that an asynchronous product uses.
struct Watch {
  const char* begin;
  size_t bytes;
  bool accumulators;  // Which may not even be read.
  const Product* product;
};

// The sums of a product under way, which its registers will have at the wait.
struct Accumulator {
  uint32_t* registers;
  int under_way;
  std::vector<uint32_t> values;
};

struct AsyncCopy {
  char* shared;
  const char* global;
  size_t bytes;
  bool valid;
};

enum class State : uint8_t { kReady, kAtBarrier, kAtCollective, kAtMbarrier, kAtNamed, kDone };

struct Thread {
  void* stack_pointer;
  Index3 index;
  State state;
  Site site;
  std::vector<AsyncCopy> open;
  std::vector<std::vector<AsyncCopy>> groups;

  uint32_t clock;
  uint32_t fenced;  // What it wrote until then is known to the copy engine and the tensor cores.
  Clocks seen;
  uint32_t waits_on;  // The place of the mbarrier, or the number of the named one.
  unsigned parity;
  bool register_fence;
  // Its own memory that it wrote since then: begin and bytes.
  std::vector<std::pair<const char*, size_t>> written_since_fence;

  Touch device_fence;  // When it last ordered its writes for other blocks; by nobody before.
  bool written_since_device_fence;
  std::vector<std::shared_ptr<Product>> products;
  std::vector<std::vector<std::shared_ptr<Product>>> product_groups;
  std::vector<Accumulator> accumulators;
  std::vector<Watch> watched;
  std::vector<TensorCopy> stores;
  std::vector<std::vector<TensorCopy>> store_groups;
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

// What atomics of a launch's blocks order, see order.h.
class BlockOrder;
struct Release;

// What an atomic of a thread saw of other blocks; and who has fenced behind it.
struct Seen {
  Touch atomic;
  std::vector<std::shared_ptr<const Release>> releases;
  std::vector<Touch> fences;
};

struct Block {
  const Launch* launch;
  BlockOrder* order;
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

  std::vector<Seen> seen_by_atomics;

  bool clocks;  // Whether threads are ordered by more than the barriers of the block and the warp.
  uint32_t copies_begun;
  std::map<uint32_t, Mbarrier> mbarriers;
  std::map<int, NamedBarrier> named;
  std::vector<TensorCopy> copies;
  std::vector<Warpgroup> warpgroups;
};

extern thread_local Block* block __attribute__((tls_model("initial-exec")));

inline int lane() { return block->current % kWarp; }
inline Warp& warp() { return block->warp[block->current / kWarp]; }

// Goes on with another thread, when this one waits.
void switch_away();

bool same(Site a, Site b);
Touch touch_now();
// Whether what another thread did is known to be over.
bool ordered(const Touch& touch);

}  // namespace emulator
}  // namespace gatun

#endif
