package dev.gatun.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.weights.gguf.GgufMetadata;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Makes the tokenizer.json of a GGUF file's {@code tokenizer.ggml} keys. Control tokens are in the
 * vocabulary but not matched in texts; user-defined ones are.
 */
final class GgufTokenizer {
  private static final String KEY = "tokenizer.ggml.";
  private static final String SPACE = "\u2581";

  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  private final GgufMetadata keys;
  private final List<String> tokens = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final int[] types;
  private Function<ObjectNode, TokenizerEngine> engine;
  private final ObjectNode root = Json.object().put("version", "1.0");

  /**
   * What is made.
   *
   * @param root the tokenizer.json
   * @param control ids of tokens that no text becomes
   * @param engine what runs it in place of the tokenizer.json; null for nothing else
   */
  record Made(
      ObjectNode root,
      SpecialTokens special,
      Set<Integer> control,
      Function<ObjectNode, TokenizerEngine> engine) {}

  private GgufTokenizer(GgufMetadata keys) {
    this.keys = keys;
    List<String> given = keys.texts(KEY + "tokens");
    if (given.isEmpty()) {
      throw new TokenizerException(keys.source() + ": has no tokenizer.ggml.tokens");
    }
    this.types = types(given.size());
    for (String token : given) {
      int id = tokens.size();
      String name = token.isEmpty() ? "[EMPTY_" + id + "]" : token;
      // A vocabulary has a name once; what comes again is in it for its id alone.
      name = ids.containsKey(name) ? "[DUPLICATE_" + id + "]" : name;
      tokens.add(name);
      ids.put(name, id);
    }
  }

  private int[] types(int count) {
    int[] all = Arrays.stream(keys.integers(KEY + "token_type")).mapToInt(t -> (int) t).toArray();
    if (all.length == 0) {
      all = new int[count];
      Arrays.fill(all, NORMAL);
    }
    if (all.length != count) {
      throw keys.wrong(KEY + "token_type", "one for each of %d tokens".formatted(count));
    }
    return all;
  }

  /**
   * Makes it.
   *
   * @throws TokenizerException when there are no tokens, or merges that are not of them
   * @throws dev.gatun.weights.WeightsException when a key is not as it should be, such as a kind
   *     that is not known
   */
  static Made of(GgufMetadata keys) {
    GgufTokenizer made = new GgufTokenizer(keys);
    String kind =
        keys.text(KEY + "model").orElseThrow(() -> keys.wrong(KEY + "model", "a tokenizer's kind"));
    made.root.putArray("added_tokens");
    switch (kind) {
      case "llama" -> made.sentencePiece();
      case "gpt2" -> made.byteLevel();
      case "bert" -> made.wordPiece();
      case "t5" -> made.unigram();
      default -> throw keys.wrong(KEY + "model", "llama, gpt2, bert or t5");
    }
    made.addUserDefined();
    return new Made(made.root, made.special(kind), made.control(), made.engine);
  }

  private Set<Integer> control() {
    Set<Integer> control = new TreeSet<>();
    for (int i = 0; i < types.length; i++) {
      if (types[i] == CONTROL) {
        control.add(i);
      }
    }
    return control;
  }

  private void addUserDefined() {
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    for (int i = 0; i < types.length; i++) {
      if (types[i] == USER_DEFINED) {
        added
            .addObject()
            .put("id", i)
            .put("content", tokens.get(i))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", false);
      }
    }
  }

