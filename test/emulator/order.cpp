#include "order.h"

#include <algorithm>

namespace gatun {
namespace emulator {

void BlockOrder::note(const void* address) {
  Block& b = *block;
  auto mine = std::make_shared<Release>();
  mine->block = b.number;
  mine->before.resize(static_cast<size_t>(b.threads));
  const Touch& own = b.thread[b.current].device_fence;
  for (int i = 0; i < b.threads; i++) {
    const Thread& thread = b.thread[i];
    const Touch& fence = thread.device_fence;
    uint16_t before = own.thread != 0 ? own.block_generation : 0;
    if (fence.thread != 0 && ordered(fence)) {
      const int whole = fence.block_generation + (thread.written_since_device_fence ? 0 : 1);
      before = std::max(before, static_cast<uint16_t>(whole));
    }
    mine->before[static_cast<size_t>(i)] = before;
  }
  auto& all = releases_[address];
  b.seen_by_atomics.push_back({touch_now(), all, {}});
  all.push_back(std::move(mine));
}

void fence_for_blocks() {
  Block& b = *block;
  Thread& me = b.thread[b.current];
  me.device_fence = touch_now();
  me.written_since_device_fence = false;
  for (Seen& seen : b.seen_by_atomics) {
    if (ordered(seen.atomic)) {
      seen.fences.push_back(me.device_fence);
    }
  }
}

const char* why_not_ordered(uint32_t other, int thread, uint16_t generation) {
  bool counted = false;
  for (const Seen& seen : block->seen_by_atomics) {
    if (std::none_of(seen.fences.begin(), seen.fences.end(), ordered)) {
      continue;
    }
    for (const auto& release : seen.releases) {
      if (release->block == other) {
        counted = true;
        if (generation < release->before[static_cast<size_t>(thread)]) {
          return nullptr;
        }
      }
    }
  }
  return counted ? ", which did not fence the write before its atomic"
                 : ", and no atomic with a fence behind it has seen that one's";
}

}  // namespace emulator
}  // namespace gatun
