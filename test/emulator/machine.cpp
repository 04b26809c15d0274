#include "machine.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>

#include "access.h"
#include "block.h"
#include "fibers.h"
#include "memory.h"
#include "order.h"
#include "sm90.h"

namespace gatun {
namespace emulator {

thread_local Block* block __attribute__((tls_model("initial-exec"))) = nullptr;

Settings& settings() {
  static Settings settings;
  return settings;
}

namespace {

// A path from the folder that the kernels are in.
std::string shorten(const char* path) {
  for (const char* folder : {"cuda-src/", "planted/", "probes/"}) {
    const char* found = std::strstr(path, folder);
    if (found != nullptr) {
      return found;
    }
  }
  return path;
}

}  // namespace

std::string describe(Site site) { return shorten(site.file) + ":" + std::to_string(site.line); }

namespace {

// Where in a source an instruction is, as addr2line tells.
std::string line_of(const void* instruction) {
  Dl_info info;
  // A return address lies behind the call.
  const char* place = static_cast<const char*>(instruction) - 1;
  if (dladdr(place, &info) == 0 || info.dli_fname == nullptr) {
    return "?";
  }
  char command[1024];
  std::snprintf(command, sizeof command, "addr2line -e '%s' 0x%zx 2>/dev/null", info.dli_fname,
                static_cast<size_t>(place - static_cast<const char*>(info.dli_fbase)));
  FILE* pipe = popen(command, "r");
  char line[512] = "?";
  if (pipe != nullptr) {
    if (std::fgets(line, sizeof line, pipe) == nullptr) {
      line[0] = '?';
      line[1] = 0;
    }
    pclose(pipe);
  }
  line[std::strcspn(line, " \n")] = 0;
  // The lines of a source that the built file only includes are said to be that file's.
  std::string text = shorten(line);
  const size_t built = text.find(".cu.cpp");
  if (built != std::string::npos) {
    text.erase(built + 3, 4);
    text.erase(0, text.rfind('/') + 1);
  }
  return text;
}

std::string place() {
  const Block& b = *block;
  const Index3& t = b.thread[b.current].index;
  char text[200];
  std::snprintf(text, sizeof text, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u)",
                b.launch->kernel->name.c_str(), b.index.x, b.index.y, b.index.z, t.x, t.y, t.z);
  return text;
}

void switch_to(int next) {
  Block& b = *block;
  const int from = b.current;
  b.current = next;
  gatun_emulator_switch(&b.thread[from].stack_pointer, b.thread[next].stack_pointer);
}

int next_ready(int from, int step) {
  const Block& b = *block;
  int i = from;
  for (int tried = 0; tried < b.threads; tried++) {
    i = i + step < 0 ? b.threads - 1 : i + step == b.threads ? 0 : i + step;
    if (b.thread[i].state == State::kReady) {
      return i;
    }
  }
  return -1;
}

int choose_ready() {
  Block& b = *block;
  switch (settings().policy) {
    case Policy::kRoundRobin:
      return next_ready(b.current, 1);
    case Policy::kReverse:
      return next_ready(b.current, -1);
    case Policy::kGreedyWarp: {
      const int first = b.current / kWarp * kWarp;
      for (int i = first; i < std::min(first + kWarp, b.threads); i++) {
        if (b.thread[i].state == State::kReady) {
          return i;
        }
      }
      return next_ready(static_cast<int>(b.random() % b.threads) / kWarp * kWarp, 1);
    }
    case Policy::kRandom:
      return next_ready(static_cast<int>(b.random() % b.threads), 1);
  }
  return -1;
}

int choose() {
  const int next = choose_ready();
  return next < 0 && land_awaited() ? choose_ready() : next;
}

[[noreturn]] void leave() {
  void* nowhere;
  gatun_emulator_switch(&nowhere, block->home);
  std::abort();
}

// What every thread waits for, where none can go on.
std::string deadlock() {
  const Block& b = *block;
  std::string text = "deadlock:";
  int shown = 0;
  for (int i = 0; i < b.threads && shown < 8; i++) {
    const Thread& t = b.thread[i];
    if (i > 0 && t.state == b.thread[i - 1].state && t.site.line == b.thread[i - 1].site.line) {
      continue;
    }
    shown++;
    text += " thread " + std::to_string(i);
    switch (t.state) {
      case State::kDone:
        text += " has ended;";
        break;
      case State::kAtMbarrier:
        text += " waits at " + describe(t.site) + describe_wait(t) + ";";
        break;
      case State::kAtNamed:
        text += " waits at the named barrier " + describe(t.site) + ";";
        break;
      default:
        text += (t.state == State::kAtBarrier ? " waits at the barrier "
                                              : " waits at the collective ") +
                describe(t.site) + ";";
    }
  }
  text.pop_back();
  return text;
}

void thread_main() {
  Block& b = *block;
  b.body();
  Thread& me = b.thread[b.current];
  for (const auto& group : me.groups) {
    if (!group.empty()) {
      fail("the thread ended while asynchronous copies were under way");
    }
  }
  const std::string left = left_under_way(me, b.done == b.threads - 1);
  if (!left.empty()) {
    fail(left);
  }
  me.state = State::kDone;
  b.done++;
  if (b.done == b.threads) {
    leave();
  }
  const int next = choose();
  if (next < 0) {
    fail(deadlock());
  }
  b.current = next;
  void* nowhere;
  gatun_emulator_switch(&nowhere, b.thread[next].stack_pointer);
  std::abort();
}

char* map(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("emulator: mmap");
    std::abort();
  }
  return static_cast<char*>(p);
}

// The parts of a block that are used again for the next one of the native thread.
struct Room {
  char* stacks = map(kStack * kMostThreads);
  char* shared_pages = map(kSharedArena + 4096);
  Block block;

