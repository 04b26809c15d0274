// The driver's modules, functions and launches, and the maps of tensors that launches take.
#include <cstring>
#include <map>

#include "driver.h"
#include "registry.h"
#include "tensor_map.h"

using namespace gatun::emulator;
using namespace gatun::emulator::driver;

std::map<std::string, Kernel>& gatun::emulator::kernels() {
  static std::map<std::string, Kernel> kernels;
  return kernels;
}

namespace {

struct Function {
  const Kernel* kernel;
  int shared_limit = 48 << 10;
};

struct Module {
  std::vector<std::unique_ptr<Function>> functions;
};

}  // namespace

API cuModuleLoadDataEx(void** module, const void* image, unsigned, void*, void**) {
  ENTER_UNSAFE("cuModuleLoadDataEx")
  const char* text = static_cast<const char*>(image);
  const std::string magic = "gatun emulated module", hopper = " sm_90a";
  if (std::strncmp(text, magic.c_str(), magic.size()) != 0) {
    return kInvalidImage;
  }
  if (std::strncmp(text + magic.size(), hopper.c_str(), hopper.size()) == 0 &&
      state().devices[static_cast<size_t>(current_device())] != 90) {
    return kNoBinaryForGpu;
  }
  auto made = std::make_unique<Module>();
  const char* line = text + std::strcspn(text, "\n") + 1;
  while (*line != 0) {
    const size_t length = std::strcspn(line, "\n");
    auto found = kernels().find(std::string(line, length));
    if (found == kernels().end()) {
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
  ENTER_UNSAFE("cuModuleUnload")
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
    device_attribute(current_device(), 97, &most);
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
      *value = static_cast<Function*>(function)->kernel->most_threads;
      break;
    case 5:
    case 6: {
      // As of images for sm_80, sm_90a and PTX of compute_80: the PTX version and the binary one.
      const int capability = state().devices[static_cast<size_t>(current_device())];
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
  if (threads > static_cast<uint64_t>(f->kernel->most_threads)) {
    return broken(kInvalidValue, "kernel " + f->kernel->name + " is launched with blocks of " +
                                     std::to_string(threads) +
                                     " threads, its __launch_bounds__ are " +
                                     std::to_string(f->kernel->most_threads));
  }
  if (shared_bytes > static_cast<unsigned>(f->shared_limit)) {
    return kInvalidValue;
  }
  if (state().planning) {
    std::string& planned = state().planned;
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
  return submit("cuLaunchKernel", stream, [launch]() -> Result {
    const std::string failure = run(*launch);
    if (failure.empty()) {
      return kSuccess;
    }
    return broken(
        failure.find("out of bounds") != std::string::npos ? kIllegalAddress : kLaunchFailed,
        failure);
  });
}

API cuTensorMapEncodeTiled(void* map, int type, unsigned rank, void* address, const uint64_t* sizes,
                           const uint64_t* strides, const uint32_t* box,
                           const uint32_t* element_strides, int interleave, int swizzle,
                           int promotion, int fill) {
  ENTER("cuTensorMapEncodeTiled")
  const std::string problem = encode_map(map, type, rank, address, sizes, strides, box,
                                         element_strides, interleave, swizzle, promotion, fill);
  return problem.empty() ? kSuccess : broken(kInvalidValue, "cuTensorMapEncodeTiled: " + problem);
}
