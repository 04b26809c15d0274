package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PassageSplitterTest {
  private static List<Passage> split(String text, int limit) {
    return split(new FakeEmbedder(limit, "")::tokens, limit, text);
  }

  /** Each passage comes with its own tokens. */
  private static List<Passage> split(Function<String, long[]> tokens, int limit, String text) {
    return new PassageSplitter(tokens, limit)
        .split(text).stream()
            .peek(each -> assertArrayEquals(tokens.apply(each.passage().text()), each.inputIds()))
            .map(TokenizedPassage::passage)
            .toList();
  }

  @Test
  void paragraphsKeepTheirLines() {
    assertEquals(
        List.of(new Passage(2, 3, "one two\nthree"), new Passage(6, 6, "four")),
        split("\none two\nthree\n \n\n  four", 10));
  }

  @Test
  void carriageReturnsEndLines() {
    assertEquals(
        List.of(new Passage(1, 2, "a\nb"), new Passage(4, 4, "c")),
        split("a\r\nb\r\n\r\nc\r\n", 9));
    assertEquals(List.of(new Passage(1, 1, "a"), new Passage(3, 3, "b")), split("a\r\rb", 9));
  }

  @Test
  void longParagraphsSplitBySentences() {
    assertEquals(
        List.of(
            new Passage(1, 1, "One two three. Four five."), new Passage(2, 2, "Six seven eight.")),
        split("One two three. Four five.\nSix seven eight.", 7));
  }

  @Test
  void longSentencesSplitByWords() {
    assertEquals(
        List.of(new Passage(1, 1, "a b c"), new Passage(1, 2, "d\ne f"), new Passage(2, 2, "g")),
        split("a b c d\ne f g", 5));
  }

  @Test
  void longWordsSplitByCharacters() {
    List<Passage> passages =
        split(text -> text.chars().asLongStream().toArray(), 3, "abcd\u00e9fgh");
    assertEquals(List.of("abc", "d\u00e9f", "gh"), passages.stream().map(Passage::text).toList());
  }

  @Test
  void onlyPartsOfALongParagraphAreTokenised() {
    for (String part : List.of("word ", "word", "Word. ", "w\n", "\u0e01", "\ud83d\ude00")) {
      String text = part.repeat(1_000_000 / part.length());
      int[] longest = new int[1];
      Function<String, long[]> tokens =
          piece -> {
            longest[0] = Math.max(longest[0], piece.length());
            return new long[2 + piece.codePointCount(0, piece.length()) / 4];
          };
      StringBuilder together = new StringBuilder();
      for (TokenizedPassage each : new PassageSplitter(tokens, 256).split(text)) {
        together.append(each.passage().text());
        assertTrue(each.passage().text().length() <= 16 * 256, part);
      }
      assertTrue(longest[0] <= 16 * 256, () -> part + ": " + longest[0]);
      assertEquals(text.replaceAll("\\s", ""), together.toString().replaceAll("\\s", ""), part);
    }
  }

  @Test
  void aPassageHasALimitOfCharacters() {
    String text = "\u0e01".repeat(48_000);
    int most = 0;
    for (Passage passage : split(_ -> new long[3], 256, text)) {
      most = Math.max(most, passage.text().length());
    }
    assertEquals(16 * 256, most);
  }

  @Test
  void emptyTextHasNone() {
    assertEquals(List.of(), split("", 5));
    assertEquals(List.of(), split("\n \r\n\t", 5));
  }

  @Test
  void nothingIsLostAndEverythingFits() {
    Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < random.nextInt(300); i++) {
        text.append("ab. \n\r\u00e9".charAt(random.nextInt(7)));
      }
      int limit = 3 + random.nextInt(9);
      StringBuilder together = new StringBuilder();
      for (Passage passage : split(text.toString(), limit)) {
        assertTrue(new FakeEmbedder(limit, "").tokens(passage.text()).length <= limit);
        together.append(passage.text());
      }
      assertEquals(
          text.toString().replaceAll("\\s", ""), together.toString().replaceAll("\\s", ""));
    }
  }
}
