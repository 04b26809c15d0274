package dev.gatun.test.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gatun.text.DecodeStream;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pieces of a stream are together what decoding all ids gives. */
final class DecodeStreamTest {
  private static final Path BYTE_BPE = Path.of("goldens/tokenizers/byte-bpe.tokenizer.json");

  /**
   * As LLaMA's: spaces are U+2581, the first one is taken away, bytes stand for what is missing.
   */
  private static String bytesAndSpaces(String decoder) {
    StringBuilder vocabulary = new StringBuilder();
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "▁", "▁a", "b", "é"));
    tokens.add("\\uFFFD");
    tokens.add("▁▁");
    for (int i = 0; i < 256; i++) {
      tokens.add("<0x%02X>".formatted(i));
    }
    for (int i = 0; i < tokens.size(); i++) {
      vocabulary.append(i == 0 ? "" : ",").append("\"%s\":%d".formatted(tokens.get(i), i));
    }
    return """
    {"version":"1.0","truncation":null,"padding":null,
     "added_tokens":[
       {"id":1,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,
        "normalized":false,"special":true},
       {"id":2,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,
        "normalized":false,"special":true}],
     "normalizer":null,"pre_tokenizer":null,"post_processor":null,
     "decoder":%s,
     "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,
      "end_of_word_suffix":null,"fuse_unk":true,"byte_fallback":true,"vocab":{%s},"merges":[]}}
    """
        .formatted(decoder, vocabulary);
  }

  private static final String LLAMA =
      """
      {"type":"Sequence","decoders":[
        {"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
        {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}
      """;

  private static final String METASPACE =
      """
      {"type":"Sequence","decoders":[{"type":"ByteFallback"},
        {"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}]}
      """;

  private static final String SUFFIX = "{\"type\":\"BPEDecoder\",\"suffix\":\"b\"}";

  @TempDir Path directory;

  private Tokenizer load(String kind) throws IOException {
    Path file = directory.resolve("tokenizer.json");
    switch (kind) {
      case "byte-bpe" -> Files.copy(BYTE_BPE, file);
      case "word-piece" -> Files.writeString(file, Tokenizers.WORD_PIECE);
      case "llama" -> Files.writeString(file, bytesAndSpaces(LLAMA));
      case "metaspace" -> Files.writeString(file, bytesAndSpaces(METASPACE));
      case "suffix" -> Files.writeString(file, bytesAndSpaces(SUFFIX));
      default -> throw new AssertionError(kind);
    }
    return Tokenizer.load(file);
  }

  @ParameterizedTest
  @CsvSource({"byte-bpe", "word-piece", "llama", "metaspace", "suffix"})
  void pieces_are_together_what_all_ids_are(String kind) throws IOException {
    Random random = new Random(5);
    try (Tokenizer tokenizer = load(kind)) {
      for (int round = 0; round < 400; round++) {
        long[] ids = new long[random.nextInt(24)];
        int below = random.nextBoolean() ? Math.min(12, tokenizer.vocabSize()) : 0;
        for (int i = 0; i < ids.length; i++) {
          ids[i] =
              random.nextInt(below > 0 && random.nextInt(3) > 0 ? below : tokenizer.vocabSize());
        }
        for (boolean skip : new boolean[] {true, false}) {
          StringBuilder text = new StringBuilder();
          DecodeStream stream = tokenizer.decodeStream(skip);
          for (long id : ids) {
            text.append(stream.step(id));
          }
          text.append(stream.finish());
          assertEquals(tokenizer.decode(ids, skip), text.toString(), Arrays.toString(ids));
        }
      }
    }
  }

  @Test
  void a_character_of_four_bytes_comes_whole() throws IOException {
    String text = "a🌉é🌉🌉 b";
    try (Tokenizer tokenizer = load("llama")) {
      DecodeStream stream = tokenizer.decodeStream(true);
      StringBuilder all = new StringBuilder();
      int first = tokenizer.tokenToId("<0x00>").getAsInt();
      for (String word : List.of("a🌉é", "🌉🌉 b")) {
        for (byte each : word.getBytes(StandardCharsets.UTF_8)) {
          String piece = stream.step(first + (each & 0xff));
          assertFalse(piece.contains("\uFFFD"), piece);
          all.append(piece);
        }
      }
      assertEquals(text, all + stream.finish());
    }
  }

  @Test
  void text_comes_with_the_token_that_completes_it() throws IOException {
    try (Tokenizer tokenizer = load("llama")) {
      DecodeStream stream = tokenizer.decodeStream(true);
      List<String> pieces = new ArrayList<>();
      for (long id : new long[] {1, 4, 5, 4, 3, 6, 99_999, 5}) {
        pieces.add(stream.step(id));
      }
      assertEquals(List.of("", "a", "b", " a", " ", "é", "", "b"), pieces);
      assertEquals("", stream.finish());
    }
  }

  /** What a stream costs a token does not grow with the text. */
  @Test
  void long_texts_stream_as_short_ones() throws IOException {
    try (Tokenizer tokenizer = load("byte-bpe")) {
      DecodeStream stream = tokenizer.decodeStream(false);
      long[] ids = tokenizer.encode("the lock of the canal ".repeat(3000)).ids();
      StringBuilder text = new StringBuilder();
      for (long id : ids) {
        text.append(stream.step(id));
      }
      assertEquals(tokenizer.decode(ids, false), text + stream.finish());
    }
  }
}
