// What the blocks of a launch know of each other's writes: who writes device memory, fences and
// then does an atomic leaves it there, and who does an atomic on the same address and then fences
// has it. A thread's fence is for its own writes, and for those of others behind a barrier of the
// block.
#ifndef GATUN_EMULATOR_ORDER_H
#define GATUN_EMULATOR_ORDER_H

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "block.h"

namespace gatun {
namespace emulator {

// What a block's atomic leaves: of each thread the writes of generations before this one.
struct Release {
  uint32_t block;
  std::vector<uint16_t> before;
};

class BlockOrder {
 public:
  // The thread that runs does an atomic. What blocks see of each other is in the order of the
  // operations themselves.
  template <typename Operation>
  auto atomic(const void* address, const Operation& operation) {
    std::lock_guard<std::mutex> guard(lock_);
    note(address);
    return operation();
  }

 private:
  void note(const void* address);

  std::mutex lock_;
  std::map<const void*, std::vector<std::shared_ptr<const Release>>> releases_;
};

// The thread that runs orders its writes, and what its atomics saw.
void fence_for_blocks();

// Why the thread that runs may not read what a thread of another block wrote in a generation;
// nothing where it may.
const char* why_not_ordered(uint32_t other, int thread, uint16_t generation);

}  // namespace emulator
}  // namespace gatun

#endif
