// The driver's streams, events, captures and graphs.
//
// A capture's rules are those of the CUDA programming guide, "Creating a Graph Using Stream
// Capture": what a capture forbids breaks it, its streams then refuse everything, and its end gives
// an error and no graph.
#include <ctime>

#include "driver.h"

using namespace gatun::emulator;
using namespace gatun::emulator::driver;

namespace {

struct Event {
  Stream* stream = nullptr;
  double time = 0;
  bool captured = false;
};

Stream* legacy_stream() {
  static Stream* stream = new Stream();
  return stream;
}

// Calls body with each stream that is being captured.
template <class Body>
void each_capture(Body body) {
  for (Stream* stream : state().streams) {
    if (stream->capture != nullptr) {
      body(*stream);
    }
  }
}

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

// The legacy stream and the blocking ones wait for each other; none of the latter may be captured
// while the former is used.
Result order_with_legacy(const char* call, Stream* stream) {
  Result result = kSuccess;
  if (stream == legacy_stream()) {
    for (Stream* other : state().streams) {
      if (!other->blocking) {
        continue;
      }
      if (other->capture != nullptr) {
        other->capture->valid = false;
        return broken(kCaptureImplicit, std::string(call) +
                                            ": the legacy stream would wait for a blocking stream"
                                            " that is being captured");
      }
      result = result == kSuccess ? drain(other) : result;
    }
  } else if (stream->blocking) {
    result = drain(legacy_stream());
  }
  return result;
}

}  // namespace

Stream* driver::stream_of(void* handle) {
  return handle == nullptr ? legacy_stream() : static_cast<Stream*>(handle);
}

Result driver::drain(Stream* stream) {
  while (!stream->queue.empty()) {
    Operation operation = std::move(stream->queue.front());
    stream->queue.pop_front();
    const Result result = operation();
    if (result != kSuccess) {
      state().sticky = result;
      stream->queue.clear();
      return result;
    }
  }
  return state().sticky;
}

Result driver::submit(const char* call, void* handle, Operation run) {
  Stream* stream = stream_of(handle);
  if (stream->capture != nullptr) {
    if (!stream->capture->valid) {
      return kCaptureInvalidated;
    }
    stream->capture->graph.operations.push_back(std::move(run));
    return kSuccess;
  }
  const Result ordered = order_with_legacy(call, stream);
  if (ordered != kSuccess) {
    return ordered;
  }
  stream->queue.push_back(std::move(run));
  return settings().lazy_streams ? kSuccess : drain(stream);
}

Result driver::refuse_capture(const char* call, Stream* stream) {
  stream->capture->valid = false;
  return broken(kCaptureUnsupported,
                std::string(call) + ": not permitted on a stream that is being captured");
}

Result driver::enter_unsafe(const char* name) {
  Result result = kSuccess;
  each_capture([&](Stream& stream) {
    Capture& capture = *stream.capture;
    const bool mine = capture.thread == std::this_thread::get_id();
    if (capture.mode == CaptureMode::kGlobal ||
        (mine && capture.mode == CaptureMode::kThreadLocal)) {
      capture.valid = false;
      result =
          broken(kCaptureUnsupported,
                 std::string(name) + ": not permitted while a stream is captured in the " +
                     (capture.mode == CaptureMode::kGlobal ? "global" : "thread-local") + " mode");
    }
  });
  return result;
}

API cuCtxSynchronize() {
  ENTER_CONTEXT("cuCtxSynchronize")
  Result result = kSuccess;
  // Whatever their modes.
  each_capture([&](Stream& stream) { result = refuse_capture("cuCtxSynchronize", &stream); });
  for (Stream* stream : state().streams) {
    result = result == kSuccess ? drain(stream) : result;
  }
  return result == kSuccess ? drain(legacy_stream()) : result;
}

API cuStreamCreate(void** stream, unsigned flags) {
  ENTER_CONTEXT("cuStreamCreate")
  if (flags > 1) {
    return kInvalidValue;
  }
  Stream* made = new Stream();
  made->blocking = flags == 0;
  state().streams.insert(made);
  *stream = made;
  return kSuccess;
}

API cuStreamDestroy_v2(void* stream) {
  ENTER_CONTEXT("cuStreamDestroy")
  Stream* old = stream_of(stream);
  if (state().streams.erase(old) == 0) {
    return kInvalidHandle;
  }
  const Result result = drain(old);
  delete old;
  return result;
}

