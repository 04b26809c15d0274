package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
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
    return split(tokens, limit, new StringReader(text));
  }

  private static List<Passage> split(Function<String, long[]> tokens, int limit, Reader text) {
    List<Passage> passages = new ArrayList<>();
    try {
      new PassageSplitter(tokens, limit)
          .split(
              text,
              each -> {
                assertArrayEquals(tokens.apply(each.passage().text()), each.inputIds());
                passages.add(each.passage());
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return passages;
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
      for (Passage each : split(tokens, 256, text)) {
        together.append(each.text());
        assertTrue(each.text().length() <= 16 * 256, part);
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

  /** A text without an end of a paragraph is split while it comes. */
  @Test
  void noMoreIsReadAheadThanALongParagraphsPart() throws Exception {
    for (String part : List.of("a lock of the canal. ", "lock", " ", "\n", "\u0e01")) {
      int[] read = {0};
      int[] done = {0};
      int[] ahead = {0};
      Reader endless =
          new Reader() {
            @Override
            public int read(char[] to, int at, int length) {
              if (read[0] > 1_000_000) {
                return -1;
              }
              for (int i = 0; i < length; i++) {
                to[at + i] = part.charAt(read[0]++ % part.length());
              }
              return length;
            }

            @Override
            public void close() {}
          };
      new PassageSplitter(text -> new long[2 + text.length() / 4], 256)
          .split(
              endless,
              each -> {
                done[0] += each.passage().text().length();
                ahead[0] = Math.max(ahead[0], read[0] - done[0] * 11 / 10);
              });
      assertTrue(part.isBlank() || done[0] > 700_000, () -> part + ": " + done[0]);
      assertTrue(ahead[0] <= 1 << 18, () -> part + ": " + ahead[0]);
    }
  }

  @Test
  void partsThatAreReadDoNotShow() {
    Random random = new Random(9);
    for (int round = 0; round < 2; round++) {
      StringBuilder text = new StringBuilder();
      while (text.length() < 400_000) {
        text.append(List.of("\n", "\n\n", "\r\n", "\r\n\r\n", ". ").get(random.nextInt(5)));
        text.append("word ".repeat(random.nextInt(random.nextInt(20) == 0 ? 40_000 : 200)));
        text.append("\ud83d\ude00".repeat(random.nextInt(9)));
      }
      Reader drops =
          new StringReader(text.toString()) {
            @Override
            public int read(char[] to, int at, int length) throws IOException {
              return super.read(to, at, Math.min(length, 1 + random.nextInt(5000)));
            }
          };
      Function<String, long[]> tokens = new FakeEmbedder(64, "")::tokens;
      List<Passage> passages = split(tokens, 64, text.toString());
      assertEquals(passages, split(tokens, 64, drops));
      String[] lines = text.toString().replace("\r\n", "\n").split("\n", -1);
      for (Passage passage : passages) {
        String[] own = passage.text().split("\n", -1);
        assertEquals(own.length, passage.lastLine() - passage.firstLine() + 1);
        assertTrue(lines[passage.firstLine() - 1].contains(own[0]));
        assertTrue(lines[passage.lastLine() - 1].contains(own[own.length - 1]));
      }
    }
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
