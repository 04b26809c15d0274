// Calls of the driver with one mistake each, and some without: captures, the legacy stream, launch
// bounds and maps of tensors.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

extern "C" {
int cuInit(unsigned);
int cuGetErrorString(int, const char**);
int cuDevicePrimaryCtxRetain(void**, int);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuMemAllocAsync(unsigned long long*, size_t, void*);
int cuMemFreeAsync(unsigned long long, void*);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemsetD8Async(unsigned long long, unsigned char, size_t, void*);
int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuEventCreate(void**, unsigned);
int cuEventDestroy_v2(void*);
int cuEventRecord(void*, void*);
int cuEventQuery(void*);
int cuGraphDestroy(void*);
int cuModuleLoadDataEx(void**, const void*, unsigned, void*, void**);
int cuModuleUnload(void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   void*, void**, void**);
int cuTensorMapEncodeTiled(void*, int, unsigned, void*, const uint64_t*, const uint64_t*,
                           const uint32_t*, const uint32_t*, int, int, int, int);
}

namespace {

enum : int { kGlobal, kThreadLocal, kRelaxed };
enum : unsigned { kBlocking, kNonBlocking };

// A captured stream, another, an event and some memory.
struct Scene {
  void* stream = nullptr;
  void* event = nullptr;
  void* host = nullptr;
  void* context = nullptr;
  unsigned long long memory = 0;

  Scene(unsigned flags, int mode) {
    cuDevicePrimaryCtxRetain(&context, 1);
    cuCtxSetCurrent(context);
    cuStreamCreate(&stream, flags);
    cuEventCreate(&event, 0);
    cuMemAllocAsync(&memory, 256, nullptr);
    cuEventRecord(event, nullptr);
    if (mode >= 0) {
      cuStreamBeginCapture_v2(stream, mode);
    }
  }

  ~Scene() {
    end();
    if (host != nullptr) {
      cuMemFreeHost(host);
    }
    cuMemFreeAsync(memory, nullptr);
    cuEventDestroy_v2(event);
    cuStreamDestroy_v2(stream);
  }

  int end() {
    void* graph = nullptr;
    const int result = cuStreamEndCapture(stream, &graph);
    if (graph != nullptr) {
      cuGraphDestroy(graph);
    }
    return result;
  }

  int pin() { return cuMemHostAlloc(&host, 64, 0); }

  // In another thread.
  int elsewhere(const std::function<int()>& call) {
    int result = 0;
    std::thread([&] {
      cuCtxSetCurrent(context);
      result = call();
    }).join();
    return result;
  }
};

struct Call {
  const char* name;
  int code;
  const char* report;  // A part of it, nullptr where the code says all.
  unsigned flags;
  int mode;  // -1 where nothing is captured.
  std::function<int(Scene&)> run;
};

int launch_with(unsigned threads) {
  void* module;
  void* function;
  int result = cuModuleLoadDataEx(&module, "gatun emulated module\nbounded\n", 0, nullptr, nullptr);
  if (result != 0) {
    return result;
  }
  cuModuleGetFunction(&function, module, "bounded");
  unsigned long long memory;
  cuMemAllocAsync(&memory, 256, nullptr);
  cuMemsetD8Async(memory, 0, 256, nullptr);
  void* arguments[] = {&memory, &memory};
  result = cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, 0, nullptr, arguments, nullptr);
  cuMemFreeAsync(memory, nullptr);
  cuModuleUnload(module);
  return result;
}

// Of [1, tokens, 8, 64] elements of two bytes.
int map_with(Scene& scene, uint64_t token_stride, uint64_t batch_stride) {
  alignas(64) char map[128];
  const uint64_t sizes[] = {64, 8, 100, 1}, strides[] = {128, token_stride, batch_stride};
  const uint32_t box[] = {64, 1, 64, 1}, ones[] = {1, 1, 1, 1};
  return cuTensorMapEncodeTiled(map, 9, 4, reinterpret_cast<void*>(scene.memory), sizes, strides,
                                box, ones, 0, 3, 0, 0);
}

