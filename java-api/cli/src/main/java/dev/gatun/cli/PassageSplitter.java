package dev.gatun.cli;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Splits text into passages that the model sees whole: a paragraph where it fits, else as many of
 * its sentences as fit, else words, else characters. Every character that is not white space is in
 * exactly one passage. A passage has a limit of characters too, and only texts within it are
 * tokenised, so that neither time nor memory grows faster than the text.
 */
final class PassageSplitter {
  private enum Unit {
    SENTENCE,
    WORD,
    CHARACTER
  }

  private record Range(int start, int end) {}

  private record Piece(int start, int end, long[] inputIds) {}

  /** More than a token has in most languages. */
  private static final int TOKEN_CHARS = 16;

  private static final int LEAST_CHARS = 2048;

  /** A paragraph with more is cut before its sentences are looked for. */
  private static final int BLOCK_CHARS = 1 << 16;

  private final Function<String, long[]> tokens;
  // Of the last text that fitted.
  private long[] fitted;
  private final int limit;
  private final int mostChars;

  /**
   * A splitter.
   *
   * @param tokens what the model makes of a text, special tokens included
   * @param limit the most tokens that a passage may have
   */
  PassageSplitter(Function<String, long[]> tokens, int limit) {
    this.tokens = tokens;
    this.limit = limit;
    this.mostChars = Math.clamp((long) TOKEN_CHARS * limit, LEAST_CHARS, BLOCK_CHARS);
  }

  List<TokenizedPassage> split(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    List<Piece> pieces = new ArrayList<>();
    for (Range paragraph : paragraphs(text)) {
      if (fits(text, paragraph.start, paragraph.end)) {
        pieces.add(new Piece(paragraph.start, paragraph.end, fitted));
      } else {
        for (Range block : blocks(text, paragraph)) {
          pack(text, block, Unit.SENTENCE, pieces);
        }
      }
    }
    int[] lines = lineStarts(text);
    List<TokenizedPassage> passages = new ArrayList<>(pieces.size());
    for (Piece piece : pieces) {
      Passage passage =
          new Passage(
              lineOf(lines, piece.start),
              lineOf(lines, piece.end - 1),
              text.substring(piece.start, piece.end));
      passages.add(new TokenizedPassage(passage, piece.inputIds));
    }
    return passages;
  }

  /** Runs of lines that are not blank, without the white space around them. */
  private static List<Range> paragraphs(String text) {
    List<Range> found = new ArrayList<>();
    int start = -1;
    int end = 0;
    int at = 0;
    while (at < text.length()) {
      int newline = text.indexOf('\n', at);
      int lineEnd = newline < 0 ? text.length() : newline;
      Range line = stripped(text, at, lineEnd);
      if (line == null) {
        if (start >= 0) {
          found.add(new Range(start, end));
        }
        start = -1;
      } else {
        start = start < 0 ? line.start : start;
        end = line.end;
      }
      at = lineEnd + 1;
    }
    if (start >= 0) {
      found.add(new Range(start, end));
    }
    return found;
  }

  /** Parts of a long paragraph: cut at the end of a line or a word, else between characters. */
  private static List<Range> blocks(String text, Range paragraph) {
    List<Range> found = new ArrayList<>();
    int from = paragraph.start;
    while (paragraph.end - from > BLOCK_CHARS) {
      int to = blockEnd(text, from);
      add(found, stripped(text, from, to));
      from = to;
    }
    add(found, stripped(text, from, paragraph.end));
    return found;
  }

  private static int blockEnd(String text, int from) {
    int most = from + BLOCK_CHARS;
    int least = from + BLOCK_CHARS / 2;
    int line = text.lastIndexOf('\n', most - 1);
    if (line > least) {
      return line;
    }
    for (int at = most; at > least; at--) {
      if (Character.isWhitespace(text.charAt(at))) {
        return at;
      }
    }
    boolean pair = Character.isSurrogatePair(text.charAt(most - 1), text.charAt(most));
    return pair ? most - 1 : most;
  }

