package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.text.SentencePieceModel.Algorithm;
import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The tokenizer of a directory that has a SentencePiece model and no tokenizer.json. Families that
 * Hugging Face's tokenizers run become their tokenizer.json; Marian's, M2M-100's and those that are
 * not known run by SentencePiece's own rules.
 */
final class SentencePieceFiles {
  /** The files' names, those first that go before others. */
  static final List<String> NAMES =
      List.of("source.spm", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model");

  /**
   * What was read.
   *
   * @param root a tokenizer.json, or as much of one as has the vocabulary and the added tokens
   * @param engine makes what runs it of the root with all added tokens; null where the
   *     tokenizer.json is run
   * @param written the tokens of ids that are decoded; null where they are those of texts
   * @param control ids of tokens that no text becomes, besides the special ones of the root
   */
  record Found(
      ObjectNode root,
      Function<ObjectNode, TokenizerEngine> engine,
      Vocabulary written,
      Set<Integer> control) {}

  private final Path directory;
  private final List<JsonNode> configs;

  private SentencePieceFiles(Path directory, List<JsonNode> configs) {
    this.directory = directory;
    this.configs = configs;
  }

  static boolean isThere(Path directory) {
    return NAMES.stream().anyMatch(name -> Files.exists(directory.resolve(name)));
  }

  /**
   * Reads it.
   *
   * @param configs {@code tokenizer_config.json} and {@code special_tokens_map.json}
   */
  static Found read(Path directory, TokenizerFamily family, List<JsonNode> configs)
      throws IOException {
    return new SentencePieceFiles(directory, configs).read(family);
  }

  /** A model's file alone: its pieces, by their own ids. */
  static Found read(Path file) throws IOException {
    return plain(SentencePieceModel.read(file), List.of(), List.of());
  }

  private Found read(TokenizerFamily family) throws IOException {
    return switch (family) {
      case MARIAN -> marian();
      case M2M_100 -> m2m100();
      case T5, PEGASUS -> json(family, "spiece.model");
      case MBART, MBART_50, NLLB, XLM_ROBERTA -> json(family, "sentencepiece.bpe.model");
      case LLAMA -> llama();
      case OTHER -> other();
    };
  }

  private Path file(String name) {
    Path file = directory.resolve(name);
    if (!Files.exists(file)) {
      throw new TokenizerException(
          "%s: no %s, which a tokenizer of its kind needs where there is no tokenizer.json"
              .formatted(directory, name));
    }
    return file;
  }

  private Found json(TokenizerFamily family, String name) throws IOException {
    SentencePieceModel model = SentencePieceModel.read(file(name));
    return new Found(SentencePieceJson.of(family, model, configs), null, null, Set.of());
  }

  private Found llama() throws IOException {
    SentencePieceModel model = SentencePieceModel.read(file("tokenizer.model"));
    boolean asLlama = model.algorithm() == Algorithm.BPE && model.charsMap().length == 0;
    return asLlama
        ? new Found(
            SentencePieceJson.of(TokenizerFamily.LLAMA, model, configs), null, null, Set.of())
        : framed(model, true);
  }

  private Found other() throws IOException {
    String name = NAMES.stream().filter(n -> Files.exists(directory.resolve(n))).findFirst().get();
    if (name.equals("source.spm")) {
      return marian();
    }
    String kind = configs.getFirst().path("tokenizer_class").asText("");
    if (!name.equals("tokenizer.model")) {
      throw new TokenizerException(
          "%s: the rules of %s for %s are not known; save the fast tokenizer (tokenizer.json)"
              .formatted(directory, kind.isEmpty() ? "its tokenizer" : kind, name));
    }
    return framed(SentencePieceModel.read(file(name)), false);
  }

  /** By SentencePiece's rules, with the tokens at the ends that the configuration asks for. */
  private Found framed(SentencePieceModel model, boolean bos) {
    JsonNode config = configs.getFirst();
    List<Integer> before = new ArrayList<>();
    List<Integer> after = new ArrayList<>();
    if (config.path("add_bos_token").asBoolean(bos)) {
      before.add(id(model, role("bos_token", "<s>")));
    }
    if (config.path("add_eos_token").asBoolean(false)) {
      after.add(id(model, role("eos_token", "</s>")));
    }
    return plain(model, before, after);
  }

  private static int id(SentencePieceModel model, String token) {
    for (int id = 0; id < model.pieces().size(); id++) {
      if (model.piece(id).text().equals(token)) {
        return id;
      }
    }
    throw new TokenizerException(
        "%s: the special token '%s' is none of its %d pieces"
            .formatted(model.file(), token, model.pieces().size()));
  }

  private static Found plain(SentencePieceModel model, List<Integer> before, List<Integer> after) {
    ObjectNode root = root();
    ObjectNode vocab = ((ObjectNode) root.get("model")).putObject("vocab");
    Set<Integer> control = new TreeSet<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      Piece piece = model.piece(id);
      vocab.put(piece.text(), id);
      if (piece.type() == Type.CONTROL) {
        control.add(id);
      }
    }
    SentencePieceProcessor pieces = new SentencePieceProcessor(model);
    return new Found(
        root,
        all ->
            engine(
                model.file(),
                all,
                pieces,
                pieces,
                null,
                model.unkId(),
                before,
                after,
                SentencePieceEngine.Style.PLAIN),
        null,
        control);
  }

