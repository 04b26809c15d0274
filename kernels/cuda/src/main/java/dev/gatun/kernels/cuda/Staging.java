package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaEvent;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.bindings.cuda.PinnedMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Copies between host and device by way of a few pinned buffers, so that the device copies one
 * while the host fills or empties another. A buffer is used again once the stream is past its copy.
 */
final class Staging {
  private static final long BYTES = 4L << 20;
  private static final int MOST = 8;

  private final CudaContext context;
  private final CudaStream stream;
  private final LinkedBlockingQueue<Stage> spare = new LinkedBlockingQueue<>();
  private final AtomicInteger made = new AtomicInteger();

  private record Stage(PinnedMemory memory, CudaEvent done) {}

  Staging(CudaContext context, CudaStream stream) {
    this.context = context;
    this.stream = stream;
  }

  /** Copies to the device, ahead of all that is submitted later; the source is free on return. */
  void write(MemorySegment source, long address) {
    for (long done = 0; done < source.byteSize(); done += BYTES) {
      long part = Math.min(BYTES, source.byteSize() - done);
      Stage stage = take();
      try {
        stage.done.synchronize();
        MemorySegment.copy(source, done, stage.memory.segment(), 0, part);
        stream.copyToDevice(stage.memory.segment().asSlice(0, part), address + done);
        stage.done.record(stream);
      } finally {
        spare.add(stage);
      }
    }
  }

  /** Copies from the device, and waits for the copy. */
  void read(long address, MemorySegment target) {
    Deque<Stage> underWay = new ArrayDeque<>();
    try {
      long copied = 0;
      for (long asked = 0; copied < target.byteSize(); ) {
        // A thread that has a buffer waits for no other.
        Stage stage =
            asked == target.byteSize() || underWay.size() == 2
                ? null
                : underWay.isEmpty() ? take() : tryTake();
        if (stage != null) {
          underWay.add(stage);
          long part = Math.min(BYTES, target.byteSize() - asked);
          stage.done.synchronize();
          stream.copyToHost(address + asked, stage.memory.segment().asSlice(0, part));
          stage.done.record(stream);
          asked += part;
          continue;
        }
        Stage first = underWay.peek();
        first.done.synchronize();
        long part = Math.min(BYTES, target.byteSize() - copied);
        MemorySegment.copy(first.memory.segment(), 0, target, copied, part);
        copied += part;
        spare.add(underWay.poll());
      }
    } finally {
      spare.addAll(underWay);
    }
  }

  private Stage take() {
    Stage stage = tryTake();
    boolean interrupted = false;
    while (stage == null) {
      try {
        stage = spare.take();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return stage;
  }

  /** One that is there, a new one where that is still in use, or null. */
  private Stage tryTake() {
    Stage stage = spare.poll();
    try {
      if (stage != null && stage.done.isReached() || made.get() >= MOST) {
        return stage;
      }
      if (made.incrementAndGet() > MOST) {
        made.decrementAndGet();
        return stage;
      }
      Stage fresh = fresh();
      if (stage != null) {
        spare.add(stage);
      }
      return fresh;
    } catch (RuntimeException | Error e) {
      if (stage != null) {
        spare.add(stage);
      }
      throw e;
    }
  }

  private Stage fresh() {
    try {
      CudaEvent done = new CudaEvent(context);
      return new Stage(new PinnedMemory(context, BYTES), done);
    } catch (RuntimeException | Error e) {
      made.decrementAndGet();
      throw e;
    }
  }
}
