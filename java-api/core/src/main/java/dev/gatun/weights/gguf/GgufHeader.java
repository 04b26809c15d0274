package dev.gatun.weights.gguf;

import dev.gatun.weights.Shapes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one GGUF file says before its data: keys with values, then the tensors' names, axes, types
 * and places. Versions 2 and 3, little-endian. See ggml's docs/gguf.md.
 */
final class GgufHeader {
  private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
  private static final long LONGEST_KEY = 65535;
  private static final long LONGEST_NAME = 63;
  private static final int MOST_AXES = 4;
  private static final long ALIGNMENT = 32;
  private static final long MOST_ALIGNMENT = 1 << 20;

  /**
   * Where a tensor lies.
   *
   * @param type of its elements
   * @param shape its axes, the rows' first as in Hugging Face's files; empty for a scalar
   * @param begin its first byte, counted from the start of the file
   * @param bytes how many it has
   */
  record Slot(GgufType type, long[] shape, long begin, long bytes) {}

  private final Map<String, GgufValue> values = new LinkedHashMap<>();
  private final Map<String, Slot> tensors = new LinkedHashMap<>();
  private final GgufCursor cursor;
  private final String source;
  private final long size;
  private int version;

  private GgufHeader(MemorySegment file, String source) {
    this.cursor = new GgufCursor(file, source);
    this.source = source;
    this.size = file.byteSize();
  }

  /**
   * Reads and checks the header of a whole file's bytes.
   *
   * @throws dev.gatun.weights.WeightsException naming the file and the place of what is wrong
   */
  static GgufHeader parse(MemorySegment file, String source) {
    GgufHeader header = new GgufHeader(file, source);
    header.read();
    return header;
  }

  int version() {
    return version;
  }

  Map<String, GgufValue> values() {
    return values;
  }

  Map<String, Slot> tensors() {
    return tensors;
  }

