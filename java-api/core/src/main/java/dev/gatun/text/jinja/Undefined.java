package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;

/**
 * A value that is not there: prints as nothing, and is an error wherever a value is needed.
 *
 * @param reason the message of that error
 * @param kind its kind
 */
record Undefined(String reason, Kind kind) {
  Undefined(String reason) {
    this(reason, Kind.UNDEFINED);
  }

  static Undefined name(String name) {
    return new Undefined(Values.quote(name) + " is undefined");
  }

  TemplateException error() {
    return new TemplateException(kind, reason);
  }
}
