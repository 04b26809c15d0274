package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.Json;
import dev.gatun.weights.gguf.GgufKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Says a tokenizer's files in the {@code tokenizer.ggml} keys of GGUF: the kinds llama, gpt2, bert
 * and t5. What they have no words for is refused by name, for it would give other tokens.
 */
public final class GgufVocabulary {
  private static final String KEY = "tokenizer.ggml.";
  private static final String SPACE = "\u2581";

  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private final String source;
  private final JsonNode root;
  private final JsonNode model;
  private final SpecialTokens special;
  private final List<String> tokens = new ArrayList<>();
  private final int[] types;
  private final GgufKeys keys = new GgufKeys();

  private GgufVocabulary(TokenizerFiles files, int vocabSize) throws IOException {
    this.source = files.source();
    this.root = Json.read(new String(files.json(), StandardCharsets.UTF_8));
    this.model = root.path("model");
    this.special = files.special();
    int size = Math.max(files.vocabulary().size(), vocabSize);
    this.types = new int[size];
    Arrays.fill(types, NORMAL);
    for (int id = 0; id < size; id++) {
      String token = files.vocabulary().token(id);
      // A table of more rows than tokens has rows of none.
      types[id] = token == null ? UNUSED : NORMAL;
      tokens.add(token == null ? "[PAD" + id + "]" : token);
    }
    for (JsonNode added : root.path("added_tokens")) {
      int id = added.path("id").intValue();
      if (id >= size) {
        throw wrong("added_tokens has id " + id, "ids below " + size);
      }
      types[id] = added.path("special").asBoolean(false) ? CONTROL : USER_DEFINED;
    }
  }

  /**
   * {@return the keys of a tokenizer}
   *
   * @param directory of the model, with a {@code tokenizer.json} or older files
   * @param vocabSize rows of the model's table of embeddings
   * @throws IOException when a file cannot be read
   * @throws TokenizerException naming what GGUF has no words for
   */
  public static GgufKeys of(Path directory, int vocabSize) throws IOException {
    TokenizerFiles files = TokenizerFiles.read(directory, false);
    GgufVocabulary made = new GgufVocabulary(files, vocabSize);
    made.write();
    return made.keys;
  }

  private TokenizerException wrong(String what, String expected) {
    return new TokenizerException("%s: %s, expected %s".formatted(source, what, expected));
  }

  private void write() {
    switch (model.path("type").asText()) {
      case "BPE" -> {
        if (PreTokenizers.hasByteLevel(root)) {
          byteLevel();
        } else {
          sentencePiece();
        }
      }
      case "Unigram" -> unigram();
      case "WordPiece" -> wordPiece();
      default ->
          throw wrong(
              "model.type is " + model.path("type"),
              "BPE, Unigram or WordPiece, for which GGUF has kinds");
    }
    keys.texts(KEY + "tokens", tokens);
    keys.ints(KEY + "token_type", types);
    role("unknown", special.unk());
    role("padding", special.pad());
  }

  private void role(String name, OptionalInt id) {
    id.ifPresent(i -> keys.uint32(KEY + name + "_token_id", i));
  }

  /** BOS and EOS, and whether texts get them, by what is put around a text. */
  private void ends() {
    JsonNode template = template(root.path("post_processor"));
    OptionalInt bos = special.bos();
    OptionalInt eos = special.eos();
    boolean addBos = false;
    boolean addEos = false;
    if (template != null) {
      boolean behind = false;
      for (JsonNode piece : template.path("single")) {
        if (piece.has("Sequence")) {
          behind = true;
          continue;
        }
        int id = id(template, piece.path("SpecialToken").path("id").asText());
        if (behind ? addEos : addBos) {
          throw wrong(
              "post_processor puts several tokens at one end of a text", "one at each at most");
        }
        if (behind) {
          eos = OptionalInt.of(id);
          addEos = true;
        } else {
          bos = OptionalInt.of(id);
          addBos = true;
        }
      }
    }
    role("bos", bos);
    role("eos", eos);
    keys.flag(KEY + "add_bos_token", addBos);
    keys.flag(KEY + "add_eos_token", addEos);
  }

  private int id(JsonNode template, String name) {
    JsonNode ids = template.path("special_tokens").path(name).path("ids");
    if (ids.size() != 1) {
      throw wrong("post_processor has %d ids for '%s'".formatted(ids.size(), name), "one");
    }
    return ids.get(0).intValue();
  }

