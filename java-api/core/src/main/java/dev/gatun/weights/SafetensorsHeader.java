package dev.gatun.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.gatun.files.Json;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file: 8 bytes of length, that many bytes of JSON, then the data,
 * which the tensors cover without overlaps or holes. See the format's page at
 * huggingface.co/docs/safetensors.
 */
final class SafetensorsHeader {
  /** The format's own limit on the JSON, in bytes. */
  static final long MAX_HEADER = 100_000_000;

  /** The key of what a file says about itself, among the tensors' names. */
  static final String METADATA = "__metadata__";

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.CHARSET_DETECTION)
          .build();

  /**
   * Bits of every element type that the format names; those outside DType are known but not read.
   */
  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("F64", 64),
          Map.entry("F32", 32),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I64", 64),
          Map.entry("I32", 32),
          Map.entry("I16", 16),
          Map.entry("I8", 8),
          Map.entry("U64", 64),
          Map.entry("U32", 32),
          Map.entry("U16", 16),
          Map.entry("U8", 8),
          Map.entry("BOOL", 8),
          Map.entry("C64", 64),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("F8_E4M3FNUZ", 8),
          Map.entry("F8_E5M2FNUZ", 8),
          Map.entry("F6_E2M3", 6),
          Map.entry("F6_E3M2", 6),
          Map.entry("F4", 4));

  /**
   * Where a tensor lies.
   *
   * @param dtype the format's name of its element type
   * @param shape its axes
   * @param begin its first byte, counted from the start of the file
   * @param end the byte after its last
   */
  record Slot(String dtype, long[] shape, long begin, long end) {}

  private final String source;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private long dataStart;
  private long fileSize;

  private SafetensorsHeader(String source) {
    this.source = source;
  }

  Map<String, Slot> slots() {
    return Collections.unmodifiableMap(slots);
  }

  Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /**
   * Reads and checks the header of {@code file}, the whole file's bytes.
   *
   * @throws WeightsException if anything in it is wrong
   */
  static SafetensorsHeader parse(MemorySegment file, String source) {
    SafetensorsHeader header = new SafetensorsHeader(source);
    header.read(file);
    header.checkCover();
    return header;
  }

  private void read(MemorySegment file) {
    fileSize = file.byteSize();
    if (fileSize < 8) {
      throw fail(0, "expected 8 bytes of header length but the file has %d bytes", fileSize);
    }
    long length = file.get(LENGTH, 0);
    if (length < 2 || length > MAX_HEADER) {
      throw fail(
          0,
          "the header length is %s, expected 2 to %d: not a safetensors file, or a damaged one",
          Long.toUnsignedString(length),
          MAX_HEADER);
    }
    if (length > fileSize - 8) {
      throw fail(0, "the header takes %d bytes but only %d follow: cut off?", length, fileSize - 8);
    }
    dataStart = 8 + length;
    byte[] json = file.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
    if (json[0] != '{') {
      throw fail(8, "the header starts with byte 0x%02x, expected '{'", json[0] & 0xff);
    }
    try (JsonParser parser = JSON.createParser(json)) {
      readObject(parser);
    } catch (JsonProcessingException e) {
      long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
      throw new WeightsException(
          "%s: byte %d: the header is not valid JSON: %s"
              .formatted(source, 8 + Math.max(0, at), Json.told(e)),
          e);
    } catch (IOException e) {
      throw new WeightsException(source + ": the header cannot be read: " + e.getMessage(), e);
    }
  }

  private void readObject(JsonParser parser) throws IOException {
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the header");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals(METADATA)) {
        expect(parser, value, JsonToken.START_OBJECT, METADATA);
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String key = parser.currentName();
          expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, METADATA + "." + key);
          metadata.put(key, parser.getText());
        }
      } else {
        slots.put(name, readSlot(parser, value, name));
      }
    }
    if (parser.nextToken() != null) {
      throw fail(at(parser), "expected the end of the header, found %s", parser.currentToken());
    }
  }

  private Slot readSlot(JsonParser parser, JsonToken first, String name) throws IOException {
    long start = at(parser);
    expect(parser, first, JsonToken.START_OBJECT, "tensor " + name);
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (key) {
        case "dtype" -> {
          expect(parser, value, JsonToken.VALUE_STRING, "tensor " + name + ": dtype");
          dtype = parser.getText();
        }
        case "shape" -> shape = readLongs(parser, value, name, key);
        case "data_offsets" -> offsets = readLongs(parser, value, name, key);
        default -> throw fail(at(parser), "tensor %s: unknown key %s", name, key);
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw fail(start, "tensor %s: %s is missing", name, missing);
    }
    return check(start, name, dtype, shape, offsets);
  }

  private Slot check(long at, String name, String dtype, long[] shape, long[] offsets) {
    Integer bits = BITS.get(dtype);
    if (bits == null) {
      throw fail(
          at,
          "tensor %s: unknown dtype %s, expected one of %s",
          name,
          dtype,
          sorted(BITS.keySet()));
    }
    if (offsets.length != 2) {
      throw fail(at, "tensor %s: data_offsets has %d numbers, expected 2", name, offsets.length);
    }
    long available = fileSize - dataStart;
    if (offsets[1] < offsets[0] || offsets[1] > available) {
      throw fail(
          at,
          "tensor %s: data_offsets [%d, %d] must ascend and end within the %d bytes of data",
          name,
          offsets[0],
          offsets[1],
          available);
    }
    long bytes = Shapes.bytes(shape, bits);
    if (bytes != offsets[1] - offsets[0]) {
      throw fail(
          at,
          "tensor %s: shape %s of %s takes %s but data_offsets [%d, %d] hold %d",
          name,
          Arrays.toString(shape),
          dtype,
          bytes < 0 ? "more bytes than can be counted, or a fraction of one" : bytes + " bytes",
          offsets[0],
          offsets[1],
          offsets[1] - offsets[0]);
    }
    return new Slot(dtype, shape, dataStart + offsets[0], dataStart + offsets[1]);
  }

  private long[] readLongs(JsonParser parser, JsonToken first, String name, String key)
      throws IOException {
    String what = "tensor " + name + ": " + key;
    expect(parser, first, JsonToken.START_ARRAY, what);
    long[] values = new long[4];
    int count = 0;
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      expect(parser, t, JsonToken.VALUE_NUMBER_INT, what + "[" + count + "]");
      JsonParser.NumberType type = parser.getNumberType();
      if (type == JsonParser.NumberType.BIG_INTEGER || parser.getLongValue() < 0) {
        throw fail(at(parser), "%s[%d] is %s, expected 0 to 2^63-1", what, count, parser.getText());
      }
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = parser.getLongValue();
    }
    return Arrays.copyOf(values, count);
  }

  private void checkCover() {
    List<Map.Entry<String, Slot>> order = new ArrayList<>(slots.entrySet());
    order.sort(
        Comparator.comparingLong((Map.Entry<String, Slot> e) -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    long expected = dataStart;
    String before = "the header";
    for (Map.Entry<String, Slot> entry : order) {
      Slot slot = entry.getValue();
      if (slot.begin() != expected) {
        throw fail(
            Math.min(slot.begin(), expected),
            "tensor %s starts at byte %d but %s ends at byte %d: %s",
            entry.getKey(),
            slot.begin(),
            before,
            expected,
            slot.begin() < expected ? "they overlap" : "there is a hole between them");
      }
      expected = slot.end();
      before = "tensor " + entry.getKey();
    }
    if (expected != fileSize) {
      throw fail(
          expected,
          "%s ends here but the file has %d bytes: %d belong to no tensor",
          before,
          fileSize,
          fileSize - expected);
    }
  }

  private void expect(JsonParser parser, JsonToken found, JsonToken wanted, String what)
      throws IOException {
    if (found != wanted) {
      throw fail(at(parser), "%s: expected %s, found %s", what, wanted, found);
    }
  }

  private static long at(JsonParser parser) {
    return 8 + Math.max(0, parser.currentTokenLocation().getByteOffset());
  }

  private WeightsException fail(long at, String format, Object... args) {
    return new WeightsException(source + ": byte " + at + ": " + format.formatted(args));
  }

  private static List<String> sorted(java.util.Collection<String> names) {
    return names.stream().sorted().toList();
  }
}