API cuStreamSynchronize(void* stream) {
  ENTER_CONTEXT("cuStreamSynchronize")
  if (stream_of(stream)->capture != nullptr) {
    return refuse_capture("cuStreamSynchronize", stream_of(stream));
  }
  RETURN_FAILURE(enter_unsafe("cuStreamSynchronize"))
  return drain(stream_of(stream));
}

API cuStreamQuery(void* stream) {
  ENTER_CONTEXT("cuStreamQuery")
  if (stream_of(stream)->capture != nullptr) {
    return refuse_capture("cuStreamQuery", stream_of(stream));
  }
  RETURN_FAILURE(enter_unsafe("cuStreamQuery"))
  return stream_of(stream)->queue.empty() ? kSuccess : kNotReady;
}

API cuStreamWaitEvent(void* stream, void* event, unsigned) {
  ENTER_CONTEXT("cuStreamWaitEvent")
  Stream* waiting = stream_of(stream);
  const Event* on = static_cast<Event*>(event);
  if (on->captured) {
    return waiting == on->stream
               ? kSuccess
               : broken(kNotSupported, "cuStreamWaitEvent: forks of a capture are not emulated");
  }
  if (waiting->capture != nullptr) {
    waiting->capture->valid = false;
    return broken(kCaptureIsolation,
                  "cuStreamWaitEvent: a captured stream would wait for work that is not captured");
  }
  Stream* other = on->stream;
  return submit("cuStreamWaitEvent", stream, [=] {
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
  recorded->captured = recorded->stream->capture != nullptr;
  return submit("cuEventRecord", stream, [recorded] {
    recorded->time = now();
    return kSuccess;
  });
}

namespace {

Result captured_event(const char* call, Event& event) {
  if (event.stream->capture != nullptr) {
    event.stream->capture->valid = false;
  }
  return broken(kCapturedEvent,
                std::string(call) + ": the event was recorded in a captured stream");
}

}  // namespace

API cuEventSynchronize(void* event) {
  ENTER_CONTEXT("cuEventSynchronize")
  Event& awaited = *static_cast<Event*>(event);
  if (awaited.captured) {
    return captured_event("cuEventSynchronize", awaited);
  }
  RETURN_FAILURE(enter_unsafe("cuEventSynchronize"))
  return awaited.stream == nullptr ? kSuccess : drain(awaited.stream);
}

API cuEventQuery(void* event) {
  ENTER_CONTEXT("cuEventQuery")
  Event& asked = *static_cast<Event*>(event);
  if (asked.captured) {
    return captured_event("cuEventQuery", asked);
  }
  RETURN_FAILURE(enter_unsafe("cuEventQuery"))
  return asked.stream == nullptr || asked.stream->queue.empty() ? kSuccess : kNotReady;
}

API cuEventElapsedTime_v2(float* milliseconds, void* from, void* to) {
  ENTER_CONTEXT("cuEventElapsedTime")
  *milliseconds =
      static_cast<float>(static_cast<Event*>(to)->time - static_cast<Event*>(from)->time);
  return kSuccess;
}

API cuStreamBeginCapture_v2(void* stream, int mode) {
  ENTER_CONTEXT("cuStreamBeginCapture")
  Stream* captured = stream_of(stream);
  if (mode < 0 || mode > 2) {
    return kInvalidValue;
  }
  if (captured == legacy_stream()) {
    return broken(kCaptureUnsupported, "cuStreamBeginCapture: the legacy stream is never captured");
  }
  if (captured->capture != nullptr) {
    return refuse_capture("cuStreamBeginCapture", captured);
  }
  captured->capture = std::make_unique<Capture>();
  captured->capture->mode = static_cast<CaptureMode>(mode);
  captured->capture->thread = std::this_thread::get_id();
  return kSuccess;
}

API cuStreamEndCapture(void* stream, void** graph) {
  ENTER_CONTEXT("cuStreamEndCapture")
  Stream* captured = stream_of(stream);
  *graph = nullptr;
  if (captured->capture == nullptr) {
    return kCaptureUnmatched;
  }
  if (captured->capture->mode != CaptureMode::kRelaxed &&
      captured->capture->thread != std::this_thread::get_id()) {
    return broken(kCaptureWrongThread,
                  "cuStreamEndCapture: another thread began this capture, which is not relaxed");
  }
  const std::unique_ptr<Capture> ended = std::move(captured->capture);
  if (!ended->valid) {
    return kCaptureInvalidated;
  }
  *graph = new Graph(std::move(ended->graph));
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
    const Result result = submit("cuGraphLaunch", stream, operation);
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
