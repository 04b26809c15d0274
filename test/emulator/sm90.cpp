#include "sm90.h"

#include <algorithm>
#include <cmath>

#include "access.h"
#include "memory.h"
#include "primitives_sm90.h"

namespace gatun {
namespace emulator {

namespace {

constexpr int kWarpgroup = 128;
constexpr int64_t kMostBytes = (1 << 20) - 1;

std::string text(int64_t n) { return std::to_string(n); }

Thread& me() { return block->thread[block->current]; }

void join(Clocks& to, const Clocks& from) {
  if (to.size() < from.size()) {
    to.resize(from.size());
  }
  for (size_t i = 0; i < from.size(); i++) {
    to[i] = std::max(to[i], from[i]);
  }
}

// From the first barrier of shared memory on, what each thread has seen is kept.
void keep_clocks() {
  Block& b = *block;
  if (!b.clocks) {
    b.clocks = true;
    for (Thread& thread : b.thread) {
      thread.seen.assign(b.threads + 1, 0);
    }
  }
}

// Leaves with `to` what a thread has done and seen.
void release(int thread, Clocks& to) {
  Thread& t = block->thread[thread];
  t.seen[thread] = t.clock++;
  join(to, t.seen);
}

uint32_t offset_of(const void* shared, Site site, const char* what) {
  const size_t offset = static_cast<size_t>(static_cast<const char*>(shared) - block->shared);
  if (offset >= block->launch->shared_bytes) {
    fail(std::string(what) + " at " + describe(site) + " is not in shared memory");
  }
  return static_cast<uint32_t>(offset);
}

Mbarrier& barrier_at(const uint64_t* address, Site site) {
  const uint32_t offset = offset_of(address, site, "the mbarrier");
  auto found = block->mbarriers.find(offset);
  if (found == block->mbarriers.end()) {
    fail("the mbarrier at " + describe(site) + " was not initialised");
  }
  if (!ordered(found->second.made)) {
    fail("race: the mbarrier at " + describe(site) +
         " is used, and no barrier stands behind its initialisation");
  }
  return found->second;
}

void wake(uint32_t barrier) {
  for (Thread& thread : block->thread) {
    if (thread.state == State::kAtMbarrier && thread.waits_on == barrier) {
      thread.state = State::kReady;
    }
  }
}

void complete(uint32_t offset, Mbarrier& barrier) {
  if (barrier.pending == 0 && barrier.bytes == 0) {
    barrier.phase++;
    barrier.pending = barrier.count;
    join(barrier.done, barrier.coming);
    wake(offset);
  }
}

uint32_t swizzled(uint32_t address, unsigned bytes) {
  return address ^ (address >> 7 & (bytes / 16 - (bytes == 0 ? 0 : 1))) << 4;
}

uint32_t box_bytes(const EncodedMap& map) {
  uint32_t bytes = map.element_bytes;
  for (int i = 0; i < map.rank; i++) {
    bytes *= map.box[i];
  }
  return bytes;
}

// Calls with each 16 bytes of a box: its address in shared memory, and where it lies in the tensor
// and how many bytes of it do.
template <class Visit>
void each_unit(const TensorCopy& copy, Visit visit) {
  const EncodedMap& map = copy.map;
  const uint32_t row_bytes = map.box[0] * map.element_bytes;
  const uint32_t rows = box_bytes(map) / row_bytes;
  for (uint32_t row = 0; row < rows; row++) {
    uint64_t address = map.address;
    bool inside = true;
    uint32_t rest = row;
    for (int axis = 1; axis < map.rank; axis++) {
      const int64_t at = copy.place[axis] + static_cast<int64_t>(rest % map.box[axis]);
      rest /= map.box[axis];
      inside = inside && at >= 0 && at < map.size[axis];
      address += static_cast<uint64_t>(at) * map.stride[axis - 1];
    }
    for (uint32_t unit = 0; unit < row_bytes; unit += 16) {
      const uint32_t to =
          swizzled(kSharedBase + copy.shared + row * row_bytes + unit, map.swizzle_bytes) -
          kSharedBase;
      const int64_t first = int64_t{copy.place[0]} * map.element_bytes + unit;
      const int64_t end = int64_t{map.size[0]} * map.element_bytes;
      // Boxes begin and end at whole elements, tensors need not end at 16 bytes.
      const int64_t skip = std::min<int64_t>(16, std::max<int64_t>(0, -first));
      const int64_t last = std::min<int64_t>(16, end - first);
      const int64_t bytes = inside && last > skip ? last - skip : 0;
      visit(to, reinterpret_cast<char*>(address + static_cast<uint64_t>(first + skip)), skip,
            bytes);
    }
  }
}

void land(TensorCopy& copy) {
  Block& b = *block;
  each_unit(copy, [&](uint32_t to, const char* from, int64_t skip, int64_t bytes) {
    char* target = b.shared + to;
    std::memset(target, 0, 16);
    std::memcpy(target + skip, from, static_cast<size_t>(bytes));
    end_async_write(to, copy.number);
  });
  copy.landed = true;
  Mbarrier& barrier = b.mbarriers.at(copy.barrier);
  Clocks came(b.threads + 1, 0);
  came[b.threads] = copy.number;
  join(barrier.coming, came);
  barrier.bytes -= box_bytes(copy.map);
  complete(copy.barrier, barrier);
}

// Lands what comes to a barrier; whether there was anything.
bool land_at(uint32_t barrier) {
  bool any = false;
  for (TensorCopy& copy : block->copies) {
    if (!copy.landed && copy.barrier == barrier) {
      land(copy);
      any = true;
    }
  }
  auto& copies = block->copies;
  copies.erase(std::remove_if(copies.begin(), copies.end(),
                              [](const TensorCopy& copy) { return copy.landed; }),
               copies.end());
  return any;
}

TensorCopy copy_of(const TensorMap& map, const void* shared, const int* place, int rank, Site site,
                   const char* what) {
  TensorCopy copy = {};
  std::memcpy(&copy.map, &map, sizeof copy.map);
  const std::string where = std::string(what) + " at " + describe(site);
  if (copy.map.magic != kMapMagic) {
    fail(where + " has no tensor map");
  }
  if (copy.map.rank != rank) {
    fail(where + " has " + text(rank) + " coordinates, the map " + text(copy.map.rank));
  }
  copy.shared = offset_of(shared, site, what);
  const uint32_t aligned =
      std::max<uint32_t>(128, 8 * static_cast<uint32_t>(copy.map.swizzle_bytes));
  if (copy.shared % aligned != 0) {
    fail(where + ": the tile in shared memory lies " + text(copy.shared % aligned) +
         " bytes past a multiple of " + text(aligned));
  }
  const uint32_t bytes = box_bytes(copy.map);
  if (copy.shared + bytes > block->launch->shared_bytes) {
    fail(where + ": shared memory out of bounds: " + text(bytes) + " bytes at byte " +
         text(copy.shared) + " of " + text(block->launch->shared_bytes));
  }
  std::copy(place, place + rank, copy.place);
  return copy;
}

void store(const TensorCopy& copy) {
  each_unit(copy, [&](uint32_t from, char* to, int64_t skip, int64_t bytes) {
    std::memcpy(to, block->shared + from + skip, static_cast<size_t>(bytes));
  });
}

// All threads of the warpgroup meet here; the last one to come does the work.
template <class Work>
void meet_warpgroup(Site site, Work work) {
  Block& b = *block;
  const int first = b.current / kWarpgroup * kWarpgroup;
  if (first + kWarpgroup > b.threads) {
    fail("the warpgroup at " + describe(site) + " has " + text(b.threads - first) +
         " threads, expected 128");
  }
  Warpgroup& group = b.warpgroups[first / kWarpgroup];
  if (group.arrived == 0) {
    for (int i = first; i < first + kWarpgroup; i++) {
      if (b.thread[i].state == State::kDone) {
        fail("the warpgroup meets at " + describe(site) + ", but thread " + text(i) + " has ended");
      }
    }
    group.site = site;
  } else if (!same(group.site, site)) {
    fail("divergent warpgroup: threads are at " + describe(group.site) + " and at " +
         describe(site));
  }
  if (++group.arrived < kWarpgroup) {
    me().state = State::kAtCollective;
    me().site = site;
    switch_away();
    return;
  }
  work(group, first);
  group.arrived = 0;
  for (int i = first; i < first + kWarpgroup; i++) {
    b.thread[i].state = State::kReady;
  }
}

// A matrix of shared memory by its descriptor, m or n by k.
struct Operand {
  uint32_t start, leading, stride, swizzle;
  bool transposed;
  int element_bytes;

