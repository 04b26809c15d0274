package dev.gatun.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.files.TextFile;
import dev.gatun.files.Warnings;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** A model's {@code config.json}, read as Hugging Face's libraries read it. */
public final class Config {
  private static final Pattern QUOTED = Pattern.compile("'([a-z0-9_]+)'");

  private final Source source;
  private final String prefix;
  private final JsonNode root;

  /**
   * What is shared by all that come of one file.
   *
   * @param asked keys that somebody asked for, with their prefixes
   * @param names what the file itself calls keys, where it is no JSON
   */
  private record Source(Path file, Set<String> asked, Map<String, String> names) {
    Source(Path file, Map<String, String> names) {
      this(file, ConcurrentHashMap.newKeySet(), new ConcurrentHashMap<>(names));
    }
  }

  private Config(Source source, String prefix, JsonNode root) {
    this.source = source;
    this.prefix = prefix;
    this.root = root;
  }

  /**
   * Reads {@code config.json} of a model directory, or what a GGUF file says in its place.
   *
   * @param directory the directory, or a GGUF file
   * @return its keys and their values
   * @throws IOException when it is missing or cannot be read
   * @throws IllegalArgumentException when it is not a JSON object, or an adapter lies beside it
   */
  public static Config read(Path directory) throws IOException {
    Optional<Path> gguf = GgufFile.find(directory);
    if (gguf.isPresent()) {
      try (GgufFile file = GgufFile.open(gguf.get())) {
        Config config = new Config(new Source(gguf.get(), file.keyNames()), "", file.config());
        // Made for the model's reader, by keys of the file that all have been looked at.
        config.source.asked.addAll(config.keys());
        return config;
      }
    }
    TensorFile.requireWhole(directory);
    return of(directory.resolve("config.json"));
  }

  /**
   * Reads another file of settings, as {@link #read} does that of a model.
   *
   * @param file of a JSON object
   * @return its keys and their values
   * @throws IOException when it is missing or cannot be read
   * @throws IllegalArgumentException when it is not a JSON object
   */
  public static Config of(Path file) throws IOException {
    JsonNode root = TextFile.json(file, IllegalArgumentException::new);
    if (root == null || !root.isObject()) {
      throw new IllegalArgumentException(file + ": expected a JSON object");
    }
    return new Config(new Source(file, Map.of()), "", root);
  }

  /** {@return the file that it was read from} */
  public Path file() {
    return source.file;
  }

