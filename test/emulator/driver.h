// What the parts of the emulated CUDA driver share. Names, versions and codes are cuda.h's of
// CUDA 13.
#ifndef GATUN_EMULATOR_DRIVER_H
#define GATUN_EMULATOR_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "machine.h"

namespace gatun {
namespace emulator {
namespace driver {

using Result = int;
using Pointer = unsigned long long;

enum : Result {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchOutOfResources = 701,
  kLaunchFailed = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureUnmatched = 903,
  kCaptureIsolation = 905,
  kCaptureImplicit = 906,
  kCapturedEvent = 907,
  kCaptureWrongThread = 908,
};

using Operation = std::function<Result()>;

struct Graph {
  std::vector<Operation> operations;
};

enum class CaptureMode : int { kGlobal, kThreadLocal, kRelaxed };

// What a stream collects in place of doing it.
struct Capture {
  Graph graph;
  CaptureMode mode;
  std::thread::id thread;
  bool valid = true;
};

struct Stream {
  bool blocking = true;  // Whether it and the legacy stream wait for each other.
  std::deque<Operation> queue;
  std::unique_ptr<Capture> capture;
};

// What the driver knows; guarded by its lock.
struct State {
  std::recursive_mutex lock;
  // Compute capabilities times ten: the first device is of the oldest, the second runs what is made
  // for sm_90a alone.
  std::vector<int> devices = {80, 90};
  bool initialised = false;
  int version = 13000;
  Result sticky = kSuccess;
  std::string report;
  std::set<Stream*> streams;
  // Launches that are noted and not run.
  bool planning = false;
  std::string planned;
  // The calls of each function, and the bytes that they were asked to allocate or copy.
  struct Count {
    uint64_t calls = 0, bytes = 0;
  };
  std::map<std::string, Count> counts;
};

State& state();
// The device whose context is this thread's, or -1.
int& current_device();

// What every entry does first: a failure that was ordered, or the state that one has left.
Result enter(const char* name);
// The same of calls that may not be made while a stream of the context is captured otherwise than
// relaxed: by the capture's thread, or in the global mode by any. Such a call ends the capture.
Result enter_unsafe(const char* name);

// Counts bytes that a call of a function is about.
void count_bytes(const char* name, size_t bytes);

// Keeps what is wrong for cuGetErrorString.
Result broken(Result code, const std::string& what);

Stream* stream_of(void* handle);
// Does what a stream has to do.
Result drain(Stream* stream);
// Does an operation now, later or as a part of a graph.
Result submit(const char* call, void* stream, Operation run);
// A call that a captured stream refuses, and that breaks its capture.
Result refuse_capture(const char* call, Stream* stream);

// Whether device memory is there.
Result check_device_range(const char* call, const void* address, size_t bytes);
// What a transfer writes, no kernel has.
void forget_writes(void* address, size_t bytes);

Result device_attribute(int device, int which, int* value);

// Orders a failure of one call of a function, after so many that do not fail; forgets all of them.
void order_failure(const std::string& function, int calls_before, Result result);
void forget_failures();

inline void* pointer(Pointer address) { return reinterpret_cast<void*>(address); }

}  // namespace driver
}  // namespace emulator
}  // namespace gatun

#define API extern "C" __attribute__((visibility("default"))) gatun::emulator::driver::Result

#define RETURN_FAILURE(result)                               \
  {                                                          \
    const gatun::emulator::driver::Result returned = result; \
    if (returned != gatun::emulator::driver::kSuccess) {     \
      return returned;                                       \
    }                                                        \
  }

#define ENTER(name)                                                                   \
  std::lock_guard<std::recursive_mutex> guard(gatun::emulator::driver::state().lock); \
  RETURN_FAILURE(gatun::emulator::driver::enter(name))

#define ENTER_CONTEXT(name)                            \
  ENTER(name)                                          \
  if (gatun::emulator::driver::current_device() < 0) { \
    return gatun::emulator::driver::kInvalidContext;   \
  }

#define ENTER_UNSAFE(name) \
  ENTER_CONTEXT(name)      \
  RETURN_FAILURE(gatun::emulator::driver::enter_unsafe(name))

#endif