const Call kCalls[] = {
    {"legacy_stream_captured", 900, "the legacy stream is never captured", kNonBlocking, -1,
     [](Scene&) { return cuStreamBeginCapture_v2(nullptr, kRelaxed); }},
    {"legacy_stream_beside_a_captured_blocking_one", 906, "the legacy stream would wait", kBlocking,
     kRelaxed, [](Scene& s) { return cuMemsetD8Async(s.memory, 0, 4, nullptr); }},
    {"legacy_stream_beside_a_captured_one", 0, nullptr, kNonBlocking, kRelaxed,
     [](Scene& s) { return cuMemsetD8Async(s.memory, 0, 4, nullptr); }},
    {"pinning_in_the_global_mode", 900, "in the global mode", kNonBlocking, kGlobal,
     [](Scene& s) { return s.pin(); }},
    {"pinning_elsewhere_in_the_global_mode", 900, "in the global mode", kNonBlocking, kGlobal,
     [](Scene& s) { return s.elsewhere([&] { return s.pin(); }); }},
    {"pinning_in_the_thread_local_mode", 900, "in the thread-local mode", kNonBlocking,
     kThreadLocal, [](Scene& s) { return s.pin(); }},
    {"pinning_elsewhere_in_the_thread_local_mode", 0, nullptr, kNonBlocking, kThreadLocal,
     [](Scene& s) { return s.elsewhere([&] { return s.pin(); }); }},
    {"pinning_in_the_relaxed_mode", 0, nullptr, kNonBlocking, kRelaxed,
     [](Scene& s) { return s.pin(); }},
    {"ending_a_broken_capture", 901, nullptr, kNonBlocking, kGlobal,
     [](Scene& s) { return s.pin(), s.end(); }},
    {"submitting_to_a_broken_capture", 901, nullptr, kNonBlocking, kGlobal,
     [](Scene& s) { return s.pin(), cuMemsetD8Async(s.memory, 0, 4, s.stream); }},
    {"ending_elsewhere", 908, "another thread began this capture", kNonBlocking, kGlobal,
     [](Scene& s) { return s.elsewhere([&] { return s.end(); }); }},
    {"ending_a_relaxed_capture_elsewhere", 0, nullptr, kNonBlocking, kRelaxed,
     [](Scene& s) { return s.elsewhere([&] { return s.end(); }); }},
    {"ending_what_never_began", 903, nullptr, kNonBlocking, -1, [](Scene& s) { return s.end(); }},
    {"waiting_for_a_captured_stream", 900, "cuStreamSynchronize", kNonBlocking, kRelaxed,
     [](Scene& s) { return cuStreamSynchronize(s.stream); }},
    {"waiting_for_the_context", 900, "cuCtxSynchronize", kNonBlocking, kRelaxed,
     [](Scene&) { return cuCtxSynchronize(); }},
    {"asking_for_a_captured_event", 907, "recorded in a captured stream", kNonBlocking, kRelaxed,
     [](Scene& s) { return cuEventRecord(s.event, s.stream), cuEventQuery(s.event); }},
    {"waiting_for_work_outside", 905, "would wait for work that is not captured", kNonBlocking,
     kRelaxed, [](Scene& s) { return cuStreamWaitEvent(s.stream, s.event, 0); }},
    {"too_many_threads", 1, "its __launch_bounds__ are 32", kNonBlocking, -1,
     [](Scene&) { return launch_with(64); }},
    {"as_many_threads_as_bounds", 0, nullptr, kNonBlocking, -1,
     [](Scene&) { return launch_with(32); }},
    {"sound_map", 0, nullptr, kNonBlocking, -1, [](Scene& s) { return map_with(s, 1024, 102400); }},
    {"short_stride_of_one_sequence", 1, "expected at least the 100 elements of axis 2",
     kNonBlocking, -1, [](Scene& s) { return map_with(s, 1024, 16); }},
    {"odd_stride", 1, "expected a multiple of 16", kNonBlocking, -1,
     [](Scene& s) { return map_with(s, 1032, 102400); }},
};

}  // namespace

int wrong_calls() {
  cuInit(0);
  int wrong = 0;
  for (const Call& call : kCalls) {
    Scene scene(call.flags, call.mode);
    const int code = call.run(scene);
    const char* text = nullptr;
    cuGetErrorString(code, &text);
    const bool named =
        call.report == nullptr || (text != nullptr && std::strstr(text, call.report) != nullptr);
    if (code != call.code || !named) {
      wrong++;
      std::printf("%s: %d, '%s'\n", call.name, code, text == nullptr ? "" : text);
    }
  }
  return wrong;
}
