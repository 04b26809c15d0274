package dev.gatun.text;

import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * Decodes tokens as they come: the pieces that {@link #step} and {@link #finish} return are
 * together what {@link Tokenizer#decode} makes of all ids. A piece never ends within a character.
 * Ids that are not in the vocabulary, which models with padded tables can give, have no text. Made
 * by {@link Tokenizer#decodeStream}; not for use by two threads at once.
 *
 * <p>What a decoder makes of a token depends on the tokens around it: a space before the first one
 * is taken away, bytes of several tokens make one character. So a window that begins with tokens
 * whose text is out already is decoded with and without the new ones, and the difference is the
 * piece. Text that later bytes could change waits.
 */
public final class DecodeStream {
  /** How vocabularies with a byte fallback spell a byte. */
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private final Tokenizer tokenizer;
  private final boolean skipSpecialTokens;
  private long[] window = new long[16];
  private int count;
  private int out;
  private String outText = "";
  private boolean inBytes;

  DecodeStream(Tokenizer tokenizer, boolean skipSpecialTokens) {
    this.tokenizer = tokenizer;
    this.skipSpecialTokens = skipSpecialTokens;
  }

  /**
   * {@return the text that a token completes, which may be empty}
   *
   * @param id the next token's
   */
  public String step(long id) {
    String token = tokenizer.idToToken(id).orElse(null);
    if (token == null) {
      return "";
    }
    if (count == window.length) {
      window = Arrays.copyOf(window, 2 * count);
    }
    window[count++] = id;
    // A run of bytes that turns out not to be UTF-8 is replaced as a whole.
    inBytes = BYTE.matcher(token).matches() || inBytes && isLeftOut(id);
    if (inBytes) {
      return "";
    }
    String text = tokenizer.decode(Arrays.copyOf(window, count), skipSpecialTokens);
    if (text.endsWith("\uFFFD") || !text.startsWith(outText) || text.equals(outText)) {
      return "";
    }
    String piece = text.substring(outText.length());
    advance(text);
    return piece;
  }

  private boolean isLeftOut(long id) {
    long[] alone = {id};
    return skipSpecialTokens
        && tokenizer.decode(alone, true).isEmpty()
        && !tokenizer.decode(alone, false).isEmpty();
  }

  /** Lets the window begin with the tokens whose text has just come. */
  private void advance(String text) {
    long[] last = Arrays.copyOfRange(window, out, count);
    String lastText = out == 0 ? "" : tokenizer.decode(last, skipSpecialTokens);
    if (lastText.isEmpty()) {
      // They may be a space that is taken away at the beginning: keep what is before them.
      outText = text;
    } else {
      System.arraycopy(last, 0, window, 0, last.length);
      count = last.length;
      outText = lastText;
    }
    out = count;
  }

  /** {@return the text that waited for tokens that do not come} The stream begins anew. */
  public String finish() {
    String text = tokenizer.decode(Arrays.copyOf(window, count), skipSpecialTokens);
    String piece = text.startsWith(outText) ? text.substring(outText.length()) : "";
    count = 0;
    out = 0;
    outText = "";
    inBytes = false;
    return piece;
  }
}
