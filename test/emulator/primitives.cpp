// The primitives on the host, with the semantics and fragment layouts that the PTX ISA gives.
#include <mutex>

#include "access.h"
#include "block.h"
#include "memory.h"
#include "order.h"
#include "sm90.h"

namespace gatun {
namespace emulator {

bool same(Site a, Site b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

namespace {

std::mutex atomics;

// All lanes of the warp meet here; the last one to come does the work, and then all go on.
template <class Work>
void meet(Site site, Work work) {
  Block& b = *block;
  Warp& w = warp();
  const int first = b.current / kWarp * kWarp;
  if (w.arrived == 0) {
    for (int i = first; i < first + w.lanes; i++) {
      if (b.thread[i].state == State::kDone) {
        fail("the warp meets at " + describe(site) + ", but thread " + std::to_string(i) +
             " has ended");
      }
    }
    w.site = site;
  } else if (!same(w.site, site)) {
    fail("divergent collective: lanes of the warp are at " + describe(w.site) + " and at " +
         describe(site));
  }
  if (++w.arrived < w.lanes) {
    Thread& me = b.thread[b.current];
    me.state = State::kAtCollective;
    me.site = site;
    switch_away();
    return;
  }
  work(w);
  w.arrived = 0;
  for (int i = first; i < first + w.lanes; i++) {
    b.thread[i].state = State::kReady;
  }
}

void full(Site site) {
  if (warp().lanes != kWarp) {
    fail("a warp of " + std::to_string(warp().lanes) + " lanes at " + describe(site) +
         ", which needs all 32");
  }
}

void element(float* matrix, int place, uint32_t word, bool bf16) {
  for (int half = 0; half < 2; half++) {
    const uint16_t bits = static_cast<uint16_t>(word >> (16 * half));
    matrix[place + half] = bf16 ? from_bf16(bits) : from_f16(bits);
  }
}

void land(const AsyncCopy& copy) {
  if (copy.valid) {
    std::memcpy(copy.shared, copy.global, copy.bytes);
  } else {
    std::memset(copy.shared, 0, copy.bytes);
  }
}

}  // namespace

const Index3& thread_index() { return block->thread[block->current].index; }
const Index3& block_index() { return block->index; }
const Index3& block_size() { return block->launch->block; }
const Index3& grid_size() { return block->launch->grid; }

void* shared(unsigned bytes, Site site) {
  if (bytes > block->launch->shared_bytes) {
    fail("the kernel needs " + std::to_string(bytes) + " bytes of shared memory at " +
         describe(site) + ", the launch gives " + std::to_string(block->launch->shared_bytes));
  }
  return block->shared;
}

void sync_block(Site site) {
  Block& b = *block;
  if (b.done > 0) {
    fail("the barrier " + describe(site) + " waits for threads of the block that have ended");
  }
  if (b.at_barrier == 0) {
    b.barrier_site = site;
  } else if (!same(b.barrier_site, site)) {
    fail("divergent barrier: threads of the block are at " + describe(b.barrier_site) + " and at " +
         describe(site));
  }
  if (++b.at_barrier < b.threads) {
    b.thread[b.current].state = State::kAtBarrier;
    b.thread[b.current].site = site;
    switch_away();
    return;
  }
  b.at_barrier = 0;
  b.generation++;
  join_block();
  for (Thread& thread : b.thread) {
    thread.state = State::kReady;
  }
  // Whoever comes last need not be the first to go on.
  switch_away();
}

// The other collectives order no memory.
void sync_warp(Site site) {
  const int first = block->current / kWarp * kWarp;
  meet(site, [first](Warp& w) {
    w.generation++;
    join_warp(first, w.lanes);
  });
}

uint32_t shuffle_xor(uint32_t value, int mask, Site site) {
  full(site);
  const int l = lane();
  warp().in[l][0] = value;
  meet(site, [](Warp& w) {
    for (int i = 0; i < kWarp; i++) {
      w.out[i][0] = w.in[i][0];
    }
  });
  return warp().out[l ^ mask][0];
}

uint32_t shuffle(uint32_t value, int from, Site site) {
  full(site);
  warp().in[lane()][0] = value;
  meet(site, [](Warp& w) {
    for (int i = 0; i < kWarp; i++) {
      w.out[i][0] = w.in[i][0];
    }
  });
  return warp().out[from & (kWarp - 1)][0];
}

bool any_lane(bool value, Site site) {
  full(site);
  warp().in[lane()][0] = value;
  meet(site, [](Warp& w) {
    uint32_t any = 0;
    for (int i = 0; i < kWarp; i++) {
      any |= w.in[i][0];
    }
    for (int i = 0; i < kWarp; i++) {
      w.out[i][0] = any;
    }
  });
  return warp().out[lane()][0] != 0;
}

void ldmatrix(uint32_t* registers, int matrices, bool transposed, const void* row, Site site) {
  full(site);
  const int l = lane();
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0) {
    fail("ldmatrix of a row that is not aligned to 16 bytes at " + describe(site));
  }
  if (l < 8 * matrices) {
    check_access(row, 16, false, __builtin_return_address(0));
  }
  warp().rows[l] = row;
  meet(site, [matrices, transposed](Warp& w) {
    for (int m = 0; m < matrices; m++) {
      for (int i = 0; i < kWarp; i++) {
        uint16_t pair[2];
        for (int half = 0; half < 2; half++) {
          const int r = transposed ? i % 4 * 2 + half : i / 4;
          const int c = transposed ? i / 4 : i % 4 * 2 + half;
          pair[half] = static_cast<const uint16_t*>(w.rows[8 * m + r])[c];
        }
        w.out[i][m] = pair[0] | static_cast<uint32_t>(pair[1]) << 16;
      }
    }
  });
  std::memcpy(registers, warp().out[l], sizeof(uint32_t) * static_cast<size_t>(matrices));
}

void mma(float* d, const uint32_t* a, const uint32_t* b, bool bf16, Site site) {
  full(site);
  const int l = lane();
  uint32_t* in = warp().in[l];
  std::memcpy(in, a, 16);
  std::memcpy(in + 4, b, 8);
  meet(site, [bf16](Warp& w) {
    float left[16 * 16], right[8 * 16];  // The right one with k last.
    for (int i = 0; i < kWarp; i++) {
      const int group = i / 4, pair = i % 4 * 2;
      for (int q = 0; q < 4; q++) {
        element(left, (group + q % 2 * 8) * 16 + pair + q / 2 * 8, w.in[i][q], bf16);
      }
      for (int q = 0; q < 2; q++) {
        element(right, group * 16 + pair + q * 8, w.in[i][4 + q], bf16);
      }
    }
    for (int i = 0; i < kWarp; i++) {
      for (int q = 0; q < 4; q++) {
        const float* row = left + (i / 4 + q / 2 * 8) * 16;
        const float* column = right + (i % 4 * 2 + q % 2) * 16;
        float sum = 0;
        for (int k = 0; k < 16; k++) {
          sum += row[k] * column[k];
        }
        w.out[i][q] = bits(sum);
      }
    }
  });
  for (int q = 0; q < 4; q++) {
    d[q] += number(warp().out[l][q]);
  }
}

void mma_s8(int32_t* d, const uint32_t* a, const uint32_t* b, Site site) {
  full(site);
  const int l = lane();
  uint32_t* in = warp().in[l];
  std::memcpy(in, a, 16);
  std::memcpy(in + 4, b, 8);
  meet(site, [](Warp& w) {
    int8_t left[16][32], right[8][32];
    for (int i = 0; i < kWarp; i++) {
      const int group = i / 4, quad = i % 4 * 4;
      for (int q = 0; q < 4; q++) {
        std::memcpy(&left[group + q % 2 * 8][quad + q / 2 * 16], &w.in[i][q], 4);
      }
      for (int q = 0; q < 2; q++) {
        std::memcpy(&right[group][quad + q * 16], &w.in[i][4 + q], 4);
      }
    }
    for (int i = 0; i < kWarp; i++) {
      for (int q = 0; q < 4; q++) {
        int32_t sum = 0;
        for (int k = 0; k < 32; k++) {
          sum += left[i / 4 + q / 2 * 8][k] * right[i % 4 * 2 + q % 2][k];
        }
        w.out[i][q] = static_cast<uint32_t>(sum);
      }
    }
  });
  for (int q = 0; q < 4; q++) {
    d[q] = static_cast<int32_t>(static_cast<uint32_t>(d[q]) + warp().out[l][q]);
  }
}

void copy_async(void* target, const void* global, unsigned bytes, bool valid, Site site) {
  const void* instruction = __builtin_return_address(0);
  if (reinterpret_cast<uintptr_t>(target) % bytes != 0 ||
      (valid && reinterpret_cast<uintptr_t>(global) % bytes != 0)) {
    fail("cp.async of addresses that are not aligned to " + std::to_string(bytes) + " bytes at " +
         describe(site));
  }
  if (valid) {
    check_access(global, bytes, false, instruction);
  }
  begin_copy(target, bytes, instruction);
  const AsyncCopy copy = {static_cast<char*>(target), static_cast<const char*>(global), bytes,
                          valid};
  if (settings().early_copies) {
    land(copy);
  } else {
    std::memset(target, 0xff, bytes);
  }
  block->thread[block->current].open.push_back(copy);
}

void copy_async_commit() {
  Thread& me = block->thread[block->current];
  me.groups.push_back(std::move(me.open));
  me.open.clear();
}

void copy_async_wait(int groups) {
  Thread& me = block->thread[block->current];
  while (static_cast<int>(me.groups.size()) > groups) {
    for (const AsyncCopy& copy : me.groups.front()) {
      land(copy);
      end_copy(copy.shared, copy.bytes);
    }
    me.groups.erase(me.groups.begin());
  }
}

int atomic_add(int* address, int value, Site) {
  if (!in_allocation(address, sizeof *address)) {
    fail_at("atomic out of bounds: " + what_is_wrong(address, sizeof *address),
            __builtin_return_address(0));
  }
  return block->order->atomic(address,
                              [&] { return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST); });
}

int atomic_cas(int* address, int expected, int value, Site) {
  // The host's pinned memory has such words too.
  if (on_device(address) ? !in_allocation(address, sizeof *address)
                         : !is_pinned(address, sizeof *address)) {
    fail_at("atomic out of bounds: " + what_is_wrong(address, sizeof *address),
            __builtin_return_address(0));
  }
  __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}

unsigned long long atomic_min(unsigned long long* address, unsigned long long value, Site) {
  if (!in_allocation(address, sizeof *address)) {
    fail_at("atomic out of bounds: " + what_is_wrong(address, sizeof *address),
            __builtin_return_address(0));
  }
  return block->order->atomic(address, [&] {
    std::lock_guard<std::mutex> guard(atomics);
    const unsigned long long old = *address;
    *address = value < old ? value : old;
    return old;
  });
}

void fence() {
  fence_for_blocks();
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

float load_fresh(const float* address, Site) {
  check_fresh_read(address, sizeof *address, __builtin_return_address(0));
  return *static_cast<const volatile float*>(address);
}

void load_fresh_16(uint32_t* four, const void* address, Site site) {
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0) {
    fail("read past the first-level cache at " + describe(site) +
         ": 16 bytes that are not aligned so");
  }
  for (int i = 0; i < 4; i++) {
    four[i] = bits(load_fresh(static_cast<const float*>(address) + i, site));
  }
}

}  // namespace emulator
}  // namespace gatun
