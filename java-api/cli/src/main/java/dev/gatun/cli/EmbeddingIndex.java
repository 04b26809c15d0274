package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The vectors of files, kept between runs. */
final class EmbeddingIndex {
  private final String fingerprint;
  private final Map<String, IndexedFile> files = new TreeMap<>();
  private boolean changed;

  /** An empty index of one model's vectors. */
  EmbeddingIndex(String fingerprint) {
    this.fingerprint = fingerprint;
  }

  /**
   * Reads an index, or begins one where the file does not exist, was made by another model or
   * version, or is damaged and {@code rebuild} allows to lose it. A file that never was an index is
   * an error always.
   */
  static EmbeddingIndex open(
      Path file, String fingerprint, boolean rebuild, Consumer<String> notices) {
    EmbeddingIndex index = new EmbeddingIndex(fingerprint);
    if (!Files.exists(file)) {
      Path parent = file.toAbsolutePath().getParent();
      if (!Files.isDirectory(parent)) {
        throw new CliException(file + ": the directory " + parent + " does not exist");
      }
      return index;
    }
    try {
      IndexFormat.Content content = IndexFormat.read(Files.readAllBytes(file));
      if (content.version() != IndexFormat.VERSION) {
        notices.accept(
            "%s: has version %d, this is %d: built anew"
                .formatted(file, content.version(), IndexFormat.VERSION));
      } else if (!content.fingerprint().equals(fingerprint)) {
        notices.accept(file + ": made with another model: built anew");
      } else {
        content.files().forEach(kept -> index.files.put(kept.path(), kept));
      }
    } catch (ForeignIndexException e) {
      throw new CliException(
          file + ": not a Gatun index, left as it is; give another name to --index", e);
    } catch (DamagedIndexException e) {
      if (!rebuild) {
        throw new CliException(
            file + ": damaged index: " + e.getMessage() + "; --rebuild-index makes it anew", e);
      }
      notices.accept(file + ": damaged index: built anew");
    } catch (IOException e) {
      throw new CliException(file + ": cannot be read: " + e.getMessage(), e);
    }
    return index;
  }

  /** What is kept of a file; null when it is not in the index. */
  IndexedFile get(Path file) {
    return files.get(key(file));
  }

  /** The files in the index, sorted. */
  List<Path> paths() {
    List<Path> paths = new ArrayList<>();
    files.keySet().forEach(key -> paths.add(Path.of(key)));
    return paths;
  }

  void put(IndexedFile file) {
    files.put(file.path(), file);
    changed = true;
  }

  /** Forgets a file. */
  void remove(Path file) {
    changed |= files.remove(key(file)) != null;
  }

  /** Forgets the files that no longer exist; returns how many. */
  int dropMissing() {
    int before = files.size();
    files.keySet().removeIf(path -> !Files.exists(Path.of(path)));
    changed |= files.size() < before;
    return before - files.size();
  }

  /** Writes the index in place of the old one when something has changed. */
  void save(Path file) {
    if (!changed && Files.exists(file)) {
      return;
    }
    try {
      AtomicFiles.replace(file, IndexFormat.write(fingerprint, files.values()));
    } catch (IOException e) {
      throw new CliException(file + ": cannot be written: " + e.getMessage(), e);
    }
    changed = false;
  }

  /** The name under which a file is kept. */
  static String key(Path file) {
    return file.toAbsolutePath().normalize().toString();
  }
}
