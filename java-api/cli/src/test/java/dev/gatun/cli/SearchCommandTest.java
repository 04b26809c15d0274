package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(outBytes, true, StandardCharsets.UTF_8),
            new PrintStream(errBytes, true, StandardCharsets.UTF_8),
            false,
            false,
            false);
    int code = Gatun.run(terminal, model, arguments);
    out = outBytes.toString(StandardCharsets.UTF_8);
    err = errBytes.toString(StandardCharsets.UTF_8);
    return code;
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
  void aFileThatIsTooLongIsAnErrorOrAWarning() throws Exception {
    Path big = Files.writeString(directory.resolve("big.txt"), "a lock. ".repeat(1024));
    try (RandomAccessFile file = new RandomAccessFile(big.toFile(), "rw")) {
      file.setLength(1L << 31);
    }
    String message =
        "gatun: "
            + big
            + ": has 2147483648 bytes, a file of more than 2147483639 is not read: split it";
    assertEquals(1, run("", "search", "q", big.toString()));
    assertEquals(message + "\n", err);
    assertEquals(0, run("", "search", "q", directory.toString()));
    assertTrue(err.startsWith(message + ", skipped\n"), err);
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
    assertEquals(List.of("mules", "zzz", "locks lift ships", "q"), embedder.seen);
    String first = out;
    byte[] written = Files.readAllBytes(Path.of(index));

    run("", command);
    assertEquals(List.of("q"), embedder.seen);
    assertEquals(first, out);
    assertArrayEquals(written, Files.readAllBytes(Path.of(index)));

    write("a.txt", "mulesmules");
    Files.delete(directory.resolve("b.txt"));
    run("", command);
    assertEquals(List.of("mulesmules", "q"), embedder.seen);
    assertFalse(out.contains("locks"), out);

    run("", "search", "q", "--index", index);
    assertEquals(List.of("q"), embedder.seen);
    assertTrue(out.contains("mulesmules"), out);

    run(new FakeEmbedder(20, "other"), "", command);
    assertTrue(err.contains("another model"), err);
    assertEquals(List.of("mulesmules", "q"), embedder.seen);
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