  private static ObjectNode root() {
    ObjectNode root = TokenizerFiles.JSON.createObjectNode().put("version", "1.0");
    root.putArray("added_tokens");
    root.putObject("model").put("type", "SentencePiece");
    return root;
  }

  private static SentencePieceEngine engine(
      Path file,
      ObjectNode root,
      SentencePieceProcessor reads,
      SentencePieceProcessor writes,
      Vocabulary written,
      int unk,
      List<Integer> before,
      List<Integer> after,
      SentencePieceEngine.Style style) {
    Vocabulary vocabulary = new Vocabulary(root, file.toString());
    return new SentencePieceEngine(
        new SentencePieceEngine.Settings(
            reads,
            writes,
            vocabulary,
            written == null ? vocabulary : written,
            unk,
            before,
            after,
            style),
        root.path("added_tokens"));
  }

  private String role(String key, String otherwise) {
    return configs.stream()
        .map(config -> LegacyTokenizers.content(config, key, null))
        .flatMap(Stream::ofNullable)
        .findFirst()
        .orElse(otherwise);
  }

  private ObjectNode vocabulary(String name) throws IOException {
    return TokenizerFiles.object(file(name));
  }

  private static int id(ObjectNode vocab, Path file, String token) {
    if (!vocab.path(token).isInt()) {
      throw new TokenizerException(
          "%s: the special token '%s' is not there".formatted(file, token));
    }
    return vocab.get(token).intValue();
  }

  private static void addSpecial(ObjectNode root, ObjectNode vocab, Stream<String> tokens) {
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    tokens
        .distinct()
        .filter(vocab::has)
        .forEach(
            token -> {
              ObjectNode one = added.addObject().put("content", token);
              one.set("id", vocab.get(token));
              one.put("special", true);
            });
  }

  private Found marian() throws IOException {
    SentencePieceProcessor source =
        new SentencePieceProcessor(SentencePieceModel.read(file("source.spm")));
    SentencePieceProcessor target =
        new SentencePieceProcessor(SentencePieceModel.read(file("target.spm")));
    Path file = file("vocab.json");
    ObjectNode vocab = vocabulary("vocab.json");
    ObjectNode root = root();
    ((ObjectNode) root.get("model")).set("vocab", vocab);
    String unk = role("unk_token", "<unk>");
    String eos = role("eos_token", "</s>");
    int unkId = id(vocab, file, unk);
    int eosId = id(vocab, file, eos);
    addSpecial(root, vocab, Stream.of(eos, unk, role("pad_token", "<pad>")));
    boolean separate = configs.getFirst().path("separate_vocabs").asBoolean(false);
    Vocabulary written = null;
    if (separate) {
      ObjectNode other = root();
      ((ObjectNode) other.get("model")).set("vocab", vocabulary("target_vocab.json"));
      written = new Vocabulary(other, file("target_vocab.json").toString());
    }
    Vocabulary targets = written;
    // With one vocabulary for both sides, the model of the source spells all pieces the same way.
    return new Found(
        root,
        all ->
            engine(
                file,
                all,
                source,
                separate ? target : source,
                targets,
                unkId,
                List.of(),
                List.of(eosId),
                SentencePieceEngine.Style.MARIAN),
        written,
        Set.of());
  }

  private Found m2m100() throws IOException {
    SentencePieceModel model = SentencePieceModel.read(file("sentencepiece.bpe.model"));
    SentencePieceProcessor pieces = new SentencePieceProcessor(model);
    Path file = file("vocab.json");
    ObjectNode vocab = vocabulary("vocab.json");
    ObjectNode root = root();
    ((ObjectNode) root.get("model")).set("vocab", vocab);
    String unk = role("unk_token", "<unk>");
    String eos = role("eos_token", "</s>");
    int unkId = id(vocab, file, unk);
    int eosId = id(vocab, file, eos);
    String bos = role("bos_token", "<s>");
    addSpecial(root, vocab, Stream.of(bos, eos, role("pad_token", "<pad>"), unk));
    boolean wmt = configs.getFirst().path("language_codes").asText("").equals("wmt21");
    List<String> codes = wmt ? LanguageCodes.WMT_21 : LanguageCodes.M2M_100;
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    String source = role("src_lang", "en");
    if (!codes.contains(source)) {
      throw new TokenizerException(
          "%s: src_lang is '%s', expected one of %s".formatted(directory, source, codes));
    }
    // Languages have the ids behind those of vocab.json.
    for (int i = 0; i < codes.size(); i++) {
      String token = "__" + codes.get(i) + "__";
      added.addObject().put("content", token).put("id", vocab.size() + i).put("special", true);
    }
    int sourceId = vocab.size() + codes.indexOf(source);
    return new Found(
        root,
        all ->
            engine(
                file,
                all,
                pieces,
                pieces,
                null,
                unkId,
                List.of(sourceId),
                List.of(eosId),
                SentencePieceEngine.Style.M2M_100),
        null,
        Set.of());
  }
}
