package dev.gatun.cli;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The vectors of files, kept between runs. What is added is in the file at once, so that a run that
 * was interrupted goes on; of the vectors none is in memory but those that are asked for.
 */
final class EmbeddingIndex implements AutoCloseable {
  /** Below that much, what counts no longer may stay. */
  private static final long FEW_BYTES = 1 << 20;

  /** What is kept of a file. */
  static final class Kept {
    private IndexedFile file;
    private final List<Long> offsets = new ArrayList<>();
    private int passages;
    private long bytes;
    private boolean complete;

    private Kept(IndexedFile file) {
      this.file = file;
    }

    IndexedFile file() {
      return file;
    }

    /** How many passages are kept. */
    int passages() {
      return passages;
    }

    /** Whether these are all. */
    boolean complete() {
      return complete;
    }
  }

  private final Path path;
  private final String fingerprint;
  private final Map<String, Kept> files = new TreeMap<>();
  private FileChannel channel;
  private Object identity;
  private long scanned;
  private long end;
  private boolean anew = true;
  private boolean locked;
  private Kept last;

  private EmbeddingIndex(Path path, String fingerprint) {
    this.path = path;
    this.fingerprint = fingerprint;
  }

  /**
   * Reads an index, or begins one where the file does not exist, was made by another model or
   * version, or is damaged and {@code rebuild} allows to lose it. A file that never was an index is
   * an error always.
   */
  static EmbeddingIndex open(
      Path file, String fingerprint, boolean rebuild, Consumer<String> notices) {
    EmbeddingIndex index = new EmbeddingIndex(file, fingerprint);
    if (!Files.exists(file)) {
      Path parent = file.toAbsolutePath().getParent();
      if (!Files.isDirectory(parent)) {
        throw new CliException(file + ": the directory " + parent + " does not exist");
      }
      return index;
    }
    try {
      index.openChannel();
      index.scan(notices);
    } catch (ForeignIndexException e) {
      index.close();
      throw new CliException(
          file + ": not a Gatun index, left as it is; give another name to --index", e);
    } catch (DamagedIndexException e) {
      if (!rebuild) {
        index.close();
        throw new CliException(
            file + ": damaged index: " + e.getMessage() + "; --rebuild-index makes it anew", e);
      }
      index.files.clear();
      index.anew = true;
      notices.accept(file + ": damaged index: built anew");
    } catch (IOException e) {
      index.close();
      throw new CliException(file + ": cannot be read: " + e.getMessage(), e);
    }
    return index;
  }

  private void openChannel() throws IOException {
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (AccessDeniedException e) {
      channel = FileChannel.open(path, StandardOpenOption.READ);
    }
    identity = identity();
    scanned = channel.size();
  }

  private Object identity() throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  private void scan(Consumer<String> notices) throws IOException {
    if (scanned == 0) {
      return;
    }
    int version = IndexFormat.version(channel);
    if (version != IndexFormat.VERSION) {
      notices.accept(
          "%s: has version %d, this is %d: built anew"
              .formatted(path, version, IndexFormat.VERSION));
      return;
    }
    end = IndexFormat.start();
    IndexFormat.Entry entry = IndexFormat.entry(channel, end);
    if (entry == null) {
      return;
    }
    if (entry.kind() != IndexFormat.Kind.MODEL) {
      throw new DamagedIndexException("names no model");
    }
    if (!IndexFormat.readText(entry.read()).equals(fingerprint)) {
      notices.accept(path + ": made with another model: built anew");
      return;
    }
    anew = false;
    for (; entry != null; entry = IndexFormat.entry(channel, end)) {
      note(entry, end);
      end += entry.length();
    }
  }

  /** Takes in what a record at an offset says. */
  private void note(IndexFormat.Entry entry, long offset) throws IOException {
    DataInputStream in = entry.read();
    switch (entry.kind()) {
      case MODEL -> {}
      case FILE -> {
        String name = IndexFormat.readText(in);
        last =
            new Kept(new IndexedFile(name, in.readLong(), in.readLong(), IndexFormat.readText(in)));
        last.bytes = entry.length();
        files.put(name, last);
      }
      case PASSAGES -> {
        Kept kept = known(last);
        kept.offsets.add(offset);
        kept.passages += in.readInt();
        kept.bytes += entry.length();
      }
      case END -> {
        known(last).complete = true;
        last.bytes += entry.length();
      }
      case GO_ON -> last = known(files.get(IndexFormat.readText(in)));
      case STAMP -> {
        Kept kept = known(files.get(IndexFormat.readText(in)));
        kept.file = kept.file.withModified(in.readLong());
      }
      case FORGET -> files.remove(IndexFormat.readText(in));
    }
  }

  private static Kept known(Kept kept) throws DamagedIndexException {
    if (kept == null) {
      throw new DamagedIndexException("speaks of a file that it does not have");
    }
    return kept;
  }