  /** {@return the keys, in the order of the file} */
  public Set<String> keys() {
    Set<String> keys = new LinkedHashSet<>();
    root.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  /**
   * Warns of the keys that are not among those that are known, since nobody reads them.
   *
   * @param known lists of keys, each as the file spells it
   */
  @SafeVarargs
  public final void warnOfOthers(List<String>... known) {
    Set<String> others = keys();
    for (List<String> some : known) {
      others.removeAll(some);
    }
    if (!others.isEmpty()) {
      Warnings.ignored(
          "%s: not known, and not read: '%s%s'"
              .formatted(source.file, prefix, String.join("', '" + prefix, others)));
    }
  }

  /**
   * The keys of the file that nobody asked for and whose value is not null, in the order of the
   * file.
   */
  Set<String> unread() {
    Set<String> unread = keys();
    unread.removeIf(key -> source.asked.contains(prefix + key) || root.get(key).isNull());
    return unread;
  }

  /** A key's value as it is, which does not count as asked for. */
  Object peek(String key) {
    return Json.value(root.get(key));
  }

  /** Says that keys have no effect beside others that were read. */
  void withoutEffect(String... keys) {
    for (String key : keys) {
      source.asked.add(prefix + key);
    }
  }

  private JsonNode get(String key) {
    source.asked.add(prefix + key);
    return root.get(key);
  }

  /**
   * {@return whether a key has an object without keys}
   *
   * @param key as config.json spells it
   */
  public boolean isEmptyObject(String key) {
    return get(key) != null && get(key).isObject() && get(key).isEmpty();
  }

  /**
   * {@return whether it has a key whose value is not null}
   *
   * @param key as config.json spells it
   */
  public boolean has(String key) {
    return get(key) != null && !get(key).isNull();
  }

  /** Whether it does not have a key, not even with null. */
  boolean isMissing(String key) {
    return get(key) == null;
  }

  /**
   * {@return the keys of the object under a key, which must be there}
   *
   * @param key as config.json spells it
   * @throws IllegalArgumentException if it is missing or no object
   */
  public Config object(String key) {
    JsonNode node = get(key);
    if (node == null || !node.isObject()) {
      throw wrong(key, node, "an object");
    }
    return new Config(source, prefix + key + ".", node);
  }

  /**
   * {@return a key's text}
   *
   * @param key as config.json spells it
   * @param otherwise what stands for a missing key or null
   * @throws IllegalArgumentException if it is no text
   */
  public String text(String key, String otherwise) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return otherwise;
    }
    if (!node.isTextual()) {
      throw wrong(key, node, "a text");
    }
    return node.textValue();
  }

  /**
   * {@return a key's whole number}
   *
   * @param key as config.json spells it
   * @throws IllegalArgumentException if it is missing or no whole number
   */
  public int integer(String key) {
    if (!has(key)) {
      throw error("'%s%s' is missing".formatted(prefix, key));
    }
    return integer(key, 0);
  }

  /**
   * {@return a key's whole number}
   *
   * @param key as config.json spells it
   * @param otherwise what stands for a missing key or null
   * @throws IllegalArgumentException if it is no whole number
   */
  public int integer(String key, int otherwise) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return otherwise;
    }
    if (!node.canConvertToExactIntegral() || !node.canConvertToInt()) {
      throw wrong(key, node, "an integer");
    }
    return node.intValue();
  }

  /**
   * {@return an integer or a list of them; none for a missing key or null}
   *
   * @param key as config.json spells it
   * @throws IllegalArgumentException if it is neither
   */
  public List<Integer> integers(String key) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return List.of();
    }
    List<Integer> values = new ArrayList<>();
    for (JsonNode each : node.isArray() ? node : List.of(node)) {
      if (!each.canConvertToExactIntegral() || !each.canConvertToInt()) {
        throw wrong(key, node, "an integer or a list of them");
      }
      values.add(each.intValue());
    }
    return List.copyOf(values);
  }

  /** The numbers, texts, booleans and lists of an object; empty where it is missing. */
  Map<String, Object> map(String key) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return Map.of();
    }
    if (!node.isObject()) {
      throw wrong(key, node, "an object");
    }
    return Json.map(node);
  }

  /** A number, a text or a boolean as it is. */
  Object value(String key) {
    return Json.value(get(key));
  }

  /**
   * {@return a key's whole number, at least 1}
   *
   * @param key as config.json spells it
   * @throws IllegalArgumentException if it is missing, no whole number or below 1
   */
  public int positive(String key) {
    integer(key);
    return positive(key, 1);
  }

  /**
   * {@return a key's whole number, at least 1}
   *
   * @param key as config.json spells it
   * @param otherwise what stands for a missing key or null, at least 1
   * @throws IllegalArgumentException if it is no whole number or below 1
   */
  public int positive(String key, int otherwise) {
    int value = integer(key, otherwise);
    if (value < 1) {
      throw wrong(key, get(key), "a number from 1");
    }
    return value;
  }

  /** The same where null is a value of its own, which stands for another one. */
  int positiveUnlessNone(String key, int missing, int none) {
    return positive(key, get(key) != null ? none : missing);
  }

  /** A number; 0 for null, which is a value of its own. */
  float numberOrNone(String key, double missing) {
    return number(key, get(key) != null ? 0 : missing);
  }

  /** A number, as of heads, that must divide a width. */
  int divisor(String key, int width) {
    integer(key);
    return divisor(key, width, 1);
  }

  /** A number that must divide a width where it is given. */
  int divisor(String key, int width, int otherwise) {
    int value = positive(key, otherwise);
    if (width % value != 0) {
      throw wrong(key, get(key), "a divisor of the width " + width);
    }
    return value;
  }

  /** What a norm adds to the variance: a finite number from 0. */
  double eps(String key, double otherwise) {
    float eps = number(key, otherwise);
    if (!(eps >= 0 && eps < Float.POSITIVE_INFINITY)) {
      throw wrong(key, get(key), "a finite number from 0");
    }
    return eps;
  }

  /**
   * {@return a key's number}
   *
   * @param key as config.json spells it
   * @param otherwise what stands for a missing key or null
   * @throws IllegalArgumentException if it is no number
   */
  public float number(String key, double otherwise) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return (float) otherwise;
    }
    if (!node.isNumber()) {
      throw wrong(key, node, "a number");
    }
    return (float) node.doubleValue();
  }

  /** What is dropped in training. */
  Dropout dropout(String key, double otherwise) {
    float probability = number(key, otherwise);
    if (!(probability >= 0 && probability < 1)) {
      throw wrong(key, get(key), "a probability from 0 to below 1");
    }
    return new Dropout(probability);
  }

  /** The same where another key stands for a missing one or null. */
  Dropout dropout(String key, String other, double otherwise) {
    return dropout(key, dropout(other, otherwise).probability());
  }

  /** A number in double precision. */
  double decimal(String key, double otherwise) {
    return has(key) ? decimal(key) : otherwise;
  }

  /** A number in double precision that must be there. */
  double decimal(String key) {
    JsonNode node = get(key);
    if (node == null || !node.isNumber()) {
      throw wrong(key, node, "a number");
    }
    return node.doubleValue();
  }

  /** The same where a key that is missing has a value. */
  Config withDefault(String key, Object value) {
    return has(key) ? this : new Config(source, prefix, copy().set(key, Json.node(value)));
  }

  /** The same where a key that is not there, not even with null, has a value. */
  Config withMissing(String key, Object value) {
    return isMissing(key) ? withDefault(key, value) : this;
  }

  /** The same with a key's value under another name. */
  Config renamed(String from, String to) {
    if (!has(from)) {
      return this;
    }
    source.names.computeIfAbsent(to, _ -> source.names.get(from));
    return new Config(source, prefix, copy().set(to, get(from)));
  }

  /** The same with another number under a key. */
  Config with(String key, int value) {
    return new Config(source, prefix, copy().put(key, value));
  }

  /** All of it, a copy. */
  ObjectNode json() {
    return copy();
  }

  private ObjectNode copy() {
    return root.deepCopy();
  }

  /**
   * {@return a key's true or false}
   *
   * @param key as config.json spells it
   * @param otherwise what stands for a missing key or null
   * @throws IllegalArgumentException if it is neither
   */
  public boolean flag(String key, boolean otherwise) {
    JsonNode node = get(key);
    if (node == null || node.isNull()) {
      return otherwise;
    }
    if (!node.isBoolean()) {
      throw wrong(key, node, "true or false");
    }
    return node.booleanValue();
  }

  /**
   * Requires a flag, where it is given, to have the one value that there is.
   *
   * @param reason why another one is refused
   */
  void require(String key, boolean value, String reason) {
    if (flag(key, value) != value) {
      throw wrong(key, get(key), value + ": " + reason);
    }
  }

  /**
   * Requires a text, where it is given, to be the one that there is.
   *
   * @param key as config.json spells it
   * @param value the one text that a key may have; a missing key or null is as good
   * @throws IllegalArgumentException if it is another text, or no text
   */
  public void require(String key, String value) {
    if (!text(key, value).equals(value)) {
      throw wrong(key, get(key), value);
    }
  }

  /**
   * {@return a list of texts; of one text, the parts between its bars; empty for a missing key or
   * null}
   *
   * @param key as config.json spells it
   * @throws IllegalArgumentException if it is neither a text nor a list of them
   */
  public List<String> texts(String key) {
    JsonNode node = get(key);
    List<String> values = new ArrayList<>();
    if (node == null || node.isNull()) {
      return values;
    }
    if (node.isTextual()) {
      for (String part : node.textValue().split("\\|")) {
        if (!part.isBlank()) {
          values.add(part.strip());
        }
      }
      return values;
    }
    if (!node.isArray()) {
      throw wrong(key, node, "a list of texts");
    }
    for (JsonNode element : node) {
      if (!element.isTextual()) {
        throw wrong(key, node, "a list of texts");
      }
      values.add(element.textValue());
    }
    return values;
  }

  /**
   * {@return the number of labels; when the file names none two, or three of BART, whose
   * configuration says so}
   *
   * @throws IllegalArgumentException when {@code id2label} is no object or is empty, or {@code
   *     num_labels} is below 1
   */
  public int labelCount() {
    JsonNode map = get("id2label");
    if (map == null || map.isNull()) {
      return positive("num_labels", text("model_type", "").equals("bart") ? 3 : 2);
    }
    if (!map.isObject() || map.isEmpty()) {
      throw wrong("id2label", map, "an object of ids and labels");
    }
    return map.size();
  }

  /**
   * {@return the labels in the order of their ids, from 0; {@code LABEL_0} and so on where the file
   * names none} Fails as {@link #labelCount} does.
   */
  public List<String> labels() {
    JsonNode map = get("id2label");
    int count = labelCount();
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      JsonNode label = map == null ? null : map.get(Integer.toString(i));
      labels.add(label == null ? "LABEL_" + i : label.asText());
    }
    return labels;
  }

  /**
   * {@return what the labels of a sequence classifier mean; null when the file does not tell}
   *
   * @throws IllegalArgumentException when it names no type that is known
   */
  public ProblemType problemType() {
    return ProblemType.of(this);
  }

  /**
   * {@return the activation function of Hugging Face's name for it, such as {@code gelu_new}}
   *
   * @param key as config.json spells it
   * @param otherwise the name that stands for a missing key or null
   * @throws IllegalArgumentException if it is no text, or a name that is not known
   */
  public Activation activation(String key, String otherwise) {
    return activationNamed(key, text(key, otherwise));
  }

  /** The activation function of a name that a key's value has somewhere. */
  Activation activationNamed(String key, String name) {
    return switch (name) {
      case "gelu", "gelu_python" -> Activation.GELU;
      case "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate" ->
          Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "relu" -> Activation.RELU;
      case "silu", "swish" -> Activation.SILU;
      case "tanh" -> Activation.TANH;
      case "sigmoid" -> Activation.SIGMOID;
      case "linear" -> Activation.NONE;
      default ->
          throw wrong(
              key,
              get(key),
              "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, quick_gelu, relu, silu, tanh,"
                  + " sigmoid or linear");
    };
  }

  /**
   * {@return an error about this file, to be thrown}
   *
   * @param message what is wrong, and what would be right; the file's name is put before it, and
   *     keys in single quotes are named as the file has them
   */
  public IllegalArgumentException error(String message) {
    return new IllegalArgumentException(source.file + ": " + named(message));
  }

  private String named(String message) {
    return QUOTED
        .matcher(message)
        .replaceAll(
            key -> {
              String own = source.names.get(key.group(1));
              return own == null ? key.group() : "'%s' (%s)".formatted(own, key.group(1));
            });
  }

  /**
   * {@return an error about the value of a key, to be thrown}
   *
   * @param key as config.json spells it
   * @param expected what would be right; the file, the key and its value are put before it
   */
  public IllegalArgumentException wrong(String key, String expected) {
    return wrong(key, get(key), expected);
  }

  private IllegalArgumentException wrong(String key, JsonNode value, String expected) {
    return error("'%s%s' is %s, expected %s".formatted(prefix, key, value, expected));
  }
}
