package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.text.SentencePieceModel.Algorithm;
import dev.gatun.text.SentencePieceModel.Piece;
import dev.gatun.text.SentencePieceModel.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the tokenizer.json that Hugging Face's tokenizer of a family makes of its SentencePiece
 * model: ids are those of the family, which are often not those of the model's pieces.
 */
final class SentencePieceJson {
  private static final String SPACE = "\u2581";
  private static final int PEGASUS_OFFSET = 103;
  private static final int T5_EXTRA_IDS = 100;

  /** Fairseq's ids have four tokens in the place of a model's first three pieces. */
  private static final int REPLACED_PIECES = 3;

  private final SentencePieceModel model;
  private final List<JsonNode> configs;
  private final ObjectNode root = Json.object().put("version", "1.0");
  private final List<String> tokens = new ArrayList<>();
  private final List<Float> scores = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, ObjectNode> added = new LinkedHashMap<>();

  private SentencePieceJson(SentencePieceModel model, List<JsonNode> configs) {
    this.model = model;
    this.configs = configs;
  }

  /**
   * Makes it.
   *
   * @param configs {@code tokenizer_config.json} and {@code special_tokens_map.json}
   */
  static ObjectNode of(TokenizerFamily family, SentencePieceModel model, List<JsonNode> configs) {
    SentencePieceJson made = new SentencePieceJson(model, configs);
    switch (family) {
      case T5 -> made.t5();
      case PEGASUS -> made.pegasus();
      case MBART -> made.mbart();
      case MBART_50 -> made.mbart50();
      case NLLB -> made.nllb();
      case XLM_ROBERTA -> made.xlmRoberta();
      case LLAMA -> made.llama();
      default -> throw new IllegalArgumentException("no tokenizer.json of " + family);
    }
    made.root.set("added_tokens", made.addedTokens());
    return made.root;
  }

  private void add(String token, float score) {
    ids.put(token, tokens.size());
    tokens.add(token);
    scores.add(score);
  }

  private void addPieces(int from) {
    model.pieces().stream().skip(from).forEach(piece -> add(piece.text(), piece.score()));
  }

  /** The token that the directory gives a role, else the usual one. */
  private String role(String key, String otherwise) {
    return LegacyTokenizers.role(configs, key, otherwise);
  }

  private int setting(String key, int otherwise) {
    JsonNode value = configs.getFirst().path(key);
    if (!value.isMissingNode() && !value.isNull() && (!value.isInt() || value.intValue() < 0)) {
      throw new TokenizerException(
          "%s: tokenizer_config.json has '%s' %s, expected a number from 0"
              .formatted(model.file().getParent(), key, value));
    }
    return value.asInt(otherwise);
  }

  private void special(String... names) {
    for (String name : names) {
      special(name, false);
    }
  }

  private void special(String name, boolean takesSpaceBefore) {
    put(name, true, takesSpaceBefore);
  }

