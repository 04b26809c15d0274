package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.test.devices.ChildJvm;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process lives on where the native tokenizers find no heap, no stack, or another class loader.
 */
final class TokenizerProcessTest {
  @TempDir private Path folder;

  @BeforeEach
  void write() throws Exception {
    try (InputStream in =
        TokenizerProcessTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, folder.resolve("tokenizer.json"));
    }
  }

  @Test
  void many_texts_in_a_small_heap() throws Exception {
    long tokens = Long.parseLong(run("many", "-Xmx64m").getFirst());
    // 200 words, two special tokens, and a number of one to four digits.
    assertTrue(tokens >= 2000 * 203 && tokens <= 2000 * 206, () -> tokens + " tokens");
  }

  @Test
  void a_heap_that_runs_full() throws Exception {
    assertEquals(List.of("4", "4"), run("full", "-Xmx64m"));
  }

  @Test
  void a_recursion_that_ends_the_stack() throws Exception {
    assertEquals(List.of("3 4"), run("deep", "-Xss512k"));
  }

  @Test
  void a_recursion_from_where_callers_have_room_to_the_end() throws Exception {
    assertEquals(List.of("3 4"), run("deep", "-Xss1m"));
  }

  @Test
  void class_loaders_beside_each_other() throws Exception {
    assertEquals(List.of("4", "4", "4"), run("loaders"));
  }

  private List<String> run(String name, String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of(options));
    all.add("-XX:-CreateCoredumpOnCrash");
    all.add("-XX:ErrorFile=" + folder.resolve("crash.log"));
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, Map.of(), all, TokenizerProcess.class, name, folder.toString());
    assertEquals(0, outcome.code(), outcome::err);
    return outcome.out().lines().toList();
  }
}
