package dev.gatun.cli;

import java.io.IOException;
import java.io.Reader;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Splits text into passages that the model sees whole: a paragraph where it fits, else as many of
 * its sentences as fit, else words, else characters. Every character that is not white space is in
 * exactly one passage. A passage has a limit of characters too, and only texts within it are
 * tokenised, so that time grows with the text and memory does not.
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

  /**
   * Splits a text while it is read; no more of it is held than a long paragraph's part.
   *
   * @param out takes the passages in order
   */
  void split(Reader source, Consumer<TokenizedPassage> out) throws IOException {
    Lines lines = new Lines(source);
    String text = "";
    int firstLine = 1;
    for (String more = lines.next(); more != null; more = lines.next()) {
      text += more;
      List<Piece> pieces = new ArrayList<>();
      int done = whole(text, pieces);
      deliver(text, firstLine, pieces, out);
      firstLine += newlines(text, done);
      text = text.substring(done);
    }
    List<Piece> pieces = new ArrayList<>();
    for (Range paragraph : paragraphs(text)) {
      add(text, paragraph, pieces);
    }
    deliver(text, firstLine, pieces, out);
  }

  /** A text whose lines end with {@code \n}, in parts. */
  private static final class Lines {
    private final Reader source;
    private final char[] part = new char[2 * BLOCK_CHARS];
    private boolean returned;

    private Lines(Reader source) {
      this.source = source;
    }

    /** The next part, null after the last. */
    private String next() throws IOException {
      int count = 0;
      // Full parts, so that passages depend on the text alone.
      for (int read = 0; read >= 0 && count < part.length; count += Math.max(read, 0)) {
        read = source.read(part, count, part.length - count);
      }
      if (count == 0) {
        return null;
      }
      int kept = 0;
      for (int i = 0; i < count; i++) {
        char c = part[i];
        if (c != '\n' || !returned) {
          part[kept++] = c == '\r' ? '\n' : c;
        }
        returned = c == '\r';
      }
      return new String(part, 0, kept);
    }
  }

  /** Splits the paragraphs whose end is known, and of a long last one all but its end. */
  private int whole(String text, List<Piece> out) {
    int known = text.lastIndexOf('\n') + 1;
    List<Range> found = paragraphs(text.substring(0, known));
    int open = known;
    if (!found.isEmpty() && !blankLine(text, found.getLast().end, known)) {
      open = found.removeLast().start;
    }
    for (Range paragraph : found) {
      add(text, paragraph, out);
    }
    while (text.length() - open > BLOCK_CHARS) {
      int to = blockEnd(text, open);
      Range block = stripped(text, open, to);
      if (block != null) {
        pack(text, block, Unit.SENTENCE, out);
      }
      open = to;
    }
    return open;
  }

  /** Whether a whole line of white space follows the line that ends at {@code from}. */
  private static boolean blankLine(String text, int from, int to) {
    int lineEnd = text.indexOf('\n', from);
    return lineEnd + 1 < to;
  }

  private void add(String text, Range paragraph, List<Piece> out) {
    if (fits(text, paragraph.start, paragraph.end)) {
      out.add(new Piece(paragraph.start, paragraph.end, fitted));
      return;
    }
    for (Range block : blocks(text, paragraph)) {
      pack(text, block, Unit.SENTENCE, out);
    }
  }

  private static void deliver(
      String text, int firstLine, List<Piece> pieces, Consumer<TokenizedPassage> out) {
    int[] lines = lineStarts(text);
    for (Piece piece : pieces) {
      Passage passage =
          new Passage(
              firstLine - 1 + lineOf(lines, piece.start),
              firstLine - 1 + lineOf(lines, piece.end - 1),
              text.substring(piece.start, piece.end));
      out.accept(new TokenizedPassage(passage, piece.inputIds));
    }
  }

  private static int newlines(String text, int to) {
    int count = 0;
    for (int i = 0; i < to; i++) {
      count += text.charAt(i) == '\n' ? 1 : 0;
    }
    return count;
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
