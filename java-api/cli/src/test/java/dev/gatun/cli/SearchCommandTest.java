package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchCommandTest {
  @TempDir private Path directory;

  private FakeEmbedder embedder;
  private String out;
  private String err;

  @BeforeEach
  void files() throws Exception {
    write("b.txt", "zzz\n\nlocks lift ships");
    write("a.txt", "mules");
    write(".hidden", "locks");
    Files.write(directory.resolve("c.bin"), new byte[] {'a', 0, 'b'});
  }

  private void write(String name, String text) throws Exception {
    Path file = directory.resolve(name);
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
  }

  private int run(String input, String... arguments) {
    return run(new FakeEmbedder(20, "model"), input, arguments);
  }

  private int run(FakeEmbedder model, String input, String... arguments) {
    embedder = model;
    CommandRun run = CommandRun.of(model, input, arguments);
    out = run.out();
    err = run.err();
    return run.code();
  }

  @Test
  void findsInADirectory() {
    assertEquals(0, run("", "search", "locks lift ships", directory.toString()));
    assertTrue(out.startsWith("1.0000  " + directory.resolve("b.txt") + ":3\n"), out);
    assertFalse(out.contains("\u001b"), out);
    assertTrue(err.contains("skipped: 1 hidden, 1 binary, 0 unreadable"), err);
    assertTrue(err.endsWith("backend: fake\n"), err);
  }

  @Test
  void findsInStandardInput() {
    assertEquals(0, run("abc\n\nxyz\n", "search", "--top", "1", "xyz"));
    assertTrue(out.startsWith("1.0000  (standard input):3\n    xyz\n"), out);
  }

  @Test
  void printsJson() throws Exception {
    assertEquals(0, run("", "search", "locks", "--json", "--top=2", directory.toString()));
    JsonNode json = new ObjectMapper().readTree(out);
    assertEquals("locks", json.get("query").asText());
    assertEquals(2, json.get("files").asInt());
    assertEquals(3, json.get("passages").asInt());
    assertEquals(1, json.at("/skipped/hidden").asInt());
    assertEquals(2, json.get("results").size());
    assertEquals(3, json.at("/results/0/first_line").asInt());
    assertEquals(1, json.at("/results/0/rank").asInt());
    assertEquals("locks lift ships", json.at("/results/0/text").asText());
  }

  @Test
  void refusesBadUse() {
    assertEquals(2, run("", "search"));
    assertEquals(2, run("", "search", " "));
    assertEquals(2, run("", "search", "q", "--top", "0"));
    assertEquals(1, run("", "search", "q", directory + "/none"));
    assertEquals("gatun: " + directory + "/none: no such file or directory\n", err);
    assertEquals(1, run("", "search", "q", directory + "/c.bin"));
    assertEquals("gatun: " + directory + "/c.bin: a binary file, not text\n", err);
  }

  @Test
  void saysWhenThereIsNothing() {
    assertEquals(0, run("\n", "search", "q"));
    assertEquals("", out);
    assertTrue(err.contains("no passages"), err);
  }

  @Test
  void aLongTextIsEmbeddedWhileItIsRead() throws Exception {
    String part = "the lock of a canal lifts a ship. ";
    write("long.txt", part.repeat(30_000));
    assertEquals(0, run("", "search", "q", directory.resolve("long.txt").toString()));
    assertTrue(embedder.mostTokens > 1000 && embedder.mostTokens < 20_000, err);
    // A passage takes 18 words of the 240,000; where the text is cut into parts, fewer.
    int passages = Integer.parseInt(err.replaceFirst("1 text, ([0-9]+) passages[^~]*", "$1"));
    assertTrue(passages >= 13_334 && passages < 13_400, err);
  }

  @Test
  void aQueryThatIsTooLongIsToldFirst() {
    assertEquals(1, run("", "search", "q ".repeat(30), directory.toString()));
    assertEquals(
        "gatun: the query has 32 tokens, special tokens included, the model takes 20: shorten it\n",
        err);
    assertEquals(List.of(), embedder.seen);
  }

  @Test
  void whatATerminalObeysIsShown() throws Exception {
    write("a.txt", "locks \u001b]0;title\u0007 \u009b31m\u202e red\ttab");
    String name = "b\u001b[2J.txt";
    write(name, "locks");
    assertEquals(0, run("", "search", "locks", directory.toString()));
    assertTrue(out.contains("    locks ^[]0;title^G <U+009B>31m<U+202E> red\ttab\n"), out);
    assertTrue(out.contains("b^[[2J.txt:1\n"), out);
    assertEquals(0, run("", "search", "locks", "--json", directory.toString()));
    assertTrue(out.contains("\\u001B]0;title\\u0007 \\u009b31m\\u202e red\\ttab"), out);
    assertEquals(1, run("", "search", "locks", directory + "/\u001b[2J"));
    assertTrue(err.contains("/^[[2J: no such file"), err);
  }

  @Test
  void aPointerOfGitLfsIsNoText() throws Exception {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    write("pointer.txt", pointer);
    String message = directory.resolve("pointer.txt") + ": a pointer of git-lfs, ";
    assertEquals(1, run("", "search", "q", directory.resolve("pointer.txt").toString()));
    assertTrue(err.startsWith("gatun: " + message) && err.contains("git lfs pull"), err);
    assertEquals(0, run("", "search", "q", directory.toString()));
    assertTrue(err.startsWith("gatun: " + message) && err.contains(", skipped\n"), err);
  }

  @Test
  void anUnknownCommandIsAnErrorWithHelpToo() {
    for (String[] unknown :
        List.of(
            new String[] {"serach", "--help"},
            new String[] {"--help", "serach"},
            new String[] {"serach"},
            new String[] {"search", "--tpo", "3", "--help"})) {
      assertEquals(2, run("", unknown), String.join(" ", unknown));
      assertTrue(err.contains(unknown[0].equals("search") ? "--tpo" : "serach"), err);
    }
    assertEquals(0, run("", "--help"));
    assertTrue(out.contains("GATUN_OPTS"), out);
    assertEquals(0, run("", "search", "--help"));
  }

  @Test
  void malformedTextIsAnErrorOrAWarning() throws Exception {
    Path bad = directory.resolve("bad.txt");
    Files.write(bad, new byte[] {'a', (byte) 0xff});
    String message = "gatun: " + bad + ": not UTF-8: byte 0xff at offset 1";
    assertEquals(1, run("", "search", "q", bad.toString()));
    assertEquals(message + "\n", err);
    assertEquals(0, run("", "search", "q", directory.toString()));
    assertTrue(err.startsWith(message + ", skipped\n"), err);
    assertTrue(err.contains("1 unreadable"), err);
  }

  @Test
  void embedsOnlyWhatChanged() throws Exception {
    String index = directory.resolve(".index").toString();
    String[] command = {"search", "q", "--index", index, directory.toString()};
    run("", command);
    assertEquals(List.of("q", "mules", "zzz", "locks lift ships"), embedder.seen);
    String first = out;
    byte[] written = Files.readAllBytes(Path.of(index));

    run("", command);
    assertEquals(List.of("q"), embedder.seen);
    assertEquals(first, out);
    assertArrayEquals(written, Files.readAllBytes(Path.of(index)));

    write("a.txt", "mulesmules");
    Files.delete(directory.resolve("b.txt"));
    run("", command);
    assertEquals(List.of("q", "mulesmules"), embedder.seen);
    assertFalse(out.contains("locks"), out);

    run("", "search", "q", "--index", index);
    assertEquals(List.of("q"), embedder.seen);
    assertTrue(out.contains("mulesmules"), out);

    run(new FakeEmbedder(20, "other"), "", command);
    assertTrue(err.contains("another model"), err);
    assertEquals(List.of("q", "mulesmules"), embedder.seen);
  }

  @Test
  void aFileJustWrittenIsReadAgain() throws Exception {
    String index = directory.resolve(".index").toString();
    Path file = directory.resolve("new.txt");
    Files.writeString(file, "abc");
    FileTime time = Files.getLastModifiedTime(file);
    run("", "search", "q", "--index", index, file.toString());
    Files.writeString(file, "xyz");
    Files.setLastModifiedTime(file, time);
    run("", "search", "q", "--index", index, file.toString());
    assertTrue(out.contains("xyz"), out);
  }

  /** Wherever the writing of an index ends, the next run goes on, to the same index. */
  @Test
  void anIndexThatIsCutOffGoesOn() throws Exception {
    Path index = directory.resolve(".index");
    String[] command = {"search", "locks", "--index", index.toString(), directory.toString()};
    run("", command);
    byte[] good = Files.readAllBytes(index);
    String found = out;
    for (int at = 16; at < good.length; at += 5) {
      Files.write(index, java.util.Arrays.copyOf(good, at));
      assertEquals(0, run("", command), "cut off at " + at);
      assertEquals(found, out, "cut off at " + at);
      run("", command);
      assertEquals(List.of("locks"), embedder.seen, "cut off at " + at);
      assertEquals(found, out, "cut off at " + at);
    }
  }

  @Test
  void anInterruptedRunGoesOnWithinAFile() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 30_000; i++) {
      text.append("w").append((char) ('a' + i % 26)).append(" lock ").append(i).append(". ");
    }
    write("long.txt", text.toString());
    String index = directory.resolve(".index").toString();
    String[] command = {"search", "wb lock", "--index", index, directory.toString()};
    FakeEmbedder interrupted = new FakeEmbedder(20, "model");
    interrupted.batches = 3;
    assertEquals(1, run(interrupted, "", command));
    assertEquals("gatun: interrupted\n", err);
    int before = embedder.seen.size() - 1;
    assertTrue(before > 1000, () -> before + " passages");
    assertEquals(0, run("", command));
    String found = out;
    int after = embedder.seen.size() - 1;
    Files.delete(Path.of(index));
    assertEquals(0, run("", command));
    assertEquals(found, out);
    assertEquals(embedder.seen.size() - 1, before + after);
  }

  @Test
  void whatNoLongerCountsGoes() throws Exception {
    Path index = directory.resolve(".index");
    String[] command = {"search", "q", "--index", index.toString(), directory.toString()};
    long most = 0;
    for (int round = 0; round < 4; round++) {
      write("a.txt", ("round " + round + " of the locks.\n\n").repeat(6000));
      assertEquals(0, run("", command));
      most = Math.max(most, Files.size(index));
      String found = out;
      run("", command);
      assertEquals(List.of("q"), embedder.seen);
      assertEquals(found, out);
    }
    Files.delete(index);
    run("", command);
    long one = Files.size(index);
    assertTrue(one > 500_000 && most < 4 * one, most + " bytes, one round " + one);
  }

  @Test
  void twoRunsDoNotWriteOneIndex() throws Exception {
    Path index = directory.resolve(".index");
    String[] command = {"search", "q", "--index", index.toString(), directory.toString()};
    run("", command);
    write("a.txt", "other text");
    try (FileChannel other = FileChannel.open(index, StandardOpenOption.WRITE);
        FileLock _ = other.lock()) {
      assertEquals(1, run("", command));
      assertTrue(err.contains("another gatun writes it"), err);
    }
    assertEquals(0, run("", command));
  }

  @Test
  void damagedAndForeignIndexes() throws Exception {
    Path index = directory.resolve(".index");
    String[] command = {"search", "q", "--index", index.toString(), directory.toString()};
    run("", command);
    byte[] good = Files.readAllBytes(index);
    for (int at : new int[] {9, 12, good.length / 2, good.length - 1}) {
      byte[] bad = good.clone();
      bad[at] ^= 1;
      Files.write(index, bad);
      assertEquals(1, run("", command));
      assertTrue(err.contains("damaged index") && err.contains("--rebuild-index"), err);
    }
    for (int at : new int[] {1, 9, 15}) {
      Files.write(index, java.util.Arrays.copyOf(good, at));
      assertEquals(1, run("", command), "cut off at " + at);
    }
    assertEquals(
        0, run("", "search", "q", "--rebuild-index", "--index", index.toString(), directory + ""));
    assertArrayEquals(good, Files.readAllBytes(index));
    Path foreign = directory.resolve("a.txt");
    assertEquals(
        1,
        run("", "search", "q", "--rebuild-index", "--index", foreign.toString(), directory + ""));
    assertTrue(err.contains("not a Gatun index"), err);
    assertEquals("mules", Files.readString(foreign));
  }
}
