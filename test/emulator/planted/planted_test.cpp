// Runs each planted mistake under each order of threads; succeeds when the emulator names every one
// of them, with its kernel and its line.
#include <cstdio>
#include <cstring>
#include <string>

#include "../machine.h"
#include "../memory.h"
#include "../registry.h"

using namespace gatun::emulator;

namespace {

struct Planted {
  const char* kernel;
  const char* report;  // A part of it; nullptr where nothing is wrong.
};

const Planted kAll[] = {
    {"sound", nullptr},
    {"missing_barrier", "shared memory"},
    {"missing_second_barrier", "race: "},
    {"wrong_wait_count", "while an asynchronous copy into it is under way"},
    {"copy_never_waited_for", "ended while asynchronous copies were under way"},
    {"write_past_the_end",
     "write out of bounds: 4 bytes at byte 256 of an allocation of 256 bytes"},
    {"read_before_the_start", "read out of bounds: 4 bytes, 4 bytes before an allocation"},
    {"null_pointer", "which is no pointer"},
    {"unaligned_vector", "misaligned read of 16 bytes"},
    {"unwritten_shared", "that nothing was written to"},
    {"past_shared", "shared memory out of bounds: 4 bytes at byte 256 of 256"},
    {"too_little_shared", "needs 1024 bytes of shared memory"},
    {"divergent_collective", "divergent collective: lanes of the warp are at"},
    {"collective_of_half_a_warp", "has ended"},
    {"barrier_after_a_return", "threads of the block that have ended"},
    {"divergent_barrier", "divergent barrier: threads of the block are at"},
    {"deadlock", "deadlock: "},
    {"race_between_blocks", "device memory that another block of the launch wrote"},
    {"race_in_device_memory", "race: "},
    {"use_after_free", "that was freed"},
};

}  // namespace

int main() {
  int wrong = 0, runs = 0;
  for (const Planted& planted : kAll) {
    for (int policy = 0; policy < 4; policy++) {
      for (uint64_t seed = 1; seed <= 3; seed++) {
        for (const bool early : {false, true}) {
          settings().policy = static_cast<Policy>(policy);
          settings().seed = seed;
          settings().early_copies = early;
          auto x = static_cast<float*>(allocate_device(256));
          auto y = static_cast<float*>(allocate_device(256));
          for (int i = 0; i < 64; i++) {
            x[i] = static_cast<float>(i);
          }
          std::memset(y, 0, 256);
          if (std::strcmp(planted.kernel, "use_after_free") == 0) {
            free_device(x);
          }
          Launch launch;
          launch.kernel = &kernels().at(planted.kernel);
          launch.grid = {std::strcmp(planted.kernel, "race_between_blocks") == 0 ? 2u : 1u, 1, 1};
          launch.block = {64, 1, 1};
          launch.shared_bytes = std::strcmp(planted.kernel, "wrong_wait_count") == 0 ? 1024 : 256;
          for (float* pointer : {x, y}) {
            const char* bytes = reinterpret_cast<const char*>(&pointer);
            launch.arguments.emplace_back(bytes, bytes + sizeof pointer);
          }
          const std::string report = run(launch);
          const bool named = planted.report == nullptr
                                 ? report.empty()
                                 : report.find(planted.report) != std::string::npos &&
                                       report.find(planted.kernel) != std::string::npos;
          runs++;
          if (!named) {
            wrong++;
            std::printf("%s, policy %d, seed %d: '%s'\n", planted.kernel, policy,
                        static_cast<int>(seed), report.c_str());
          } else if (policy == 0 && seed == 1 && !early) {
            std::printf("%s\n", report.empty() ? "(sound)" : report.c_str());
          }
          if (std::strcmp(planted.kernel, "use_after_free") != 0) {
            free_device(x);
          }
          free_device(y);
        }
      }
    }
  }
  std::printf("%d of %d runs\n", runs - wrong, runs);
  return wrong == 0 ? 0 : 1;
}
