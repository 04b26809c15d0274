// What tests set and order beside the driver's API.
#include <cstring>

#include "driver.h"
#include "memory.h"

using namespace gatun::emulator;
using namespace gatun::emulator::driver;

namespace {

// Copies a text to a buffer that has room for it; its length.
long copy_text(const std::string& text, char* to, long room) {
  const long length = static_cast<long>(text.size());
  if (length <= room) {
    std::memcpy(to, text.data(), text.size());
  }
  return length;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void gatun_emulator_set(
    int policy, unsigned long long seed, int early_copies, int lazy_streams, int workers) {
  Settings& s = settings();
  s.policy = static_cast<Policy>(policy);
  s.seed = seed;
  s.early_copies = early_copies != 0;
  s.lazy_streams = lazy_streams != 0;
  s.workers = workers;
}

// Makes one call of a function fail, after so many that do not.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_fail(const char* function,
                                                                           int calls_before,
                                                                           int result) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  order_failure(function, calls_before, result);
}

// Work of another library in a stream: run returns a CUresult, release is called when no stream and
// no graph holds the work any more.
extern "C" __attribute__((visibility("default"))) int gatun_emulator_submit(void* stream,
                                                                            int (*run)(void*),
                                                                            void (*release)(void*),
                                                                            void* data) {
  std::shared_ptr<void> held(data, release);
  ENTER_CONTEXT("gatun_emulator_submit")
  return submit("gatun_emulator_submit", stream, [=] { return run(held.get()); });
}

// What such work reads or writes.
extern "C" __attribute__((visibility("default"))) int gatun_emulator_touch(const void* address,
                                                                           size_t bytes,
                                                                           int written) {
  const Result result = check_device_range("another library", address, bytes);
  if (result == kSuccess && written != 0 && bytes != 0) {
    forget_writes(const_cast<void*>(address), bytes);
  }
  return result;
}

extern "C" __attribute__((visibility("default"))) void gatun_emulator_set_memory(size_t bytes) {
  set_device_bytes_total(bytes);
}

// From now on, whether launches are noted in place of being run.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_plan(int on) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().planning = on != 0;
  state().planned.clear();
}

// Moves what was noted to a buffer: a line each, the kernel, three sides of the grid, threads of a
// block and bytes of dynamic shared memory. Its length; nothing is moved where there is no room.
extern "C" __attribute__((visibility("default"))) long gatun_emulator_planned(char* to, long room) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  std::string& planned = state().planned;
  const long length = copy_text(planned, to, room);
  if (length <= room) {
    planned.clear();
  }
  return length;
}

// Moves the counts of calls since the last time to a buffer: a line a function, its name, its calls
// and the bytes that they were about. The text's length; nothing is moved where there is no room.
extern "C" __attribute__((visibility("default"))) long gatun_emulator_counts(char* to, long room) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  std::string text;
  for (const auto& [name, count] : state().counts) {
    text += name + ' ' + std::to_string(count.calls) + ' ' + std::to_string(count.bytes) + '\n';
  }
  const long length = copy_text(text, to, room);
  if (length <= room) {
    state().counts.clear();
  }
  return length;
}

// Loses the device, as a kernel that fails does.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_lose(int result) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().sticky = result;
  // Its work is lost too.
  for (Stream* stream : state().streams) {
    stream->queue.clear();
  }
}

// Ends the state that a failed launch leaves the device in.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_reset() {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().sticky = kSuccess;
  state().report.clear();
  forget_failures();
}
