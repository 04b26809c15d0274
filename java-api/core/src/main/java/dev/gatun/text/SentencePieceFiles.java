package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.text.SentencePieceEngine.Settings;
import dev.gatun.text.SentencePieceEngine.Style;
import dev.gatun.text.SentencePieceModel.Algorithm;
import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

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
        engine(
            model.file(),
            ids ->
                new Settings(pieces, pieces, ids, ids, model.unkId(), before, after, Style.PLAIN)),
        null,
        control);
  }

  private static ObjectNode root() {
    ObjectNode root = Json.object().put("version", "1.0");
    root.putArray("added_tokens");
    root.putObject("model").put("type", "SentencePiece");
    return root;
  }

  /** What makes an engine of a root, by the settings that its vocabulary goes into. */
  private static Function<ObjectNode, TokenizerEngine> engine(
      Path file, Function<Vocabulary, Settings> settings) {
    return root ->
        new SentencePieceEngine(
            settings.apply(new Vocabulary(root, file.toString())), root.path("added_tokens"));
  }

  private String role(String key, String otherwise) {
    return LegacyTokenizers.role(configs, key, otherwise);
  }

  /** Ids of pieces that are not a model's own, but those of a {@code vocab.json}. */
  private final class Ids {
    final Path file;
    final ObjectNode root;
    final ObjectNode vocab;

    Ids(String name) throws IOException {
      this.file = file(name);
      this.vocab = TokenizerFiles.object(file);
      this.root = root();
      ((ObjectNode) root.get("model")).set("vocab", vocab);
    }

    /** The id of a token with a role, which is a special one from now on. */
    int special(String key, String otherwise) {
      String token = role(key, otherwise);
      if (!vocab.path(token).isInt()) {
        throw new TokenizerException(
            "%s: the special token '%s' is not there".formatted(file, token));
      }
      addSpecial(token);
      return vocab.get(token).intValue();
    }

    /** Of a role that a vocabulary may lack. */
    OptionalInt specialIfThere(String key, String otherwise) {
      String token = role(key, otherwise);
      if (!vocab.path(token).isInt()) {
        return OptionalInt.empty();
      }
      addSpecial(token);
      return OptionalInt.of(vocab.get(token).intValue());
    }

    private void addSpecial(String token) {
      add(token, vocab.get(token).intValue());
    }

    void add(String token, int id) {
      ArrayNode added = (ArrayNode) root.get("added_tokens");
      for (JsonNode each : added) {
        if (each.get("content").textValue().equals(token)) {
          return;
        }
      }
      added.addObject().put("content", token).put("id", id).put("special", true);
    }
  }

  private static SentencePieceProcessor processor(Path file) throws IOException {
    return new SentencePieceProcessor(SentencePieceModel.read(file));
  }

  private Found marian() throws IOException {
    SentencePieceProcessor source = processor(file("source.spm"));
    SentencePieceProcessor target = processor(file("target.spm"));
    Ids ids = new Ids("vocab.json");
    int unk = ids.special("unk_token", "<unk>");
    int eos = ids.special("eos_token", "</s>");
    ids.specialIfThere("pad_token", "<pad>");
    // With one vocabulary for both sides, the model of the source spells all pieces the same way.
    boolean separate = configs.getFirst().path("separate_vocabs").asBoolean(false);
    SentencePieceProcessor writes = separate ? target : source;
    Ids others = separate ? new Ids("target_vocab.json") : null;
    Vocabulary written = separate ? new Vocabulary(others.root, others.file.toString()) : null;
    int unkWritten = separate ? others.specialIfThere("unk_token", "<unk>").orElse(unk) : unk;
    int eosWritten = separate ? others.specialIfThere("eos_token", "</s>").orElse(eos) : eos;
    List<Integer> none = List.of();
    return new Found(
        ids.root,
        root -> {
          JsonNode tokens = root.path("added_tokens");
          Vocabulary read = new Vocabulary(root, ids.file.toString());
          Vocabulary spelled = separate ? written : read;
          SentencePieceEngine targets =
              new SentencePieceEngine(
                  new Settings(
                      target,
                      target,
                      spelled,
                      spelled,
                      unkWritten,
                      none,
                      List.of(eosWritten),
                      Style.MARIAN),
                  separate ? others.root.path("added_tokens") : tokens);
          return new SentencePieceEngine(
              new Settings(source, writes, read, spelled, unk, none, List.of(eos), Style.MARIAN),
              tokens,
              targets);
        },
        written,
        Set.of());
  }

  private Found m2m100() throws IOException {
    SentencePieceProcessor pieces = processor(file("sentencepiece.bpe.model"));
    Ids ids = new Ids("vocab.json");
    int unk = ids.special("unk_token", "<unk>");
    int eos = ids.special("eos_token", "</s>");
    ids.specialIfThere("bos_token", "<s>");
    ids.specialIfThere("pad_token", "<pad>");
    boolean wmt = configs.getFirst().path("language_codes").asText("").equals("wmt21");
    List<String> codes = wmt ? LanguageCodes.WMT_21 : LanguageCodes.M2M_100;
    String source = role("src_lang", "en");
    if (!codes.contains(source)) {
      throw new TokenizerException(
          "%s: src_lang is '%s', expected one of %s".formatted(directory, source, codes));
    }
    // Languages have the ids behind those of vocab.json.
    int first = ids.vocab.size();
    for (int i = 0; i < codes.size(); i++) {
      ids.add("__" + codes.get(i) + "__", first + i);
    }
    int language = first + codes.indexOf(source);
    return new Found(
        ids.root,
        engine(
            ids.file,
            read ->
                new Settings(
                    pieces,
                    pieces,
                    read,
                    read,
                    unk,
                    List.of(language),
                    List.of(eos),
                    Style.M2M_100)),
        null,
        Set.of());
  }
}
