package dev.gatun.chat;

import java.util.List;

/** Finds markers in text that comes in pieces, however it is cut. */
final class Markers {
  private final List<String> markers;
  private final boolean startsLine;
  private final StringBuilder waiting = new StringBuilder();
  private char before = '\n';
  private String found;

  /**
   * Nothing has come yet.
   *
   * @param startsLine whether a marker counts at the beginning of a line alone
   */
  Markers(List<String> markers, boolean startsLine) {
    this.markers = markers;
    this.startsLine = startsLine;
  }

  /** Takes a piece. */
  void add(String piece) {
    waiting.append(piece);
  }

  /**
   * The text that comes before a marker, or before what may be the beginning of one. {@link #found}
   * says whether a whole one followed; {@link #rest} is then what follows that.
   */
  String take() {
    found = null;
    int at = 0;
    while (at < waiting.length() && !isBeginning(at)) {
      at++;
    }
    String text = pass(at);
    if (found != null) {
      pass(found.length());
    }
    return text;
  }

  /** Whether a marker, or the beginning of one up to the end of the text, stands there. */
  private boolean isBeginning(int at) {
    if (startsLine && (at == 0 ? before : waiting.charAt(at - 1)) != '\n') {
      return false;
    }
    boolean begins = false;
    for (String marker : markers) {
      int length = Math.min(marker.length(), waiting.length() - at);
      if (marker.regionMatches(0, waiting.substring(at, at + length), 0, length)) {
        begins = true;
        if (length == marker.length()) {
          found = marker;
        }
      }
    }
    return begins;
  }

  private String pass(int length) {
    String text = waiting.substring(0, length);
    waiting.delete(0, length);
    if (length > 0) {
      before = text.charAt(length - 1);
    }
    return text;
  }

  /** The marker behind the text that was taken last; null for none. */
  String found() {
    return found;
  }

  /** All text that waits. */
  String rest() {
    found = null;
    return pass(waiting.length());
  }
}
