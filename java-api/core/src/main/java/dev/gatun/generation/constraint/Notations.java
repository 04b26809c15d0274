package dev.gatun.generation.constraint;

import java.util.List;

/** Programs of what users write. */
public final class Notations {
  private Notations() {}

  /** Any JSON object. */
  public static Program jsonObject() {
    return new Program(JsonText.OBJECT);
  }

  /** The JSON texts that a schema takes. */
  public static Program jsonSchema(String schema) {
    return program("JSON schema", SchemaWriter.write(schema));
  }

  /** What a regular expression matches as a whole. */
  public static Program regex(String pattern) {
    return program("regular expression '%s'".formatted(pattern), RegexParser.whole(pattern));
  }

  /** The language of a grammar in llama.cpp's notation. */
  public static Program grammar(String gbnf) {
    return program("grammar", GbnfParser.read(gbnf));
  }

  /** One of some texts. */
  public static Program choice(List<String> texts) {
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("choice: there is no text to choose");
    }
    return program("choice", Expression.choice(texts.stream().map(Expression::text).toList()));
  }

  private static Program program(String source, Expression expression) {
    try {
      return new Program(expression);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(source + ": " + e.getMessage(), e);
    }
  }
}
