package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaEvent;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.bindings.cuda.PinnedMemory;
import dev.gatun.kernels.api.call.reduction.Pool;
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
  // Many small ones, so that the host gets ahead of a device that is given small copies.
  private final Pool small;
  private final Pool large;
  private final CudaStream stream;

  Staging(CudaContext context, CudaStream stream) {
    this.stream = stream;
    this.small = new Pool(context, 64 << 10, 64);
    this.large = new Pool(context, 4 << 20, 8);
  }

  private Pool pool(long bytes) {
    return bytes <= small.bytes ? small : large;
  }

  /** Copies to the device, ahead of all that is submitted later; the source is free on return. */
  void write(MemorySegment source, long address) {
    Pool pool = pool(source.byteSize());
    for (long done = 0; done < source.byteSize(); done += pool.bytes) {
      long part = Math.min(pool.bytes, source.byteSize() - done);
      Stage stage = pool.take();
      try {
        stage.await();
        MemorySegment.copy(source, done, stage.memory.segment(), 0, part);
        stream.copyToDevice(stage.memory.segment().asSlice(0, part), address + done);
        stage.done.record(stream);
      } finally {
        pool.spare.add(stage);
      }
    }
  }

  /** Copies from the device, and waits for the copy. */
  void read(long address, MemorySegment target) {
    Pool pool = pool(target.byteSize());
    Deque<Stage> underWay = new ArrayDeque<>();
    try {
      long asked = 0;
      for (long copied = 0; copied < target.byteSize(); ) {
        // A thread that has a buffer waits for no other.
        Stage stage =
            asked == target.byteSize() || underWay.size() == 2
                ? null
                : underWay.isEmpty() ? pool.take() : pool.tryTake();
        if (stage != null) {
          underWay.add(stage);
          long part = Math.min(pool.bytes, target.byteSize() - asked);
          stage.await();
          stream.copyToHost(address + asked, stage.memory.segment().asSlice(0, part));
          stage.done.record(stream);
          asked += part;
          continue;
        }
        Stage first = underWay.peek();
        first.done.synchronize();
        long part = Math.min(pool.bytes, target.byteSize() - copied);
        MemorySegment.copy(first.memory.segment(), 0, target, copied, part);
        copied += part;
        pool.spare.add(underWay.poll());
      }
    } finally {
      pool.spare.addAll(underWay);
    }
  }

  /** A pinned buffer, and the mark behind its last copy. */
  private record Stage(PinnedMemory memory, CudaEvent done) {
    /** Waits for the last copy, if that is under way still. */
    void await() {
      if (!done.isReached()) {
        done.synchronize();
      }
    }
  }

  /** Buffers of one size, made when all that are there are in use, up to a number. */
  private static final class Pool {
    private final CudaContext context;
    private final long bytes;
    private final int most;
    private final LinkedBlockingQueue<Stage> spare = new LinkedBlockingQueue<>();
    private final AtomicInteger made = new AtomicInteger();

    Pool(CudaContext context, long bytes, int most) {
      this.context = context;
      this.bytes = bytes;
      this.most = most;
    }

    /** One that no other thread has; its last copy may be under way. */
    Stage take() {
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

    /** The same, or null where all are other threads'. */
    Stage tryTake() {
      Stage stage = spare.poll();
      try {
        if (stage != null && stage.done.isReached() || !reserve()) {
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

    /** Whether one more may be made, which is then counted. */
    private boolean reserve() {
      return made.getAndUpdate(n -> Math.min(most, n + 1)) < most;
    }

    private Stage fresh() {
      try {
        CudaEvent done = new CudaEvent(context);
        return new Stage(new PinnedMemory(context, bytes), done);
      } catch (RuntimeException | Error e) {
        made.decrementAndGet();
        throw e;
      }
    }
  }
}
