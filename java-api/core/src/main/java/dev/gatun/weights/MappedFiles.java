package dev.gatun.weights;

import dev.gatun.files.LfsPointer;
import dev.gatun.kernels.api.memory.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The mappings of one {@link TensorFile}, and the copies made for it, in one arena: for readers of
 * formats.
 */
public final class MappedFiles implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Map<String, MemorySegment> copies = new HashMap<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  // Of which this is one until it is closed.
  private final AtomicInteger keepers = new AtomicInteger(1);

  /** No mapping yet. */
  public MappedFiles() {}

  /**
   * The whole of {@code file}, read-only.
   *
   * @throws WeightsException if git-lfs has not fetched it
   */
  public MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() <= LfsPointer.MOST_BYTES && LfsPointer.is(Files.readAllBytes(file))) {
        throw new WeightsException(LfsPointer.told(file));
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  /** {@code slice}, or an aligned copy of it where its elements would straddle. */
  public MemorySegment aligned(String name, MemorySegment slice, DType dtype) {
    check(name);
    if (slice.isNative() && slice.address() % dtype.bytes() == 0) {
      return slice;
    }
    return copy(name, slice.byteSize(), target -> target.copyFrom(slice));
  }

  /** The bytes that {@code fill} wrote the first time that {@code name} was asked for. */
  public MemorySegment copy(String name, long bytes, Consumer<MemorySegment> fill) {
    check(name);
    synchronized (copies) {
      MemorySegment made = copies.get(name);
      if (made == null) {
        MemorySegment target = arena.allocate(bytes, 64);
        fill.accept(target);
        made = target.asReadOnly();
        copies.put(name, made);
      }
      return made;
    }
  }

  private void check(String name) {
    if (closed.get()) {
      throw new IllegalStateException("the weights file is closed; tensor " + name + " is gone");
    }
  }

  /** Whether {@code name} can only mean a file beside the one that names it. */
  public static boolean isPlainName(String name) {
    return !name.isEmpty()
        && !name.equals(".")
        && !name.equals("..")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c == 0);
  }

  /** Work that reads files. */
  public interface IoSupplier<T> {
    /** Does the work. */
    T get() throws IOException;
  }

  /** The result of {@code work}, with the mappings given back if it fails. */
  public static <T> T orClose(MappedFiles files, IoSupplier<T> work) throws IOException {
    boolean done = false;
    try {
      T result = work.get();
      done = true;
      return result;
    } finally {
      if (!done) {
        files.close();
      }
    }
  }

  /** Keeps the mappings and the copies after {@link #close}, until what is returned is closed. */
  public AutoCloseable keep() {
    keepers.incrementAndGet();
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false)) {
        release();
      }
    };
  }

  /** Unmaps the files and frees the copies, where nobody keeps them. */
  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      release();
    }
  }

  private void release() {
    if (keepers.decrementAndGet() == 0) {
      arena.close();
    }
  }
}
