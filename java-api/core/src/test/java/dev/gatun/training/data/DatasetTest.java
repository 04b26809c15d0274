package dev.gatun.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of lines and of JSON objects, good and bad ones. */
final class DatasetTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("data.jsonl");
  }

  private void write(String text) throws Exception {
    Files.writeString(file, text);
  }

  private String failure() {
    return assertThrows(DatasetException.class, () -> Dataset.jsonl(file)).getMessage();
  }

  @Test
  void lines_are_records_and_empty_ones_begin_documents() throws Exception {
    write("\uFEFFone\r\n\n\ntwo\n   \nthree ships\nfour");
    Path other = folder.resolve("other.txt");
    Files.writeString(other, "fünf\n");
    Dataset data = Dataset.lines(file, other);
    assertEquals(5, data.size());
    List<String> texts = List.of("one", "two", "three ships", "four", "fünf");
    int[] documents = {0, 1, 2, 2, 3};
    int[] lines = {1, 4, 6, 7, 1};
    for (int i = 0; i < 5; i++) {
      Example example = data.get(i);
      assertEquals(texts.get(i), example.text("text"));
      assertEquals(documents[i], example.document());
      assertEquals((i < 4 ? file : other) + ": line " + lines[i], example.where());
    }
  }

  @Test
  void json_objects_have_their_fields() throws Exception {
    write("{\"text\": \"a\", \"label\": 1}\n\n{\"text\": \"b\", \"tags\": [1, \"x\"]}");
    Dataset data = Dataset.of(file);
    assertEquals(2, data.size());
    assertEquals(1, data.get(0).value("label"));
    assertEquals(List.of(1, "x"), data.get(1).list("labels", "tags"));
    assertEquals(
        file + ": line 3: no field 'label', only [text, tags]",
        assertThrows(DatasetException.class, () -> data.get(1).value("label")).getMessage());
    assertEquals(
        file + ": line 1: field 'label' is 1, expected a text",
        assertThrows(DatasetException.class, () -> data.get(0).text("label")).getMessage());
  }

  @Test
  void bad_lines_are_named() throws Exception {
    write("{\"a\": 1}\n{\"a\": \n");
    assertTrue(failure().startsWith(file + ": line 2: column "), failure());
    write("{\"a\": 1}\n{\"a\": 1} {}\n");
    assertTrue(failure().startsWith(file + ": line 2: column "), failure());
    write("{\"a\": 1}\n\n[1]\n");
    assertTrue(failure().startsWith(file + ": line 3: column "), failure());
    write("null\n");
    assertEquals(file + ": line 1: null, expected a JSON object", failure());
    write("\n\n");
    assertEquals(file + ": no JSON objects, expected at least one", failure());
    Files.write(file, "ab\ncd\u00e9".getBytes(StandardCharsets.ISO_8859_1));
    assertEquals(
        file + ": line 2: byte 2: 0xe9 is not UTF-8",
        assertThrows(DatasetException.class, () -> Dataset.lines(file)).getMessage());
  }

  @Test
  void a_file_that_became_shorter_is_named() throws Exception {
    write("first\nsecond\n");
    Dataset data = Dataset.lines(file);
    write("first\n");
    assertEquals("first", data.get(0).text("text"));
    assertEquals(
        file + ": line 2: the file has become shorter since it was opened",
        assertThrows(DatasetException.class, () -> data.get(1)).getMessage());
  }

  @Test
  void fingerprints_tell_data_apart() throws Exception {
    write("one\ntwo\n");
    long first = Dataset.lines(file).fingerprint();
    assertEquals(first, Dataset.lines(file).fingerprint());
    write("one\ntwa\n");
    assertNotEquals(first, Dataset.lines(file).fingerprint());
    Dataset texts = Dataset.of(List.of("a", "b"));
    assertNotEquals(texts.fingerprint(), Dataset.of(List.of("b", "a")).fingerprint());
    assertEquals(
        texts.fingerprint(),
        Dataset.ofRecords(List.of(Map.of("text", "a"), Map.of("text", "b"))).fingerprint());
  }
}
