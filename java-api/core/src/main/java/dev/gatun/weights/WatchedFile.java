package dev.gatun.weights;

import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A file of which somebody is told what is read. */
final class WatchedFile implements TensorFile {
  private final TensorFile file;
  private final LoadListener listener;
  private final Set<String> read = new HashSet<>();
  private final long all;
  private long bytes;

  WatchedFile(TensorFile file, LoadListener listener) {
    this.file = file;
    this.listener = listener;
    this.all = file.names().stream().mapToLong(name -> file.info(name).bytes()).sum();
  }

  @Override
  public Set<String> names() {
    return file.names();
  }

  @Override
  public Entry get(String name) {
    Entry entry = file.get(name);
    tell(name);
    return entry;
  }

  private void tell(String name) {
    if (read.add(name)) {
      bytes += file.info(name).bytes();
      listener.loading(bytes, all);
    }
  }

  @Override
  public Optional<StoredWeight> stored(String name) {
    Optional<StoredWeight> stored = file.stored(name);
    if (stored.isPresent()) {
      tell(name);
    }
    return stored;
  }

  @Override
  public Info info(String name) {
    return file.info(name);
  }

  @Override
  public Map<String, String> metadata() {
    return file.metadata();
  }

  @Override
  public String settings() {
    return file.settings();
  }

  @Override
  public String told(String name) {
    return file.told(name);
  }

  @Override
  public Optional<AutoCloseable> keepOpen() {
    return file.keepOpen();
  }

  @Override
  public void close() {
    file.close();
  }
}