  Room() {
    for (int i = 0; i < kMostThreads; i++) {
      // The lowest page of a stack is its guard.
      mprotect(stacks + kStack * i, 4096, PROT_NONE);
    }
  }
  ~Room() {
    munmap(stacks, kStack * kMostThreads);
    munmap(shared_pages, kSharedArena + 4096);
  }
};

// Rooms that no block is in.
std::mutex rooms_lock;
std::vector<std::unique_ptr<Room>> rooms;

std::unique_ptr<Room> take_room() {
  std::lock_guard<std::mutex> guard(rooms_lock);
  if (rooms.empty()) {
    return std::make_unique<Room>();
  }
  std::unique_ptr<Room> room = std::move(rooms.back());
  rooms.pop_back();
  return room;
}

void run_block(Room& room, const Launch& launch, BlockOrder& order, uint64_t launch_number,
               uint64_t number, const std::function<void()>& body) {
  Block& b = room.block;
  b.launch = &launch;
  b.order = &order;
  b.launch_number = launch_number;
  b.number = static_cast<uint32_t>(number);
  b.index = {static_cast<unsigned>(number % launch.grid.x),
             static_cast<unsigned>(number / launch.grid.x % launch.grid.y),
             static_cast<unsigned>(number / launch.grid.x / launch.grid.y)};
  b.threads = static_cast<int>(launch.block.x * launch.block.y * launch.block.z);
  b.current = b.done = b.at_barrier = 0;
  b.generation = 0;
  b.failure.clear();
  b.random.seed(settings().seed * 0x9E3779B97F4A7C15 + number);
  b.stacks = room.stacks;
  b.shared = room.shared_pages;
  b.body = body;
  b.shadow.assign(launch.shared_bytes / kGranule + 8, Shadow{});
  std::memset(b.shared, 0xff, launch.shared_bytes);
  b.thread.resize(b.threads);
  for (int i = 0; i < b.threads; i++) {
    Thread& t = b.thread[i];
    t.stack_pointer = new_fiber(b.stacks + kStack * i, kStack, thread_main);
    const unsigned u = static_cast<unsigned>(i);
    t.index = {u % launch.block.x, u / launch.block.x % launch.block.y,
               u / launch.block.x / launch.block.y};
    t.state = State::kReady;
    t.site = {"", 0};
    t.open.clear();
    t.groups.clear();
    t.clock = 1;
    t.fenced = 0;
    t.register_fence = false;
    t.written_since_fence.clear();
    t.device_fence = {};
    t.written_since_device_fence = false;
    t.seen.clear();
    t.products.clear();
    t.product_groups.clear();
    t.accumulators.clear();
    t.watched.clear();
    t.stores.clear();
    t.store_groups.clear();
  }
  b.warp.resize((b.threads + kWarp - 1) / kWarp);
  for (size_t i = 0; i < b.warp.size(); i++) {
    b.warp[i].arrived = 0;
    b.warp[i].generation = 0;
    b.warp[i].lanes = std::min(kWarp, b.threads - static_cast<int>(i) * kWarp);
  }
  b.seen_by_atomics.clear();
  b.clocks = false;
  b.copies_begun = 0;
  b.mbarriers.clear();
  b.named.clear();
  b.copies.clear();
  b.warpgroups.clear();
  b.warpgroups.resize((b.threads + 127) / 128);
  block = &b;
  b.current = settings().policy == Policy::kReverse ? b.threads - 1 : 0;
  gatun_emulator_switch(&b.home, b.thread[b.current].stack_pointer);
  block = nullptr;
}

std::atomic<uint64_t> launches{0};

}  // namespace

