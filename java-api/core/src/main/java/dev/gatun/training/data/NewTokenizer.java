package dev.gatun.training.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a tokenizer of a text: byte pairs (Sennrich et al., 2016) over bytes, as GPT-2's. Token 0
 * is {@code <|endoftext|>}, the next 256 are the bytes, the rest pairs that are frequent in words.
 * The same text gives the same tokenizer.
 */
public final class NewTokenizer {
  private static final String END = "<|endoftext|>";

  /** GPT-2's words, by which its tokenizers read texts. */
  private static final Pattern WORD =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

  private static final List<String> FIELDS =
      List.of("text", "text_pair", "question", "context", "source", "target");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
  private final List<String> merges = new ArrayList<>();

  private NewTokenizer() {}

  /**
   * Writes {@code tokenizer.json} and {@code tokenizer_config.json}.
   *
   * @param data whose words are counted, of all fields that objectives read texts of
   * @param vocabSize the most tokens; fewer where a text has not as many pairs
   * @param directory where the files go
   * @throws IllegalArgumentException for fewer tokens than bytes and the end
   * @throws IOException when they cannot be written
   */
  public static void write(Dataset data, int vocabSize, Path directory) throws IOException {
    if (vocabSize < 257) {
      throw new IllegalArgumentException(
          "tokenizer: vocab_size is %d, expected at least 257: 256 bytes and the end of a text"
              .formatted(vocabSize));
    }
    NewTokenizer made = new NewTokenizer();
    made.learn(data, vocabSize);
    Files.createDirectories(directory);
    Files.writeString(
        directory.resolve("tokenizer.json"),
        MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(made.json()));
    ObjectNode config = MAPPER.createObjectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.put("bos_token", END).put("eos_token", END).put("add_prefix_space", false);
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(config));
  }

  /** The characters that stand for the bytes: those that can be seen, for others ones from 256. */
  private static char[] bytes() {
    char[] characters = new char[256];
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean seen = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      characters[b] = seen ? (char) b : next++;
    }
    return characters;
  }

  /** The texts of an example, one after another. */
  private static String text(Example example) {
    StringBuilder all = new StringBuilder();
    for (String field : FIELDS) {
      if (example.has(field)) {
        all.append(all.isEmpty() ? "" : "\n").append(example.text(field));
      }
    }
    if (example.has("tokens")) {
      example.list("tokens").forEach(word -> all.append(' ').append(word));
    }
    return all.isEmpty() ? example.text("text") : all.toString();
  }

  private void learn(Dataset data, int vocabSize) {
    char[] characters = bytes();
    vocabulary.put(END, 0);
    for (char each : characters) {
      vocabulary.put(String.valueOf(each), vocabulary.size());
    }
    // In the order of the alphabet, so that ties do not depend on where words stand.
    Map<String, Integer> counts = new TreeMap<>();
    for (int i = 0; i < data.size(); i++) {
      Matcher words = WORD.matcher(text(data.get(i)));
      while (words.find()) {
        StringBuilder word = new StringBuilder();
        for (byte b : words.group().getBytes(StandardCharsets.UTF_8)) {
          word.append(characters[b & 0xff]);
        }
        counts.merge(word.toString(), 1, Integer::sum);
      }
    }
    List<List<String>> words = new ArrayList<>();
    counts.keySet().forEach(word -> words.add(new ArrayList<>(Arrays.asList(word.split("")))));
    int[] times = counts.values().stream().mapToInt(Integer::intValue).toArray();
    while (vocabulary.size() < vocabSize) {
      Pair pair = mostFrequent(words, times);
      if (pair == null) {
        return;
      }
      merges.add(pair.left + " " + pair.right);
      vocabulary.putIfAbsent(pair.left + pair.right, vocabulary.size());
      words.forEach(word -> join(word, pair));
    }
  }

  private record Pair(String left, String right) {}

  /** The pair that words have most often, at least twice; the first one of ties. */
  private static Pair mostFrequent(List<List<String>> words, int... times) {
    Map<Pair, Integer> counts = new LinkedHashMap<>();
    for (int w = 0; w < times.length; w++) {
      List<String> word = words.get(w);
      for (int i = 0; i + 1 < word.size(); i++) {
        counts.merge(new Pair(word.get(i), word.get(i + 1)), times[w], Integer::sum);
      }
    }
    Pair best = null;
    int most = 1;
    for (Map.Entry<Pair, Integer> each : counts.entrySet()) {
      if (each.getValue() > most) {
        most = each.getValue();
        best = each.getKey();
      }
    }
    return best;
  }

  private static void join(List<String> word, Pair pair) {
    for (int i = 0; i + 1 < word.size(); i++) {
      if (word.get(i).equals(pair.left) && word.get(i + 1).equals(pair.right)) {
        word.set(i, pair.left + pair.right);
        word.remove(i + 1);
      }
    }
  }

  private ObjectNode json() {
    ObjectNode root = MAPPER.createObjectNode().put("version", "1.0");
    ObjectNode end = root.putArray("added_tokens").addObject().put("id", 0).put("content", END);
    end.put("single_word", false).put("lstrip", false).put("rstrip", false);
    end.put("normalized", false).put("special", true);
    ObjectNode words = root.putObject("pre_tokenizer").put("type", "ByteLevel");
    words.put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
    ObjectNode decoder = root.putObject("decoder").put("type", "ByteLevel");
    decoder.put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
    ObjectNode model = root.putObject("model").put("type", "BPE");
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "");
    ObjectNode vocab = model.putObject("vocab");
    vocabulary.forEach(vocab::put);
    ArrayNode all = model.putArray("merges");
    merges.forEach(all::add);
    return root;
  }
}
