package dev.gatun.cli;

import java.io.Console;
import java.io.InputStream;
import java.io.PrintStream;

/**
 * Where a command reads and writes.
 *
 * @param in its input
 * @param out its results
 * @param err what it says about its work
 * @param outIsTerminal whether a person sees the results as they come
 * @param errIsTerminal whether a person sees what it says
 * @param colours whether results may be coloured
 */
record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean outIsTerminal,
    boolean errIsTerminal,
    boolean colours) {

  /** Set by the launcher to the file descriptors that are terminals, as in {@code 0,1,2}. */
  static final String PROPERTY = "gatun.terminals";

  /** This process's streams. */
  static Terminal ofProcess() {
    boolean out = isTerminal("1");
    return new Terminal(
        System.in, System.out, System.err, out, isTerminal("2"), out && noColorUnset());
  }

  /** Whether a person types this process's input. */
  static boolean inIsTerminal() {
    return isTerminal("0");
  }

  private static boolean noColorUnset() {
    String value = System.getenv("NO_COLOR");
    return value == null || value.isEmpty();
  }

  private static boolean isTerminal(String descriptor) {
    String told = System.getProperty(PROPERTY);
    if (told != null) {
      return told.contains(descriptor);
    }
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /**
   * A text that is not this program's, such as a file's: what a terminal would take for a command,
   * and what turns the direction of a line, is spelt out. Line ends and tabs stay.
   */
  static String shown(String text) {
    if (text.codePoints().noneMatch(Terminal::commands)) {
      return text;
    }
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (!commands(c)) {
                shown.appendCodePoint(c);
              } else if (c < 0x80) {
                shown.append('^').append((char) (c ^ 0x40));
              } else {
                shown.append("<U+%04X>".formatted(c));
              }
            });
    return shown.toString();
  }

  private static boolean commands(int c) {
    return c < 0x20 && c != '\n' && c != '\t'
        || c >= 0x7F && c <= 0x9F
        || c >= 0x202A && c <= 0x202E
        || c >= 0x2066 && c <= 0x2069;
  }

  String bold(String text) {
    return style("1", text);
  }

  String dim(String text) {
    return style("2", text);
  }

  String cyan(String text) {
    return style("36", text);
  }

  private String style(String code, String text) {
    return colours ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
