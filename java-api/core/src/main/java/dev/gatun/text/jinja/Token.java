package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;

/**
 * A token of a template.
 *
 * @param type its type
 * @param text an operator's or a name's spelling; of the rest as a message names it
 * @param value the value of a literal, the text of data
 * @param at its offset in the source
 */
record Token(Type type, String text, Object value, int at) {
  enum Type {
    DATA,
    PRINT_BEGIN,
    PRINT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    EOF
  }

  boolean is(Type other) {
    return type == other;
  }

  boolean op(String operator) {
    return type == Type.OPERATOR && text.equals(operator);
  }

  boolean name(String name) {
    return type == Type.NAME && text.equals(name);
  }

  TemplateException error(String reason) {
    return new TemplateException(Kind.SYNTAX, reason, 0, 0, null);
  }
}