  /** What is kept of a file; null when it is not in the index. */
  Kept get(Path file) {
    return files.get(key(file));
  }

  /** The files in the index, sorted. */
  List<Path> paths() {
    List<Path> paths = new ArrayList<>();
    files.keySet().forEach(key -> paths.add(Path.of(key)));
    return paths;
  }

  /** Gives each passage that is kept of a file, in order. */
  void passages(Kept kept, Consumer<EmbeddedPassage> out) {
    for (long offset : kept.offsets) {
      try {
        IndexFormat.Entry entry = IndexFormat.entry(channel, offset);
        if (entry == null) {
          throw new DamagedIndexException("cut off while it was read");
        }
        IndexFormat.readPassages(entry.read()).forEach(out);
      } catch (IOException e) {
        throw new CliException(path + ": cannot be read: " + e.getMessage(), e);
      }
    }
  }

  /** Begins a file, whose passages are added next; what was kept of it is forgotten. */
  void begin(IndexedFile file) {
    append(
        IndexFormat.Kind.FILE,
        out -> {
          IndexFormat.writeText(out, file.path());
          out.writeLong(file.size());
          out.writeLong(file.modified());
          IndexFormat.writeText(out, file.digest());
        });
  }

  /** Goes on with a file that is not complete. */
  void goOn(IndexedFile file) {
    if (last == null || last != files.get(file.path())) {
      append(IndexFormat.Kind.GO_ON, out -> IndexFormat.writeText(out, file.path()));
    }
  }

  /** Adds the next passages of the file that was begun or gone on with. */
  void add(List<EmbeddedPassage> passages) {
    append(IndexFormat.Kind.PASSAGES, out -> IndexFormat.writePassages(out, passages));
  }

  /** The file that was begun or gone on with has no more passages. */
  void complete() {
    append(IndexFormat.Kind.END, _ -> {});
  }

  /** Sets a file's time of modification. */
  void stamp(IndexedFile file, long modified) {
    append(
        IndexFormat.Kind.STAMP,
        out -> {
          IndexFormat.writeText(out, file.path());
          out.writeLong(modified);
        });
  }

  /** Forgets a file. */
  void remove(Path file) {
    if (files.containsKey(key(file))) {
      append(IndexFormat.Kind.FORGET, out -> IndexFormat.writeText(out, key(file)));
    }
  }

  /** Forgets the files that no longer exist. */
  void dropMissing() {
    paths().stream().filter(file -> !Files.exists(file)).forEach(this::remove);
  }

  private void append(IndexFormat.Kind kind, IndexFormat.Content content) {
    try {
      append(IndexFormat.Entry.of(kind, content));
    } catch (IOException e) {
      throw new CliException(path + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private void append(IndexFormat.Entry entry) throws IOException {
    prepare();
    writeAt(end, entry.bytes());
    note(entry, end);
    end += entry.length();
  }

  /** Makes the file ready for the first record of this run. */
  private void prepare() throws IOException {
    if (locked) {
      return;
    }
    if (channel == null) {
      channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      identity = identity();
    }
    lock();
    locked = true;
    if (anew) {
      channel.truncate(0);
      writeAt(0, IndexFormat.head());
      end = IndexFormat.start();
      anew = false;
      append(
          IndexFormat.Entry.of(
              IndexFormat.Kind.MODEL, out -> IndexFormat.writeText(out, fingerprint)));
    } else {
      // What an interrupted run left unfinished.
      channel.truncate(end);
    }
  }

  private void lock() throws IOException {
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // As if another process had it.
    }
    if (lock == null || channel.size() != scanned || !Objects.equals(identity(), identity)) {
      throw new IOException(
          "another gatun writes it; run this again once that is done, or give another name to"
              + " --index");
    }
  }

  private void writeAt(long offset, byte[] bytes) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    while (left.hasRemaining()) {
      channel.write(left, offset + left.position());
    }
  }

  /** Writes the file anew where more than half of it counts no longer. */
  void compact() {
    if (!locked) {
      return;
    }
    long live = files.values().stream().mapToLong(kept -> kept.bytes).sum();
    if (end - live < Math.max(live, FEW_BYTES)) {
      return;
    }
    try {
      AtomicFiles.replace(path, this::writeLive);
    } catch (IOException e) {
      throw new CliException(path + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private void writeLive(Path part) throws IOException {
    try (EmbeddingIndex copy = new EmbeddingIndex(part, fingerprint)) {
      copy.openChannel();
      for (Kept kept : files.values()) {
        copy.begin(kept.file);
        for (long offset : kept.offsets) {
          copy.append(IndexFormat.entry(channel, offset));
        }
        if (kept.complete) {
          copy.complete();
        }
      }
    }
  }

  @Override
  public void close() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The name under which a file is kept. */
  static String key(Path file) {
    return file.toAbsolutePath().normalize().toString();
  }
}