  private void put(String name, boolean special, boolean takesSpaceBefore) {
    Integer id = ids.get(name);
    if (id == null) {
      throw new TokenizerException(
          "%s: the special token '%s' is none of its %d tokens"
              .formatted(model.file(), name, tokens.size()));
    }
    added.put(
        name,
        Json.object()
            .put("id", id)
            .put("content", name)
            .put("single_word", false)
            .put("lstrip", takesSpaceBefore)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", special));
  }

  private ArrayNode addedTokens() {
    for (Piece piece : model.pieces()) {
      boolean control = piece.type() == Type.CONTROL;
      if ((control || piece.type() == Type.USER_DEFINED)
          && ids.containsKey(piece.text())
          && !added.containsKey(piece.text())) {
        put(piece.text(), control, false);
      }
    }
    ArrayNode all = Json.array();
    added.values().stream()
        .sorted((a, b) -> Integer.compare(a.get("id").intValue(), b.get("id").intValue()))
        .forEach(all::add);
    return all;
  }

  /** The vocabulary as it is by now. */
  private void model(String unk) {
    Integer unkId = ids.get(unk);
    if (unkId == null) {
      throw new TokenizerException(
          "%s: the unknown token '%s' is none of its %d tokens"
              .formatted(model.file(), unk, tokens.size()));
    }
    ObjectNode json = root.putObject("model");
    if (model.algorithm() == Algorithm.UNIGRAM) {
      json.put("type", "Unigram").put("unk_id", unkId).put("byte_fallback", false);
      ArrayNode vocab = json.putArray("vocab");
      for (int i = 0; i < tokens.size(); i++) {
        vocab.addArray().add(tokens.get(i)).add((double) scores.get(i));
      }
      return;
    }
    json.put("type", "BPE").put("unk_token", unk).put("fuse_unk", true);
    json.put("byte_fallback", model.byteFallback());
    ObjectNode vocab = json.putObject("vocab");
    ids.forEach(vocab::put);
    Map<String, Type> types = new HashMap<>();
    model.pieces().forEach(piece -> types.put(piece.text(), piece.type()));
    double[] all = scores.stream().mapToDouble(Float::doubleValue).toArray();
    Merges.put(
        json,
        tokens,
        ids,
        all,
        id -> {
          Type type = types.get(tokens.get(id));
          return type == Type.NORMAL || type == Type.USER_DEFINED;
        });
  }

  private ObjectNode charsMap() {
    return Json.object().put("type", "Precompiled").put("precompiled_charsmap", model.charsMap());
  }

  private static ObjectNode replace(String kind, String from, String to) {
    ObjectNode step = Json.object();
    step.put("type", "Replace").put("content", to).putObject("pattern").put(kind, from);
    return step;
  }

  /** The table of characters, where there is one, and then {@code steps}. */
  private void normalizer(ObjectNode... steps) {
    ArrayNode all = Json.array();
    if (model.charsMap().length > 0) {
      all.add(charsMap());
    }
    for (ObjectNode step : steps) {
      all.add(step);
    }
    if (all.isEmpty()) {
      root.putNull("normalizer");
    } else {
      root.putObject("normalizer").put("type", "Sequence").set("normalizers", all);
    }
  }

  private static ObjectNode metaspace() {
    return Json.object()
        .put("type", "Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", "always")
        .put("split", true);
  }

  /** Words by spaces, whose first pieces begin with U+2581. */
  private void words(boolean splitFirst) {
    root.set("decoder", metaspace());
    if (!splitFirst) {
      root.set("pre_tokenizer", metaspace());
      return;
    }
    ArrayNode steps =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    steps.addObject().put("type", "WhitespaceSplit");
    steps.add(metaspace());
  }

  /**
   * What stands around a text, {@code $A}, and around a pair of them, {@code $A} and {@code $B}.
   */
  private void template(List<String> single, List<String> pair) {
    ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
    ObjectNode known = Json.object();
    for (Map.Entry<String, List<String>> form : Map.of("single", single, "pair", pair).entrySet()) {
      ArrayNode pieces = processor.putArray(form.getKey());
      for (String piece : form.getValue()) {
        if (piece.startsWith("$")) {
          pieces.addObject().putObject("Sequence").put("id", piece.substring(1)).put("type_id", 0);
          continue;
        }
        if (!ids.containsKey(piece)) {
          throw new TokenizerException(
              "%s: '%s', which a text is framed by, is none of its %d tokens"
                  .formatted(model.file(), piece, tokens.size()));
        }
        pieces.addObject().putObject("SpecialToken").put("id", piece).put("type_id", 0);
        ObjectNode entry = known.putObject(piece).put("id", piece);
        entry.putArray("ids").add(ids.get(piece));
        entry.putArray("tokens").add(piece);
      }
    }
    processor.set("special_tokens", known);
  }

  private void t5() {
    addPieces(0);
    int extra = setting("extra_ids", T5_EXTRA_IDS);
    List<String> sentinels = new ArrayList<>();
    for (int i = extra - 1; i >= 0; i--) {
      sentinels.add("<extra_id_" + i + ">");
    }
    sentinels.stream().filter(token -> !ids.containsKey(token)).forEach(token -> add(token, 0));
    String eos = role("eos_token", "</s>");
    model(model.piece(model.unkId()).text());
    special(eos, model.piece(model.unkId()).text());
    String pad = role("pad_token", "<pad>");
    if (ids.containsKey(pad)) {
      special(pad);
    }
    sentinels.forEach(this::special);
    normalizer();
    words(true);
    template(List.of("$A", eos), List.of("$A", eos, "$B", eos));
  }

  private void pegasus() {
    int offset = setting("offset", PEGASUS_OFFSET);
    String pad = role("pad_token", "<pad>");
    String eos = role("eos_token", "</s>");
    String mask = role("mask_token", "<mask_2>");
    String ofSentence = role("mask_token_sent", "<mask_1>");
    add(pad, 0);
    add(eos, 0);
    add(ofSentence, 0);
    add(mask, 0);
    special(pad, eos, ofSentence, mask);
    for (int i = 2; i < offset; i++) {
      add("<unk_" + i + ">", -100);
      special("<unk_" + i + ">");
    }
    addPieces(2);
    String unk = model.piece(model.unkId()).text();
    model(unk);
    special(unk);
    ObjectNode single = replace("Regex", " {2,}", " ");
    if (model.charsMap().length > 0) {
      normalizer(single);
    } else {
      normalizer(replace("Regex", "\\n", " "), single);
    }
    words(false);
    template(List.of("$A", eos), List.of("$A", "$B", eos));
  }

  /** The beginning of fairseq's vocabularies, and the pieces that follow. */
  private void fairseq() {
    String[] roles = {
      role("bos_token", "<s>"),
      role("pad_token", "<pad>"),
      role("eos_token", "</s>"),
      role("unk_token", "<unk>")
    };
    for (String token : roles) {
      add(token, 0);
    }
    special(roles);
    addPieces(REPLACED_PIECES);
  }

  private void languages(List<String> codes) {
    for (String code : codes) {
      add(code, 0);
      special(code);
    }
  }

  private void mask() {
    String mask = role("mask_token", "<mask>");
    add(mask, 0);
    special(mask, true);
  }

  private void mbart() {
    fairseq();
    languages(LanguageCodes.MBART);
    mask();
    model(role("unk_token", "<unk>"));
    normalizer();
    words(true);
    String eos = role("eos_token", "</s>");
    String source = role("src_lang", "en_XX");
    template(List.of("$A", eos, source), List.of("$A", "$B", eos, source));
  }

  private void mbart50() {
    fairseq();
    languages(LanguageCodes.MBART_50);
    mask();
    model(role("unk_token", "<unk>"));
    normalizer(replace("Regex", " {2,}", " "));
    words(false);
    String eos = role("eos_token", "</s>");
    String source = role("src_lang", "en_XX");
    template(List.of(source, "$A", eos), List.of(source, "$A", "$B", eos));
  }

  private void nllb() {
    fairseq();
    languages(LanguageCodes.NLLB);
    mask();
    added.get(role("mask_token", "<mask>")).put("normalized", true);
    model(role("unk_token", "<unk>"));
    if (model.charsMap().length > 0) {
      normalizer(replace("Regex", " {2,}", " "));
    } else {
      normalizer();
    }
    words(false);
    String eos = role("eos_token", "</s>");
    String source = role("src_lang", "eng_Latn");
    if (configs.getFirst().path("legacy_behaviour").asBoolean(false)) {
      template(List.of("$A", eos, source), List.of("$A", "$B", eos, source));
    } else {
      template(List.of(source, "$A", eos), List.of(source, "$A", "$B", eos));
    }
  }

  private void xlmRoberta() {
    fairseq();
    mask();
    model(role("unk_token", "<unk>"));
    normalizer();
    words(true);
    String bos = role("bos_token", "<s>");
    String eos = role("eos_token", "</s>");
    template(List.of(bos, "$A", eos), List.of(bos, "$A", eos, eos, "$B", eos));
  }

  private void llama() {
    JsonNode config = configs.getFirst();
    addPieces(0);
    String unk = model.piece(model.unkId()).text();
    String bos = role("bos_token", "<s>");
    String eos = role("eos_token", "</s>");
    model(unk);
    special(unk, bos, eos);
    boolean prefix = config.path("add_prefix_space").asBoolean(true);
    boolean legacy = config.path("legacy").asBoolean(false);
    root.putNull("normalizer");
    root.putObject("pre_tokenizer")
        .put("type", "Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", prefix ? legacy ? "always" : "first" : "never")
        .put("split", false);
    ArrayNode steps = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
    steps.add(replace("String", SPACE, " "));
    steps.addObject().put("type", "ByteFallback");
    steps.addObject().put("type", "Fuse");
    if (prefix) {
      steps.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    boolean begin = config.path("add_bos_token").asBoolean(true);
    boolean end = config.path("add_eos_token").asBoolean(false);
    if (begin || end) {
      String before = begin ? bos : null;
      String after = end ? eos : null;
      template(framed(before, after, "$A"), framed(before, after, "$A", "$B"));
    } else {
      root.putNull("post_processor");
    }
  }

  private static List<String> framed(String before, String after, String... texts) {
    List<String> all = new ArrayList<>();
    for (String text : texts) {
      if (before != null) {
        all.add(before);
      }
      all.add(text);
      if (after != null) {
        all.add(after);
      }
    }
    return all;
  }
}
