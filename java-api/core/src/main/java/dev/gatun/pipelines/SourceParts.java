package dev.gatun.pipelines;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a text that has more tokens than an encoder reads into parts of about the same length, each
 * at the end of a sentence where there is one in its second half, else at white space.
 */
final class SourceParts {
  private static final String SENTENCE_ENDS = ".!?\u2026";

  /** Those behind which no space stands. */
  private static final String IDEOGRAPHIC_ENDS = "\u3002\uFF01\uFF1F\n";

  private final Tokenizer tokenizer;
  private final String prefix;
  private final int most;

  /**
   * @param prefix what is put before each part
   * @param most the most tokens of a part, with the prefix and special tokens
   */
  SourceParts(Tokenizer tokenizer, String prefix, int most) {
    this.tokenizer = tokenizer;
    this.prefix = prefix;
    this.most = most;
  }

  /** The parts of {@code text}, itself where it fits. */
  List<String> of(String text) {
    if (length(text) <= most) {
      return List.of(text);
    }
    int room = most - length("");
    if (room < 1) {
      throw new IllegalArgumentException(
          "a part of %d tokens has no room for text beside the prefix and special tokens"
              .formatted(most));
    }
    Encoding all = tokenizer.encode(text, EncodeOptions.DEFAULT.withSpecialTokens(false));
    List<String> parts = new ArrayList<>();
    int begin = 0;
    int token = 0;
    while (token < all.length()) {
      int left = all.length() - token;
      int count = Math.ceilDiv(left, room);
      int wanted = Math.min(room, Math.ceilDiv(left, count) + room / 10);
      String part;
      int end;
      do {
        end =
            token + wanted >= all.length() ? text.length() : cut(text, begin, all, token + wanted);
        part = text.substring(begin, end).strip();
        // Tokens at a part's ends may be others than in the whole.
        wanted -= Math.max(1, length(part) - most);
      } while (wanted > 0 && length(part) > most);
      if (!part.isEmpty()) {
        parts.add(part);
      }
      begin = end;
      while (token < all.length() && all.ends()[token] <= begin) {
        token++;
      }
    }
    return parts;
  }

  private int length(String text) {
    return tokenizer.encode(prefix + text).length();
  }

  /** Where a part ends that begins at {@code begin} and has the tokens before {@code token}. */
  private static int cut(String text, int begin, Encoding all, int token) {
    int last =
        Math.max(all.ends()[token - 1], begin + Character.charCount(text.codePointAt(begin)));
    int least = begin + (last - begin) / 2;
    for (int end = last; end > least; end--) {
      char before = text.charAt(end - 1);
      boolean space = end < text.length() && Character.isWhitespace(text.charAt(end));
      if (IDEOGRAPHIC_ENDS.indexOf(before) >= 0 || SENTENCE_ENDS.indexOf(before) >= 0 && space) {
        return end;
      }
    }
    for (int end = last; end > least; end--) {
      if (end == text.length() || Character.isWhitespace(text.charAt(end))) {
        return end;
      }
    }
    return last;
  }
}
