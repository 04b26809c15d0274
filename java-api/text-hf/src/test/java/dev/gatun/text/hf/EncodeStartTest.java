package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.InputIds;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The beginning of a long text has the tokens that it has in the whole. */
class EncodeStartTest {
  private static final List<String> WORDS =
      List.of(
          "lock",
          "canal",
          "caf\u00e9",
          "cafe\u0301",
          "\u0e01\u0e35\u0e48",
          "\u4e2d",
          "\u6587\u4e2d",
          "\ud83d\ude00",
          "\u200b",
          "\u0301",
          "[MASK]",
          "[mask]",
          "it's",
          "x.y",
          "1,000",
          "\u0000",
          "\uac00\ub098",
          "\u3042\u3044",
          "\ufdfa",
          "5",
          "a1b22",
          "\u20ac",
          "\u2260",
          "=\u0338",
          "\u2605",
          "\ud83d\udc68\u200d\ud83d\udc69",
          "{\"a\":\"b\",",
          "<s>",
          "]",
          "_",
          "b".repeat(99),
          "c".repeat(101));
  private static final List<String> GAPS =
      List.of(
          " ", " ", " ", "  ", "\n", "", "", ".", ", ", "\t \n", "    ", "\u00a0", "\u3000",
          "\u3002", "-");

  /** None has a space between letters. */
  private static final List<String> WITHOUT_SPACES =
      List.of(
          ".",
          "-",
          "=",
          "_",
          " ",
          "\r\n",
          "#\n",
          "( ) ",
          "\"\",",
          "{\"a\":\"b\",\"c\":[1,2]},",
          "<p class=\"x\">",
          "QUJDREVGR0g/+9a",
          "\u20ac",
          "\u2260",
          "\u226e\u226f",
          "\u2605 ",
          "\u3002",
          "\u00b7",
          "\u060c\u061f",
          "\uac00\ub098",
          "\ud83d\ude00",
          "\ud83d\udc68\u200d\ud83d\udc69");

  private static final List<String> BESIDE_LONG =
      List.of(
          "[MASK]",
          "[MASK][SEP]",
          "<mask>",
          " [MASK] ",
          "]",
          "12",
          "1's",
          "=\u0338",
          "\u2260",
          "\u3002",
          "\u2605\ud83d\ude00",
          "     ");

  private static final Pattern PUNCTUATION = Pattern.compile("\\p{P}");

