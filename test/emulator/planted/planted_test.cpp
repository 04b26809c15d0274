// Runs each planted mistake under each order of threads; succeeds when the emulator names every one
// of them, with its kernel and its line.
#include <cstdio>
#include <cstring>
#include <string>

#include "../machine.h"
#include "../memory.h"
#include "../registry.h"
#include "../tensor_map.h"

using namespace gatun::emulator;

// Of planted_calls.cpp: how many of its calls of the driver were not answered as they should be.
int wrong_calls();

namespace {

struct Planted {
  const char* kernel;
  const char* report;           // A part of it; nullptr where nothing is wrong.
  const char* other = nullptr;  // What the report may say as well.
};

bool named(const Planted& planted, const std::string& report) {
  const auto says = [&](const char* part) {
    return part != nullptr && report.find(part) != std::string::npos;
  };
  return planted.report == nullptr
             ? report.empty()
             : (says(planted.report) || says(planted.other)) && says(planted.kernel);
}

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
    {"missing_sync_warp", "race: read of shared memory"},
    {"sound_join", nullptr},
    {"join_without_release", "which did not fence the write before its atomic"},
    {"join_with_early_release", "which did not fence the write before its atomic"},
    {"join_without_acquire", "no atomic with a fence behind it"},
};

// Of sm_90a: a part of the report, or kWrongResult.
const char kWrongResult[] = "a wrong result";
const Planted kSm90[] = {
    {"sound_product", nullptr},
    {"wrong_parity", "product at", "for parity 1 of an mbarrier"},
    {"missing_expect", "product at"},
    {"expects_too_much", "lacks 0 arrivals and 16 bytes"},
    {"expects_too_little", "lacks 0 arrivals and -16 bytes"},
    {"too_many_arrivals", "has more arrivals than the 1 of a phase"},
    {"missing_init_fence", "no fence stands behind the initialisation of its mbarrier"},
    {"missing_init_barrier", "the mbarrier at"},
    {"wrong_swizzle", "which its swizzle needs"},
    {"wrong_stride", kWrongResult},
    {"misaligned_tile", "lies 128 bytes past a multiple of 1024"},
    {"missing_product_fence", "has no wgmma_fence before it"},
    {"early_accumulators", "read of registers of the product at"},
    {"early_fragments", "write to registers of the product at"},
    {"missing_async_fence", "written by ordinary stores with no fence_async after"},
    {"overwritten_tile", "shared memory"},
    {"load_into_tile_in_use", "tensor load at"},
    {"load_over_read_tile", "tensor load at"},
    {"products_never_waited_for", "ended while products were under way"},
    {"divergent_warpgroup", "has ended"},
    {"wrong_named_count", "the named barrier 1 is for"},
    {"too_few_registers", "setmaxnreg of 16"},
    {"other_matrices", "has other matrices in other threads"},
    {"sums_behind_the_fence", "registers of the sums of the product at"},
    {"fragments_behind_the_fence", "registers of a of the product at"},
    {"sound_store", nullptr},
    {"missing_store_fence", "written by ordinary stores with no fence_async after"},
    {"store_never_waited_for", "ended while tensor stores were under way"},
};

constexpr int kSide = 64;

// BF16 of an integer.
uint16_t small(int value) {
  const float number = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &number, 4);
  return static_cast<uint16_t>(bits >> 16);
}

int entry(int row, int column) { return (row * 7 + column * 13) % 15 - 7; }

// Runs one of kSm90 on x[2 * 64, 64] and y[64, 64]; what the emulator reports.
std::string run_sm90(const Planted& planted) {
  auto x = static_cast<uint16_t*>(allocate_device(2 * kSide * kSide * 2));
  auto y = static_cast<float*>(allocate_device(kSide * kSide * 4));
  for (int i = 0; i < 2 * kSide * kSide; i++) {
    x[i] = small(entry(i / kSide, i % kSide));
  }
  std::memset(y, 0, kSide * kSide * 4);
  const bool stores = std::strstr(planted.kernel, "store") != nullptr;
  alignas(64) char map[128];
  const uint64_t sizes[] = {kSide, 2 * kSide}, strides[] = {2 * kSide};
  const uint32_t box[] = {kSide, kSide}, ones[] = {1, 1};
  // BF16, no interleave, the swizzle of 128 bytes for products, and no promotion.
  std::string report = encode_map(map, 9, 2, stores ? static_cast<void*>(y) : x, sizes, strides,
                                  box, ones, 0, stores ? 0 : 3, 0, 0);
  Launch launch;
  launch.kernel = &kernels().at(planted.kernel);
  launch.grid = {1, 1, 1};
  launch.block = {128, 1, 1};
  launch.shared_bytes = 1024 + 4 * kSide * kSide + 1024;
  launch.arguments.emplace_back(map, map + sizeof map);
  for (void* pointer : {static_cast<void*>(x), static_cast<void*>(y)}) {
    const char* bytes = reinterpret_cast<const char*>(&pointer);
    launch.arguments.emplace_back(bytes, bytes + sizeof pointer);
  }
  report += run(launch);
  bool right = true;
  for (int i = 0; i < kSide * kSide; i++) {
    int sum = 0;
    for (int k = 0; k < kSide; k++) {
      sum += entry(i / kSide, k) * entry(kSide + i % kSide, k);
    }
    right &= stores ? reinterpret_cast<uint16_t*>(y)[i] == i : y[i] == static_cast<float>(sum);
  }
  free_device(x);
  free_device(y);
  return report.empty() && !right ? std::string(kWrongResult) + " of " + planted.kernel : report;
}

}  // namespace

int main() {
  int wrong = wrong_calls(), runs = wrong;
  for (const Planted& planted : kSm90) {
    for (int policy = 0; policy < 4; policy++) {
      for (uint64_t seed = 1; seed <= 3; seed++) {
        for (const bool early : {false, true}) {
          settings().policy = static_cast<Policy>(policy);
          settings().seed = seed;
          settings().early_copies = early;
          const std::string report = run_sm90(planted);
          runs++;
          if (!named(planted, report)) {
            wrong++;
            std::printf("%s, policy %d, seed %d%s: '%s'\n", planted.kernel, policy,
                        static_cast<int>(seed), early ? ", early" : "", report.c_str());
          } else if (policy == 0 && seed == 1 && !early) {
            std::printf("%s\n", report.empty() ? "(sound)" : report.c_str());
          }
        }
      }
    }
  }
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
          const bool two = std::strcmp(planted.kernel, "race_between_blocks") == 0 ||
                           std::strstr(planted.kernel, "join") != nullptr;
          launch.grid = {two ? 2u : 1u, 1, 1};
          launch.block = {64, 1, 1};
          launch.shared_bytes = std::strcmp(planted.kernel, "wrong_wait_count") == 0 ? 1024 : 256;
          for (float* pointer : {x, y}) {
            const char* bytes = reinterpret_cast<const char*>(&pointer);
            launch.arguments.emplace_back(bytes, bytes + sizeof pointer);
          }
          const std::string report = run(launch);
          runs++;
          if (!named(planted, report)) {
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
