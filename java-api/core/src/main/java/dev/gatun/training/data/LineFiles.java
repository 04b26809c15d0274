package dev.gatun.training.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.files.Json;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Files of lines. All lines are read and checked once; of each only its place is kept, and it is
 * read again when it is asked for.
 */
final class LineFiles implements Dataset {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  private final boolean json;
  private final List<Path> files;
  private final CRC32C digest = new CRC32C();
  private long[] offsets = new long[1024];
  // The file, the line, its length in bytes and its document, of each record.
  private int[] facts = new int[4 * 1024];
  private int size;
  private int document;

  private LineFiles(boolean json, List<Path> files) {
    this.json = json;
    this.files = files;
  }

  static LineFiles open(boolean json, List<Path> files) throws IOException {
    LineFiles all = new LineFiles(json, List.copyOf(files));
    for (int file = 0; file < files.size(); file++) {
      if (Files.isDirectory(files.get(file))) {
        throw new DatasetException(files.get(file) + ": is a directory, expected a file of lines");
      }
      all.scan(file);
      all.document++;
    }
    if (all.size == 0) {
      throw new DatasetException(
          "%s: no %s, expected at least one"
              .formatted(
                  String.join(", ", files.stream().map(Path::toString).toList()),
                  json ? "JSON objects" : "lines with text"));
    }
    all.offsets = Arrays.copyOf(all.offsets, all.size);
    all.facts = Arrays.copyOf(all.facts, 4 * all.size);
    return all;
  }

  private void scan(int file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(files.get(file)), 1 << 16)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      long begin = 0;
      int number = 1;
      int last = -1;
      for (int next = in.read(); next >= 0; next = in.read()) {
        last = next;
        if (next != '\n') {
          line.write(next);
          continue;
        }
        add(file, number++, begin, line.toByteArray());
        begin += line.size() + 1;
        line.reset();
      }
      if (last >= 0 && last != '\n') {
        add(file, number, begin, line.toByteArray());
      }
    }
  }

  private void add(int file, int line, long begin, byte[] bytes) {
    digest.update(bytes);
    digest.update('\n');
    String text = text(file, line, bytes);
    if (text.isBlank()) {
      document += size > 0 && facts[4 * size - 1] == document ? 1 : 0;
      return;
    }
    if (json) {
      fields(file, line, text);
    }
    if (size == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * size);
      facts = Arrays.copyOf(facts, 8 * size);
    }
    offsets[size] = begin;
    facts[4 * size] = file;
    facts[4 * size + 1] = line;
    facts[4 * size + 2] = bytes.length;
    facts[4 * size + 3] = document;
    document += json ? 1 : 0;
    size++;
  }

  private String where(int file, int line) {
    return files.get(file) + ": line " + line;
  }

  private String text(int file, int line, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (line == 1 && startsWithMark(bytes)) {
      in.position(3);
    }
    if (bytes.length > 0 && bytes[bytes.length - 1] == '\r') {
      in.limit(bytes.length - 1);
    }
    CharBuffer out = CharBuffer.allocate(in.remaining());
    CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(in, out, true);
    if (result.isError()) {
      throw new DatasetException(
          "%s: byte %d: 0x%02x is not UTF-8"
              .formatted(where(file, line), in.position(), bytes[in.position()] & 0xff));
    }
    return out.flip().toString();
  }

  /** The byte order mark that some programs of Windows begin a file with. */
  private static boolean startsWithMark(byte[] bytes) {
    return bytes.length >= 3
        && bytes[0] == (byte) 0xEF
        && bytes[1] == (byte) 0xBB
        && bytes[2] == (byte) 0xBF;
  }

  private Map<String, Object> fields(int file, int line, String text) {
    try {
      Map<String, Object> fields = JSON.readValue(text, OBJECT);
      if (fields == null) {
        throw new DatasetException(where(file, line) + ": null, expected a JSON object");
      }
      return fields;
    } catch (JacksonException e) {
      long at = e.getLocation() == null ? 0 : e.getLocation().getColumnNr();
      throw new DatasetException(
          "%s: column %d: not a JSON object: %s".formatted(where(file, line), at, Json.told(e)), e);
    }
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public Example get(int index) {
    int file = facts[4 * index];
    int line = facts[4 * index + 1];
    String text = text(file, line, read(index));
    Map<String, Object> fields = json ? fields(file, line, text) : Map.of("text", text);
    return new Example(fields, where(file, line), facts[4 * index + 3]);
  }

  private byte[] read(int index) {
    Path file = files.get(facts[4 * index]);
    ByteBuffer bytes = ByteBuffer.allocate(facts[4 * index + 2]);
    try (FileChannel channel = FileChannel.open(file)) {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, offsets[index] + bytes.position()) < 0) {
          throw new DatasetException(
              where(facts[4 * index], facts[4 * index + 1])
                  + ": the file has become shorter since it was opened");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": " + e.getMessage(), e);
    }
    return bytes.array();
  }

  @Override
  public long fingerprint() {
    return digest.getValue() << 32 | size;
  }
}
