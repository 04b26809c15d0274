package dev.gatun.weights.gguf;

import dev.gatun.weights.WeightsException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The keys of a file, by what is expected of them; what is not as expected is told by its name. */
public final class GgufMetadata {
  private final String source;
  private final Map<String, GgufValue> values;

  GgufMetadata(String source, Map<String, GgufValue> values) {
    this.source = source;
    this.values = values;
  }

  /** The file, for messages. */
  public String source() {
    return source;
  }

  Map<String, GgufValue> values() {
    return values;
  }

  /** Whether there is such a key. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** A text; empty where it is missing. */
  public Optional<String> text(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof GgufValue.Text text)) {
      throw wrong(key, "a text");
    }
    return Optional.of(text.text());
  }

  /** A number or a boolean as Long, Double or Boolean, or null where it is missing. */
  Object scalar(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      return null;
    }
    if (value instanceof GgufValue.Scalar scalar) {
      return scalar.value();
    }
    if (value instanceof GgufValue.Array array
        && array.type() != GgufValue.Type.STRING
        && array.count() > 0) {
      // One for each layer, which models have in common.
      Object first = array.at(0);
      for (long i = 1; i < array.count(); i++) {
        if (!array.at(i).equals(first)) {
          throw new WeightsException(
              "%s: key '%s' has %s for layer 0 and %s for layer %d: layers that differ are not read"
                  .formatted(source, key, first, array.at(i), i));
        }
      }
      return first;
    }
    throw wrong(key, "a number");
  }

  /** A whole number of 31 bits; the other one where it is missing. */
  public int integer(String key, int otherwise) {
    Object value = scalar(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Long number && number >= 0 && number <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw wrong(key, "a whole number from 0 to 2^31-1");
  }

  /** A number; the other one where it is missing. */
  public double number(String key, double otherwise) {
    Object value = scalar(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw wrong(key, "a number");
  }

  /** True or false; the other one where it is missing. */
  public boolean flag(String key, boolean otherwise) {
    Object value = scalar(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, "true or false");
  }

  /** A list of texts; none where it is missing. */
  public List<String> texts(String key) {
    return array(key, GgufValue.Type.STRING).map(GgufValue.Array::texts).orElse(List.of());
  }

  /** A list of numbers; none where it is missing. */
  public double[] numbers(String key) {
    GgufValue.Array array =
        array(key, GgufValue.Type.FLOAT32, GgufValue.Type.FLOAT64)
            .orElse(new GgufValue.Array(null, 0, null));
    double[] numbers = new double[(int) array.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (double) array.at(i);
    }
    return numbers;
  }

  /** A list of whole numbers; none where it is missing. */
  public long[] integers(String key) {
    GgufValue.Array array =
        array(
                key,
                GgufValue.Type.INT8,
                GgufValue.Type.UINT8,
                GgufValue.Type.INT16,
                GgufValue.Type.UINT16,
                GgufValue.Type.INT32,
                GgufValue.Type.UINT32,
                GgufValue.Type.INT64,
                GgufValue.Type.UINT64)
            .orElse(new GgufValue.Array(null, 0, null));
    long[] numbers = new long[(int) array.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (long) array.at(i);
    }
    return numbers;
  }

  private Optional<GgufValue.Array> array(String key, GgufValue.Type... types) {
    GgufValue value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof GgufValue.Array array)
        || !List.of(types).contains(array.type())
        || array.count() > Integer.MAX_VALUE) {
      throw wrong(key, "an array of " + (types[0] == GgufValue.Type.STRING ? "texts" : "numbers"));
    }
    return Optional.of(array);
  }

  /** What is wrong with a key. */
  public WeightsException wrong(String key, String expected) {
    return new WeightsException(
        "%s: key '%s' is %s, expected %s".formatted(source, key, shown(values.get(key)), expected));
  }

  private static String shown(GgufValue value) {
    return switch (value) {
      case null -> "missing";
      case GgufValue.Scalar scalar -> "" + scalar.value();
      case GgufValue.Text text -> "the text '" + text.text() + "'";
      case GgufValue.Array array ->
          "an array of %d %s"
              .formatted(array.count(), array.type().toString().toLowerCase(Locale.ROOT));
    };
  }
}
