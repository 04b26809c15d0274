package dev.gatun.weights.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The keys of a file that is to be written, in their order. A later value replaces a former one.
 */
public final class GgufKeys {
  private final Map<String, GgufValue> values = new LinkedHashMap<>();

  /** None yet. */
  public GgufKeys() {}

  Map<String, GgufValue> values() {
    return Collections.unmodifiableMap(values);
  }

  /** What a reader of the file sees. */
  public GgufMetadata metadata(String source) {
    return new GgufMetadata(source, values());
  }

  /** The same with the values of others. */
  public GgufKeys putAll(GgufKeys others) {
    values.putAll(others.values);
    return this;
  }

  GgufKeys put(String key, GgufValue value) {
    values.put(key, value);
    return this;
  }

  /** A text. */
  public GgufKeys text(String key, String text) {
    return put(key, new GgufValue.Text(segment(text.getBytes(StandardCharsets.UTF_8))));
  }

  /** A whole number of 32 bits without a sign. */
  public GgufKeys uint32(String key, long number) {
    if (number < 0 || number > 0xffffffffL) {
      throw new IllegalArgumentException(
          "key '%s' is %d, expected 0 to 2^32-1".formatted(key, number));
    }
    return put(key, new GgufValue.Scalar(GgufValue.Type.UINT32, number));
  }

  /** A number, rounded to a float. */
  public GgufKeys float32(String key, double number) {
    return put(key, new GgufValue.Scalar(GgufValue.Type.FLOAT32, number));
  }

  /** True or false. */
  public GgufKeys flag(String key, boolean flag) {
    return put(key, new GgufValue.Scalar(GgufValue.Type.BOOL, flag));
  }

  /** A list of texts. */
  public GgufKeys texts(String key, List<String> texts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String text : texts) {
      byte[] each = text.getBytes(StandardCharsets.UTF_8);
      bytes.writeBytes(little(Long.BYTES).putLong(each.length).array());
      bytes.writeBytes(each);
    }
    return array(key, GgufValue.Type.STRING, texts.size(), bytes.toByteArray());
  }

  /** A list of floats. */
  public GgufKeys floats(String key, float[] numbers) {
    ByteBuffer bytes = little(numbers.length * Float.BYTES);
    bytes.asFloatBuffer().put(numbers);
    return array(key, GgufValue.Type.FLOAT32, numbers.length, bytes.array());
  }

  /** A list of whole numbers of 32 bits. */
  public GgufKeys ints(String key, int[] numbers) {
    ByteBuffer bytes = little(numbers.length * Integer.BYTES);
    bytes.asIntBuffer().put(numbers);
    return array(key, GgufValue.Type.INT32, numbers.length, bytes.array());
  }

  /** A list of bytes. */
  public GgufKeys bytes(String key, byte[] numbers) {
    return array(key, GgufValue.Type.UINT8, numbers.length, numbers.clone());
  }

  private GgufKeys array(String key, GgufValue.Type type, long count, byte[] bytes) {
    return put(key, new GgufValue.Array(type, count, segment(bytes)));
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static MemorySegment segment(byte[] bytes) {
    return MemorySegment.ofArray(bytes).asReadOnly();
  }

  /** A value as a file has it, behind its key and type. */
  static byte[] encoded(GgufValue value) {
    return switch (value) {
      case GgufValue.Text(MemorySegment text) ->
          little(Math.toIntExact(Long.BYTES + text.byteSize()))
              .putLong(text.byteSize())
              .put(text.asByteBuffer())
              .array();
      case GgufValue.Array(GgufValue.Type type, long count, MemorySegment bytes) ->
          little(Math.toIntExact(Integer.BYTES + Long.BYTES + bytes.byteSize()))
              .putInt(type.ordinal())
              .putLong(count)
              .put(bytes.asByteBuffer())
              .array();
      case GgufValue.Scalar(GgufValue.Type type, Object number) -> scalar(type, number);
    };
  }

  private static byte[] scalar(GgufValue.Type type, Object value) {
    ByteBuffer bytes = little(type.bytes());
    switch (type) {
      case UINT8, INT8 -> bytes.put(((Long) value).byteValue());
      case UINT16, INT16 -> bytes.putShort(((Long) value).shortValue());
      case UINT32, INT32 -> bytes.putInt(((Long) value).intValue());
      case UINT64, INT64 -> bytes.putLong((Long) value);
      case FLOAT32 -> bytes.putFloat(((Double) value).floatValue());
      case FLOAT64 -> bytes.putDouble((Double) value);
      case BOOL -> bytes.put((byte) ((Boolean) value ? 1 : 0));
      case STRING, ARRAY -> throw new IllegalArgumentException(type + " is no scalar");
    }
    return bytes.array();
  }

  /** The type of a value, by its number. */
  static GgufValue.Type type(GgufValue value) {
    return switch (value) {
      case GgufValue.Text _ -> GgufValue.Type.STRING;
      case GgufValue.Array _ -> GgufValue.Type.ARRAY;
      case GgufValue.Scalar scalar -> scalar.type();
    };
  }
}