  /** What puts tokens around a text; null where nothing does. */
  private JsonNode template(JsonNode processor) {
    JsonNode found = null;
    List<JsonNode> all = new ArrayList<>();
    if (processor.path("type").asText().equals("Sequence")) {
      processor.path("processors").forEach(all::add);
    } else if (processor.isObject()) {
      all.add(processor);
    }
    for (JsonNode each : all) {
      switch (each.path("type").asText()) {
        case "TemplateProcessing" -> found = each;
        case "ByteLevel" -> {
          // Moves offsets alone.
        }
        default ->
            throw wrong("post_processor is of type " + each.path("type"), "TemplateProcessing");
      }
    }
    return found;
  }

  /** Pieces with scores, of which GGUF's readers know which two become one. */
  private void sentencePiece() {
    if (!model.path("byte_fallback").asBoolean(false)) {
      throw wrong("model.byte_fallback is false", "true, or a byte-level pre-tokenizer");
    }
    keys.text(KEY + "model", "llama");
    keys.flag(KEY + "add_space_prefix", spacePrefix());
    for (int id = 0; id < types.length; id++) {
      if (types[id] == NORMAL && tokens.get(id).matches("<0x[0-9A-F]{2}>")) {
        types[id] = BYTE;
      }
    }
    special.unk().ifPresent(id -> types[id] = UNKNOWN);
    keys.floats(KEY + "scores", scores());
    ends();
  }

  /** Pieces that are made earlier have higher scores. */
  private float[] scores() {
    Map<String, Integer> ids = ids();
    float[] scores = new float[types.length];
    Set<Integer> made = new HashSet<>();
    int rank = 0;
    int count = 0;
    for (JsonNode merge : model.path("merges")) {
      String[] two = parts(merge);
      Integer whole = ids.get(two[0] + two[1]);
      if (whole == null) {
        throw wrong("model.merges has " + merge, "two tokens that make a third one");
      }
      if (made.add(whole)) {
        scores[whole] = -rank++;
      }
      count++;
    }
    int ways = 0;
    for (int id = 0; id < types.length; id++) {
      if (types[id] == NORMAL || types[id] == USER_DEFINED) {
        ways += ways(ids, tokens.get(id));
        if (!made.contains(id) && types[id] == NORMAL) {
          scores[id] = -rank++;
        }
      }
    }
    if (ways != count) {
      throw wrong(
          "model.merges has %d ways to make tokens of two others".formatted(count),
          "all %d that there are, for GGUF's kind llama has scores alone".formatted(ways));
    }
    return scores;
  }

  private Map<String, Integer> ids() {
    Map<String, Integer> ids = new java.util.HashMap<>();
    for (int id = 0; id < types.length; id++) {
      if (types[id] != UNUSED) {
        ids.putIfAbsent(tokens.get(id), id);
      }
    }
    return ids;
  }

  private int ways(Map<String, Integer> ids, String piece) {
    int ways = 0;
    for (int cut = piece.isEmpty() ? 0 : piece.offsetByCodePoints(0, 1);
        cut < piece.length();
        cut = piece.offsetByCodePoints(cut, 1)) {
      Integer left = ids.get(piece.substring(0, cut));
      Integer right = ids.get(piece.substring(cut));
      ways += left != null && right != null && isText(left) && isText(right) ? 1 : 0;
    }
    return ways;
  }

  private boolean isText(int id) {
    return types[id] == NORMAL || types[id] == USER_DEFINED;
  }

  private static String[] parts(JsonNode merge) {
    if (merge.isArray()) {
      return new String[] {merge.path(0).asText(), merge.path(1).asText()};
    }
    int space = merge.asText().indexOf(' ', 1);
    return space < 0
        ? new String[] {merge.asText(), ""}
        : new String[] {merge.asText().substring(0, space), merge.asText().substring(space + 1)};
  }

  /** Whether a text gets a space before it; fails where it gets something else. */
  private boolean spacePrefix() {
    boolean prepends = false;
    for (JsonNode step : steps(root.path("normalizer"), "normalizers")) {
      boolean prepend =
          step.path("type").asText().equals("Prepend")
              && step.path("prepend").asText().equals(SPACE);
      boolean spaces =
          step.path("type").asText().equals("Replace")
              && step.path("pattern").path("String").asText().equals(" ")
              && step.path("content").asText().equals(SPACE);
      if (!prepend && !spaces) {
        throw wrong("normalizer has " + step, "spaces marked and no more");
      }
      prepends |= prepend;
    }
    for (JsonNode step : steps(root.path("pre_tokenizer"), "pretokenizers")) {
      String type = step.path("type").asText();
      if (type.equals("Metaspace") && !step.path("split").asBoolean(true)) {
        prepends |= !step.path("prepend_scheme").asText("always").equals("never");
      } else if (!type.equals("Split")
          || !step.path("pattern").path("String").asText().equals(" ")) {
        throw wrong("pre_tokenizer has " + step, "none, or a Metaspace that does not split");
      }
    }
    return prepends;
  }

