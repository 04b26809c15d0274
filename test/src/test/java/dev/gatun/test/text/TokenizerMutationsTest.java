package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.test.devices.ChildJvm;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged tokenizers are refused by exceptions; the native one does not end the process. */
final class TokenizerMutationsTest {
  private static final long SEED = Long.getLong("gatun.test.seed", 1);

  @TempDir private Path folder;

  @Test
  void sound_ones_load_without_their_truncation_and_padding() throws IOException {
    for (String json : Tokenizers.ALL) {
      Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
      try (Tokenizer tokenizer = Tokenizer.load(file)) {
        assertTrue(tokenizer.encode("a b a b a b").length() >= 8, json);
        assertEquals(2, tokenizer.encode("").length(), json);
      }
    }
  }

  @Test
  void mutations() throws Exception {
    mutate(folder, 1_500, SEED);
  }

  @Test
  @Tag("full")
  void many_mutations() throws Exception {
    try (ExecutorService processes = Executors.newFixedThreadPool(2)) {
      List<Callable<Void>> halves = List.of(half(1), half(2));
      for (Future<Void> half : processes.invokeAll(halves)) {
        half.get();
      }
    }
  }

  private Callable<Void> half(int number) {
    return () -> {
      Path own = Files.createDirectory(folder.resolve("half-" + number));
      mutate(own, 25_000, 2 * SEED + number);
      return null;
    };
  }

  private static void mutate(Path folder, int times, long seed) throws Exception {
    Path file = folder.resolve("tokenizer.json");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of(),
            List.of("-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + folder.resolve("crash.log")),
            TokenizerMutations.class,
            file.toString(),
            Integer.toString(times),
            Long.toString(seed));
    List<String> lines = outcome.out().lines().toList();
    String last = lines.isEmpty() ? "" : lines.getLast();
    assertEquals(0, outcome.code(), () -> String.join("\n", last, outcome.err(), text(file)));
    String[] words = last.split(" ");
    assertEquals("done:", words[0], last);
    assertTrue(Integer.parseInt(words[1]) > times / 10, last);
    assertTrue(Integer.parseInt(words[3]) > times / 10, last);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void malformed_utf8_gives_file_and_offset() throws IOException {
    Path vocab = folder.resolve("vocab.txt");
    Files.write(vocab, new byte[] {'[', 'P', 'A', 'D', ']', '\n', (byte) 0xc3, '\n'});
    assertEquals(vocab + ": byte 6: 0xc3 is not UTF-8", refused(folder));
    Path json = folder.resolve("tokenizer.json");
    Files.write(json, new byte[] {'{', '"', (byte) 0x80, '"', ':', '1', '}'});
    assertEquals(json + ": byte 2: 0x80 is not UTF-8", refused(folder));
    assertEquals(json + ": byte 2: 0x80 is not UTF-8", refused(json));
  }

  @Test
  void what_would_end_the_process_is_named() throws IOException {
    String bpe = Tokenizers.BPE;
    String prefix = "\"continuing_subword_prefix\":\"";
    assertTrue(
        refused(bpe.replace(prefix, prefix + "##"))
            .contains(
                "model.merges[0] is \"a b\", expected a second part that begins with \"##\""));
    for (String pattern : List.of("{\"Regex\":\"x*\"}", "{\"Regex\":\"\"}", "{\"String\":\"\"}")) {
      String said = refused(bpe.replace("{\"Regex\":\"x+\"}", pattern));
      assertTrue(said.contains("pattern " + pattern + " matches the empty text"), said);
    }
    String said = refused(Tokenizers.UNIGRAM.replace("\"unk_id\":4", "\"unk_id\":9"));
    assertTrue(said.contains("model.unk_id is 9, not in the vocabulary"), said);
  }

  private String refused(String json) throws IOException {
    return refused(Files.writeString(folder.resolve("tokenizer.json"), json));
  }

  private static String refused(Path path) {
    return assertThrows(TokenizerException.class, () -> Tokenizer.load(path)).getMessage();
  }
}
