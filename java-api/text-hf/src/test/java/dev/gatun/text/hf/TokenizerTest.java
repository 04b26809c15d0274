package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.EncodeOptions.Overflow;
import dev.gatun.text.EncodeOptions.PairTruncation;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
  private static final EncodeOptions ALL = EncodeOptions.DEFAULT;

  @TempDir static Path directory;

  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() throws IOException {
    tokenizer = Tokenizer.load(MiniLm.write(directory));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  @Test
  void idsAreThoseOfTheReferenceImplementation() throws IOException {
    Path golden = Path.of("../../test/goldens/minilm/case.json");
    Assumptions.assumeTrue(Files.exists(golden), golden + " is not there");
    JsonNode sentences = new ObjectMapper().readTree(golden.toFile()).get("sentences");
    assertEquals(33, sentences.size());
    for (JsonNode sentence : sentences) {
      long[] expected = new ObjectMapper().convertValue(sentence.get("input_ids"), long[].class);
      String text = sentence.get("text").textValue();
      assertArrayEquals(expected, tokenizer.encode(text, ALL.withMaxLength(256)).ids(), text);
    }
  }

  @Test
  void nothingIsCutOrPaddedUnlessAskedFor() {
    Encoding all = tokenizer.encode("word ".repeat(1000));
    assertEquals(1002, all.length());
    assertFalse(all.truncated());
    assertEquals(3, tokenizer.encode("word").length());
    assertArrayEquals(new long[] {101, 102}, tokenizer.encode("").ids());
  }

  @Test
  void truncationIsReported() {
    Encoding cut = tokenizer.encode("one two three four five", ALL.withMaxLength(5));
    assertEquals("[CLS] one two three [SEP]", String.join(" ", cut.tokens()));
    assertTrue(cut.truncated());
    assertEquals(2, cut.droppedTokens());
    EncodeOptions strict = ALL.withMaxLength(5).withOverflow(Overflow.ERROR);
    String message =
        assertThrows(TokenizerException.class, () -> tokenizer.encode("one two three four", strict))
            .getMessage();
    assertTrue(message.contains("6 tokens") && message.contains("5"), message);
    assertThrows(TokenizerException.class, () -> tokenizer.encode("a", ALL.withMaxLength(1)));
    assertEquals(2, tokenizer.encode("a", ALL.withMaxLength(2)).length());
    assertThrows(IllegalArgumentException.class, () -> ALL.withMaxLength(0));
  }

  @Test
  void pairsAreCutAsHuggingFaceDoes() {
    String longer = "one two three four five six seven eight";
    EncodeOptions nine = ALL.withMaxLength(9);
    assertEquals("a b | one two three four", sides("a b", longer, nine));
    assertEquals("one two three four | a b", sides(longer, "a b", nine));
    assertEquals("one two three | one two three", sides(longer, longer, nine));
    EncodeOptions ten = ALL.withMaxLength(10);
    assertEquals("one two three | one two three four", sides(longer, longer, ten));
    EncodeOptions second = nine.withPairTruncation(PairTruncation.ONLY_SECOND);
    assertEquals("a b | one two three four", sides("a b", longer, second));
    assertThrows(TokenizerException.class, () -> tokenizer.encode(longer, "a b", second));
    EncodeOptions first = nine.withPairTruncation(PairTruncation.ONLY_FIRST);
    assertEquals("one two three four | a b", sides(longer, "a b", first));
  }

  private static String sides(String text, String pair, EncodeOptions options) {
    Encoding encoding = tokenizer.encode(text, pair, options);
    assertTrue(encoding.length() <= options.maxLength());
    return side(encoding, 0) + " | " + side(encoding, 1);
  }

  private static String side(Encoding encoding, int sequence) {
    StringBuilder side = new StringBuilder();
    for (int i = 0; i < encoding.length(); i++) {
      if (encoding.sequenceIds()[i] == sequence) {
        side.append(side.isEmpty() ? "" : " ").append(encoding.tokens()[i]);
      }
    }
    return side.toString();
  }

  @Test
  void windowsShareTheirStride() {
    String context = "one two three four five six seven eight nine ten";
    EncodeOptions options =
        ALL.withMaxLength(12).withStride(2).withPairTruncation(PairTruncation.ONLY_SECOND);
    List<Encoding> windows = tokenizer.encodeWindows("what is it?", context, options);
    assertEquals(
        List.of("one two three four five", "four five six seven eight", "seven eight nine ten"),
        windows.stream().map(w -> side(w, 1)).toList());
    for (Encoding window : windows) {
      assertEquals("what is it ?", side(window, 0));
      int last = window.length() - 2;
      String token = context.substring(window.starts()[last], window.ends()[last]);
      assertEquals(window.tokens()[last], token);
    }
    assertEquals(1, tokenizer.encodeWindows("short", options).size());
    assertEquals(4, tokenizer.encodeWindows(context, ALL.withMaxLength(5)).size());
    assertThrows(
        IllegalArgumentException.class,
        () -> tokenizer.encodeWindows(context, options.withMaxLength(4)));
    assertThrows(
        IllegalArgumentException.class,
        () -> tokenizer.encodeWindows("a", context, ALL.withMaxLength(12)));
  }

  @Test
  void offsetsAreIndexesIntoTheJavaString() {
    String text = "a😀b 𝔘𝔫 café 中文 ships";
    String pair = "🌍 x";
    Encoding encoding = tokenizer.encode(text, pair);
    int compared = 0;
    for (int i = 0; i < encoding.length(); i++) {
      String in = encoding.sequenceIds()[i] == 0 ? text : pair;
      String piece = in.substring(encoding.starts()[i], encoding.ends()[i]);
      String token = encoding.tokens()[i];
      if (!encoding.special()[i] && !token.equals("[UNK]")) {
        assertEquals(
            token.replace("##", ""), piece.toLowerCase(Locale.ROOT).replace("é", "e"), token);
        compared++;
      }
    }
    assertTrue(compared >= 5, "only " + compared);
    assertEquals("😀", "😀".substring(0, tokenizer.encode("😀").ends()[1]));
  }

  @Test
  void noStringIsTooOdd() {
    assertArrayEquals(tokenizer.encode("\ufffd").ids(), tokenizer.encode("\ud800").ids());
    assertEquals("a\ufffd\ufffd😀", Utf16.repair("a\udc00\ud83d😀"));
    assertEquals("x ##y", side(tokenizer.encode("x\u0000y"), 0));
    assertEquals(200_002, tokenizer.encode("a ".repeat(200_000)).length());
    tokenizer.encode("a".repeat(1_000_000));
    Random random = new Random(5);
    for (int i = 0; i < 2000; i++) {
      char[] chars = new char[random.nextInt(20)];
      for (int j = 0; j < chars.length; j++) {
        chars[j] =
            (char) (random.nextBoolean() ? 0xd700 + random.nextInt(0xa00) : random.nextInt());
      }
      String text = new String(chars);
      Encoding encoding = tokenizer.encode(text, text);
      for (int end : encoding.ends()) {
        assertTrue(end <= text.length());
      }
    }
    assertThrows(NullPointerException.class, () -> tokenizer.encode(null));
  }

  @Test
  void tokensAndIds() {
    assertEquals(30522, tokenizer.vocabSize());
    assertEquals(OptionalInt.of(101), tokenizer.specialTokens().cls());
    assertEquals(OptionalInt.of(102), tokenizer.specialTokens().sep());
    assertEquals(OptionalInt.of(0), tokenizer.specialTokens().pad());
    assertEquals(OptionalInt.of(103), tokenizer.specialTokens().mask());
    assertEquals(OptionalInt.of(100), tokenizer.specialTokens().unk());
    assertEquals(OptionalInt.of(2129), tokenizer.tokenToId("how"));
    assertEquals(OptionalInt.empty(), tokenizer.tokenToId("no such token"));
    assertEquals(Optional.of("how"), tokenizer.idToToken(2129));
    assertEquals(Optional.empty(), tokenizer.idToToken(-1));
    long[] ids = tokenizer.encode("The locks lift a vessel.").ids();
    assertEquals("the locks lift a vessel.", tokenizer.decode(ids, true));
    assertTrue(tokenizer.decode(ids, false).startsWith("[CLS]"));
    assertThrows(
        IllegalArgumentException.class, () -> tokenizer.decode(new long[] {1L << 40}, true));
    EncodeOptions bare = ALL.withSpecialTokens(false);
    assertEquals(1, tokenizer.encode("how", bare).length());
  }
}