  private static List<JsonNode> steps(JsonNode node, String list) {
    List<JsonNode> steps = new ArrayList<>();
    if (node.path("type").asText().equals("Sequence")) {
      node.path(list).forEach(steps::add);
    } else if (node.isObject()) {
      steps.add(node);
    }
    return steps;
  }

  private void byteLevel() {
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!model.path(affix).asText("").isEmpty() && !model.path(affix).isNull()) {
        throw wrong("model." + affix + " is " + model.path(affix), "none");
      }
    }
    keys.text(KEY + "model", "gpt2");
    keys.text(KEY + "pre", PreTokenizers.nameOf(root, source));
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      merges.add(String.join(" ", parts(merge)));
    }
    keys.texts(KEY + "merges", merges);
    ends();
  }

  /** What begins a word is marked, what goes on is not. */
  private void wordPiece() {
    if (!model.path("continuing_subword_prefix").asText("##").equals("##")) {
      throw wrong("model.continuing_subword_prefix is not ##", "##");
    }
    JsonNode normalizer = root.path("normalizer");
    boolean lower = normalizer.path("lowercase").asBoolean(true);
    JsonNode strip = normalizer.path("strip_accents");
    if (!normalizer.path("type").asText().equals("BertNormalizer")
        || !normalizer.path("clean_text").asBoolean(true)
        || !normalizer.path("handle_chinese_chars").asBoolean(true)) {
      throw wrong("normalizer is " + normalizer, "a BertNormalizer as BERT has it");
    }
    for (int id = 0; id < types.length; id++) {
      String token = tokens.get(id);
      boolean role = token.startsWith("[") && token.endsWith("]") && token.length() > 2;
      if (token.startsWith("##")) {
        tokens.set(id, token.substring(2));
      } else if (!role && types[id] != CONTROL) {
        tokens.set(id, SPACE + token);
      } else if (role) {
        types[id] = types[id] == UNUSED ? UNUSED : CONTROL;
      }
    }
    keys.text(KEY + "model", "bert");
    keys.flag(KEY + "normalizer.lowercase", lower);
    keys.flag(KEY + "normalizer.strip_accents", strip.asBoolean(lower));
    role("bos", special.cls());
    role("cls", special.cls());
    role("seperator", special.sep());
    role("mask", special.mask());
  }

  private void unigram() {
    if (model.path("byte_fallback").asBoolean(false)) {
      throw wrong("model.byte_fallback is true", "false: GGUF's kind t5 has no bytes");
    }
    keys.text(KEY + "model", "t5");
    float[] scores = new float[types.length];
    for (int id = 0; id < model.path("vocab").size() && id < scores.length; id++) {
      scores[id] = model.path("vocab").get(id).path(1).floatValue();
    }
    JsonNode unk = model.path("unk_id");
    if (unk.isInt()) {
      types[unk.intValue()] = UNKNOWN;
    }
    boolean spaces = false;
    for (JsonNode step : steps(root.path("normalizer"), "normalizers")) {
      switch (step.path("type").asText()) {
        case "Precompiled" -> charsMap(step);
        case "Strip" -> {
          // A part of what follows.
        }
        case "Replace" -> {
          if (!step.path("pattern").path("Regex").asText().equals(" {2,}")) {
            throw wrong("normalizer has " + step, "runs of spaces made one");
          }
          spaces = true;
        }
        default -> throw wrong("normalizer has " + step, "Precompiled, Strip and Replace");
      }
    }
    List<JsonNode> cuts = steps(root.path("pre_tokenizer"), "pretokenizers");
    // Nothing is left of spaces at which texts are cut.
    spaces |= cuts.removeIf(step -> step.path("type").asText().equals("WhitespaceSplit"));
    if (cuts.size() != 1 || !cuts.getFirst().path("type").asText().equals("Metaspace")) {
      throw wrong("pre_tokenizer is " + root.path("pre_tokenizer"), "a Metaspace");
    }
    String scheme = cuts.getFirst().path("prepend_scheme").asText("always");
    keys.floats(KEY + "scores", scores);
    keys.flag(KEY + "add_space_prefix", !scheme.equals("never"));
    keys.flag(KEY + "remove_extra_whitespaces", spaces);
    ends();
  }

  private void charsMap(JsonNode step) {
    try {
      keys.bytes(KEY + "precompiled_charsmap", step.path("precompiled_charsmap").binaryValue());
    } catch (IOException e) {
      throw new TokenizerException(source + ": precompiled_charsmap: " + e.getMessage(), e);
    }
  }
}
