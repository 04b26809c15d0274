// The hooks of -fsanitize=thread, which g++ calls before each load and store of a kernel: memory is
// checked for bounds, alignment, use before it is written, and races that a barrier should prevent.
#include "access.h"

#include <cstdint>
#include <string>

#include "block.h"
#include "memory.h"
#include "order.h"
#include "sm90.h"

namespace gatun {
namespace emulator {

namespace {

// What device_last_writes keeps: 14 bits of the launch's number, 24 of the block's, 16 of the
// generation, 10 of the thread's.
constexpr int kLaunchShift = 50, kBlockShift = 26, kGenerationShift = 10;

uint64_t stamp(const Block& b) {
  return (b.launch_number & 0x3fff) << kLaunchShift |
         static_cast<uint64_t>(b.number & 0xffffff) << kBlockShift |
         static_cast<uint64_t>(b.generation) << kGenerationShift | static_cast<uint64_t>(b.current);
}

std::string name(int number) {
  if (number == kCopyEngine) {
    return "the copy engine";
  }
  const Index3& i = block->thread[number].index;
  std::string text = "thread " + std::to_string(i.x);
  if (block->launch->block.y > 1 || block->launch->block.z > 1) {
    text += "," + std::to_string(i.y) + "," + std::to_string(i.z);
  }
  return text;
}

// Says what is wrong with an access of which the short way below says that something may be.
[[gnu::cold, gnu::noinline]] void examine_shared(size_t offset, size_t bytes, bool write,
                                                 const void* instruction) {
  Block& b = *block;
  if (offset + bytes > b.launch->shared_bytes) {
    fail_at("shared memory out of bounds: " + std::to_string(bytes) + " bytes at byte " +
                std::to_string(offset) + " of " + std::to_string(b.launch->shared_bytes),
            instruction);
  }
  const Touch now = touch_now();
  for (size_t i = offset / kGranule; i <= (offset + bytes - 1) / kGranule; i++) {
    Shadow& s = b.shadow[i];
    if (s.in_flight) {
      fail_at(std::string(write ? "write to" : "read of") + " shared memory at byte " +
                  std::to_string(i * kGranule) + " while an asynchronous copy into it is under way",
              instruction);
    }
    if (s.written.thread == 0 && !write) {
      fail_at("read of shared memory at byte " + std::to_string(i * kGranule) +
                  " that nothing was written to",
              instruction);
    }
    if (s.written.thread != 0 && !ordered(s.written)) {
      fail_at(std::string("race: ") + (write ? "write to" : "read of") + " shared memory at byte " +
                  std::to_string(i * kGranule) + ", which " + name(s.written.thread - 1) +
                  " wrote, and no barrier stands between",
              instruction);
    }
    if (write && s.reading > 0) {
      fail_at("write to shared memory at byte " + std::to_string(i * kGranule) +
                  " while a product or a store under way reads it",
              instruction);
    }
    if (write) {
      if (s.read.thread != 0 && !ordered(s.read)) {
        fail_at("race: write to shared memory at byte " + std::to_string(i * kGranule) +
                    ", which " + name(s.read.thread - 1) + " read, and no barrier stands between",
                instruction);
      }
      s.written = now;
      s.read = {};
    } else if (s.read.thread == 0 || ordered(s.read)) {
      s.read = now;
    }
  }
}

inline void check_shared(Block& b, size_t offset, size_t bytes, bool write,
                         const void* instruction) {
  if (offset + bytes > b.launch->shared_bytes) {
    return examine_shared(offset, bytes, write, instruction);
  }
  const Touch now = touch_now();
  for (size_t i = offset / kGranule; i <= (offset + bytes - 1) / kGranule; i++) {
    Shadow& s = b.shadow[i];
    if (s.in_flight || (s.written.thread == 0 ? !write : !ordered(s.written)) ||
        (write && (s.reading > 0 || (s.read.thread != 0 && !ordered(s.read))))) {
      return examine_shared(i * kGranule, offset + bytes - i * kGranule, write, instruction);
    }
    if (write) {
      s.written = now;
      s.read = {};
    } else if (s.read.thread == 0 || ordered(s.read)) {
      s.read = now;
    }
  }
}

// Fails the block for what another thread of the launch wrote, where nothing stands between.
[[gnu::cold, gnu::noinline]] void examine_last_write(uint64_t last, bool write,
                                                     const void* instruction) {
  const Block& b = *block;
  const uint64_t now = stamp(b);
  if (last >> kBlockShift != now >> kBlockShift) {
    fail_at(std::string("race: ") + (write ? "write to" : "read of") +
                " device memory that another block of the launch wrote",
            instruction);
  }
  const int other = static_cast<int>(last % kMostThreads);
  fail_at(std::string("race: ") + (write ? "write to" : "read of") + " device memory that " +
              name(other) + " of the block wrote, and no barrier stands between",
          instruction);
}

[[gnu::cold, gnu::noinline]] void out_of_bounds(const char* address, size_t bytes, bool write,
                                                const void* instruction) {
  fail_at(
      (write ? "write out of bounds: " : "read out of bounds: ") + what_is_wrong(address, bytes),
      instruction);
}

inline void check_device(Block& b, const char* address, size_t bytes, bool write,
                         const void* instruction) {
  if (!in_allocation(address, bytes)) {
    out_of_bounds(address, bytes, write, instruction);
  }
  const uint64_t now = stamp(b);
  if (write) {
    b.thread[b.current].written_since_device_fence = true;
  }
  uint64_t* shadow = last_writes(address);
  const size_t pieces =
      (reinterpret_cast<uintptr_t>(address) % kDevicePiece + bytes + kDevicePiece - 1) /
      kDevicePiece;
  for (size_t i = 0; i < pieces; i++) {
    // Blocks run at the same time: of two that write, the second finds the first's stamp.
    const uint64_t last = write ? __atomic_exchange_n(&shadow[i], now, __ATOMIC_RELAXED)
                                : __atomic_load_n(&shadow[i], __ATOMIC_RELAXED);
    // Single bytes are not watched: a piece may hold another thread's. Other launches are over.
    if (last >> kLaunchShift != now >> kLaunchShift || bytes < kDevicePiece) {
      continue;
    }
    const bool same_warp = last % kMostThreads / kWarp == now % kMostThreads / kWarp;
    if (last >> kBlockShift != now >> kBlockShift ||
        (!same_warp && last >> kGenerationShift == now >> kGenerationShift)) {
      examine_last_write(last, write, instruction);
    }
  }
}

[[gnu::cold, gnu::noinline]] void no_pointer(const char* p, bool write, const void* instruction) {
  fail_at(std::string(write ? "write to" : "read of") + " address " +
              std::to_string(reinterpret_cast<uintptr_t>(p)) + ", which is no pointer",
          instruction);
}

// On a stack, in shared memory, on the device, or somewhere else.
inline void check_memory(Block* b, const void* address, size_t bytes, bool write,
                         const void* instruction) {
  const char* p = static_cast<const char*>(address);
  const size_t in_shared = static_cast<size_t>(p - b->shared);
  if (in_shared < kSharedArena) {
    check_shared(*b, in_shared, bytes, write, instruction);
  } else if (on_device(p)) {
    check_device(*b, p, bytes, write, instruction);
  } else if (reinterpret_cast<uintptr_t>(p) < 1 << 20) {
    no_pointer(p, write, instruction);
  }
}

inline bool on_stack(const Block* b, const void* address) {
  return static_cast<size_t>(static_cast<const char*>(address) - b->stacks) < kStack * kMostThreads;
}

// Of a thread's own memory only what a product under way uses is watched.
inline void check_stack(const Block* b, const void* address, size_t bytes, bool write,
                        const void* instruction) {
  const Thread& thread = b->thread[b->current];
  if (thread.register_fence || !thread.watched.empty()) {
    check_registers(static_cast<const char*>(address), bytes, write, instruction);
  }
}

}  // namespace

bool ordered(const Touch& touch) {
  const Block& b = *block;
  const int other = touch.thread - 1;
  if (other == kCopyEngine) {
    return b.thread[b.current].seen[b.threads] >= touch.clock;
  }
  if (other == b.current || touch.block_generation != b.generation) {
    return true;
  }
  if (b.clocks && b.thread[b.current].seen[other] >= touch.clock) {
    return true;
  }
  return other / kWarp == b.current / kWarp &&
         touch.warp_generation != b.warp[other / kWarp].generation;
}

Touch touch_now() {
  const Block& b = *block;
  return {static_cast<uint16_t>(b.current + 1), b.generation, b.warp[b.current / kWarp].generation,
          b.thread[b.current].clock};
}

void check_access(const void* address, size_t bytes, bool write, const void* instruction) {
  Block* b = block;
  if (b == nullptr) {
    return;
  }
  if (on_stack(b, address)) {
    check_stack(b, address, bytes, write, instruction);
  } else {
    check_memory(b, address, bytes, write, instruction);
  }
}

void check_fresh_read(const void* address, size_t bytes, const void* instruction) {
  const Block& b = *block;
  const char* p = static_cast<const char*>(address);
  if (!in_allocation(p, bytes)) {
    out_of_bounds(p, bytes, false, instruction);
  }
  const uint64_t now = stamp(b);
  for (size_t i = 0; i < bytes; i += kDevicePiece) {
    const uint64_t last = __atomic_load_n(last_writes(p + i), __ATOMIC_RELAXED);
    if (last >> kLaunchShift != now >> kLaunchShift) {
      continue;
    }
    const int thread = static_cast<int>(last % kMostThreads);
    if (last >> kBlockShift != now >> kBlockShift) {
      const char* why = why_not_ordered(static_cast<uint32_t>(last >> kBlockShift & 0xffffff),
                                        thread, static_cast<uint16_t>(last >> kGenerationShift));
      if (why != nullptr) {
        fail_at(std::string("race: read of device memory that another block wrote") + why,
                instruction);
      }
    } else if (thread / kWarp != b.current / kWarp &&
               last >> kGenerationShift == now >> kGenerationShift) {
      examine_last_write(last, false, instruction);
    }
  }
}

void begin_copy(const void* shared, size_t bytes, const void* instruction) {
  check_access(shared, bytes, true, instruction);
  const size_t offset = static_cast<size_t>(static_cast<const char*>(shared) - block->shared);
  for (size_t i = offset / kGranule; i < (offset + bytes) / kGranule; i++) {
    block->shadow[i].in_flight = true;
  }
}

void end_copy(const void* shared, size_t bytes) {
  const size_t offset = static_cast<size_t>(static_cast<const char*>(shared) - block->shared);
  for (size_t i = offset / kGranule; i < (offset + bytes) / kGranule; i++) {
    block->shadow[i].in_flight = false;
    block->shadow[i].written = touch_now();
  }
}

void begin_async_write(uint32_t offset, Site site) {
  for (size_t i = offset / kGranule; i < (offset + 16) / kGranule; i++) {
    Shadow& s = block->shadow[i];
    const std::string where = "tensor load at " + describe(site) + " to shared memory at byte " +
                              std::to_string(i * kGranule);
    if (s.in_flight || s.reading > 0) {
      fail(where + (s.in_flight ? ", into which another copy is under way"
                                : ", which a product or a store under way reads"));
    }
    for (const Touch& touch : {s.written, s.read}) {
      if (touch.thread != 0 && !ordered(touch)) {
        fail("race: " + where + ", which " + name(touch.thread - 1) +
             " touched, and no barrier stands between");
      }
    }
    s.in_flight = true;
  }
  std::memset(block->shared + offset, 0xff, 16);
}

void end_async_write(uint32_t offset, uint32_t number) {
  for (size_t i = offset / kGranule; i < (offset + 16) / kGranule; i++) {
    Shadow& s = block->shadow[i];
    s.in_flight = false;
    s.written = {kCopyEngine + 1, 0, 0, number};
    s.read = {};
  }
}

void begin_async_read(uint32_t offset, const char* what, Site site) {
  const Block& b = *block;
  for (size_t i = offset / kGranule; i < (offset + 16) / kGranule; i++) {
    Shadow& s = block->shadow[i];
    const int writer = s.written.thread - 1;
    const char* problem = s.in_flight           ? ", into which a copy is under way"
                          : writer < 0          ? ", to which nothing was written"
                          : !ordered(s.written) ? ", and no barrier stands behind its write"
                          : writer != kCopyEngine && s.written.clock > b.thread[writer].fenced
                              ? ", which was written by ordinary stores with no fence_async after"
                              : nullptr;
    if (problem != nullptr) {
      fail(std::string(what) + " at " + describe(site) + " reads shared memory at byte " +
           std::to_string(i * kGranule) + problem +
           (writer < 0 ? "" : " (" + name(writer) + " wrote it last)"));
    }
    s.reading++;
    if (s.read.thread == 0 || ordered(s.read)) {
      s.read = touch_now();
    }
  }
}

void end_async_read(uint32_t offset) {
  for (size_t i = offset / kGranule; i < (offset + 16) / kGranule; i++) {
    block->shadow[i].reading--;
  }
}

}  // namespace emulator
}  // namespace gatun

