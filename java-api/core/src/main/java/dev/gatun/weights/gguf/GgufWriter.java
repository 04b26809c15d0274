package dev.gatun.weights.gguf;

import dev.gatun.weights.WeightsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Writes GGUF files of version 3; see ggml's docs/gguf.md. The same model gives the same bytes. The
 * file is under another name until it is whole, and tensors are made some rows at a time.
 */
public final class GgufWriter {
  private static final int VERSION = 3;
  private static final int MOST_NAME = 63;
  private static final int MOST_AXES = 4;

  /** Bytes given to the file at once; a channel takes a buffer, which ends before 2 GiB. */
  private static final long MOST = 1L << 30;

  private final Path path;
  private final GgufKeys keys;
  private final List<GgufTensor> tensors;
  private final List<GgufType> types = new ArrayList<>();
  private final Function<GgufTensor, float[]> importance;
  private final long alignment;

  /** Is told how many bytes are written, of how many. */
  public interface Progress {
    /** Some more are. */
    void at(long written, long of);
  }

  private GgufWriter(
      Path path,
      GgufKeys keys,
      List<GgufTensor> tensors,
      Function<GgufTensor, String> types,
      Function<GgufTensor, float[]> importance) {
    this.path = path;
    this.keys = keys;
    this.tensors = tensors;
    this.importance = importance;
    this.alignment = GgufHeader.alignment(path.toString(), keys.values());
    Set<String> names = new HashSet<>();
    for (GgufTensor tensor : tensors) {
      GgufType type = GgufType.of(types.apply(tensor));
      check(tensor, type, names);
      this.types.add(type);
    }
  }

  private void check(GgufTensor tensor, GgufType type, Set<String> names) {
    int length = tensor.name().getBytes(StandardCharsets.UTF_8).length;
    if (length == 0 || length > MOST_NAME) {
      throw wrong(tensor, "has a name of %d bytes, expected 1 to %d".formatted(length, MOST_NAME));
    }
    if (!names.add(tensor.name())) {
      throw wrong(tensor, "is there twice");
    }
    if (tensor.shape().length > MOST_AXES) {
      throw wrong(
          tensor, "has %d axes, expected at most %d".formatted(tensor.shape().length, MOST_AXES));
    }
    if (!tensor.fits(type.name())) {
      throw wrong(
          tensor,
          "has rows of %d, expected a multiple of %d as %s"
              .formatted(tensor.columns(), type.block(), type.name()));
    }
    boolean same = tensor.rows().stored() != null && tensor.type().equals(type.name());
    if (!same && type.dtype() == null && type.format() == null) {
      throw wrong(tensor, "cannot become %s, which is read but not made".formatted(type.name()));
    }
  }

  private WeightsException wrong(GgufTensor tensor, String message) {
    return new WeightsException("%s: tensor '%s' %s".formatted(path, tensor.name(), message));
  }

  /**
   * Writes a file, in place of one that is there.
   *
   * @param keys with general.alignment where tensors are not at multiples of 32
   * @param types each tensor's, by GGUF's names
   * @param importance of each column of a tensor; null where all are alike
   * @return the file's bytes
   * @throws WeightsException for a tensor that its type cannot hold, naming it
   * @throws IOException when the file cannot be written: then it is as it was before
   */
  public static long write(
      Path path,
      GgufKeys keys,
      List<GgufTensor> tensors,
      Function<GgufTensor, String> types,
      Function<GgufTensor, float[]> importance,
      Progress progress)
      throws IOException {
    return new GgufWriter(path, keys, tensors, types, importance).write(progress);
  }

  private long write(Progress progress) throws IOException {
    byte[] head = header();
    long size = head.length;
    for (int i = 0; i < tensors.size(); i++) {
      size += padded(tensors.get(i).bytes(types.get(i).name()));
    }
    Path target = path.toAbsolutePath();
    requireRoom(target, size);
    Path part =
        target.resolveSibling(
            "%s.%d.part".formatted(target.getFileName(), ProcessHandle.current().pid()));
    try {
      try (FileChannel file =
          FileChannel.open(part, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        fill(file, head, size, progress);
      } catch (IOException e) {
        throw new IOException(
            "%s: writing its %d bytes failed: %s; nothing is left of it"
                .formatted(path, size, e.getMessage()),
            e);
      }
      move(part, target);
    } finally {
      Files.deleteIfExists(part);
    }
    return size;
  }

  private void requireRoom(Path target, long size) throws IOException {
    Path folder = target.getParent();
    if (!Files.isDirectory(folder)) {
      throw new IOException("%s: there is no directory %s".formatted(path, folder));
    }
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < size) {
      throw new IOException(
          "%s: takes %d bytes but its disk has %d free".formatted(path, size, free));
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException _) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private byte[] header() {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    head.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(head, Integer.BYTES, VERSION);
    put(head, Long.BYTES, tensors.size());
    put(head, Long.BYTES, keys.values().size());
    for (Map.Entry<String, GgufValue> key : keys.values().entrySet()) {
      put(head, key.getKey());
      put(head, Integer.BYTES, GgufKeys.type(key.getValue()).ordinal());
      head.writeBytes(GgufKeys.encoded(key.getValue()));
    }
    long offset = 0;
    for (int i = 0; i < tensors.size(); i++) {
      GgufTensor tensor = tensors.get(i);
      put(head, tensor.name());
      put(head, Integer.BYTES, tensor.shape().length);
      for (int axis = tensor.shape().length - 1; axis >= 0; axis--) {
        put(head, Long.BYTES, tensor.shape()[axis]);
      }
      put(head, Integer.BYTES, types.get(i).id());
      put(head, Long.BYTES, offset);
      offset += padded(tensor.bytes(types.get(i).name()));
    }
    head.writeBytes(new byte[(int) (padded(head.size()) - head.size())]);
    return head.toByteArray();
  }

  private static void put(ByteArrayOutputStream to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    put(to, Long.BYTES, bytes.length);
    to.writeBytes(bytes);
  }

  private static void put(ByteArrayOutputStream to, int bytes, long number) {
    byte[] all =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
    to.write(all, 0, bytes);
  }

  private long padded(long bytes) {
    return Math.ceilDiv(bytes, alignment) * alignment;
  }

  private void fill(FileChannel file, byte[] head, long size, Progress progress)
      throws IOException {
    GgufEncoder encoder = new GgufEncoder();
    put(file, MemorySegment.ofArray(head), size, progress);
    for (int i = 0; i < tensors.size(); i++) {
      long begin = file.position();
      encoder.encode(
          tensors.get(i),
          types.get(i),
          importance.apply(tensors.get(i)),
          bytes -> put(file, bytes, size, progress));
      long bytes = file.position() - begin;
      MemorySegment rest = MemorySegment.ofArray(new byte[(int) (padded(bytes) - bytes)]);
      put(file, rest, size, progress);
    }
  }

  private static void put(FileChannel file, MemorySegment bytes, long size, Progress progress)
      throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += MOST) {
      ByteBuffer part = bytes.asSlice(at, Math.min(MOST, bytes.byteSize() - at)).asByteBuffer();
      while (part.hasRemaining()) {
        file.write(part);
      }
    }
    progress.at(file.position(), size);
  }
}
