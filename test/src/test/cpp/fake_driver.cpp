// A CUDA driver of made-up devices: what the tests of the device report call, no more. The
// environment says what it plays: FAKE_CUDA_VERSION (13000 is CUDA 13.0), FAKE_CUDA_DEVICES (0 to
// 2), FAKE_CUDA_INIT (the status of cuInit). Loading it says so on standard error.

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kSuccess = 0;
constexpr int kInvalidValue = 1;
constexpr int kNoDevice = 100;
constexpr int kInvalidDevice = 101;
constexpr int kMultiprocessors = 16;
constexpr int kCacheBytes = 38;
constexpr int kSharedMemory = 97;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

struct Device {
  const char *name;
  int major;
  int minor;
  size_t bytes;
};

constexpr Device kDevices[] = {{"Fake H100", 9, 0, size_t{80} << 30},
                               {"Fake RTX", 12, 0, size_t{3} << 29}};

int setting(const char *name, int otherwise) {
  const char *text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

struct Loaded {
  Loaded() { std::fputs("fake driver loaded\n", stderr); }
} loaded;

}  // namespace

extern "C" {

int cuInit(unsigned) { return setting("FAKE_CUDA_INIT", kSuccess); }

int cuDriverGetVersion(int *version) {
  *version = setting("FAKE_CUDA_VERSION", 13000);
  return kSuccess;
}

int cuDeviceGetCount(int *count) {
  *count = setting("FAKE_CUDA_DEVICES", 2);
  return kSuccess;
}

int cuDeviceGet(int *device, int ordinal) {
  if (ordinal < 0 || ordinal >= setting("FAKE_CUDA_DEVICES", 2)) {
    return kInvalidDevice;
  }
  *device = ordinal;
  return kSuccess;
}

int cuDeviceGetName(char *name, int length, int device) {
  std::snprintf(name, static_cast<size_t>(length), "%s", kDevices[device].name);
  return kSuccess;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case kMultiprocessors:
      *value = 132;
      return kSuccess;
    case kSharedMemory:
      *value = 227 << 10;
      return kSuccess;
    case kCacheBytes:
      *value = 50 << 20;
      return kSuccess;
    case kCapabilityMajor:
      *value = kDevices[device].major;
      return kSuccess;
    case kCapabilityMinor:
      *value = kDevices[device].minor;
      return kSuccess;
    default:
      return kInvalidValue;
  }
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  *bytes = kDevices[device].bytes;
  return kSuccess;
}

int cuGetErrorName(int status, const char **name) {
  *name = status == kNoDevice ? "CUDA_ERROR_NO_DEVICE" : nullptr;
  return *name == nullptr ? kInvalidValue : kSuccess;
}

int cuGetErrorString(int status, const char **text) {
  *text = status == kNoDevice ? "no CUDA-capable device is detected" : nullptr;
  return *text == nullptr ? kInvalidValue : kSuccess;
}
}
