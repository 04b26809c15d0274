package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.bindings.cuda.CudaGraph;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.bindings.cuda.PinnedMemory;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Calls of a piece of work, recorded as a graph, with all the memory that they use: blocks that
 * were allocated while recording stay where they are until the recording is closed, and a block
 * that was given back meanwhile serves a later allocation of the same recording.
 */
final class Recording implements Replay {
  private final CudaContext context;
  private final CudaMemory memory;
  private final Streams streams;
  private final CudaStream stream;
  private final Map<Long, Long> bytes = new HashMap<>();
  private final Map<Long, Deque<Long>> spare = new HashMap<>();
  private final Set<Buffer> held = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<PinnedMemory> sources = new ArrayList<>();
  private long counters;
  private CudaGraph graph;
  private boolean closed;

  private Recording(CudaContext context, Streams streams, CudaMemory memory) {
    this.context = context;
    this.streams = streams;
    this.memory = memory;
    this.stream = new CudaStream(context);
  }

  /** Records the calls that this thread makes in a piece of work; none of them is done. */
  static Recording of(CudaContext context, Streams streams, CudaMemory memory, Runnable work) {
    Recording recording = new Recording(context, streams, memory);
    try (CudaStream stream = recording.stream) {
      stream.beginCapture();
      try {
        streams.record(recording, work);
      } catch (RuntimeException | Error e) {
        stream.abandonCapture();
        throw e;
      }
      recording.graph = stream.endCapture();
      return recording;
    } catch (RuntimeException | Error e) {
      recording.close();
      throw e;
    }
  }

  /** The stream that the calls are recorded from. */
  CudaStream stream() {
    return stream;
  }

  /** The address of memory for the calls that follow. */
  synchronized long allocate(long size) {
    Deque<Long> given = spare.get(size);
    if (given != null && !given.isEmpty()) {
      return given.pop();
    }
    long address = memory.allocateAddress(size);
    bytes.put(address, size);
    return address;
  }

  /** Counters at 0, for kernels that leave them so; no other memory of the recording. */
  synchronized long counters(long size) {
    if (counters == 0) {
      counters = memory.allocateAddress(size);
      bytes.put(counters, size);
      // Once, ahead of all replays, and not by each of them.
      streams.main().fill(counters, 0, size);
    }
    return counters;
  }

  /** Takes back a block that was allocated while recording. */
  synchronized void release(long address) {
    long size = bytes.get(address);
    if (closed) {
      bytes.remove(address);
      memory.giveBack(address, size);
    } else {
      spare.computeIfAbsent(size, s -> new ArrayDeque<>()).push(address);
    }
  }

  /** Keeps what a call uses alive until the recording is closed. */
  void hold(KernelCall call) {
    call.inputs().forEach(this::hold);
    call.outputs().forEach(this::hold);
  }

  private void hold(Operand operand) {
    hold(operand.buffer());
  }

  private synchronized void hold(Buffer buffer) {
    if (((DeviceBuffer) buffer).recording() != this && held.add(buffer)) {
      buffer.acquire();
    }
  }

  /** Records a copy of what host memory has now. */
  synchronized void write(MemorySegment source, Buffer target, long offset) {
    if (source.byteSize() == 0) {
      return;
    }
    hold(target);
    PinnedMemory copy = new PinnedMemory(context, source.byteSize());
    sources.add(copy);
    copy.segment().copyFrom(source);
    stream.copyToDevice(copy.segment(), CudaMemory.address(target) + offset);
  }

  @Override
  public synchronized void run() {
    if (closed) {
      throw new IllegalStateException("replay: it is closed");
    }
    if (streams.recording() != null) {
      throw new IllegalStateException("replay: this thread is recording");
    }
    graph.launch(streams.main());
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (graph != null) {
        // What was submitted may be reading the host's memory still.
        streams.main().synchronize();
        graph.close();
      }
      sources.forEach(PinnedMemory::close);
    } catch (CudaException e) {
      // The call that lost the device was told.
      if (!e.isDeviceLost()) {
        throw e;
      }
    } finally {
      giveBack();
    }
  }

  private void giveBack() {
    spare.forEach((size, addresses) -> addresses.forEach(this::forget));
    spare.clear();
    if (counters != 0) {
      forget(counters);
      counters = 0;
    }
    held.forEach(Buffer::release);
    held.clear();
  }

  private void forget(long address) {
    memory.giveBack(address, bytes.remove(address));
  }
}
