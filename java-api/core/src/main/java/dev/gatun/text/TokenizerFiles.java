package dev.gatun.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.TextFile;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What a tokenizer's files say.
 *
 * @param source the file or directory
 * @param json the tokenizer.json, without truncation and padding
 * @param vocabulary its tokens
 * @param special the tokens with a role
 * @param modelMaxLength the length in tokenizer_config.json
 * @param start where its texts may be cut
 * @param control ids of tokens that are special though the tokenizer.json has them as others
 * @param controlTokens those, the special ones of the tokenizer.json, and those with a role
 */
record TokenizerFiles(
    String source,
    byte[] json,
    Vocabulary vocabulary,
    SpecialTokens special,
    OptionalInt modelMaxLength,
    TextStart start,
    Set<Integer> control,
    ControlTokens controlTokens) {

  /** A vocabulary's tokens are names that come once: to keep a table of names only costs time. */
  static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * Reads them.
   *
   * @param lowerCase whether texts are to be made lower case before anything else
   */
  static TokenizerFiles read(Path path, boolean lowerCase) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "there is no such file or directory");
    }
    Optional<Path> gguf = GgufFile.find(path);
    if (gguf.isPresent()) {
      GgufTokenizer.Made made = GgufFile.readMetadata(gguf.get(), GgufTokenizer::of);
      if (lowerCase) {
        lowerCase(made.root());
      }
      return of(
          path.toString(), made.root(), _ -> made.special(), OptionalInt.empty(), made.control());
    }
    boolean isDirectory = Files.isDirectory(path);
    Path directory = isDirectory ? path : path.toAbsolutePath().getParent();
    JsonNode config = readIfThere(directory.resolve("tokenizer_config.json"));
    JsonNode map = readIfThere(directory.resolve("special_tokens_map.json"));
    ObjectNode root = isDirectory ? find(path, List.of(config, map)) : object(path);
    root.putNull("truncation");
    root.putNull("padding");
    if (lowerCase) {
      lowerCase(root);
    }
    return of(
        path.toString(),
        root,
        vocabulary -> new Roles(List.of(config, map), root, vocabulary).all(),
        maxLength(config),
        Set.of());
  }

  private static TokenizerFiles of(
      String source,
      ObjectNode root,
      Function<Vocabulary, SpecialTokens> roles,
      OptionalInt maxLength,
      Set<Integer> control) {
    TokenizerChecks.check(root, source);
    Vocabulary vocabulary = new Vocabulary(root, source);
    SpecialTokens special = roles.apply(vocabulary);
    try {
      byte[] json = JSON.writeValueAsBytes(root);
      return new TokenizerFiles(
          source,
          json,
          vocabulary,
          special,
          maxLength,
          new TextStart(root),
          control,
          controlTokens(root, vocabulary, special, control));
    } catch (JsonProcessingException e) {
      throw new TokenizerException(source + ": " + e.getOriginalMessage(), e);
    }
  }

  private static ControlTokens controlTokens(
      JsonNode root, Vocabulary vocabulary, SpecialTokens special, Set<Integer> control) {
    Map<String, Integer> ids = new HashMap<>();
    Set<String> matched = new HashSet<>();
    for (JsonNode added : root.path("added_tokens")) {
      matched.add(added.path("content").asText());
      if (added.path("special").asBoolean(false)) {
        ids.put(added.path("content").asText(), added.path("id").intValue());
      }
    }
    Stream.of(
            special.cls(),
            special.sep(),
            special.pad(),
            special.mask(),
            special.unk(),
            special.bos(),
            special.eos())
        .flatMapToInt(OptionalInt::stream)
        .forEach(id -> ids.put(vocabulary.token(id), id));
    control.forEach(id -> ids.put(vocabulary.token(id), id));
    matched.retainAll(ids.keySet());
    return new ControlTokens(ids, matched);
  }

  private static void lowerCase(ObjectNode root) {
    JsonNode before = root.path("normalizer");
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    ArrayNode all = sequence.putArray("normalizers");
    all.addObject().put("type", "Lowercase");
    if (before.path("type").asText().equals("Sequence")) {
      before.path("normalizers").forEach(all::add);
    } else if (before.isObject()) {
      all.add(before);
    }
    root.set("normalizer", sequence);
  }

  private static ObjectNode find(Path directory, List<JsonNode> configs) throws IOException {
    if (Files.exists(directory.resolve("tokenizer.json"))) {
      return object(directory.resolve("tokenizer.json"));
    }
    ObjectNode root = older(directory, configs.getFirst());
    JsonNode added = readIfThere(directory.resolve("added_tokens.json"));
    AddedTokens.add(directory.toString(), root, added, configs);
    return root;
  }

  private static ObjectNode older(Path directory, JsonNode config) throws IOException {
    if (Files.exists(directory.resolve("vocab.txt"))) {
      return LegacyTokenizers.wordPiece(directory.resolve("vocab.txt"), config);
    }
    Path vocab = directory.resolve("vocab.json");
    Path merges = directory.resolve("merges.txt");
    if (Files.exists(vocab) && Files.exists(merges)) {
      return LegacyTokenizers.byteLevel(object(vocab), merges, config);
    }
    throw new TokenizerException(
        directory
            + ": no tokenizer; looked for tokenizer.json, vocab.txt, and vocab.json with merges.txt"
            + " (a sentencepiece model alone is not read: save the fast tokenizer)");
  }

  private static ObjectNode object(Path file) throws IOException {
    if (parse(file) instanceof ObjectNode object) {
      return object;
    }
    throw new TokenizerException(file + ": expected a JSON object");
  }

  private static JsonNode readIfThere(Path file) throws IOException {
    return Files.exists(file) ? parse(file) : JSON.createObjectNode();
  }

  private static JsonNode parse(Path file) throws IOException {
    return TextFile.json(JSON, file, TokenizerException::new);
  }

  private static OptionalInt maxLength(JsonNode config) {
    JsonNode length = config.path("model_max_length");
    boolean meant = length.isNumber() && length.doubleValue() >= 1 && length.doubleValue() <= 1e9;
    return meant ? OptionalInt.of(length.intValue()) : OptionalInt.empty();
  }

  /** Finds the tokens with a role: by the configuration, else by their usual spelling. */
  private record Roles(List<JsonNode> configs, JsonNode root, Vocabulary vocabulary) {

    SpecialTokens all() {
      return new SpecialTokens(
          id("cls_token", "[CLS]", "<s>"),
          id("sep_token", "[SEP]", "</s>"),
          id("pad_token", "[PAD]", "<pad>"),
          id("mask_token", "[MASK]", "<mask>"),
          id("unk_token", root.path("model").path("unk_token").asText(""), "[UNK]", "<unk>"),
          id("bos_token", "<s>", "<|endoftext|>"),
          id("eos_token", "</s>", "<|endoftext|>"));
    }

    private OptionalInt id(String role, String... spellings) {
      for (JsonNode config : configs) {
        String token = LegacyTokenizers.content(config, role, null);
        if (token != null && vocabulary.id(token) != null) {
          return OptionalInt.of(vocabulary.id(token));
        }
      }
      for (String spelling : spellings) {
        if (vocabulary.id(spelling) != null) {
          return OptionalInt.of(vocabulary.id(spelling));
        }
      }
      return OptionalInt.empty();
    }
  }
}
