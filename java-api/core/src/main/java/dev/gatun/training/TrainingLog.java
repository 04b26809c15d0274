package dev.gatun.training;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A run's log as files: {@code log.jsonl}, a line an entry, and {@code loss.svg}, a plot of it.
 * Nothing in it depends on time, so that a run that was interrupted leaves the same.
 */
final class TrainingLog {
  private static final JsonMapper JSON = new JsonMapper();
  private static final long PLOT_EVERY = Duration.ofSeconds(5).toNanos();

  private final Path directory;
  private final Consumer<String> warnings;
  private boolean failed;
  private long plotted = System.nanoTime() - PLOT_EVERY;

  /**
   * A log in a directory; null for none.
   *
   * @param warnings is told once that files cannot be written; the run goes on
   */
  TrainingLog(Path directory, Consumer<String> warnings) {
    this.directory = directory;
    this.warnings = warnings;
  }

  /** Begins with these entries, whatever the file had. */
  void begin(List<Map<String, Object>> history) {
    if (directory == null) {
      return;
    }
    StringBuilder lines = new StringBuilder();
    try {
      for (Map<String, Object> entry : history) {
        lines.append(JSON.writeValueAsString(entry)).append('\n');
      }
      Files.createDirectories(directory);
      Files.writeString(file(), lines);
    } catch (IOException e) {
      failed(e);
    }
  }

  void add(Map<String, Object> entry, List<Map<String, Object>> history) {
    if (directory == null) {
      return;
    }
    try {
      String line = JSON.writeValueAsString(entry) + "\n";
      Files.write(file(), line.getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
      if (System.nanoTime() - plotted > PLOT_EVERY) {
        plot(history);
        plotted = System.nanoTime();
      }
    } catch (IOException e) {
      failed(e);
    }
  }

  void end(List<Map<String, Object>> history) {
    if (directory == null) {
      return;
    }
    try {
      plot(history);
    } catch (IOException e) {
      failed(e);
    }
  }

  private void plot(List<Map<String, Object>> history) throws IOException {
    Files.writeString(directory.resolve("loss.svg"), LossPlot.svg(history));
  }

  private Path file() {
    return directory.resolve("log.jsonl");
  }

  private void failed(IOException e) {
    if (!failed) {
      failed = true;
      warnings.accept(
          "%s: the log cannot be written: %s; the run goes on"
              .formatted(directory, e.getMessage()));
    }
  }
}
