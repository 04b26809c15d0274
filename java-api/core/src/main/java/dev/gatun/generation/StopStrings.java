package dev.gatun.generation;

import java.util.List;
import java.util.Optional;

/**
 * Finds texts that end generation in text that comes in pieces, however it is cut. What could be
 * the beginning of one waits until it is known not to be.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder waiting = new StringBuilder();
  private String found;

  /**
   * Nothing has come yet.
   *
   * @param stops the texts to find, none of them empty; none for no end
   */
  public StopStrings(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /**
   * {@return the text that is certain to come before any stop, after another piece; empty once one
   * was found}
   *
   * @param piece what comes next, of any length
   */
  public String add(String piece) {
    for (int i = 0; i < piece.length() && found == null; i++) {
      waiting.append(piece.charAt(i));
      for (String stop : stops) {
        // Of those that end here the longest begins first.
        if (endsWith(stop, stop.length()) && (found == null || stop.length() > found.length())) {
          found = stop;
        }
      }
    }
    return take(waiting.length() - (found == null ? longestBeginning() : found.length()));
  }

  /** {@return the text that waited, when no more comes; empty where a stop was found} */
  public String finish() {
    return found == null ? take(waiting.length()) : "";
  }

  /** {@return the stop that was found; empty where none was yet} */
  public Optional<String> found() {
    return Optional.ofNullable(found);
  }

  private String take(int length) {
    String text = waiting.substring(0, length);
    waiting.delete(0, length);
    if (found != null) {
      waiting.setLength(0);
    }
    return text;
  }

  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      int length = Math.min(stop.length() - 1, waiting.length());
      while (length > longest && !endsWith(stop, length)) {
        length--;
      }
      longest = Math.max(longest, length);
    }
    // A character of two units stays whole.
    int at = waiting.length() - longest;
    boolean cut = longest > 0 && at > 0 && Character.isLowSurrogate(waiting.charAt(at));
    return cut ? longest + 1 : longest;
  }

  /** Whether the text that waits ends with the beginning of a stop. */
  private boolean endsWith(String stop, int length) {
    int at = waiting.length() - length;
    for (int i = 0; i < length; i++) {
      if (at < 0 || waiting.charAt(at + i) != stop.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