  // The address of an element's 16 bytes, and its place in them.
  uint32_t unit(int row, int k, int* inside) const {
    uint32_t address;
    if (!transposed) {
      const int byte = k * element_bytes;
      *inside = byte % 16;
      address = swizzle == 0 ? start + row % 8 * 16 + row / 8 * stride + byte / 16 * leading
                             : start + row % 8 * swizzle + row / 8 * stride + byte / 16 * 16;
    } else {
      const int chunk = swizzle == 0 ? 8 : static_cast<int>(swizzle) / element_bytes;
      const int byte = row % chunk * element_bytes;
      *inside = byte % 16;
      address = start + byte / 16 * 16 +
                (swizzle == 0 ? row / 8 * stride + k % 8 * 16 + k / 8 * leading
                              : row / chunk * leading + k % 8 * swizzle + k / 8 * stride);
    }
    return swizzled(address, swizzle);
  }
};

Operand decode(uint64_t descriptor, bool transposed, int element_bytes, Site site) {
  constexpr uint32_t kSwizzles[] = {0, 128, 64, 32};
  Operand operand = {};
  operand.start = static_cast<uint32_t>(descriptor & 0x3fff) << 4;
  operand.leading = static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4;
  operand.stride = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4;
  operand.swizzle = kSwizzles[descriptor >> 62];
  operand.transposed = transposed;
  operand.element_bytes = element_bytes;
  if ((descriptor >> 49 & 7) != 0) {
    fail("the matrix at " + describe(site) + " has a base offset, which is not emulated");
  }
  // A start may step along a row of the swizzle's pattern of eight, not down its rows.
  if (operand.swizzle != 0 && operand.start % (8 * operand.swizzle) >= operand.swizzle) {
    fail("the matrix at " + describe(site) + " lies " +
         text(operand.start % (8 * operand.swizzle)) + " bytes past a multiple of " +
         text(8 * operand.swizzle) + ", which its swizzle needs");
  }
  return operand;
}

float element(uint16_t bits, Kind kind) {
  return kind == Kind::kBf16 ? from_bf16(bits) : from_f16(bits);
}

// The matrix as rows of bytes along k, in the order of k.
std::vector<char> fetch(const Operand& operand, int rows, int k) {
  std::vector<char> bytes(static_cast<size_t>(rows * k * operand.element_bytes));
  for (int row = 0; row < rows; row++) {
    for (int i = 0; i < k; i++) {
      int inside;
      const uint32_t unit = operand.unit(row, i, &inside);
      std::memcpy(bytes.data() + (row * k + i) * operand.element_bytes,
                  block->shared + (unit - kSharedBase) + inside,
                  static_cast<size_t>(operand.element_bytes));
    }
  }
  return bytes;
}

void read_units(Product& product, const Operand& operand, int rows, int k) {
  std::vector<uint32_t> units;
  for (int row = 0; row < rows; row++) {
    for (int i = 0; i < k; i++) {
      int inside;
      const uint32_t unit = operand.unit(row, i, &inside);
      if (inside == 0) {
        if (unit < kSharedBase || unit - kSharedBase + 16 > block->launch->shared_bytes) {
          fail("the product at " + describe(product.site) + " reads shared memory out of bounds");
        }
        units.push_back(unit - kSharedBase);
      }
    }
  }
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  for (const uint32_t unit : units) {
    begin_async_read(unit, "product", product.site);
  }
  product.units.insert(product.units.end(), units.begin(), units.end());
}

int bytes_of(Kind kind) { return kind == Kind::kS8 ? 1 : 2; }

Accumulator& accumulator(Thread& thread, uint32_t* d) {
  for (Accumulator& a : thread.accumulators) {
    if (a.registers == d) {
      return a;
    }
  }
  thread.accumulators.push_back({d, 0, {}});
  return thread.accumulators.back();
}

void compute(Product& p, int first) {
  const int element_bytes = bytes_of(p.kind), k = 32 / element_bytes;
  std::vector<char> a(static_cast<size_t>(64 * 32));
  if (p.a_in_registers) {
    for (int t = 0; t < kWarpgroup; t++) {
      for (int q = 0; q < 4; q++) {
        const int row = t / 32 * 16 + t % 32 / 4 + q % 2 * 8;
        std::memcpy(a.data() + row * 32 + t % 4 * 4 + q / 2 * 16, &p.a_words[t][q], 4);
      }
    }
  } else {
    a = fetch(decode(p.a, false, element_bytes, p.site), 64, k);
  }
  const std::vector<char> b = fetch(decode(p.b, p.transposed_b, element_bytes, p.site), p.n, k);
  std::vector<float> left, right;
  if (p.kind != Kind::kS8) {
    const auto widen = [&](const std::vector<char>& from, std::vector<float>& to) {
      to.resize(from.size() / 2);
      for (size_t i = 0; i < to.size(); i++) {
        uint16_t bits;
        std::memcpy(&bits, from.data() + 2 * i, 2);
        to[i] = element(bits, p.kind);
      }
    };
    widen(a, left);
    widen(b, right);
  }
  for (int t = 0; t < kWarpgroup; t++) {
    Accumulator& sums = accumulator(block->thread[first + t], p.d[t]);
    for (int i = 0; i < p.n / 2; i++) {
      const int row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
      const int column = i / 4 * 8 + t % 4 * 2 + i % 2;
      if (p.kind == Kind::kS8) {
        int32_t sum = 0;
        for (int j = 0; j < k; j++) {
          sum += static_cast<int8_t>(a[row * k + j]) * static_cast<int8_t>(b[column * k + j]);
        }
        sums.values[i] = (p.add ? sums.values[i] : 0) + static_cast<uint32_t>(sum);
      } else {
        float sum = 0;
        for (int j = 0; j < k; j++) {
          sum += left[row * k + j] * right[column * k + j];
        }
        sums.values[i] = bits((p.add ? emulator::number(sums.values[i]) : 0) + sum);
      }
    }
  }
  p.computed = true;
}

// Computes a warpgroup's products, in order, up to this one.
void compute_until(const Product& last, int first) {
  auto& queue = block->warpgroups[first / kWarpgroup].queue;
  while (!last.computed) {
    compute(*queue.front(), first);
    queue.erase(queue.begin());
  }
}

void drop_watches(Thread& thread, const Product* product) {
  auto& watched = thread.watched;
  watched.erase(std::remove_if(watched.begin(), watched.end(),
                               [product](const Watch& w) { return w.product == product; }),
                watched.end());
}

}  // namespace

uint32_t shared_address(const void* address, Site site) {
  return kSharedBase + offset_of(address, site, "the address");
}

void join_warp(int first, int lanes) {
  Block& b = *block;
  if (!b.clocks) {
    return;
  }
  Clocks all(b.threads + 1, 0);
  for (int i = first; i < first + lanes; i++) {
    release(i, all);
  }
  for (int i = first; i < first + lanes; i++) {
    b.thread[i].seen = all;
  }
}

void join_block() { join_warp(0, block->threads); }

void mbarrier_init(uint64_t* address, unsigned arrivals, Site site) {
  Block& b = *block;
  keep_clocks();
  const uint32_t offset = offset_of(address, site, "the mbarrier");
  if (offset % 8 != 0) {
    fail("the mbarrier at " + describe(site) + " is not aligned to 8 bytes");
  }
  if (arrivals == 0 || arrivals >= 1 << 20) {
    fail("the mbarrier at " + describe(site) + " is for " + text(arrivals) +
         " arrivals, expected 1 to 2^20 - 1");
  }
  check_access(address, 8, true, __builtin_return_address(0));
  b.mbarriers[offset] = {arrivals, arrivals, 0, 0, touch_now(), {}, {}};
}

void mbarrier_arrive(uint64_t* address, unsigned bytes, Site site) {
  Mbarrier& barrier = barrier_at(address, site);
  barrier.bytes += bytes;
  if (barrier.bytes > kMostBytes) {
    fail("the mbarrier at " + describe(site) + " expects " + text(barrier.bytes) +
         " bytes, it counts to " + text(kMostBytes));
  }
  if (barrier.pending == 0) {
    fail("the mbarrier at " + describe(site) + " has more arrivals than the " +
         text(barrier.count) + " of a phase");
  }
  barrier.pending--;
  release(block->current, barrier.coming);
  complete(offset_of(address, site, "the mbarrier"), barrier);
}

void mbarrier_wait(uint64_t* address, unsigned parity, Site site) {
  const uint32_t offset = offset_of(address, site, "the mbarrier");
  while (true) {
    Mbarrier& barrier = barrier_at(address, site);
    if ((barrier.phase & 1) != (parity & 1)) {
      join(me().seen, barrier.done);
      break;
    }
    if (!land_at(offset)) {
      me().state = State::kAtMbarrier;
      me().site = site;
      me().waits_on = offset;
      me().parity = parity & 1;
      switch_away();
    }
  }
  if (settings().policy == Policy::kRandom) {
    switch_away();
  }
}

std::string describe_wait(const Thread& thread) {
  const Mbarrier& barrier = block->mbarriers.at(thread.waits_on);
  return " for parity " + text(thread.parity) + " of an mbarrier in phase " + text(barrier.phase) +
         ", which lacks " + text(barrier.pending) + " arrivals and " +
         std::to_string(barrier.bytes) + " bytes";
}

bool land_awaited() {
  bool any = false;
  for (const Thread& thread : block->thread) {
    if (thread.state == State::kAtMbarrier) {
      any |= land_at(thread.waits_on);
    }
  }
  return any;
}

void named_barrier(int id, int threads, bool wait, Site site) {
  Block& b = *block;
  if (id < 1 || id > 15 || threads <= 0 || threads % 32 != 0 || threads > b.threads) {
    fail("the named barrier " + std::to_string(id) + " for " + std::to_string(threads) +
         " threads at " + describe(site) + ": expected 1 to 15, and whole warps of the block");
  }
  keep_clocks();
  NamedBarrier& barrier = b.named[id];
  if (barrier.arrived == 0) {
    barrier.threads = threads;
    barrier.site = site;
  } else if (barrier.threads != threads) {
    fail("the named barrier " + std::to_string(id) + " is for " + std::to_string(barrier.threads) +
         " threads at " + describe(barrier.site) + " and for " + std::to_string(threads) + " at " +
         describe(site));
  }
  release(b.current, barrier.coming);
  if (++barrier.arrived < threads) {
    if (wait) {
      barrier.waiting.push_back(b.current);
      me().state = State::kAtNamed;
      me().site = site;
      switch_away();
    }
    return;
  }
  if (wait) {
    barrier.waiting.push_back(b.current);
  }
  for (const int i : barrier.waiting) {
    join(b.thread[i].seen, barrier.coming);
    b.thread[i].state = State::kReady;
  }
  barrier = {};
}

void set_registers(int registers, bool more, Site site) {
  if (registers < 24 || registers > 256 || registers % 8 != 0) {
    fail("setmaxnreg of " + std::to_string(registers) + " at " + describe(site) +
         ": expected a multiple of 8 from 24 to 256");
  }
  meet_warpgroup(site, [registers, more, site](Warpgroup& group, int) {
    group.registers = registers;
    int total = 0;
    for (const Warpgroup& each : block->warpgroups) {
      if (each.registers == 0) {
        return;
      }
      total += kWarpgroup * each.registers;
    }
    if (more && total > 65536) {
      fail("setmaxnreg at " + describe(site) + " waits for registers that never come: all " +
           "warpgroups together ask for " + std::to_string(total) + " of 65536");
    }
  });
}

void fence_async() { me().fenced = me().clock++; }

void tensor_load(void* shared, const TensorMap& map, uint64_t* address, const int* place, int rank,
                 Site site) {
  Block& b = *block;
  const Mbarrier& barrier = barrier_at(address, site);
  const int maker = barrier.made.thread - 1;
  if (barrier.made.clock > b.thread[maker].fenced) {
    fail("tensor load at " + describe(site) +
         ": no fence stands behind the initialisation of its "
         "mbarrier");
  }
  TensorCopy copy = copy_of(map, shared, place, rank, site, "tensor load");
  copy.barrier = offset_of(address, site, "the mbarrier");
  copy.number = ++b.copies_begun;
  const auto first = b.mbarriers.lower_bound(copy.shared);
  if (first != b.mbarriers.end() && first->first < copy.shared + box_bytes(copy.map)) {
    fail("tensor load at " + describe(site) + " overwrites the mbarrier at byte " +
         text(first->first));
  }
  each_unit(copy, [&](uint32_t to, const char* from, int64_t, int64_t bytes) {
    if (bytes > 0) {
      check_access(from, static_cast<size_t>(bytes), false, __builtin_return_address(0));
    }
    begin_async_write(to, site);
  });
  if (settings().early_copies) {
    land(copy);
  } else {
    b.copies.push_back(copy);
  }
}

void tensor_store(const TensorMap& map, const void* shared, const int* place, int rank, Site site) {
  const TensorCopy copy = copy_of(map, shared, place, rank, site, "tensor store");
  each_unit(copy, [&](uint32_t from, char* to, int64_t, int64_t bytes) {
    begin_async_read(from, "tensor store", site);
    if (bytes > 0) {
      check_access(to, static_cast<size_t>(bytes), true, __builtin_return_address(0));
    }
  });
  if (settings().early_copies) {
    store(copy);
  }
  me().stores.push_back(copy);
}

void tensor_store_commit() {
  me().store_groups.push_back(std::move(me().stores));
  me().stores.clear();
}

void tensor_store_wait(int groups) {
  auto& all = me().store_groups;
  while (static_cast<int>(all.size()) > groups) {
    for (const TensorCopy& copy : all.front()) {
      if (!settings().early_copies) {
        store(copy);
      }
      each_unit(copy, [](uint32_t from, char*, int64_t, int64_t) { end_async_read(from); });
    }
    all.erase(all.begin());
  }
}

void wgmma_fence(Site site) {
  sync_warp(site);
  me().register_fence = true;
  me().written_since_fence.clear();
}

void wgmma(int kind, int n, uint32_t* d, const uint32_t* a_words, uint64_t a, uint64_t b,
           bool transposed_b, bool add, Site site) {
  Thread& thread = me();
  const int first = block->current / kWarpgroup * kWarpgroup, mine = block->current - first;
  if (!thread.register_fence) {
    fail("the product at " + describe(site) + " has no wgmma_fence before it");
  }
  const size_t words = static_cast<size_t>(n) / 2;
  for (const auto& [begin, bytes] : thread.written_since_fence) {
    const auto touches = [begin = begin, bytes = bytes](const uint32_t* registers, size_t count) {
      const char* first = reinterpret_cast<const char*>(registers);
      return registers != nullptr && begin < first + 4 * count && first < begin + bytes;
    };
    const bool sums = touches(d, words);
    if (sums || touches(a_words, 4)) {
      fail("registers of " + std::string(sums ? "the sums" : "a") + " of the product at " +
           describe(site) + " were written after its wgmma_fence");
    }
  }
  if (first + kWarpgroup <= block->threads) {
    auto& making = block->warpgroups[first / kWarpgroup].making;
    if (making == nullptr) {
      making = std::make_shared<Product>();
      *making = {};
      making->site = site;
      making->kind = static_cast<Kind>(kind);
      making->n = n;
      making->a_in_registers = a_words != nullptr;
      making->transposed_b = transposed_b;
      making->add = add;
      making->a = a;
      making->b = b;
    } else if (same(making->site, site) &&
               (making->a != a || making->b != b || making->add != add)) {
      fail("the product at " + describe(site) + " has other matrices in other threads");
    }
    making->d[mine] = d;
    if (a_words != nullptr) {
      std::memcpy(making->a_words[mine], a_words, 16);
    }
    Accumulator& sums = accumulator(thread, d);
    if (sums.under_way++ == 0) {
      sums.values.assign(d, d + words);
      std::memset(d, 0xff, 4 * words);
    }
    const Product* product = making.get();
    thread.products.push_back(making);
    thread.watched.push_back({reinterpret_cast<const char*>(d), 4 * words, true, product});
    if (a_words != nullptr) {
      thread.watched.push_back({reinterpret_cast<const char*>(a_words), 16, false, product});
    }
  }
  meet_warpgroup(site, [](Warpgroup& group, int at) {
    const std::shared_ptr<Product> p = std::move(group.making);
    group.making = nullptr;
    const int element_bytes = bytes_of(p->kind), k = 32 / element_bytes;
    if (!p->a_in_registers) {
      read_units(*p, decode(p->a, false, element_bytes, p->site), 64, k);
    }
    read_units(*p, decode(p->b, p->transposed_b, element_bytes, p->site), p->n, k);
    group.queue.push_back(p);
    if (settings().early_copies) {
      compute_until(*p, at);
    }
  });
}

void wgmma_commit(Site site) {
  sync_warp(site);
  me().product_groups.push_back(std::move(me().products));
  me().products.clear();
}

void wgmma_wait(int groups, Site site) {
  sync_warp(site);
  Thread& thread = me();
  const int first = block->current / kWarpgroup * kWarpgroup;
  thread.register_fence = false;
  while (static_cast<int>(thread.product_groups.size()) > groups) {
    for (const auto& product : thread.product_groups.front()) {
      compute_until(*product, first);
      drop_watches(thread, product.get());
      uint32_t* d = product->d[block->current - first];
      Accumulator& sums = accumulator(thread, d);
      if (--sums.under_way == 0) {
        std::memcpy(d, sums.values.data(), 4 * sums.values.size());
        auto& all = thread.accumulators;
        all.erase(all.begin() + (&sums - all.data()));
      }
      if (++product->waited == kWarpgroup) {
        for (const uint32_t unit : product->units) {
          end_async_read(unit);
        }
      }
    }
    thread.product_groups.erase(thread.product_groups.begin());
  }
  // The lanes wait together, and so have all seen what one of them has.
  sync_warp(site);
}

void check_registers(const char* address, size_t bytes, bool write, const void* instruction) {
  if (write && me().register_fence) {
    me().written_since_fence.emplace_back(address, bytes);
  }
  for (const Watch& watch : me().watched) {
    if ((write || watch.accumulators) && address < watch.begin + watch.bytes &&
        watch.begin < address + bytes) {
      fail_at(std::string(write ? "write to" : "read of") + " registers of the product at " +
                  describe(watch.product->site) + ", which is under way",
              instruction);
    }
  }
}

std::string left_under_way(const Thread& thread, bool last) {
  if (!thread.products.empty() || !thread.product_groups.empty()) {
    return "the thread ended while products were under way";
  }
  if (!thread.stores.empty() || !thread.store_groups.empty()) {
    return "the thread ended while tensor stores were under way";
  }
  if (!last) {
    return "";
  }
  if (!block->copies.empty()) {
    return "the block ended while tensor loads were under way that nobody waited for";
  }
  for (const auto& entry : block->mbarriers) {
    if (entry.second.bytes != 0) {
      return "the block ended while the mbarrier at byte " + text(entry.first) + " lacks " +
             std::to_string(entry.second.bytes) + " bytes";
    }
  }
  return "";
}

}  // namespace emulator
}  // namespace gatun
