// The part of the CUDA driver API that Gatun calls, over the emulated device. Names, versions and
// codes are cuda.h's of CUDA 13.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "machine.h"
#include "memory.h"
#include "registry.h"
#include "tensor_map.h"

std::map<std::string, gatun::emulator::Kernel>& gatun::emulator::kernels() {
  static std::map<std::string, Kernel> kernels;
  return kernels;
}

using gatun::emulator::Kernel;
using gatun::emulator::Launch;
using gatun::emulator::Policy;

namespace {

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
  kLaunchOutOfResources = 701,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kStreamCaptureUnsupported = 900,
  kNotSupported = 801,
};

const std::map<Result, std::pair<const char*, const char*>>& codes() {
  static const std::map<Result, std::pair<const char*, const char*>> codes = {
      {0, {"CUDA_SUCCESS", "no error"}},
      {1, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
      {2, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
      {3, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
      {46, {"CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"}},
      {100, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
      {101, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
      {200, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
      {201, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
      {209,
       {"CUDA_ERROR_NO_BINARY_FOR_GPU",
        "no kernel image is available for execution on the device"}},
      {214, {"CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"}},
      {400, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
      {500, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
      {600, {"CUDA_ERROR_NOT_READY", "device not ready"}},
      {700, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
      {701, {"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"}},
      {719, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
      {801, {"CUDA_ERROR_NOT_SUPPORTED", "operation not supported"}},
      {900,
       {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
        "operation not permitted when stream is capturing"}},
  };
  return codes;
}

struct Device {
  std::string name = "Gatun emulator";
  int capability = 80;
};

struct Operation {
  std::function<Result()> run;
};

struct Graph {
  std::vector<Operation> operations;
};

struct Stream {
  std::deque<Operation> queue;
  std::unique_ptr<Graph> capture;
};

struct Event {
  Stream* stream = nullptr;
  double time = 0;
};

struct Module {
  std::vector<std::unique_ptr<struct Function>> functions;
};

struct Function {
  const Kernel* kernel;
  int shared_limit = 48 << 10;
};

struct Injection {
  int calls_before;
  Result result;
};

std::recursive_mutex lock;
// The first is of the oldest capability, the second runs what is made for sm_90a alone.
std::vector<Device> devices = {{"Gatun emulator", 80}, {"Gatun emulator", 90}};
bool initialised;
thread_local int current_context = -1;
std::set<int> retained;
Result sticky;
std::string report;
std::map<std::string, Injection> injections;

// Launches that are noted and not run.
bool planning = false;
std::string planned;
std::set<Stream*> streams;
std::map<uintptr_t, size_t> pinned;
int version = 13000;

// What every entry does first.
Result enter(const char* name) {
  auto found = injections.find(name);
  if (found != injections.end() && found->second.calls_before-- == 0) {
    const Result result = found->second.result;
    injections.erase(found);
    return result;
  }
  if (!initialised) {
    return kNotInitialized;
  }
  return sticky;
}

#define ENTER(name)                                  \
  std::lock_guard<std::recursive_mutex> guard(lock); \
  {                                                  \
    const Result entered = enter(name);              \
    if (entered != kSuccess) {                       \
      return entered;                                \
    }                                                \
  }

#define ENTER_CONTEXT(name)  \
  ENTER(name)                \
  if (current_context < 0) { \
    return kInvalidContext;  \
  }

Stream* stream_of(void* handle) {
  static Stream* standard = new Stream();
  return handle == nullptr ? standard : static_cast<Stream*>(handle);
}

Result drain(Stream* stream) {
  while (!stream->queue.empty()) {
    Operation operation = std::move(stream->queue.front());
    stream->queue.pop_front();
    const Result result = operation.run();
    if (result != kSuccess) {
      sticky = result;
      return result;
    }
  }
  return sticky;
}

// Runs an operation now, later or as a part of a graph.
Result submit(void* handle, std::function<Result()> run) {
  Stream* stream = stream_of(handle);
  if (stream->capture != nullptr) {
    stream->capture->operations.push_back({std::move(run)});
    return kSuccess;
  }
  stream->queue.push_back({std::move(run)});
  return gatun::emulator::settings().lazy_streams ? kSuccess : drain(stream);
}

Result broken(Result code, const std::string& what) {
  report = what;
  std::fprintf(stderr, "emulator: %s\n", what.c_str());
  return code;
}

bool is_pinned(const void* host, size_t bytes) {
  const auto p = reinterpret_cast<uintptr_t>(host);
  auto above = pinned.upper_bound(p);
  return above != pinned.begin() && p + bytes <= std::prev(above)->first + std::prev(above)->second;
}

Result on_device(const char* call, const void* address, size_t bytes) {
  if (bytes != 0 && !gatun::emulator::in_allocation(address, bytes)) {
    return broken(kInvalidValue,
                  std::string(call) + ": " + gatun::emulator::what_is_wrong(address, bytes));
  }
  return kSuccess;
}

// What a transfer writes, no kernel has.
void forget_writes(void* address, size_t bytes) {
  std::memset(gatun::emulator::last_writes(address), 0, (bytes / 2 + 1) * sizeof(uint64_t));
}

void* pointer(Pointer address) { return reinterpret_cast<void*>(address); }

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

Result attribute(int device, int which, int* value) {
  const int capability = devices[device].capability;
  switch (which) {
    case 1:
      *value = 1024;
      break;  // Threads a block.
    case 8:
      *value = 48 << 10;
      break;  // Shared bytes a block.
    case 10:
      *value = 32;
      break;  // Warp size.
    case 12:
      *value = 65536;
      break;  // Registers a block.
    case 13:
      *value = 1000000;
      break;  // Clock in kHz.
    case 16:
      *value = 4;
      break;  // Multiprocessors.
    case 38:
      *value = 40 << 20;
      break;  // Second-level cache.
    case 39:
      *value = capability == 80 || capability >= 90 ? 2048 : 1536;
      break;
    case 75:
      *value = capability / 10;
      break;
    case 76:
      *value = capability % 10;
      break;
    case 81:
      *value = (capability == 80 ? 164 : capability == 90 || capability == 100 ? 228 : 100) << 10;
      break;
    case 97:
      *value = (capability == 80 ? 163 : capability == 90 || capability == 100 ? 227 : 99) << 10;
      break;
    case 115:
      *value = 1;
      break;  // Memory pools.
    default:
      return kInvalidValue;
  }
  return kSuccess;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) Result

API cuInit(unsigned) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  initialised = true;
  if (const char* text = std::getenv("GATUN_EMULATOR_DEVICES")) {
    // Compute capabilities times ten, as 80,90.
    devices.clear();
    for (const char* p = text; *p != 0;) {
      char* end;
      Device device;
      device.capability = static_cast<int>(std::strtol(p, &end, 10));
      devices.push_back(device);
      p = *end == ',' ? end + 1 : end;
    }
  }
  if (const char* text = std::getenv("GATUN_EMULATOR_VERSION")) {
    version = std::atoi(text);
  }
  if (const char* text = std::getenv("GATUN_EMULATOR_FAIL")) {
    // A function and the status that its first call returns, as cuModuleLoadDataEx:209.
    const char* colon = std::strchr(text, ':');
    injections[std::string(text, colon)] = {0, std::atoi(colon + 1)};
  }
  return enter("cuInit");
}

API cuDriverGetVersion(int* result) {
  *result = version;
  return kSuccess;
}

API cuGetErrorName(Result code, const char** text) {
  auto found = codes().find(code);
  *text = found == codes().end() ? nullptr : found->second.first;
  return found == codes().end() ? kInvalidValue : kSuccess;
}

API cuGetErrorString(Result code, const char** text) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  auto found = codes().find(code);
  if (found == codes().end()) {
    *text = nullptr;
    return kInvalidValue;
  }
  static std::string last;
  last = found->second.second;
  if (!report.empty() &&
      (code == kLaunchFailed || code == kIllegalAddress || code == kInvalidValue)) {
    last += ": " + report;
  }
  *text = last.c_str();
  return kSuccess;
}

API cuDeviceGetCount(int* count) {
  ENTER("cuDeviceGetCount")
  *count = static_cast<int>(devices.size());
  return kSuccess;
}

API cuDeviceGet(int* device, int ordinal) {
  ENTER("cuDeviceGet")
  *device = ordinal;
  return ordinal >= 0 && ordinal < static_cast<int>(devices.size()) ? kSuccess : kInvalidDevice;
}

API cuDeviceGetName(char* name, int bytes, int device) {
  ENTER("cuDeviceGetName")
  std::snprintf(name, static_cast<size_t>(bytes), "%s", devices[device].name.c_str());
  return kSuccess;
}

API cuDeviceGetAttribute(int* value, int which, int device) {
  ENTER("cuDeviceGetAttribute")
  return attribute(device, which, value);
}

API cuDeviceTotalMem_v2(size_t* bytes, int) {
  ENTER("cuDeviceTotalMem")
  *bytes = gatun::emulator::device_bytes_total();
  return kSuccess;
}

API cuDevicePrimaryCtxRetain(void** context, int device) {
  ENTER("cuDevicePrimaryCtxRetain")
  if (device < 0 || device >= static_cast<int>(devices.size())) {
    return kInvalidDevice;
  }
  retained.insert(device);
  *context = reinterpret_cast<void*>(static_cast<intptr_t>(device) + 1);
  return kSuccess;
}

API cuDevicePrimaryCtxRelease_v2(int) {
  ENTER("cuDevicePrimaryCtxRelease")
  return kSuccess;
}

API cuCtxSetCurrent(void* context) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  // A lost device does not hinder this call.
  const Result entered = enter("cuCtxSetCurrent");
  if (entered != kSuccess && entered != sticky) {
    return entered;
  }
  current_context = static_cast<int>(reinterpret_cast<intptr_t>(context)) - 1;
  return kSuccess;
}

API cuCtxSynchronize() {
  ENTER_CONTEXT("cuCtxSynchronize")
  for (Stream* stream : streams) {
    const Result result = drain(stream);
    if (result != kSuccess) {
      return result;
    }
  }
  return drain(stream_of(nullptr));
}

API cuMemGetInfo_v2(size_t* free, size_t* total) {
  ENTER_CONTEXT("cuMemGetInfo")
  *total = gatun::emulator::device_bytes_total();
  *free = *total - gatun::emulator::device_bytes_used();
  return kSuccess;
}

API cuDeviceGetDefaultMemPool(void** pool, int) {
  ENTER("cuDeviceGetDefaultMemPool")
  *pool = reinterpret_cast<void*>(0x1000);
  return kSuccess;
}

API cuMemPoolSetAttribute(void*, int, void*) {
  ENTER("cuMemPoolSetAttribute")
  return kSuccess;
}

API cuMemPoolGetAttribute(void*, int which, void* value) {
  ENTER("cuMemPoolGetAttribute")
  const bool high = which == 6 || which == 8;
  const uint64_t bytes =
      high ? gatun::emulator::device_bytes_peak() : gatun::emulator::device_bytes_used();
  std::memcpy(value, &bytes, sizeof bytes);
  return kSuccess;
}

API cuMemPoolTrimTo(void*, size_t) {
  ENTER("cuMemPoolTrimTo")
  return kSuccess;
}

API cuMemAllocAsync(Pointer* address, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemAllocAsync")
  if (bytes == 0) {
    return kInvalidValue;
  }
  if (stream_of(stream)->capture != nullptr) {
    return kStreamCaptureUnsupported;
  }
  void* block = gatun::emulator::allocate_device(bytes);
  *address = reinterpret_cast<Pointer>(block);
  return block == nullptr ? kOutOfMemory : kSuccess;
}

API cuMemFreeAsync(Pointer address, void* stream) {
  if (std::lock_guard<std::recursive_mutex> guard(lock); sticky != kSuccess) {
    // The memory of a lost device is gone.
    gatun::emulator::free_device(pointer(address));
  }
  ENTER_CONTEXT("cuMemFreeAsync")
  if (stream_of(stream)->capture != nullptr) {
    return kStreamCaptureUnsupported;
  }
  return submit(stream, [address] {
    return gatun::emulator::free_device(pointer(address))
               ? kSuccess
               : broken(kInvalidValue, "cuMemFreeAsync: no allocation begins there");
  });
}

API cuMemHostAlloc(void** host, size_t bytes, unsigned) {
  ENTER_CONTEXT("cuMemHostAlloc")
  *host = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*host == nullptr) {
    return kOutOfMemory;
  }
  pinned[reinterpret_cast<uintptr_t>(*host)] = bytes;
  return kSuccess;
}

API cuMemFreeHost(void* host) {
  ENTER_CONTEXT("cuMemFreeHost")
  if (pinned.erase(reinterpret_cast<uintptr_t>(host)) == 0) {
    return kInvalidValue;
  }
  std::free(host);
  return kSuccess;
}

API cuMemHostGetDevicePointer_v2(Pointer* address, void* host, unsigned) {
  ENTER_CONTEXT("cuMemHostGetDevicePointer")
  *address = reinterpret_cast<Pointer>(host);
  return kSuccess;
}

API cuMemcpyHtoDAsync_v2(Pointer target, const void* source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyHtoDAsync")
  if (stream_of(stream)->capture != nullptr && !is_pinned(source, bytes)) {
    return kStreamCaptureUnsupported;
  }
  // Memory that is not pinned is staged before the call returns.
  std::shared_ptr<std::vector<char>> staged;
  if (!is_pinned(source, bytes)) {
    const char* p = static_cast<const char*>(source);
    staged = std::make_shared<std::vector<char>>(p, p + bytes);
  }
  return submit(stream, [=] {
    if (staged == nullptr && !is_pinned(source, bytes)) {
      return broken(kInvalidValue, "cuMemcpyHtoDAsync: pinned memory that was freed");
    }
    const Result result = on_device("cuMemcpyHtoDAsync", pointer(target), bytes);
    if (result == kSuccess && bytes != 0) {
      std::memcpy(pointer(target), staged == nullptr ? source : staged->data(), bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}

API cuMemcpyDtoHAsync_v2(void* target, Pointer source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyDtoHAsync")
  const bool to_pinned = is_pinned(target, bytes);
  if (stream_of(stream)->capture != nullptr && !to_pinned) {
    return kStreamCaptureUnsupported;
  }
  const Result result = submit(stream, [=] {
    if (to_pinned && !is_pinned(target, bytes)) {
      return broken(kInvalidValue, "cuMemcpyDtoHAsync: pinned memory that was freed");
    }
    const Result checked = on_device("cuMemcpyDtoHAsync", pointer(source), bytes);
    if (checked == kSuccess && bytes != 0) {
      std::memcpy(target, pointer(source), bytes);
    }
    return checked;
  });
  // Memory that is not pinned is written before the call returns.
  return result != kSuccess || to_pinned ? result : drain(stream_of(stream));
}

API cuMemcpyDtoDAsync_v2(Pointer target, Pointer source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyDtoDAsync")
  return submit(stream, [=] {
    Result result = on_device("cuMemcpyDtoDAsync", pointer(source), bytes);
    if (result == kSuccess) {
      result = on_device("cuMemcpyDtoDAsync", pointer(target), bytes);
    }
    if (result == kSuccess && bytes != 0) {
      std::memmove(pointer(target), pointer(source), bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}

API cuMemsetD8Async(Pointer target, unsigned char value, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemsetD8Async")
  return submit(stream, [=] {
    const Result result = on_device("cuMemsetD8Async", pointer(target), bytes);
    if (result == kSuccess && bytes != 0) {
      std::memset(pointer(target), value, bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}

API cuStreamCreate(void** stream, unsigned) {
  ENTER_CONTEXT("cuStreamCreate")
  Stream* made = new Stream();
  streams.insert(made);
  *stream = made;
  return kSuccess;
}

API cuStreamDestroy_v2(void* stream) {
  ENTER_CONTEXT("cuStreamDestroy")
  Stream* old = stream_of(stream);
  if (streams.erase(old) == 0) {
    return kInvalidHandle;
  }
  const Result result = drain(old);
  delete old;
  return result;
}

API cuStreamSynchronize(void* stream) {
  ENTER_CONTEXT("cuStreamSynchronize")
  if (stream_of(stream)->capture != nullptr) {
    return kStreamCaptureUnsupported;
  }
  return drain(stream_of(stream));
}

API cuStreamQuery(void* stream) {
  ENTER_CONTEXT("cuStreamQuery")
  return stream_of(stream)->queue.empty() ? kSuccess : kNotReady;
}

API cuStreamWaitEvent(void* stream, void* event, unsigned) {
  ENTER_CONTEXT("cuStreamWaitEvent")
  Stream* other = static_cast<Event*>(event)->stream;
  return submit(stream, [=] {
    return other == nullptr || other == stream_of(stream) ? kSuccess : drain(other);
  });
}

API cuEventCreate(void** event, unsigned) {
  ENTER_CONTEXT("cuEventCreate")
  *event = new Event();
  return kSuccess;
}

API cuEventDestroy_v2(void* event) {
  ENTER_CONTEXT("cuEventDestroy")
  delete static_cast<Event*>(event);
  return kSuccess;
}

API cuEventRecord(void* event, void* stream) {
  ENTER_CONTEXT("cuEventRecord")
  Event* recorded = static_cast<Event*>(event);
  recorded->stream = stream_of(stream);
  return submit(stream, [recorded] {
    recorded->time = now();
    return kSuccess;
  });
}

API cuEventSynchronize(void* event) {
  ENTER_CONTEXT("cuEventSynchronize")
  Stream* stream = static_cast<Event*>(event)->stream;
  return stream == nullptr ? kSuccess : drain(stream);
}

API cuEventQuery(void* event) {
  ENTER_CONTEXT("cuEventQuery")
  Stream* stream = static_cast<Event*>(event)->stream;
  return stream == nullptr || stream->queue.empty() ? kSuccess : kNotReady;
}

API cuEventElapsedTime_v2(float* milliseconds, void* from, void* to) {
  ENTER_CONTEXT("cuEventElapsedTime")
  *milliseconds =
      static_cast<float>(static_cast<Event*>(to)->time - static_cast<Event*>(from)->time);
  return kSuccess;
}

API cuModuleLoadDataEx(void** module, const void* image, unsigned, void*, void**) {
  ENTER_CONTEXT("cuModuleLoadDataEx")
  const char* text = static_cast<const char*>(image);
  const std::string magic = "gatun emulated module", hopper = " sm_90a";
  if (std::strncmp(text, magic.c_str(), magic.size()) != 0) {
    return kInvalidImage;
  }
  if (std::strncmp(text + magic.size(), hopper.c_str(), hopper.size()) == 0 &&
      devices[current_context].capability != 90) {
    return kNoBinaryForGpu;
  }
  auto made = std::make_unique<Module>();
  const char* line = text + std::strcspn(text, "\n") + 1;
  while (*line != 0) {
    const size_t length = std::strcspn(line, "\n");
    auto found = gatun::emulator::kernels().find(std::string(line, length));
    if (found == gatun::emulator::kernels().end()) {
      return kInvalidImage;
    }
    auto function = std::make_unique<Function>();
    function->kernel = &found->second;
    made->functions.push_back(std::move(function));
    line += length + (line[length] == '\n');
  }
  *module = made.release();
  return kSuccess;
}

API cuModuleLoadData(void** module, const void* image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

API cuModuleUnload(void* module) {
  ENTER_CONTEXT("cuModuleUnload")
  delete static_cast<Module*>(module);
  return kSuccess;
}

API cuModuleGetFunction(void** function, void* module, const char* name) {
  ENTER_CONTEXT("cuModuleGetFunction")
  for (const auto& f : static_cast<Module*>(module)->functions) {
    if (f->kernel->name == name) {
      *function = f.get();
      return kSuccess;
    }
  }
  return kNotFound;
}

API cuFuncGetParamInfo(void* function, size_t index, size_t* offset, size_t* bytes) {
  ENTER("cuFuncGetParamInfo")
  const Kernel* kernel = static_cast<Function*>(function)->kernel;
  if (index >= kernel->sizes.size()) {
    return kInvalidValue;
  }
  *offset = static_cast<size_t>(kernel->offsets[index]);
  *bytes = static_cast<size_t>(kernel->sizes[index]);
  return kSuccess;
}

API cuFuncSetAttribute(void* function, int which, int value) {
  ENTER_CONTEXT("cuFuncSetAttribute")
  if (which == 8) {
    int most = 0;
    attribute(current_context, 97, &most);
    if (value > most) {
      return kInvalidValue;
    }
    static_cast<Function*>(function)->shared_limit = value;
  }
  return kSuccess;
}

API cuFuncGetAttribute(int* value, int which, void* function) {
  ENTER_CONTEXT("cuFuncGetAttribute")
  switch (which) {
    case 0:
      *value = 1024;
      break;
    case 5:
    case 6: {
      // As of images for sm_80, sm_90a and PTX of compute_80: the PTX version and the binary one.
      const int capability = devices[current_context].capability;
      *value = capability < 90 || (which == 5 && capability > 90) ? 80 : capability;
      break;
    }
    case 8:
      *value = static_cast<Function*>(function)->shared_limit;
      break;
    default:
      *value = 0;
  }
  return kSuccess;
}

API cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                   unsigned bz, unsigned shared_bytes, void* stream, void** arguments, void**) {
  ENTER_CONTEXT("cuLaunchKernel")
  Function* f = static_cast<Function*>(function);
  const uint64_t threads = static_cast<uint64_t>(bx) * by * bz;
  if (gx == 0 || gy == 0 || gz == 0 || threads == 0 || threads > 1024 || bz > 64 ||
      gx > 0x7fffffff || gy > 65535 || gz > 65535) {
    return kInvalidValue;
  }
  if (shared_bytes > static_cast<unsigned>(f->shared_limit)) {
    return kInvalidValue;
  }
  if (planning) {
    planned += f->kernel->name;
    for (unsigned number : {gx, gy, gz, bx * by * bz, shared_bytes}) {
      planned += ' ' + std::to_string(number);
    }
    planned += '\n';
    return kSuccess;
  }
  auto launch = std::make_shared<Launch>();
  launch->kernel = f->kernel;
  launch->grid = {gx, gy, gz};
  launch->block = {bx, by, bz};
  launch->shared_bytes = shared_bytes;
  for (size_t i = 0; i < f->kernel->sizes.size(); i++) {
    const char* argument = static_cast<const char*>(arguments[i]);
    launch->arguments.emplace_back(argument, argument + f->kernel->sizes[i]);
  }
  return submit(stream, [launch]() -> Result {
    const std::string failure = gatun::emulator::run(*launch);
    if (failure.empty()) {
      return kSuccess;
    }
    return broken(
        failure.find("out of bounds") != std::string::npos ? kIllegalAddress : kLaunchFailed,
        failure);
  });
}

API cuStreamBeginCapture_v2(void* stream, int) {
  ENTER_CONTEXT("cuStreamBeginCapture")
  if (stream_of(stream)->capture != nullptr) {
    return kStreamCaptureUnsupported;
  }
  stream_of(stream)->capture = std::make_unique<Graph>();
  return kSuccess;
}

API cuStreamEndCapture(void* stream, void** graph) {
  ENTER_CONTEXT("cuStreamEndCapture")
  if (stream_of(stream)->capture == nullptr) {
    return kInvalidValue;
  }
  *graph = stream_of(stream)->capture.release();
  return kSuccess;
}

API cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  ENTER_CONTEXT("cuGraphInstantiate")
  *executable = new Graph(*static_cast<Graph*>(graph));
  return kSuccess;
}

API cuGraphLaunch(void* executable, void* stream) {
  ENTER_CONTEXT("cuGraphLaunch")
  for (const Operation& operation : static_cast<Graph*>(executable)->operations) {
    const Result result = submit(stream, operation.run);
    if (result != kSuccess) {
      return result;
    }
  }
  return kSuccess;
}

API cuGraphExecDestroy(void* executable) {
  ENTER_CONTEXT("cuGraphExecDestroy")
  delete static_cast<Graph*>(executable);
  return kSuccess;
}

API cuGraphDestroy(void* graph) {
  ENTER_CONTEXT("cuGraphDestroy")
  delete static_cast<Graph*>(graph);
  return kSuccess;
}

API cuTensorMapEncodeTiled(void* map, int type, unsigned rank, void* address, const uint64_t* sizes,
                           const uint64_t* strides, const uint32_t* box,
                           const uint32_t* element_strides, int interleave, int swizzle,
                           int promotion, int fill) {
  ENTER("cuTensorMapEncodeTiled")
  const std::string problem =
      gatun::emulator::encode_map(map, type, rank, address, sizes, strides, box, element_strides,
                                  interleave, swizzle, promotion, fill);
  return problem.empty() ? kSuccess : broken(kInvalidValue, "cuTensorMapEncodeTiled: " + problem);
}

// What tests set beside the driver's API.

extern "C" __attribute__((visibility("default"))) void gatun_emulator_set(
    int policy, unsigned long long seed, int early_copies, int lazy_streams, int workers) {
  gatun::emulator::Settings& s = gatun::emulator::settings();
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
  std::lock_guard<std::recursive_mutex> guard(lock);
  injections[function] = {calls_before, result};
}

// Work of another library in a stream: run returns a CUresult, release is called when no stream and
// no graph holds the work any more.
extern "C" __attribute__((visibility("default"))) int gatun_emulator_submit(void* stream,
                                                                            int (*run)(void*),
                                                                            void (*release)(void*),
                                                                            void* data) {
  std::shared_ptr<void> held(data, release);
  ENTER_CONTEXT("gatun_emulator_submit")
  return submit(stream, [=] { return run(held.get()); });
}

// What such work reads or writes.
extern "C" __attribute__((visibility("default"))) int gatun_emulator_touch(const void* address,
                                                                           size_t bytes,
                                                                           int written) {
  const Result result = on_device("another library", address, bytes);
  if (result == kSuccess && written != 0 && bytes != 0) {
    forget_writes(const_cast<void*>(address), bytes);
  }
  return result;
}

extern "C" __attribute__((visibility("default"))) void gatun_emulator_set_memory(size_t bytes) {
  gatun::emulator::set_device_bytes_total(bytes);
}

// From now on, whether launches are noted in place of being run.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_plan(int on) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  planning = on != 0;
  planned.clear();
}

// Moves what was noted to a buffer: a line each, the kernel, three sides of the grid, threads of a
// block and bytes of dynamic shared memory. Its length; nothing is moved where there is no room.
extern "C" __attribute__((visibility("default"))) long gatun_emulator_planned(char* to, long room) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  const long length = static_cast<long>(planned.size());
  if (length <= room) {
    std::memcpy(to, planned.data(), length);
    planned.clear();
  }
  return length;
}

// Ends the state that a failed launch leaves the device in.
extern "C" __attribute__((visibility("default"))) void gatun_emulator_reset() {
  std::lock_guard<std::recursive_mutex> guard(lock);
  sticky = kSuccess;
  report.clear();
  injections.clear();
}