void fail(const std::string& what) {
  block->failure = what + " (" + place() + ")";
  leave();
}

void fail_at(const std::string& what, const void* instruction) {
  block->failure = what + " (" + place() + ", " + line_of(instruction) + ")";
  leave();
}

void switch_away() {
  const int next = choose();
  if (next < 0) {
    fail(deadlock());
  }
  if (next != block->current) {
    switch_to(next);
  }
}

std::string run(const Launch& launch) {
  const uint64_t blocks = static_cast<uint64_t>(launch.grid.x) * launch.grid.y * launch.grid.z;
  const uint64_t launch_number = launches++ % 0x3fff + 1;
  std::vector<void*> pointers;
  for (const auto& argument : launch.arguments) {
    pointers.push_back(const_cast<char*>(argument.data()));
  }
  const std::function<void()> body = [&] { launch.kernel->call(pointers.data()); };
  // A kernel must not depend on the order of its blocks.
  const uint64_t turn = settings().seed * 0x9E3779B97F4A7C15 >> 16;
  const bool backwards = settings().policy == Policy::kReverse;
  uint64_t step = blocks < 3 ? 1 : turn % blocks | 1;
  while (std::gcd(step, blocks) != 1) {
    step++;
  }
  if (settings().policy == Policy::kRoundRobin) {
    step = 1;
  }
  std::atomic<uint64_t> taken{0};
  std::atomic<bool> failed{false};
  BlockOrder order;
  std::mutex lock;
  std::string failure;
  auto work = [&] {
    std::unique_ptr<Room> room = take_room();
    for (uint64_t i = taken++; i < blocks && !failed; i = taken++) {
      const uint64_t number = backwards ? blocks - 1 - i : i * step % blocks;
      run_block(*room, launch, order, launch_number, number, body);
      if (!room->block.failure.empty()) {
        std::lock_guard<std::mutex> guard(lock);
        if (failure.empty()) {
          failure = room->block.failure;
        }
        failed = true;
      }
    }
    std::lock_guard<std::mutex> guard(rooms_lock);
    rooms.push_back(std::move(room));
  };
  // Never on the caller's thread: its stack and its thread-local memory are the JVM's.
  std::vector<std::thread> workers;
  const uint64_t count = std::min<uint64_t>(blocks, static_cast<uint64_t>(settings().workers));
  for (uint64_t i = 0; i < count; i++) {
    workers.emplace_back(work);
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  return failure;
}

}  // namespace emulator
}  // namespace gatun