  @Test
  void of_wordpiece_as_of_the_whole(@TempDir Path folder) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(MiniLm.write(folder))) {
      compare(tokenizer);
    }
  }

  /** Accents stay, and a comparison that is struck out is a part of a word. */
  @Test
  void of_cased_wordpiece_as_of_the_whole(@TempDir Path folder) throws IOException {
    Path file = MiniLm.write(folder);
    String json = Files.readString(file);
    String cased = json.replaceFirst("\"lowercase\"\\s*:\\s*true", "\"lowercase\":false");
    assertNotEquals(json, cased);
    Files.writeString(file, cased);
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      compare(tokenizer);
      // Too long for a word, but not its parts, some of them at the place of the cut.
      String words = ("a".repeat(60) + "\u2260" + "b".repeat(60) + " ").repeat(200);
      for (int i = 1; i < 120; i += 20) {
        same(tokenizer, "c".repeat(i) + " " + words, 50);
      }
    }
  }

  /** Also that which only a newer Unicode than the tokenizer's has, a part of a word to it. */
  @Test
  void beside_every_punctuation_as_of_the_whole(@TempDir Path folder) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(MiniLm.write(folder))) {
      for (int c = 0x80; c < 0x10000; c++) {
        if (PUNCTUATION.matcher(Character.toString(c)).matches()) {
          // Too long for a word, but not its parts; the character is at the place of the cut.
          same(tokenizer, ("a".repeat(60) + (char) c + "b".repeat(60) + " ").repeat(34), 50);
        }
      }
    }
  }

  @Test
  void of_byte_level_bpe_as_of_the_whole(@TempDir Path folder) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(byteLevel(folder))) {
      compare(tokenizer);
    }
  }

  private static Path byteLevel(Path folder) throws IOException {
    StringBuilder vocab = new StringBuilder("{\"<s>\":0,\"</s>\":1,\"<unk>\":2,\"<mask>\":3");
    int id = 4;
    for (int c = 33; c < 324; c++) {
      if (c < 127 || (c > 160 && c != 173)) {
        String spelt = c == '"' || c == '\\' ? "\\" + (char) c : String.valueOf((char) c);
        vocab.append(",\"").append(spelt).append("\":").append(id++);
      }
    }
    vocab.append(",\"lo\":").append(id++).append(",\"\u0120c\":").append(id++).append("}");
    Files.writeString(folder.resolve("vocab.json"), vocab);
    Files.writeString(folder.resolve("merges.txt"), "l o\n\u0120 c\n");
    return folder;
  }

  private static void compare(Tokenizer tokenizer) {
    Random random = new Random(11);
    for (int round = 0; round < 12; round++) {
      StringBuilder text = new StringBuilder();
      while (text.length() < 9000) {
        text.append(WORDS.get(random.nextInt(WORDS.size())));
        text.append(GAPS.get(random.nextInt(GAPS.size())));
        if (random.nextInt(300) == 0) {
          text.append("word".repeat(random.nextInt(1500)));
        }
      }
      int most = 2 + random.nextInt(400);
      same(tokenizer, text.toString(), most);
      for (int i = 0; i < 20; i++) {
        int from = random.nextInt(8000);
        String some = text.substring(from, from + random.nextInt(Math.min(1000, 4 * most)));
        sameIds(tokenizer, some, EncodeOptions.DEFAULT.withMaxLength(most));
        EncodeOptions bare = EncodeOptions.DEFAULT.withSpecialTokens(false);
        sameIds(tokenizer, some, bare);
        sameIds(tokenizer, some, bare.withMaxLength(most));
      }
    }
    for (String part : WITHOUT_SPACES) {
      same(tokenizer, "a" + part.repeat(20_000 / part.length()) + " b", 100);
    }
    // Few tokens in many characters, so that those beside the cut are kept.
    for (int round = 0; round < 200; round++) {
      StringBuilder text = new StringBuilder();
      while (text.length() < 20_000) {
        text.append("w".repeat(random.nextInt(2200)));
        text.append(BESIDE_LONG.get(random.nextInt(BESIDE_LONG.size())));
      }
      same(tokenizer, text.toString(), 3 + random.nextInt(12));
    }
    same(tokenizer, "a".repeat(40_000), 100);
    same(tokenizer, "a\u0301".repeat(20_000) + " b", 100);
    same(tokenizer, "a".repeat(20_000) + " b. " + "c".repeat(30_000) + " d", 100);
    same(tokenizer, "\u4e2d".repeat(20_000), 100);
    same(tokenizer, " ".repeat(50_000) + "x", 100);
    same(tokenizer, ".".repeat(50_000), 100);
    same(tokenizer, "\ud83d\ude00".repeat(20_000), 100);
  }

  private static void same(Tokenizer tokenizer, String text, int most) {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(most);
    Encoding whole = tokenizer.encode(text, options);
    Encoding start = tokenizer.encodeStart(text, options);
    assertArrayEquals(whole.ids(), start.ids());
    assertArrayEquals(whole.typeIds(), start.typeIds());
    assertArrayEquals(whole.tokens(), start.tokens());
    assertArrayEquals(whole.starts(), start.starts());
    assertArrayEquals(whole.ends(), start.ends());
    assertArrayEquals(whole.wordIds(), start.wordIds());
    assertEquals(whole.truncated(), start.truncated());
    sameIds(tokenizer, text, options);
  }

  private static void sameIds(Tokenizer tokenizer, String text, EncodeOptions options) {
    Encoding whole = tokenizer.encode(text, options);
    InputIds made = tokenizer.inputIds(text, options);
    assertArrayEquals(whole.ids(), made.ids());
    assertArrayEquals(whole.typeIds(), made.typeIds());
    EncodeOptions strict = options.withOverflow(EncodeOptions.Overflow.ERROR);
    if (whole.droppedTokens() > 0) {
      assertThrows(TokenizerException.class, () -> tokenizer.inputIds(text, strict));
    } else {
      assertArrayEquals(whole.ids(), tokenizer.inputIds(text, strict).ids());
    }
  }

  @Test
  void reads_no_more_than_it_needs(@TempDir Path folder) throws IOException {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(256);
    try (Tokenizer tokenizer = Tokenizer.load(MiniLm.write(folder))) {
      List<String> parts = new ArrayList<>(WITHOUT_SPACES);
      parts.addAll(List.of("the lock of a canal. ", "lock", "\u4e2d\u6587", "lock,"));
      for (String part : parts) {
        String text = part.repeat(5_000_000 / part.length());
        Encoding start = tokenizer.encodeStart(text, options);
        assertTrue(start.length() <= 256, part);
        assertTrue(start.droppedTokens() < 5_000, () -> part + ": " + start.droppedTokens());
      }
      EncodeOptions strict = options.withOverflow(EncodeOptions.Overflow.ERROR);
      String text = "the lock of a canal. ".repeat(250_000);
      assertTrue(
          assertThrows(TokenizerException.class, () -> tokenizer.encode(text, strict))
              .getMessage()
              .contains("more than 256 tokens, special tokens included, but maxLength is 256"));
    }
  }

  @Test
  void of_byte_level_bpe_no_more_than_it_needs(@TempDir Path folder) throws IOException {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(256);
    try (Tokenizer tokenizer = Tokenizer.load(byteLevel(folder))) {
      for (String part : List.of("lock\n", "# ", "{\"a\":\"b\"},", "QUJDREVGR0g/+9a", "x1.5")) {
        Encoding start = tokenizer.encodeStart(part.repeat(1_000_000 / part.length()), options);
        assertTrue(start.droppedTokens() < 20_000, () -> part + ": " + start.droppedTokens());
      }
    }
  }
}
