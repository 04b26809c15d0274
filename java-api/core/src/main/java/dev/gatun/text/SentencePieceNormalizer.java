package dev.gatun.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes characters alike and spaces single, as SentencePiece does before it looks for pieces: the
 * longest beginning that the model's table has becomes what the table says, user-defined pieces and
 * other characters stay. The table is a double-array trie of UTF-8 bytes, whose values are offsets
 * of texts that end with 0.
 */
final class SentencePieceNormalizer {
  private static final String SPACE = "\u2581";

  /**
   * A normalised text.
   *
   * @param text its characters
   * @param origins the index in the original of each character, and of the end
   */
  record Normalized(String text, int[] origins) {}

  private final SentencePieceModel model;
  private final SentencePiecePrefixes userDefined;
  private final int[] trie;
  private final byte[] texts;

  SentencePieceNormalizer(SentencePieceModel model, SentencePiecePrefixes userDefined) {
    this.model = model;
    this.userDefined = userDefined;
    byte[] map = model.charsMap();
    if (map.length == 0) {
      this.trie = new int[0];
      this.texts = map;
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
    long bytes = map.length < 4 ? -1 : Integer.toUnsignedLong(in.getInt());
    if (bytes < 4 || bytes % 4 != 0 || bytes > in.remaining()) {
      throw new TokenizerException(
          "%s: precompiled_charsmap: a table of %d bytes in %d"
              .formatted(model.file(), bytes, map.length));
    }
    this.trie = new int[(int) bytes / 4];
    in.asIntBuffer().get(trie);
    this.texts = Arrays.copyOfRange(map, 4 + (int) bytes, map.length);
  }

  /** What {@code text}, whose surrogates are pairs, becomes. */
  Normalized normalize(String text) {
    Made made = new Made(text.length());
    String space = model.escapeSpaces() ? SPACE : " ";
    int at = 0;
    Prefix prefix = null;
    if (model.removeExtraSpaces()) {
      while (at < text.length() && (prefix = prefix(text, at)).text.equals(" ")) {
        at += prefix.length;
      }
    }
    if (at == text.length()) {
      return new Normalized("", new int[] {0});
    }
    if (model.addDummyPrefix() && !model.suffixSpace()) {
      made.add(space, at);
    }
    boolean afterSpace = model.removeExtraSpaces();
    while (at < text.length()) {
      prefix = prefix(text, at);
      String part = prefix.text;
      while (afterSpace && part.startsWith(" ")) {
        part = part.substring(1);
      }
      if (!part.isEmpty()) {
        made.add(model.escapeSpaces() ? part.replace(" ", SPACE) : part, at);
        afterSpace = part.endsWith(" ");
      }
      at += prefix.length;
      afterSpace &= model.removeExtraSpaces();
    }
    int end = at;
    if (model.removeExtraSpaces()) {
      while (made.endsWith(space)) {
        end = made.dropLast();
      }
    }
    if (model.addDummyPrefix() && model.suffixSpace()) {
      made.add(space, end);
    }
    return made.normalized(end);
  }

  private static final class Made {
    private final StringBuilder text;
    private int[] origins;

    Made(int length) {
      this.text = new StringBuilder(length + 1);
      this.origins = new int[length + 2];
    }

    void add(String part, int origin) {
      int from = text.length();
      text.append(part);
      if (text.length() + 1 > origins.length) {
        origins = Arrays.copyOf(origins, 2 * text.length() + 1);
      }
      Arrays.fill(origins, from, text.length(), origin);
    }

    boolean endsWith(String space) {
      return !text.isEmpty() && text.charAt(text.length() - 1) == space.charAt(0);
    }

    /** Takes the last character away, and returns where it was. */
    int dropLast() {
      text.setLength(text.length() - 1);
      return origins[text.length()];
    }

    Normalized normalized(int end) {
      int[] all = Arrays.copyOf(origins, text.length() + 1);
      all[text.length()] = end;
      return new Normalized(text.toString(), all);
    }
  }

  /** What a text's beginning becomes, and how many characters that are. */
  private record Prefix(String text, int length) {}

  private Prefix prefix(String text, int at) {
    int whole = userDefined.longestAt(text, at);
    if (whole > 0) {
      return new Prefix(text.substring(at, at + whole), whole);
    }
    if (trie.length > 0) {
      Prefix found = inTable(text, at);
      if (found != null) {
        return found;
      }
    }
    int length = Character.charCount(text.codePointAt(at));
    return new Prefix(text.substring(at, at + length), length);
  }

  private Prefix inTable(String text, int at) {
    int node = offset(trie[0]);
    int best = -1;
    int length = 0;
    byte[] utf8 = new byte[4];
    for (int end = at; end < text.length(); ) {
      int c = text.codePointAt(end);
      int count = utf8(c, utf8);
      end += Character.charCount(c);
      for (int i = 0; i < count; i++) {
        int label = utf8[i] & 0xff;
        node ^= label;
        int unit = unit(node);
        // A unit's label has its top bit only where it is a value.
        if ((unit & 0x800000ff) != label) {
          return best < 0 ? null : new Prefix(text(best), length);
        }
        node ^= offset(unit);
        if ((unit >>> 8 & 1) != 0) {
          best = unit(node) & 0x7fffffff;
          length = end - at;
        }
      }
    }
    return best < 0 ? null : new Prefix(text(best), length);
  }

  private int unit(int node) {
    if (node < 0 || node >= trie.length) {
      throw damaged("a trie of %d units points at unit %d".formatted(trie.length, node));
    }
    return trie[node];
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 0x200) >>> 6);
  }

  private String text(int offset) {
    int end = offset;
    while (end < texts.length && texts[end] != 0) {
      end++;
    }
    if (offset >= texts.length || end == texts.length) {
      throw damaged("no text ends behind byte %d of %d".formatted(offset, texts.length));
    }
    return new String(texts, offset, end - offset, StandardCharsets.UTF_8);
  }

  private TokenizerException damaged(String what) {
    return new TokenizerException("%s: precompiled_charsmap: %s".formatted(model.file(), what));
  }

  private static int utf8(int c, byte[] to) {
    if (c < 0x80) {
      to[0] = (byte) c;
      return 1;
    }
    if (c < 0x800) {
      to[0] = (byte) (0xc0 | c >> 6);
      to[1] = (byte) (0x80 | c & 0x3f);
      return 2;
    }
    if (c < 0x10000) {
      to[0] = (byte) (0xe0 | c >> 12);
      to[1] = (byte) (0x80 | c >> 6 & 0x3f);
      to[2] = (byte) (0x80 | c & 0x3f);
      return 3;
    }
    to[0] = (byte) (0xf0 | c >> 18);
    to[1] = (byte) (0x80 | c >> 12 & 0x3f);
    to[2] = (byte) (0x80 | c >> 6 & 0x3f);
    to[3] = (byte) (0x80 | c & 0x3f);
    return 4;
  }
}
