// A launch on the emulated device: blocks on native threads, their CUDA threads as fibers.
#ifndef GATUN_EMULATOR_MACHINE_H
#define GATUN_EMULATOR_MACHINE_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "emulated_device.h"

namespace gatun {
namespace emulator {

constexpr int kWarp = 32;
constexpr int kMostThreads = 1024;

// Which thread runs next, where several can.
enum class Policy {
  kRoundRobin,  // The next one.
  kReverse,     // The one before.
  kGreedyWarp,  // One of the same warp, as long as there is one; then of a random warp.
  kRandom,
};

struct Settings {
  Policy policy = Policy::kRoundRobin;
  uint64_t seed = 1;
  // Whether asynchronous copies land when they are issued; otherwise when they are waited for.
  bool early_copies = false;
  // Whether streams do their work only when they are waited for.
  bool lazy_streams = false;
  int workers = 2;
};

Settings& settings();

// A kernel as the driver knows it.
struct Kernel {
  std::string name;
  std::vector<int> sizes;    // Of its arguments, in bytes.
  std::vector<int> offsets;  // Where each lies in the parameter block.
  int most_threads;          // Of a block, by its __launch_bounds__.
  std::function<void(void* const*)> call;
};

struct Launch {
  const Kernel* kernel;
  Index3 grid, block;
  unsigned shared_bytes;
  std::vector<std::vector<char>> arguments;
};

// Runs a launch to its end; the report of what went wrong, or nothing.
std::string run(const Launch& launch);

// Stops the block that runs on this native thread and fails its launch; does not return. The text
// gets the kernel, block and thread added.
[[noreturn]] void fail(const std::string& what);
// The same, with the source line of an instruction of a kernel.
[[noreturn]] void fail_at(const std::string& what, const void* instruction);

std::string describe(Site site);

}  // namespace emulator
}  // namespace gatun

#endif
