package dev.gatun.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.files.TextFile;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * @param json the tokenizer.json, without truncation and padding; null where there is an engine
 * @param engine what runs it; null for one that runs the tokenizer.json
 * @param vocabulary its tokens
 * @param written the tokens of ids that are decoded, others than those of texts for some models
 * @param special the tokens with a role
 * @param modelMaxLength the length in tokenizer_config.json
 * @param start where its texts may be cut
 * @param control ids of tokens that are special though the tokenizer.json has them as others
 * @param controlTokens those, the special ones of the tokenizer.json, and those with a role
 * @param languages those that the model reads and writes
 * @param spelling how the tokens spell their bytes
 */
record TokenizerFiles(
    String source,
    byte[] json,
    TokenizerEngine engine,
    Vocabulary vocabulary,
    Vocabulary written,
    SpecialTokens special,
    OptionalInt modelMaxLength,
    TextStart start,
    Set<Integer> control,
    ControlTokens controlTokens,
    Languages languages,
    TokenSpelling spelling) {

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
          path.toString(),
          new SentencePieceFiles.Found(
              made.root(), lowerCase ? null : made.engine(), null, made.control()),
          _ -> made.special(),
          OptionalInt.empty(),
          _ -> Languages.NONE);
    }
    boolean isDirectory = Files.isDirectory(path);
    Path directory = isDirectory ? path : path.toAbsolutePath().getParent();
    JsonNode config = readIfThere(directory.resolve("tokenizer_config.json"));
    JsonNode map = readIfThere(directory.resolve("special_tokens_map.json"));
    List<JsonNode> configs = List.of(config, map);
    boolean pieces = !isDirectory && isSentencePiece(path);
    TokenizerFamily family =
        pieces
            ? TokenizerFamily.OTHER
            : TokenizerFamily.of(directory, config, readIfThere(directory.resolve("config.json")));
    SentencePieceFiles.Found found =
        isDirectory
            ? find(path, family, configs)
            : pieces ? SentencePieceFiles.read(path) : plain(object(path));
    ObjectNode root = found.root();
    root.putNull("truncation");
    root.putNull("padding");
    if (lowerCase) {
      if (found.engine() != null) {
        throw new TokenizerException(
            path + ": a SentencePiece model says itself whether it makes texts lower case");
      }
      lowerCase(root);
    }
    return of(
        path.toString(),
        found,
        vocabulary -> new Roles(configs, root, vocabulary).all(),
        maxLength(config),
        vocabulary -> Languages.of(family, config, root, vocabulary));
  }

  private static boolean isSentencePiece(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".model") || name.endsWith(".spm");
  }

  private static SentencePieceFiles.Found plain(ObjectNode root) {
    return new SentencePieceFiles.Found(root, null, null, Set.of());
  }

  private static TokenizerFiles of(
      String source,
      SentencePieceFiles.Found found,
      Function<Vocabulary, SpecialTokens> roles,
      OptionalInt maxLength,
      Function<Vocabulary, Languages> languages) {
    ObjectNode root = found.root();
    TokenizerChecks.check(root, source);
    Vocabulary vocabulary = new Vocabulary(root, source);
    SpecialTokens special = roles.apply(vocabulary);
    try {
      boolean own = found.engine() != null;
      return new TokenizerFiles(
          source,
          own ? null : Json.bytes(SpelledTokens.hide(root, found.control())),
          own ? found.engine().apply(root) : null,
          vocabulary,
          found.written() == null ? vocabulary : found.written(),
          special,
          maxLength,
          new TextStart(root),
          found.control(),
          controlTokens(root, vocabulary, special, found.control()),
          languages.apply(vocabulary),
          TokenSpelling.of(root, own));
    } catch (JsonProcessingException e) {
      throw new TokenizerException(source + ": " + Json.told(e), e);
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
    ObjectNode sequence = Json.object().put("type", "Sequence");
    ArrayNode all = sequence.putArray("normalizers");
    all.addObject().put("type", "Lowercase");
    if (before.path("type").asText().equals("Sequence")) {
      before.path("normalizers").forEach(all::add);
    } else if (before.isObject()) {
      all.add(before);
    }
    root.set("normalizer", sequence);
  }

  private static SentencePieceFiles.Found find(
      Path directory, TokenizerFamily family, List<JsonNode> configs) throws IOException {
    if (Files.exists(directory.resolve("tokenizer.json"))) {
      return plain(object(directory.resolve("tokenizer.json")));
    }
    SentencePieceFiles.Found found = older(directory, family, configs);
    JsonNode added = readIfThere(directory.resolve("added_tokens.json"));
    AddedTokens.add(directory.toString(), found.root(), added, configs);
    return found;
  }

  private static SentencePieceFiles.Found older(
      Path directory, TokenizerFamily family, List<JsonNode> configs) throws IOException {
    JsonNode config = configs.getFirst();
    if (Files.exists(directory.resolve("vocab.txt"))) {
      return plain(LegacyTokenizers.wordPiece(directory.resolve("vocab.txt"), config));
    }
    Path vocab = directory.resolve("vocab.json");
    Path merges = directory.resolve("merges.txt");
    if (Files.exists(vocab) && Files.exists(merges)) {
      return plain(LegacyTokenizers.byteLevel(object(vocab), merges, config));
    }
    if (SentencePieceFiles.isThere(directory)) {
      return SentencePieceFiles.read(directory, family, configs);
    }
    throw new TokenizerException(
        "%s: no tokenizer; looked for tokenizer.json, vocab.txt, vocab.json with merges.txt, and %s"
            .formatted(directory, String.join(", ", SentencePieceFiles.NAMES)));
  }

  /** The file that {@link #read} begins with in {@code directory}; empty for no tokenizer. */
  static Optional<String> first(Path directory) {
    List<String> names = new ArrayList<>(List.of("tokenizer.json", "vocab.txt"));
    // Marian's and M2M-100's vocab.json has no merges.txt beside it.
    if (Files.exists(directory.resolve("merges.txt"))) {
      names.addAll(List.of("vocab.json", "merges.txt"));
    }
    names.addAll(SentencePieceFiles.NAMES);
    return names.stream().filter(name -> Files.exists(directory.resolve(name))).findFirst();
  }

  static ObjectNode object(Path file) throws IOException {
    if (parse(file) instanceof ObjectNode object) {
      return object;
    }
    throw new TokenizerException(file + ": expected a JSON object");
  }

  private static JsonNode readIfThere(Path file) throws IOException {
    return Files.exists(file) ? parse(file) : Json.object();
  }

  private static JsonNode parse(Path file) throws IOException {
    return TextFile.json(file, TokenizerException::new);
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
