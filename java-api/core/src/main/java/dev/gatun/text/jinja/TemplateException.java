package dev.gatun.text.jinja;

/** A template that cannot be read or rendered, with the place in it. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What went wrong; {@link #pythonName} is the name of jinja2's or Python's exception. */
  public enum Kind {
    /** The template itself gave up, by {@code raise_exception}. */
    TEMPLATE("TemplateError"),
    /** The source is not a template. */
    SYNTAX("TemplateSyntaxError"),
    /** A filter or test does not exist. */
    ASSERTION("TemplateAssertionError"),
    /** A filter or test whose name is computed does not exist. */
    RUNTIME("TemplateRuntimeError"),
    /** A value that is not there was used. */
    UNDEFINED("UndefinedError"),
    /** An operation was asked of a value of the wrong type. */
    TYPE("TypeError"),
    /** A value is out of an operation's domain. */
    VALUE("ValueError"),
    /** A division by zero. */
    ZERO_DIVISION("ZeroDivisionError"),
    /** A number is too large. */
    OVERFLOW("OverflowError"),
    /** Something that a template may not touch. */
    SECURITY("SecurityError"),
    /** Too deep, in the source or in calls. */
    RECURSION("RecursionError"),
    /** More work or output than {@link Limits} allow. */
    LIMIT("LimitError"),
    /** A name that an object does not have, asked for by a filter or a format. */
    ATTRIBUTE("AttributeError"),
    /** A key that a mapping lacks. */
    KEY("KeyError"),
    /** A position outside a sequence. */
    INDEX("IndexError");

    private final String pythonName;

    Kind(String pythonName) {
      this.pythonName = pythonName;
    }

    /** {@return the exception's name in jinja2 or Python} */
    public String pythonName() {
      return pythonName;
    }
  }

  private final Kind kind;
  private final String reason;
  private final int line;
  private final int column;

  TemplateException(Kind kind, String reason) {
    this(kind, reason, 0, 0, null);
  }

  TemplateException(Kind kind, String reason, int line, int column, Throwable cause) {
    super(
        line == 0
            ? reason
            : "chat template, line %d, column %d: %s%s"
                .formatted(
                    line, column, kind == Kind.TEMPLATE ? "" : kind.pythonName() + ": ", reason),
        cause);
    this.kind = kind;
    this.reason = reason;
    this.line = line;
    this.column = column;
  }

  /** This error at an offset in a source, unless it has a place already. */
  TemplateException at(String source, int offset) {
    if (line > 0) {
      return this;
    }
    int end = Math.min(Math.max(offset, 0), source.length());
    int row = 1 + (int) source.substring(0, end).chars().filter(c -> c == '\n').count();
    int start = source.lastIndexOf('\n', end - 1) + 1;
    return new TemplateException(kind, reason, row, 1 + source.codePointCount(start, end), this);
  }

  /** {@return what kind of error it is} */
  public Kind kind() {
    return kind;
  }

  /** {@return the message alone, as the template or jinja2 words it} */
  public String reason() {
    return reason;
  }

  /** {@return the line in the template, from 1} */
  public int line() {
    return line;
  }

  /** {@return the column in that line, in characters from 1} */
  public int column() {
    return column;
  }
}
