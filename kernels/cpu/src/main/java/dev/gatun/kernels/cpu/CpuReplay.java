package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuRecording;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Calls of a piece of work, recorded, with all the memory that they use: blocks that were allocated
 * while recording stay where they are until the recording is closed, and a block that was given
 * back meanwhile serves a later allocation of the same recording. Checks of indices and offsets are
 * recorded with the calls that need them, so that a replay throws what a call would.
 */
final class CpuReplay implements Replay {
  private static final ThreadLocal<CpuReplay> MINE = new ThreadLocal<>();

  private final CpuMemory memory;
  private final CpuRecording recording = new CpuRecording();
  private final Map<Long, Deque<MemorySegment>> spare = new HashMap<>();
  private final Set<Buffer> own = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Buffer> held = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  private CpuReplay(CpuMemory memory) {
    this.memory = memory;
  }

  /** Records the calls that this thread makes in a piece of work; none of them is done. */
  static CpuReplay of(CpuMemory memory, Runnable work) {
    CpuReplay made = new CpuReplay(memory);
    MINE.set(made);
    try {
      made.recording.record(work);
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    } finally {
      MINE.remove();
      made.own.clear();
    }
  }

  /** What this thread records, null for nothing. */
  static CpuReplay mine() {
    return CpuRecording.isUnderWay() ? MINE.get() : null;
  }

  /** A block for the calls that follow. */
  synchronized Buffer allocate(long bytes) {
    long size = CpuMemory.sizeClass(bytes);
    Deque<MemorySegment> given = spare.get(size);
    MemorySegment block = given == null || given.isEmpty() ? memory.take(size, size) : given.pop();
    Buffer buffer =
        new HostBuffer(memory, block.asSlice(0, bytes), segment -> takeBack(block, size));
    own.add(buffer);
    return buffer;
  }

  private synchronized void takeBack(MemorySegment block, long size) {
    if (closed) {
      memory.giveBack(block, size);
    } else {
      spare.computeIfAbsent(size, s -> new ArrayDeque<>()).push(block);
    }
  }

  /** Keeps what a call uses alive until the recording is closed. */
  void hold(KernelCall call) {
    for (Operand operand : call.inputs()) {
      hold(operand.buffer());
    }
    for (Operand operand : call.outputs()) {
      hold(operand.buffer());
    }
  }

  private synchronized void hold(Buffer buffer) {
    if (!own.contains(buffer) && held.add(buffer)) {
      buffer.acquire();
    }
  }

  /** Records a copy of what host memory has now. */
  void write(MemorySegment source, Buffer target, long offset) {
    MemorySegment part = CpuMemory.segment(target).asSlice(offset, source.byteSize());
    if (source.byteSize() > 0) {
      hold(target);
      recording.write(source, part);
    }
  }

  /** Records the setting of a part of a buffer. */
  void fill(Buffer target, MemorySegment part, byte value) {
    if (part.byteSize() > 0) {
      hold(target);
      recording.fill(part, value);
    }
  }

  @Override
  public synchronized void run() {
    if (closed) {
      throw new IllegalStateException("replay: it is closed");
    }
    if (mine() != null) {
      throw new IllegalStateException("replay: this thread is recording");
    }
    recording.run();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    recording.close();
    spare.forEach((size, blocks) -> blocks.forEach(block -> memory.giveBack(block, size)));
    spare.clear();
    held.forEach(Buffer::release);
    held.clear();
  }
}
