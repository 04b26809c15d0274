// The part of the CUDA driver API that Gatun calls, over the emulated device: the driver itself,
// its errors, devices and contexts.
#include "driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "memory.h"

using namespace gatun::emulator;
using namespace gatun::emulator::driver;

namespace {

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
      {901,
       {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
        "operation failed due to a previous error during capture"}},
      {903, {"CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not initiated in this stream"}},
      {905,
       {"CUDA_ERROR_STREAM_CAPTURE_ISOLATION",
        "dependency created on uncaptured work in another stream"}},
      {906,
       {"CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
        "operation would make the legacy stream depend on a capturing blocking stream"}},
      {907,
       {"CUDA_ERROR_CAPTURED_EVENT",
        "operation not permitted on an event last recorded in a capturing stream"}},
      {908,
       {"CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
        "attempt to terminate a thread-local capture sequence from another thread"}},
  };
  return codes;
}

struct Injection {
  int calls_before;
  Result result;
};

std::map<std::string, Injection>& injections() {
  static std::map<std::string, Injection> injections;
  return injections;
}

}  // namespace

State& driver::state() {
  static State state;
  return state;
}

int& driver::current_device() {
  static thread_local int device = -1;
  return device;
}

Result driver::enter(const char* name) {
  state().counts[name].calls++;
  auto found = injections().find(name);
  if (found != injections().end() && found->second.calls_before-- == 0) {
    const Result result = found->second.result;
    injections().erase(found);
    return result;
  }
  return state().initialised ? state().sticky : kNotInitialized;
}

void driver::count_bytes(const char* name, size_t bytes) { state().counts[name].bytes += bytes; }

void driver::order_failure(const std::string& function, int calls_before, Result result) {
  injections()[function] = {calls_before, result};
}

void driver::forget_failures() { injections().clear(); }

Result driver::broken(Result code, const std::string& what) {
  state().report = what;
  std::fprintf(stderr, "emulator: %s\n", what.c_str());
  return code;
}

Result driver::device_attribute(int device, int which, int* value) {
  const int capability = state().devices[static_cast<size_t>(device)];
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

API cuInit(unsigned) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().initialised = true;
  if (const char* text = std::getenv("GATUN_EMULATOR_DEVICES")) {
    // Compute capabilities times ten, as 80,90.
    state().devices.clear();
    for (const char* p = text; *p != 0;) {
      char* end;
      state().devices.push_back(static_cast<int>(std::strtol(p, &end, 10)));
      p = *end == ',' ? end + 1 : end;
    }
  }
  if (const char* text = std::getenv("GATUN_EMULATOR_VERSION")) {
    state().version = std::atoi(text);
  }
  if (const char* text = std::getenv("GATUN_EMULATOR_FAIL")) {
    // A function and the status that its first call returns, as cuModuleLoadDataEx:209.
    const char* colon = std::strchr(text, ':');
    order_failure(std::string(text, colon), 0, std::atoi(colon + 1));
  }
  return enter("cuInit");
}

API cuDriverGetVersion(int* result) {
  *result = state().version;
  return kSuccess;
}

API cuGetErrorName(Result code, const char** text) {
  auto found = codes().find(code);
  *text = found == codes().end() ? nullptr : found->second.first;
  return found == codes().end() ? kInvalidValue : kSuccess;
}

API cuGetErrorString(Result code, const char** text) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  auto found = codes().find(code);
  if (found == codes().end()) {
    *text = nullptr;
    return kInvalidValue;
  }
  static std::string last;
  last = found->second.second;
  if (!state().report.empty() &&
      (code == kLaunchFailed || code == kIllegalAddress || code == kInvalidValue ||
       code == kLaunchOutOfResources || code >= kCaptureUnsupported)) {
    last += ": " + state().report;
  }
  *text = last.c_str();
  return kSuccess;
}

API cuDeviceGetCount(int* count) {
  ENTER("cuDeviceGetCount")
  *count = static_cast<int>(state().devices.size());
  return kSuccess;
}

API cuDeviceGet(int* device, int ordinal) {
  ENTER("cuDeviceGet")
  *device = ordinal;
  return ordinal >= 0 && ordinal < static_cast<int>(state().devices.size()) ? kSuccess
                                                                            : kInvalidDevice;
}

API cuDeviceGetName(char* name, int bytes, int) {
  ENTER("cuDeviceGetName")
  std::snprintf(name, static_cast<size_t>(bytes), "%s", "Gatun emulator");
  return kSuccess;
}

API cuDeviceGetAttribute(int* value, int which, int device) {
  ENTER("cuDeviceGetAttribute")
  return device_attribute(device, which, value);
}

API cuDeviceTotalMem_v2(size_t* bytes, int) {
  ENTER("cuDeviceTotalMem")
  *bytes = device_bytes_total();
  return kSuccess;
}

API cuDevicePrimaryCtxRetain(void** context, int device) {
  ENTER("cuDevicePrimaryCtxRetain")
  if (device < 0 || device >= static_cast<int>(state().devices.size())) {
    return kInvalidDevice;
  }
  *context = reinterpret_cast<void*>(static_cast<intptr_t>(device) + 1);
  return kSuccess;
}

API cuDevicePrimaryCtxRelease_v2(int) {
  ENTER("cuDevicePrimaryCtxRelease")
  return kSuccess;
}

API cuCtxSetCurrent(void* context) {
  std::lock_guard<std::recursive_mutex> guard(state().lock);
  // A lost device does not hinder this call.
  const Result entered = enter("cuCtxSetCurrent");
  if (entered != kSuccess && entered != state().sticky) {
    return entered;
  }
  current_device() = static_cast<int>(reinterpret_cast<intptr_t>(context)) - 1;
  return kSuccess;
}
