package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.files.TextFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Makes the tokenizer.json that Hugging Face's converters make from the files of older models. */
final class LegacyTokenizers {
  private LegacyTokenizers() {}

  /** BERT: {@code vocab.txt}, one token a line. */
  static ObjectNode wordPiece(Path vocabFile, JsonNode config) throws IOException {
    String unk = content(config, "unk_token", "[UNK]");
    String sep = content(config, "sep_token", "[SEP]");
    String cls = content(config, "cls_token", "[CLS]");
    ObjectNode root = Json.object().put("version", "1.0");
    ObjectNode model = root.putObject("model").put("type", "WordPiece").put("unk_token", unk);
    model.put("continuing_subword_prefix", "##").put("max_input_chars_per_word", 100);
    ObjectNode vocab = model.putObject("vocab");
    List<String> lines = lines(vocabFile);
    for (int i = 0; i < lines.size(); i++) {
      vocab.put(lines.get(i), i);
    }
    require(vocab, vocabFile.toString(), unk, sep, cls);
    String pad = content(config, "pad_token", "[PAD]");
    String mask = content(config, "mask_token", "[MASK]");
    addTokens(root, vocab, List.of(pad, unk, cls, sep, mask), null);

    ObjectNode normalizer = root.putObject("normalizer").put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", config.path("tokenize_chinese_chars").asBoolean(true));
    JsonNode strip = config.path("strip_accents");
    normalizer.put("strip_accents", strip.isBoolean() ? strip.booleanValue() : null);
    normalizer.put("lowercase", config.path("do_lower_case").asBoolean(true));
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    ObjectNode processor = root.putObject("post_processor").put("type", "BertProcessing");
    processor.putArray("sep").add(sep).add(vocab.get(sep));
    processor.putArray("cls").add(cls).add(vocab.get(cls));
    return root;
  }

  /** RoBERTa and GPT-2: {@code vocab.json} and {@code merges.txt}. */
  static ObjectNode byteLevel(ObjectNode vocab, Path mergesFile, JsonNode config)
      throws IOException {
    boolean prefix = config.path("add_prefix_space").asBoolean(false);
    ObjectNode root = Json.object().put("version", "1.0");
    ObjectNode model = root.putObject("model").put("type", "BPE");
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "");
    model.set("vocab", vocab);
    ArrayNode merges = model.putArray("merges");
    for (String line : lines(mergesFile)) {
      if (!line.isEmpty() && !line.startsWith("#version")) {
        merges.add(line);
      }
    }
    byteLevelPart(root.putObject("pre_tokenizer"), prefix, true);
    byteLevelPart(root.putObject("decoder"), true, true);
    String cls = content(config, "cls_token", "<s>");
    String sep = content(config, "sep_token", "</s>");
    ObjectNode processor = root.putObject("post_processor");
    if (vocab.has(cls) && vocab.has(sep)) {
      processor.put("type", "RobertaProcessing").put("trim_offsets", true);
      processor.put("add_prefix_space", prefix);
      processor.putArray("sep").add(sep).add(vocab.get(sep));
      processor.putArray("cls").add(cls).add(vocab.get(cls));
    } else {
      byteLevelPart(processor, prefix, false);
    }
    String mask = content(config, "mask_token", "<mask>");
    String pad = content(config, "pad_token", "<pad>");
    String unk = content(config, "unk_token", "<unk>");
    addTokens(root, vocab, List.of(cls, pad, sep, unk, mask, "<|endoftext|>"), mask);
    return root;
  }

  private static void byteLevelPart(ObjectNode part, boolean prefix, boolean trim) {
    part.put("type", "ByteLevel").put("add_prefix_space", prefix);
    part.put("trim_offsets", trim).put("use_regex", true);
  }

  /** The token that {@code config} gives a role, a string or an object with a content. */
  static String content(JsonNode config, String role, String otherwise) {
    JsonNode token = config.path(role);
    JsonNode text = token.isObject() ? token.path("content") : token;
    return text.isTextual() ? text.textValue() : otherwise;
  }

  /** The token that the first of {@code configs} to name one gives a role. */
  static String role(List<JsonNode> configs, String role, String otherwise) {
    return configs.stream()
        .map(config -> content(config, role, null))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(otherwise);
  }

  private static void addTokens(
      ObjectNode root, ObjectNode vocab, List<String> tokens, String eatsSpaceBefore) {
    ArrayNode added = root.putArray("added_tokens");
    vocab.properties().stream()
        .filter(e -> tokens.contains(e.getKey()))
        .sorted(Map.Entry.comparingByValue((a, b) -> Long.compare(a.asLong(), b.asLong())))
        .forEach(
            e -> {
              ObjectNode token = added.addObject().put("content", e.getKey());
              token.set("id", e.getValue());
              token.put("single_word", false).put("rstrip", false);
              token.put("lstrip", e.getKey().equals(eatsSpaceBefore));
              token.put("normalized", false).put("special", true);
            });
  }

  private static void require(ObjectNode vocab, String file, String... tokens) {
    for (String token : tokens) {
      if (!vocab.has(token)) {
        throw new TokenizerException(file + ": the special token " + token + " is not there");
      }
    }
  }

  private static List<String> lines(Path file) throws IOException {
    String text = TextFile.read(file, TokenizerException::new);
    List<String> lines =
        Arrays.stream(text.split("\n", -1))
            .map(l -> l.endsWith("\r") ? l.substring(0, l.length() - 1) : l)
            .toList();
    return lines.getLast().isEmpty() ? lines.subList(0, lines.size() - 1) : lines;
  }
}
