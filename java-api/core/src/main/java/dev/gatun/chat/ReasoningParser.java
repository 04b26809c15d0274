package dev.gatun.chat;

import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Tells reasoning, with which an answer may begin, from what follows, as it comes. Blanks around it
 * belong to neither.
 */
final class ReasoningParser {
  private enum Mode {
    BLANK,
    REASONING,
    /** Between the two. */
    AFTER,
    ANSWER
  }

  /** Takes the answer. */
  interface Answer {
    /** Text. */
    void text(String text);

    /** A control token. */
    void control(String spelling);
  }

  private final ReasoningFormat format;
  private final Set<String> tokens;
  private final Consumer<String> reasoning;
  private final Answer answer;
  private final Markers closing;
  private final StringBuilder waiting = new StringBuilder();
  private Mode mode;
  private boolean any;

  /**
   * Nothing has come yet.
   *
   * @param format null where there is no reasoning
   * @param open whether the prompt has begun it
   * @param tokens those of the marks that are control tokens, which their spelling is not
   */
  ReasoningParser(
      ReasoningFormat format,
      boolean open,
      Set<String> tokens,
      Consumer<String> reasoning,
      Answer answer) {
    this.format = format;
    this.tokens = tokens;
    this.reasoning = reasoning;
    this.answer = answer;
    boolean spelt = format != null && !tokens.contains(format.close());
    this.closing = new Markers(spelt ? List.of(format.close()) : List.of(), false);
    this.mode = format == null ? Mode.ANSWER : open ? Mode.REASONING : Mode.BLANK;
  }

  /** Takes text. */
  void text(String text) {
    switch (mode) {
      case BLANK -> blank(text);
      case REASONING -> inside(text);
      case AFTER -> after(text);
      case ANSWER -> answer.text(text);
    }
  }

  /** Takes a control token. */
  void control(String spelling) {
    if (mode == Mode.BLANK && spelling.equals(format.open())) {
      waiting.setLength(0);
      mode = Mode.REASONING;
    } else if (mode == Mode.REASONING && spelling.equals(format.close())) {
      close();
    } else if (mode == Mode.REASONING) {
      return;
    } else {
      flush();
      answer.control(spelling);
    }
  }

  /** No more comes. */
  void finish() {
    if (mode == Mode.REASONING) {
      reason(closing.rest());
    } else {
      flush();
    }
  }

  private void flush() {
    if (mode == Mode.BLANK) {
      answer.text(waiting.toString());
      waiting.setLength(0);
    }
    mode = Mode.ANSWER;
  }

  private void blank(String text) {
    waiting.append(text);
    String so = waiting.toString().stripLeading();
    boolean spelt = !tokens.contains(format.open());
    if (so.isEmpty()
        || spelt && so.length() < format.open().length() && format.open().startsWith(so)) {
      return;
    }
    if (spelt && so.startsWith(format.open())) {
      waiting.setLength(0);
      mode = Mode.REASONING;
      inside(so.substring(format.open().length()));
    } else {
      flush();
    }
  }

  private void inside(String text) {
    closing.add(text);
    reason(closing.take());
    if (closing.found() != null) {
      String rest = closing.rest();
      close();
      after(rest);
    }
  }

  private void close() {
    reason(closing.rest());
    waiting.setLength(0);
    mode = Mode.AFTER;
  }

  private void after(String text) {
    String rest = text.stripLeading();
    if (!rest.isEmpty()) {
      mode = Mode.ANSWER;
      answer.text(rest);
    }
  }

  private void reason(String text) {
    String so = any ? text : text.stripLeading();
    if (so.isEmpty()) {
      return;
    }
    any = true;
    waiting.append(so);
    int end = waiting.toString().stripTrailing().length();
    if (end > 0) {
      reasoning.accept(waiting.substring(0, end));
      waiting.delete(0, end);
    }
  }
}