namespace {

using gatun::emulator::Block;

[[gnu::cold, gnu::noinline]] void misaligned(void* address, size_t bytes, bool write,
                                             const void* instruction) {
  const Block* b = gatun::emulator::block;
  if (gatun::emulator::on_device(address) ||
      static_cast<size_t>(static_cast<const char*>(address) - b->shared) <
          gatun::emulator::kSharedArena) {
    gatun::emulator::fail_at(std::string("misaligned ") + (write ? "write" : "read") + " of " +
                                 std::to_string(bytes) + " bytes at " +
                                 std::to_string(reinterpret_cast<uintptr_t>(address) % bytes) +
                                 " past a multiple of that",
                             instruction);
  }
}

template <size_t kBytes, bool kWrite>
inline void access(void* address, const void* instruction) {
  Block* b = gatun::emulator::block;
  if (b == nullptr) {
    return;
  }
  if (gatun::emulator::on_stack(b, address)) {
    return gatun::emulator::check_stack(b, address, kBytes, kWrite, instruction);
  }
  if (reinterpret_cast<uintptr_t>(address) % kBytes != 0) {
    misaligned(address, kBytes, kWrite, instruction);
  }
  gatun::emulator::check_memory(b, address, kBytes, kWrite, instruction);
}

}  // namespace

#define HOOK(bytes)                                        \
  extern "C" void __tsan_read##bytes(void* p) {            \
    access<bytes, false>(p, __builtin_return_address(0));  \
  }                                                        \
  extern "C" void __tsan_write##bytes(void* p) {           \
    access<bytes, true>(p, __builtin_return_address(0));   \
  }                                                        \
  extern "C" void __tsan_unaligned_read##bytes(void* p) {  \
    access<bytes, false>(p, __builtin_return_address(0));  \
  }                                                        \
  extern "C" void __tsan_unaligned_write##bytes(void* p) { \
    access<bytes, true>(p, __builtin_return_address(0));   \
  }

HOOK(1)
HOOK(2)
HOOK(4)
HOOK(8)
HOOK(16)

extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_read_range(void* p, unsigned long bytes) {
  gatun::emulator::check_access(p, bytes, false, __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* p, unsigned long bytes) {
  gatun::emulator::check_access(p, bytes, true, __builtin_return_address(0));
}