  private void read() {
    int magic = cursor.readInt("the file's kind");
    if (magic != MAGIC) {
      throw cursor.fail(
          0, "begins with 0x%08x, expected 'GGUF': not a GGUF file", Integer.reverseBytes(magic));
    }
    version = cursor.readInt("the version");
    if ((version & 0xffff) == 0) {
      throw cursor.fail(
          4, "a big-endian file; take one that was written for little-endian machines");
    }
    if (version != 2 && version != 3) {
      throw cursor.fail(
          4,
          "version %s of GGUF, expected 2 or 3%s",
          Integer.toUnsignedString(version),
          version == 1 ? ": convert the model again" : "");
    }
    long count = cursor.readCount("the number of tensors");
    long keys = cursor.readCount("the number of keys");
    for (long i = 0; i < keys; i++) {
      readValue();
    }
    Map<String, Place> places = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      readTensor(places);
    }
    long alignment = alignment(source, values);
    long begin = padded(cursor.at(), alignment);
    if (!places.isEmpty() && begin > size) {
      throw cursor.fail(cursor.at(), "the tensors' data is missing: cut off?");
    }
    long expected = 0;
    for (Map.Entry<String, Place> each : places.entrySet()) {
      expected = place(each.getKey(), each.getValue(), begin, expected, alignment);
    }
  }

  private void readValue() {
    long begin = cursor.at();
    String key = cursor.readName("a key", LONGEST_KEY);
    GgufValue.Type type = readType(key);
    GgufValue value =
        switch (type) {
          case STRING -> new GgufValue.Text(cursor.readText(key));
          case ARRAY -> readArray(key);
          default ->
              new GgufValue.Scalar(type, GgufValue.read(type, cursor.skip(type.bytes(), key)));
        };
    if (values.put(key, value) != null) {
      throw cursor.fail(begin, "key '%s' is there twice", key);
    }
  }

  private GgufValue.Type readType(String key) {
    long begin = cursor.at();
    int type = cursor.readInt("the type of " + key);
    if (type < 0 || type >= GgufValue.Type.values().length) {
      throw cursor.fail(
          begin,
          "key '%s' has a value of type %s, expected 0 to 12",
          key,
          Integer.toUnsignedString(type));
    }
    return GgufValue.Type.values()[type];
  }

  private GgufValue readArray(String key) {
    GgufValue.Type type = readType(key);
    long begin = cursor.at();
    if (type == GgufValue.Type.ARRAY) {
      throw cursor.fail(begin, "key '%s' is an array of arrays, which are not read", key);
    }
    long count = cursor.readCount("the length of " + key);
    if (count > (size - cursor.at()) / type.bytes()) {
      throw cursor.fail(
          begin,
          "key '%s' has %d values but only %d bytes follow: cut off or damaged?",
          key,
          count,
          size - cursor.at());
    }
    if (type != GgufValue.Type.STRING) {
      return new GgufValue.Array(type, count, cursor.skip(count * type.bytes(), key));
    }
    long first = cursor.at();
    for (long i = 0; i < count; i++) {
      cursor.readText(key);
    }
    return new GgufValue.Array(type, count, cursor.since(first));
  }

  /** A tensor's axes, type and offset as they are written, and where. */
  private record Place(long at, GgufType type, long[] shape, long offset) {}

  private void readTensor(Map<String, Place> places) {
    long begin = cursor.at();
    String name = cursor.readName("a tensor's name", LONGEST_NAME);
    long at = cursor.at();
    int axes = cursor.readInt("the axes of " + name);
    if (axes < 0 || axes > MOST_AXES) {
      throw cursor.fail(
          at,
          "tensor '%s' has %s axes, expected at most %d",
          name,
          Integer.toUnsignedString(axes),
          MOST_AXES);
    }
    long[] shape = new long[axes];
    for (int i = axes - 1; i >= 0; i--) {
      shape[i] = cursor.readCount("an axis of " + name);
    }
    long typeAt = cursor.at();
    int id = cursor.readInt("the type of " + name);
    GgufType type = GgufType.of(id);
    if (type == null) {
      throw cursor.fail(typeAt, "tensor '%s': %s", name, GgufType.unknown(id));
    }
    long offsetAt = cursor.at();
    long offset = cursor.readCount("the offset of " + name);
    if (places.put(name, new Place(offsetAt, type, shape, offset)) != null) {
      throw cursor.fail(begin, "tensor '%s' is there twice", name);
    }
  }

  /** Checks a tensor's place and gives the one of the next. */
  private long place(String name, Place p, long begin, long expected, long alignment) {
    long row = p.shape.length == 0 ? 1 : p.shape[p.shape.length - 1];
    if (row % p.type.block() != 0) {
      throw cursor.fail(
          p.at,
          "tensor '%s' of %s has rows of %d, expected a multiple of %d",
          name,
          p.type.name(),
          row,
          p.type.block());
    }
    long[] blocks = p.shape.clone();
    if (blocks.length > 0) {
      blocks[blocks.length - 1] /= p.type.block();
    }
    long bytes = Shapes.bytes(blocks, 8L * p.type.bytes());
    if (bytes < 0) {
      throw cursor.fail(
          p.at,
          "tensor '%s': shape %s takes more bytes than can be counted",
          name,
          Arrays.toString(p.shape));
    }
    if (p.offset != expected) {
      throw cursor.fail(
          p.at,
          "tensor '%s' has offset %d but the one before it ends at %d: %s",
          name,
          p.offset,
          expected,
          p.offset < expected ? "they overlap" : "there is a hole between them");
    }
    if (p.offset > size - begin || bytes > size - begin - p.offset) {
      throw cursor.fail(
          p.at,
          "tensor '%s' takes %d bytes from byte %d but the file has %d: cut off?",
          name,
          bytes,
          begin + p.offset,
          size);
    }
    tensors.put(name, new Slot(p.type, p.shape, begin + p.offset, bytes));
    return padded(p.offset + bytes, alignment);
  }

  /** The multiple that tensors begin at, as the keys of a file say. */
  static long alignment(String source, Map<String, GgufValue> values) {
    GgufValue value = values.get("general.alignment");
    if (value == null) {
      return ALIGNMENT;
    }
    if (value instanceof GgufValue.Scalar(GgufValue.Type type, Long alignment)
        && type == GgufValue.Type.UINT32
        && Long.bitCount(alignment) == 1
        && alignment <= MOST_ALIGNMENT) {
      return alignment;
    }
    throw new GgufCursor(MemorySegment.NULL, source)
        .fail(
            0,
            "key 'general.alignment' is %s, expected a power of two up to %d as UINT32",
            value instanceof GgufValue.Scalar s ? s.value() : "no number",
            MOST_ALIGNMENT);
  }

  private static long padded(long at, long alignment) {
    return Math.addExact(at, alignment - 1) / alignment * alignment;
  }
}