  /** Puts as many units as fit into each passage; a unit that is too long alone is split finer. */
  private void pack(String text, Range range, Unit unit, List<Piece> out) {
    List<Range> units = units(text, range, unit);
    int next = 0;
    while (next < units.size()) {
      int start = units.get(next).start;
      int taken = mostThatFit(text, units, next);
      if (taken > 0) {
        out.add(new Piece(start, units.get(next + taken - 1).end, fitted));
        next += taken;
      } else if (unit == Unit.CHARACTER) {
        throw new IllegalArgumentException(
            "a limit of %d tokens has no room for the character %s"
                .formatted(limit, text.substring(start, units.get(next).end)));
      } else {
        pack(text, units.get(next), Unit.values()[unit.ordinal() + 1], out);
        next++;
      }
    }
  }

  /** Doubles until too long, then halves between; the last that fits is the most. */
  private int mostThatFit(String text, List<Range> units, int first) {
    int start = units.get(first).start;
    int left = units.size() - first;
    int fitting = 0;
    int tooMany = left + 1;
    int guess = 1;
    while (fitting + 1 < tooMany) {
      if (fits(text, start, units.get(first + guess - 1).end)) {
        fitting = guess;
      } else {
        tooMany = guess;
      }
      guess = tooMany > left ? Math.min(left, 2 * fitting) : (fitting + tooMany) >>> 1;
      if (guess <= fitting) {
        break;
      }
    }
    return fitting;
  }

  private boolean fits(String text, int start, int end) {
    if (end - start > mostChars) {
      return false;
    }
    long[] made = tokens.apply(text.substring(start, end));
    if (made.length > limit) {
      return false;
    }
    fitted = made;
    return true;
  }

  private static List<Range> units(String text, Range range, Unit unit) {
    return switch (unit) {
      case SENTENCE -> sentences(text, range);
      case WORD -> words(text, range);
      case CHARACTER -> characters(text, range);
    };
  }

  private static List<Range> sentences(String text, Range range) {
    String part = text.substring(range.start, range.end).replace('\n', ' ');
    BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ROOT);
    breaks.setText(part);
    List<Range> found = new ArrayList<>();
    int from = breaks.first();
    for (int to = breaks.next(); to != BreakIterator.DONE; from = to, to = breaks.next()) {
      add(found, stripped(text, range.start + from, range.start + to));
    }
    return found;
  }

  private static List<Range> words(String text, Range range) {
    List<Range> found = new ArrayList<>();
    int from = range.start;
    for (int at = range.start; at <= range.end; at++) {
      if (at == range.end || Character.isWhitespace(text.charAt(at))) {
        add(found, stripped(text, from, at));
        from = at;
      }
    }
    return found;
  }

  private static List<Range> characters(String text, Range range) {
    List<Range> found = new ArrayList<>();
    int at = range.start;
    while (at < range.end) {
      int to = text.offsetByCodePoints(at, 1);
      add(found, stripped(text, at, to));
      at = to;
    }
    return found;
  }

  private static void add(List<Range> ranges, Range range) {
    if (range != null) {
      ranges.add(range);
    }
  }

  private static Range stripped(String text, int start, int end) {
    int from = start;
    int to = end;
    while (from < to && Character.isWhitespace(text.charAt(from))) {
      from++;
    }
    while (from < to && Character.isWhitespace(text.charAt(to - 1))) {
      to--;
    }
    return from < to ? new Range(from, to) : null;
  }

  private static int[] lineStarts(String text) {
    int[] starts = new int[16];
    int count = 1;
    for (int at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      if (count == starts.length) {
        starts = Arrays.copyOf(starts, 2 * count);
      }
      starts[count++] = at + 1;
    }
    return Arrays.copyOf(starts, count);
  }

  private static int lineOf(int[] starts, int offset) {
    int found = Arrays.binarySearch(starts, offset);
    return found >= 0 ? found + 1 : -found - 1;
  }
}
