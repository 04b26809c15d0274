// What runs beside the threads of a block on sm_90: barriers of shared memory, the copy engine and
// the warpgroups' products.
//
// Threads are ordered by vector clocks (Flanagan and Freund, "FastTrack", PLDI 2009): who arrives
// at a barrier leaves there what he has seen, and who has waited has seen it too.
#ifndef GATUN_EMULATOR_SM90_H
#define GATUN_EMULATOR_SM90_H

#include "block.h"
#include "tensor_map.h"

namespace gatun {
namespace emulator {

// Where shared memory begins for instructions that take its 32-bit addresses.
constexpr uint32_t kSharedBase = 1024;

struct Mbarrier {
  unsigned count, pending;
  int64_t bytes;
  unsigned phase;
  Touch made;
  Clocks coming, done;
};

struct NamedBarrier {
  int threads, arrived;
  Site site;
  std::vector<int> waiting;
  Clocks coming;
};

struct TensorCopy {
  EncodedMap map;
  int place[5];
  uint32_t shared;  // From the beginning of shared memory.
  uint32_t barrier;
  uint32_t number;
  bool landed;
};

enum class Kind { kBf16, kF16, kS8 };

struct Product {
  Site site;
  Kind kind;
  int n;
  bool a_in_registers, transposed_b, add;
  uint64_t a, b;
  uint32_t a_words[128][4];
  uint32_t* d[128];
  bool computed;
  int waited;                   // Threads that have waited for it.
  std::vector<uint32_t> units;  // Of 16 bytes of shared memory that it reads.
};

struct Warpgroup {
  int arrived;
  Site site;
  std::shared_ptr<Product> making;
  std::vector<std::shared_ptr<Product>> queue;  // In order of issue, not computed yet.
  int registers;                                // Of a thread, 0 where none were given or taken.
};

// All lanes of a warp have met.
void join_warp(int first, int lanes);
// All threads of the block have met.
void join_block();
// Lands copies that threads wait for, when none can go on; whether there were any.
bool land_awaited();
// What a thread at a barrier of shared memory waits for.
std::string describe_wait(const Thread& thread);
// What a thread that ends, or the block's last one, has left under way; nothing if nothing.
std::string left_under_way(const Thread& thread, bool last);
// Fails when an access of a thread to its own memory is one to registers of products under way.
void check_registers(const char* address, size_t bytes, bool write, const void* instruction);

}  // namespace emulator
}  // namespace gatun

#endif