  private OptionalInt role(String key, int otherwise) {
    int id = keys.integer(KEY + key, otherwise);
    if (id >= tokens.size()) {
      throw keys.wrong(KEY + key, "one of %d tokens".formatted(tokens.size()));
    }
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  private SpecialTokens special(String kind) {
    boolean llama = kind.equals("llama");
    boolean bert = kind.equals("bert");
    boolean t5 = kind.equals("t5");
    OptionalInt bos = role("bos_token_id", llama ? 1 : -1);
    return new SpecialTokens(
        bert ? role("cls_token_id", bos.orElse(101)) : OptionalInt.empty(),
        bert ? role("seperator_token_id", 102) : OptionalInt.empty(),
        role("padding_token_id", -1),
        role("mask_token_id", -1),
        role("unknown_token_id", llama ? 0 : bert ? 100 : t5 ? 2 : -1),
        bos,
        role("eos_token_id", llama ? 2 : t5 ? 1 : -1));
  }

  private ObjectNode model(String type) {
    return root.putObject("model").put("type", type);
  }

  private void putVocab(ObjectNode model) {
    ObjectNode vocab = model.putObject("vocab");
    for (int i = 0; i < tokens.size(); i++) {
      vocab.put(tokens.get(i), i);
    }
  }

  /** What is put before and behind a text. */
  private void template(OptionalInt before, OptionalInt after) {
    if (before.isEmpty() && after.isEmpty()) {
      root.putNull("post_processor");
      return;
    }
    ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
    ObjectNode known = Json.object();
    for (String form : List.of("single", "pair")) {
      ArrayNode pieces = processor.putArray(form);
      for (String text : form.equals("pair") ? List.of("A", "B") : List.of("A")) {
        int type = text.equals("A") ? 0 : 1;
        before.ifPresent(id -> put(pieces, known, id, type));
        pieces.addObject().putObject("Sequence").put("id", text).put("type_id", type);
        after.ifPresent(id -> put(pieces, known, id, type));
      }
    }
    processor.set("special_tokens", known);
  }

  private void put(ArrayNode pieces, ObjectNode known, int id, int type) {
    String token = tokens.get(id);
    pieces.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
    ObjectNode entry = known.putObject(token).put("id", token);
    entry.putArray("ids").add(id);
    entry.putArray("tokens").add(token);
  }

  private OptionalInt begin(boolean otherwise) {
    OptionalInt bos = special("").bos();
    return keys.flag(KEY + "add_bos_token", otherwise) ? bos : OptionalInt.empty();
  }

  private OptionalInt end(boolean otherwise, int id) {
    return keys.flag(KEY + "add_eos_token", otherwise)
        ? role("eos_token_id", id)
        : OptionalInt.empty();
  }

  /** Pairs are merged by the score of what they become; what is left becomes bytes. */
  private void sentencePiece() {
    double[] scores = keys.numbers(KEY + "scores");
    if (scores.length != tokens.size()) {
      throw keys.wrong(KEY + "scores", "one for each of %d tokens".formatted(tokens.size()));
    }
    ObjectNode model = model("BPE").put("fuse_unk", true).put("byte_fallback", true);
    role("unknown_token_id", 0).ifPresent(id -> model.put("unk_token", tokens.get(id)));
    putVocab(model);
    Merges.put(model, tokens, ids, scores, this::isText);
    boolean prefix = keys.flag(KEY + "add_space_prefix", true);
    ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    if (prefix) {
      steps.addObject().put("type", "Prepend").put("prepend", SPACE);
    }
    replace(steps.addObject(), " ", SPACE);
    root.putNull("pre_tokenizer");
    ObjectNode decoder = root.putObject("decoder").put("type", "Sequence");
    ArrayNode decoders = decoder.putArray("decoders");
    replace(decoders.addObject(), SPACE, " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (prefix) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    OptionalInt bos = role("bos_token_id", 1);
    template(keys.flag(KEY + "add_bos_token", true) ? bos : OptionalInt.empty(), end(false, 2));
  }

  private static void replace(ObjectNode step, String from, String to) {
    replace(step, "String", from, to);
  }

  private static void replace(ObjectNode step, String kind, String from, String to) {
    step.put("type", "Replace").put("content", to).putObject("pattern").put(kind, from);
  }

  private boolean isText(int id) {
    return types[id] == NORMAL || types[id] == USER_DEFINED;
  }

  /** Bytes as characters, merged in the file's order within the pieces that patterns cut. */
  private void byteLevel() {
    PreTokenizers pre = PreTokenizers.of(keys);
    ObjectNode model = model("BPE").put("fuse_unk", false).put("byte_fallback", false);
    model.put("ignore_merges", pre.ignoreMerges());
    putVocab(model);
    ArrayNode merges = model.putArray("merges");
    List<String> given = keys.texts(KEY + "merges");
    for (int i = 0; i < given.size(); i++) {
      int space = given.get(i).indexOf(' ', 1);
      String left = space < 0 ? "" : given.get(i).substring(0, space);
      String right = space < 0 ? "" : given.get(i).substring(space + 1);
      if (!ids.containsKey(left) || !ids.containsKey(right) || !ids.containsKey(left + right)) {
        throw new TokenizerException(
            "%s: tokenizer.ggml.merges[%d] is '%s', expected two tokens that make a third one"
                .formatted(keys.source(), i, given.get(i)));
      }
      merges.addArray().add(left).add(right);
    }
    pre.write(root);
    root.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
    template(begin(pre.addBos()), end(false, -1));
  }

  /** Words by their longest beginnings; the file marks what begins a word, not what goes on. */
  private void wordPiece() {
    // Where the file does not say it, the tokens tell.
    boolean lower = true;
    for (int i = 0; i < tokens.size(); i++) {
      String token = tokens.get(i);
      if (token.startsWith(SPACE)) {
        lower &= types[i] != NORMAL || token.equals(token.toLowerCase(java.util.Locale.ROOT));
        tokens.set(i, token.substring(1));
      } else if (!(token.startsWith("[") && token.endsWith("]"))
          && types[i] != CONTROL
          && types[i] != USER_DEFINED) {
        tokens.set(i, "##" + token);
      }
    }
    ids.clear();
    for (int i = 0; i < tokens.size(); i++) {
      ids.put(tokens.get(i), i);
    }
    SpecialTokens special = special("bert");
    ObjectNode model = model("WordPiece").put("continuing_subword_prefix", "##");
    model.put("max_input_chars_per_word", 100);
    model.put("unk_token", tokens.get(special.unk().orElseThrow()));
    putVocab(model);
    lower = keys.flag(KEY + "normalizer.lowercase", lower);
    root.putObject("normalizer")
        .put("type", "BertNormalizer")
        .put("clean_text", true)
        .put("handle_chinese_chars", true)
        .put("lowercase", lower)
        .put("strip_accents", keys.flag(KEY + "normalizer.strip_accents", lower));
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    ObjectNode processor = root.putObject("post_processor").put("type", "BertProcessing");
    int sep = special.sep().orElseThrow();
    int cls = special.cls().orElseThrow();
    processor.putArray("sep").add(tokens.get(sep)).add(sep);
    processor.putArray("cls").add(tokens.get(cls)).add(cls);
  }

  /** The most likely pieces of a text that a table of characters has made alike. */
  private void unigram() {
    double[] scores = keys.numbers(KEY + "scores");
    if (scores.length != tokens.size()) {
      throw keys.wrong(KEY + "scores", "one for each of %d tokens".formatted(tokens.size()));
    }
    ObjectNode model = model("Unigram").put("byte_fallback", false);
    role("unknown_token_id", 2).ifPresent(id -> model.put("unk_id", id));
    ArrayNode vocab = model.putArray("vocab");
    for (int i = 0; i < scores.length; i++) {
      vocab.addArray().add(tokens.get(i)).add(scores[i]);
    }
    ArrayNode steps = root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    long[] map = keys.integers(KEY + "precompiled_charsmap");
    byte[] bytes = new byte[map.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) map[i];
    }
    if (map.length > 0) {
      steps.addObject().put("type", "Precompiled").put("precompiled_charsmap", bytes);
    }
    // What readers of GGUF take for a key that is missing.
    boolean merges = keys.flag(KEY + "remove_extra_whitespaces", false);
    boolean prefix = keys.flag(KEY + "add_space_prefix", merges);
    if (merges) {
      if (map.length > 0) {
        // Its table makes spaces of line ends, which are at no text's end then.
        steps.addObject().put("type", "Strip").put("strip_left", false).put("strip_right", true);
      } else {
        replace(steps.addObject(), "Regex", " +\\z", "");
      }
      replace(steps.addObject(), "Regex", " {2,}", SPACE);
    }
    if (prefix && !merges) {
      // A text's own space is one more.
      steps.addObject().put("type", "Prepend").put("prepend", SPACE);
    }
    metaspace("pre_tokenizer", prefix && merges);
    metaspace("decoder", prefix);
    template(begin(false), end(true, 1));
    engine = pieces(scores, bytes, prefix, merges);
  }

  /**
   * SentencePiece's own rules, which other readers of GGUF have too: Hugging Face's take another
   * entry of the table for a character with marks.
   */
  private Function<ObjectNode, TokenizerEngine> pieces(
      double[] scores, byte[] map, boolean prefix, boolean merges) {
    List<SentencePieceModel.Piece> pieces = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      boolean known = types[i] >= NORMAL && types[i] <= SentencePieceModel.Type.values().length;
      SentencePieceModel.Type type =
          SentencePieceModel.Type.values()[(known ? types[i] : NORMAL) - 1];
      pieces.add(new SentencePieceModel.Piece(tokens.get(i), (float) scores[i], type));
    }
    int unk = role("unknown_token_id", 2).orElseThrow();
    SentencePieceProcessor processor =
        new SentencePieceProcessor(
            new SentencePieceModel(
                Path.of(keys.source()),
                pieces,
                SentencePieceModel.Algorithm.UNIGRAM,
                unk,
                false,
                false,
                tokens.get(unk),
                map,
                prefix,
                merges,
                true));
    List<Integer> before = begin(false).stream().boxed().toList();
    List<Integer> after = end(true, 1).stream().boxed().toList();
    return json -> {
      Vocabulary ids = new Vocabulary(json, keys.source());
      return new SentencePieceEngine(
          new SentencePieceEngine.Settings(
              processor,
              processor,
              ids,
              ids,
              unk,
              before,
              after,
              SentencePieceEngine.Style.FRAMED_PAIRS),
          json.path("added_tokens"),
          control());
    };
  }

  private void metaspace(String part, boolean prefix) {
    root.putObject(part)
        .put("type", "Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", prefix ? "always" : "never")
        .put("split", true);
  }
}
