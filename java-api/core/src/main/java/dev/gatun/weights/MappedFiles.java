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
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
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
  private final Queue<MemorySegment> mappings = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  // Of which this is one until it is closed.
  private final AtomicInteger keepers = new AtomicInteger(1);

  /** No mapping yet. */
  public MappedFiles() {}

  /**
   * {@return the whole of a file, read-only and off-heap, mapped until {@link #close}}
   *
   * @param file to be neither changed nor cut while it is mapped
   * @throws IOException if it cannot be read
   * @throws WeightsException if git-lfs has not fetched it
   */
  public MemorySegment map(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    boolean noted = false;
    try {
      if (channel.size() <= LfsPointer.MOST_BYTES && LfsPointer.is(Files.readAllBytes(file))) {
        throw new WeightsException(LfsPointer.told(file));
      }
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      if (memory.byteSize() > 0) {
        OpenFiles.add(memory, channel, file);
        mappings.add(memory);
        noted = true;
      }
      return memory;
    } finally {
      if (!noted) {
        channel.close();
      }
    }
  }

  /**
   * {@return a tensor's bytes themselves, or an aligned copy of them off-heap where they are not so
   * already} The copy is made once, and lives as long as the mappings.
   *
   * @param name of the tensor
   * @param slice its bytes in the file
   * @param dtype of its elements, to whose size they are aligned
   * @throws IllegalStateException when the files are closed
   */
  public MemorySegment aligned(String name, MemorySegment slice, DType dtype) {
    check(name);
    if (slice.isNative() && slice.address() % dtype.bytes() == 0) {
      return slice;
    }
    return copy(name, slice.byteSize(), target -> target.copyFrom(slice));
  }

  /**
   * {@return the bytes, read-only, that were written the first time that a name was asked for} They
   * live as long as the mappings.
   *
   * @param name of the tensor
   * @param bytes how many there are
   * @param fill writes them, off-heap and aligned to 64 bytes; called the first time alone
   * @throws IllegalStateException when the files are closed
   */
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

  /**
   * {@return whether a name can only mean a file beside the one that names it}
   *
   * @param name of a file, as a file from elsewhere says it
   */
  public static boolean isPlainName(String name) {
    return !name.isEmpty()
        && !name.equals(".")
        && !name.equals("..")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c == 0);
  }

  /**
   * Work that reads files.
   *
   * @param <T> its result
   */
  public interface IoSupplier<T> {
    /**
     * {@return what the work gives}
     *
     * @throws IOException if a file cannot be read
     */
    T get() throws IOException;
  }

  /**
   * {@return the result of work, with the mappings given back if it fails}
   *
   * @param <T> the result
   * @param files closed if the work fails, whatever it throws
   * @param work that reads them
   * @throws IOException if the work does
   */
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

  /**
   * Keeps the mappings and the copies after {@link #close}.
   *
   * @return gives them up; they are there until it is closed
   */
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
      mappings.forEach(OpenFiles::remove);
      arena.close();
    }
  }
}
