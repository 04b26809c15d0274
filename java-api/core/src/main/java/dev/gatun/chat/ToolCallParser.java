package dev.gatun.chat;

import dev.gatun.chat.CallReader.Outcome;
import java.util.List;
import java.util.Set;

/**
 * Tells the tool calls of an answer from its text, as it comes. Text flows at once; what looks like
 * a call and is none comes as text, complete. What is wrong in a call that began stays in its
 * arguments.
 */
final class ToolCallParser implements CallReader.Calls {
  private enum Mode {
    /** Nothing but blanks so far, where a call needs no marker. */
    BLANK,
    TEXT,
    CALL,
    /** Behind a call. */
    BETWEEN,
    /** In a call that is wrong. */
    WRONG
  }

  /** Told what comes. */
  interface Sink {
    /** Text of the answer. */
    void content(String text);

    /** A call begins. */
    void begin(int call, String name);

    /** More of a call's arguments. */
    void arguments(int call, String text);
  }

  private final ToolCallFormat format;
  private final Set<String> names;
  private final Sink sink;
  private final Markers starts;
  private final Set<String> tokens;
  private Mode mode;
  private CallReader reader;
  // What has come since the last text or call, to give it back.
  private final StringBuilder raw = new StringBuilder();
  private final StringBuilder spaces = new StringBuilder();
  private Markers ends;
  private boolean bare;
  private int calls;

  /**
   * Nothing has come yet.
   *
   * @param names the tools that there are
   * @param tokens those of the format's markers that are control tokens, which their spelling is
   *     not
   */
  ToolCallParser(ToolCallFormat format, Set<String> names, Set<String> tokens, Sink sink) {
    this.format = format;
    this.names = names;
    this.tokens = tokens;
    this.sink = sink;
    this.starts =
        new Markers(
            format.starts().stream().filter(each -> !tokens.contains(each)).toList(),
            format.startsLine());
    this.mode = format.isBare() ? Mode.BLANK : Mode.TEXT;
  }

  /** Takes text. */
  void text(String text) {
    switch (mode) {
      case BLANK -> blank(text);
      case TEXT -> inText(text);
      case CALL -> inCall(text);
      case BETWEEN -> between(text);
      case WRONG -> wrong(text);
    }
  }

  /** Takes a control token. */
  void control(String spelling) {
    if (format.starts().contains(spelling)) {
      close();
      begin(spelling, false);
    } else if (spelling.equals(format.end())) {
      switch (mode) {
        case CALL -> {
          if (!reader.inCall()) {
            raw.append(spelling);
          }
          close();
        }
        case BETWEEN, WRONG -> {
          raw.setLength(0);
          mode = Mode.TEXT;
        }
        default -> {}
      }
    } else if (mode == Mode.CALL && format.namesFirst()) {
      text(spelling);
    }
  }

  /** Ends what is under way: what is no call comes as text. */
  private void close() {
    if (mode == Mode.TEXT) {
      content(starts.rest());
    } else if (mode == Mode.WRONG) {
      if (ends != null) {
        arguments(ends.rest());
      }
    } else if (mode == Mode.CALL && reader.inCall()) {
      reader.finish();
    } else {
      String back = raw.toString();
      raw.setLength(0);
      content(back);
    }
    raw.setLength(0);
    mode = Mode.TEXT;
  }

  /** No more comes. */
  void finish() {
    close();
    if (calls == 0) {
      sink.content(spaces.toString());
    }
    spaces.setLength(0);
  }

  private void blank(String text) {
    int at = 0;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    raw.append(text, 0, at);
    if (at == text.length()) {
      return;
    }
    String rest = text.substring(at);
    String before = raw.toString();
    if (rest.charAt(0) == '{' || rest.charAt(0) == '[') {
      begin(before, true);
      inCall(rest);
    } else {
      raw.setLength(0);
      mode = Mode.TEXT;
      inText(before + rest);
    }
  }

  private void begin(String marker, boolean without) {
    mode = Mode.CALL;
    bare = without;
    raw.setLength(0);
    raw.append(marker);
    reader = new CallReader(format, without ? names : null, this);
  }

  private void inText(String text) {
    starts.add(text);
    content(starts.take());
    if (starts.found() != null) {
      String marker = starts.found();
      String rest = starts.rest();
      begin(marker, false);
      inCall(rest);
    }
  }

  private void inCall(String text) {
    for (int i = 0; i < text.length(); i++) {
      raw.append(text.charAt(i));
      boolean within = reader.inCall();
      Outcome outcome = reader.step(text.charAt(i));
      if (within && !reader.inCall()) {
        raw.setLength(0);
      }
      if (outcome == Outcome.MORE) {
        continue;
      }
      String rest = text.substring(i + 1);
      if (outcome == Outcome.ENDED) {
        raw.setLength(0);
        mode = Mode.BETWEEN;
        between(rest);
      } else if (reader.inCall()) {
        mode = Mode.WRONG;
        ends = format.end() == null ? null : new Markers(List.of(format.end()), false);
        wrong(text.substring(i));
      } else {
        String back = raw.toString();
        raw.setLength(0);
        mode = Mode.TEXT;
        // A marker may stand in what is given back, behind the one that it begins with.
        content(back.substring(0, 1));
        inText(back.substring(1) + rest);
      }
      return;
    }
  }

  private void between(String text) {
    raw.append(text);
    String so = raw.toString().stripLeading();
    if (bare && so.startsWith(";")) {
      so = so.substring(1).stripLeading();
    }
    if (so.isEmpty()) {
      return;
    }
    boolean spelt = format.end() != null && !tokens.contains(format.end());
    String end = spelt ? format.end() : null;
    String rest = so;
    if (end != null && so.startsWith(end)) {
      rest = so.substring(end.length());
      raw.setLength(0);
      mode = Mode.TEXT;
      inText(rest);
    } else if (end != null && end.startsWith(so)) {
      return;
    } else if (so.charAt(0) == '{') {
      begin("", bare);
      inCall(rest);
    } else {
      String back = raw.toString();
      raw.setLength(0);
      mode = Mode.TEXT;
      inText(back);
    }
  }

  private void wrong(String text) {
    if (ends == null) {
      arguments(text);
      return;
    }
    ends.add(text);
    arguments(ends.take());
    if (ends.found() != null) {
      String rest = ends.rest();
      mode = Mode.TEXT;
      inText(rest);
    }
  }

  /** Blanks wait, for those before a call are no text. */
  private void content(String text) {
    int end = text.length();
    while (end > 0 && Character.isWhitespace(text.charAt(end - 1))) {
      end--;
    }
    if (end > 0) {
      sink.content(spaces + text.substring(0, end));
      spaces.setLength(0);
    }
    spaces.append(text, end, text.length());
  }

  @Override
  public void begin(String name) {
    spaces.setLength(0);
    raw.setLength(0);
    sink.begin(calls++, name);
  }

  @Override
  public void arguments(String text) {
    if (!text.isEmpty()) {
      sink.arguments(calls - 1, text);
    }
  }
}
