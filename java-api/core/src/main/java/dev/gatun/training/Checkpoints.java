package dev.gatun.training;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The folders {@code checkpoint-N} of a run. One is written beside its place under another name,
 * forced to the disk and then renamed, so that it is there whole or not at all; a list in it of its
 * files, their lengths and their CRC-32C tells one that was damaged later.
 */
final class Checkpoints {
  static final String OPTIMIZER = "optimizer.safetensors";
  static final String TRAINER_STATE = "trainer_state.json";
  static final String RUN = "gatun_state.json";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})");
  private static final String PART = ".part";
  private static final String FILES = "files";

  private final Path directory;

  Checkpoints(Path directory) {
    this.directory = directory;
  }

  /** What fills a folder. */
  interface Filling {
    void fill(Path folder) throws IOException;
  }

  /**
   * Writes a checkpoint, in place of one of the same number.
   *
   * @param run what else {@code gatun_state.json} is to say, beside its list of files
   * @throws CheckpointException when it cannot be written; others are as they were, and no part of
   *     it is left
   */
  Path write(long step, Map<String, Object> run, Filling filling) {
    Path target = directory.resolve("checkpoint-" + step);
    Path part = directory.resolve(target.getFileName() + PART);
    try {
      Files.createDirectories(directory);
      delete(part);
      Files.createDirectory(part);
      filling.fill(part);
      Map<String, Object> listed = new LinkedHashMap<>(run);
      listed.put(FILES, list(part));
      writeJson(part.resolve(RUN), listed);
      for (Path file : filesOf(part)) {
        force(file);
      }
      force(part);
      Path before = directory.resolve(target.getFileName() + ".old" + PART);
      if (Files.exists(target)) {
        delete(before);
        Files.move(target, before, StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      force(directory);
      delete(before);
      return target;
    } catch (IOException e) {
      try {
        delete(part);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw new CheckpointException(
          "%s: the checkpoint cannot be written: %s; %s"
              .formatted(
                  target,
                  e.getMessage(),
                  latest(message -> {})
                      .map(last -> "the last one is whole: " + last)
                      .orElse("there is none before it")),
          e);
    }
  }

  /**
   * Deletes the oldest but for so many, and but for one. Those with higher numbers than the one
   * that was written last are of an earlier run, and older than all others.
   *
   * @param limit how many there may be, 0 for any number
   * @param newest the number of the one that was written last, which is kept in any case
   * @param best the name of one more that is kept; or null
   */
  void keep(int limit, long newest, String best) throws IOException {
    List<Path> all = all();
    int over = all.size() - limit;
    List<Path> oldest =
        all.stream()
            .sorted(Comparator.comparing(each -> step(each).getAsLong() <= newest))
            .filter(each -> step(each).getAsLong() != newest)
            .toList();
    for (Path each : oldest) {
      if (limit > 0 && over > 0 && !each.getFileName().toString().equals(best)) {
        // Under another name first, so that half of one is never found.
        Path gone = directory.resolve(each.getFileName() + ".old" + PART);
        Files.move(each, gone, StandardCopyOption.ATOMIC_MOVE);
        delete(gone);
        over--;
      }
    }
  }

  /** All that there are, the oldest first. */
  private List<Path> all() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> step(entry).isPresent() && Files.isDirectory(entry))
          .sorted(Comparator.comparingLong(entry -> step(entry).getAsLong()))
          .toList();
    }
  }

  private static OptionalLong step(Path entry) {
    Matcher name = NAME.matcher(entry.getFileName().toString());
    return name.matches() ? OptionalLong.of(Long.parseLong(name.group(1))) : OptionalLong.empty();
  }

  /**
   * The newest one that is whole.
   *
   * @param warnings is told of newer ones that are not
   */
  Optional<Path> latest(Consumer<String> warnings) {
    try {
      for (Path each : all().reversed()) {
        try {
          readRun(each);
          return Optional.of(each);
        } catch (CheckpointException e) {
          warnings.accept(e.getMessage() + "; the checkpoint before it is taken");
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new CheckpointException(directory + ": " + e.getMessage(), e);
    }
  }

  /**
   * What a checkpoint's {@code gatun_state.json} says; its files are found to be as it lists them.
   *
   * @throws CheckpointException when something is missing or damaged
   */
  static Map<String, Object> readRun(Path checkpoint) {
    Map<String, Object> run = readJson(checkpoint.resolve(RUN));
    if (!(run.get(FILES) instanceof Map<?, ?> files)) {
      throw new CheckpointException(
          checkpoint.resolve(RUN) + ": no list of files, expected that of a checkpoint");
    }
    for (Map.Entry<?, ?> entry : files.entrySet()) {
      Path file = checkpoint.resolve((String) entry.getKey());
      String found;
      try {
        found = Files.exists(file) ? told(file) : "missing";
      } catch (IOException e) {
        throw new CheckpointException(file + ": " + e.getMessage(), e);
      }
      if (!found.equals(entry.getValue())) {
        throw new CheckpointException(
            "%s: is %s, expected %s: the checkpoint is damaged"
                .formatted(file, found, entry.getValue()));
      }
    }
    return run;
  }

  static Map<String, Object> readJson(Path file) {
    try {
      return JSON.readValue(Files.readAllBytes(file), OBJECT);
    } catch (IOException e) {
      throw new CheckpointException(
          "%s: cannot be read, expected that of a checkpoint: %s".formatted(file, e.getMessage()),
          e);
    }
  }

  static void writeJson(Path file, Map<String, Object> json) throws IOException {
    Files.write(file, JSON.writeValueAsBytes(json), StandardOpenOption.CREATE_NEW);
  }

  private static Map<String, Object> list(Path folder) throws IOException {
    Map<String, Object> files = new LinkedHashMap<>();
    for (Path file : filesOf(folder)) {
      files.put(folder.relativize(file).toString(), told(file));
    }
    return files;
  }

  private static List<Path> filesOf(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      return new ArrayList<>(entries.filter(Files::isRegularFile).sorted().toList());
    }
  }

  /** A file's length and checksum. */
  private static String told(Path file) throws IOException {
    CRC32C sum = new CRC32C();
    byte[] part = new byte[1 << 16];
    long bytes = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(part); read >= 0; read = in.read(part)) {
        sum.update(part, 0, read);
        bytes += read;
      }
    }
    return "%d bytes, crc32c %08x".formatted(bytes, sum.getValue());
  }

  /** Waits until what was written is on the disk. */
  private static void force(Path path) throws IOException {
    boolean folder = Files.isDirectory(path);
    try (FileChannel channel =
        FileChannel.open(path, folder ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
      channel.force(true);
    } catch (IOException e) {
      // Folders cannot be opened everywhere.
      if (!folder) {
        throw e;
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
