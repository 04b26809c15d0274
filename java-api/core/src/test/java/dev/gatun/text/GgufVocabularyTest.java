package dev.gatun.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.text.chat.GgufTemplates;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufKeys;
import dev.gatun.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A tokenizer's files become keys that mean the same tokenizer. */
final class GgufVocabularyTest {
  private static final Path GOLDENS = Path.of("..", "..", "test", "goldens");

  @TempDir private Path folder;

  private record Read(List<String> tokens, long[] types, double[] scores, List<String> merges) {
    static Read of(GgufMetadata keys) {
      return new Read(
          keys.texts("tokenizer.ggml.tokens"),
          keys.integers("tokenizer.ggml.token_type"),
          keys.numbers("tokenizer.ggml.scores"),
          keys.texts("tokenizer.ggml.merges"));
    }
  }

  /** What llama.cpp's or sentencepiece's keys mean is made files of, and keys again. */
  @ParameterizedTest
  @ValueSource(strings = {"sp-llama", "byte-bpe", "wordpiece", "sp-unigram"})
  void keys_of_files_mean_what_the_files_do(String name) throws IOException {
    Path golden = GOLDENS.resolve("tokenizers").resolve(name + ".vocab.gguf");
    Read want = GgufFile.readMetadata(golden, Read::of);
    GgufTokenizer.Made made = GgufFile.readMetadata(golden, GgufTokenizer::of);
    String kind = GgufFile.readMetadata(golden, k -> k.text("tokenizer.ggml.model").orElseThrow());
    ObjectNode root = made.root().deepCopy();
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    for (int id : made.control()) {
      added.addObject().put("id", id).put("content", token(want, id, kind)).put("special", true);
    }
    ObjectNode config = Json.object();
    put(config, "bos_token", made.special().bos(), want, kind);
    put(config, "eos_token", made.special().eos(), want, kind);
    put(config, "unk_token", made.special().unk(), want, kind);
    put(config, "pad_token", made.special().pad(), want, kind);
    put(config, "cls_token", made.special().cls(), want, kind);
    put(config, "sep_token", made.special().sep(), want, kind);
    put(config, "mask_token", made.special().mask(), want, kind);
    Files.write(folder.resolve("tokenizer.json"), Json.bytes(root));
    Files.write(folder.resolve("tokenizer_config.json"), Json.bytes(config));
    GgufMetadata got = GgufVocabulary.of(folder, 0).metadata("made");
    Read read = Read.of(got);
    assertEquals(want.tokens(), read.tokens());
    assertArrayEquals(want.types(), read.types());
    assertEquals(want.merges(), read.merges());
    GgufTokenizer.Made again = GgufTokenizer.of(got);
    assertEquals(made.control(), again.control());
    assertEquals(made.special(), again.special());
    for (String part : List.of("normalizer", "pre_tokenizer", "decoder", "post_processor")) {
      assertEquals(made.root().get(part), again.root().get(part), part);
    }
    assertEquals(made.root().get("model"), again.root().get("model"));
    assertEquals(made.root().get("added_tokens"), again.root().get("added_tokens"));
  }

  private static String token(Read want, int id, String kind) {
    String token = want.tokens().get(id);
    return kind.equals("bert") && token.startsWith("\u2581") ? token.substring(1) : token;
  }

  private static void put(ObjectNode config, String role, OptionalInt id, Read want, String kind) {
    id.ifPresent(i -> config.put(role, token(want, i, kind)));
  }

  @Test
  void rows_without_a_token_have_one_that_no_text_becomes() throws IOException {
    Files.copy(
        GOLDENS.resolve("tokenizers").resolve("byte-bpe.tokenizer.json"),
        folder.resolve("tokenizer.json"));
    GgufMetadata keys = GgufVocabulary.of(folder, 803).metadata("made");
    List<String> tokens = keys.texts("tokenizer.ggml.tokens");
    assertEquals(803, tokens.size());
    assertEquals("[PAD802]", tokens.getLast());
    assertEquals(5, keys.integers("tokenizer.ggml.token_type")[802]);
    assertEquals("gpt-2", keys.text("tokenizer.ggml.pre").orElseThrow());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "\"use_regex\":true;\"use_regex\":true,\"add_prefix_space\":true;add_prefix_space",
        "\"type\":\"BPE\";\"type\":\"WordLevel\";WordLevel",
        "\"normalizer\":null;\"normalizer\":{\"type\":\"Lowercase\"};Lowercase",
        "\"ignore_merges\":false;\"ignore_merges\":true;without merges in whole tokens"
      })
  void what_gguf_has_no_words_for_is_refused(String from, String to, String told)
      throws IOException {
    String json =
        Json.read(
                Files.readString(GOLDENS.resolve("tokenizers").resolve("byte-bpe.tokenizer.json")))
            .toString();
    assertTrue(json.contains(from), from);
    Files.writeString(
        folder.resolve("tokenizer.json"),
        json.replaceFirst(
            java.util.regex.Pattern.quote(from), java.util.regex.Matcher.quoteReplacement(to)));
    String message =
        assertThrows(TokenizerException.class, () -> GgufVocabulary.of(folder, 0)).getMessage();
    assertTrue(message.contains(told), message);
  }

  /** As llama.cpp has it; without the keys, words that texts become tell. */
  @ParameterizedTest
  @CsvSource({",,true,true", "false,,false,false", "true,false,true,false", ",false,true,false"})
  void case_and_accents_of_words_are_as_the_keys_say(
      Boolean lower, Boolean strip, boolean lowers, boolean strips) {
    String key = "tokenizer.ggml.";
    GgufKeys keys = new GgufKeys().text(key + "model", "bert");
    keys.texts(
        key + "tokens", List.of("[UNK]", "[CLS]", "[SEP]", "\u2581a", "b", "<A>", "\u2581<B>"));
    keys.ints(key + "token_type", new int[] {3, 3, 3, 1, 1, 4, 4}).uint32(key + "cls_token_id", 1);
    keys.uint32(key + "unknown_token_id", 0).uint32(key + "seperator_token_id", 2);
    if (lower != null) {
      keys.flag(key + "normalizer.lowercase", lower);
    }
    if (strip != null) {
      keys.flag(key + "normalizer.strip_accents", strip);
    }
    ObjectNode root = GgufTokenizer.of(keys.metadata("made")).root();
    assertEquals(lowers, root.at("/normalizer/lowercase").booleanValue());
    assertEquals(strips, root.at("/normalizer/strip_accents").booleanValue());
    assertEquals("<A>", root.at("/added_tokens/0/content").asText());
    assertEquals("<B>", root.at("/added_tokens/1/content").asText());
  }

  @ParameterizedTest
  @ValueSource(strings = {"files", "listed", "single"})
  void chat_templates_are_keys(String name) throws IOException {
    GgufKeys keys = GgufTemplates.of(GOLDENS.resolve("chats").resolve(name));
    GgufMetadata read = keys.metadata("made");
    assertTrue(read.text("tokenizer.chat_template").orElseThrow().contains("{%"));
    for (String other : read.texts("tokenizer.chat_templates")) {
      assertTrue(read.has("tokenizer.chat_template." + other), other);
    }
    assertEquals(!name.equals("single"), read.has("tokenizer.chat_templates"));
  }
}
