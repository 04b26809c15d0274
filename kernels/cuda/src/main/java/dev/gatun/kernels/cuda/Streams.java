package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaStream;

/** Where a thread's work goes: to the device's one stream, or to the recording that it makes. */
final class Streams {
  private final CudaStream main;
  private final ThreadLocal<Recording> recording = new ThreadLocal<>();

  Streams(CudaStream main) {
    this.main = main;
  }

  /** The stream that work is done on. */
  CudaStream main() {
    return main;
  }

  /** The stream that this thread submits kernels to. */
  CudaStream current() {
    Recording mine = recording.get();
    return mine == null ? main : mine.stream();
  }

  /** What this thread records, null for nothing. */
  Recording recording() {
    return recording.get();
  }

  /** Runs work whose calls this thread records. */
  void record(Recording into, Runnable work) {
    recording.set(into);
    try {
      work.run();
    } finally {
      recording.remove();
    }
  }
}
