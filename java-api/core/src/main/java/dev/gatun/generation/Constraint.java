package dev.gatun.generation;

import dev.gatun.generation.constraint.Notations;
import dev.gatun.generation.constraint.Program;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a generated text must match as a whole. Tokens that would lead away from it are never
 * chosen, and the text ends only where it matches; one that reaches its length before that says so
 * by {@link FinishReason#LENGTH}. Made once, it may be used by any number of requests and threads.
 */
public final class Constraint {
  private final String notation;
  private final List<String> text;
  private final Program program;

  private Constraint(String notation, List<String> text, Program program) {
    this.notation = notation;
    this.text = List.copyOf(text);
    this.program = program;
  }

  /**
   * A JSON object, whatever it has ("json_object" of OpenAI's interface).
   *
   * @return the constraint
   */
  public static Constraint jsonObject() {
    return new Constraint("json_object", List.of(), Notations.jsonObject());
  }

  /**
   * The JSON texts that a schema of draft 2020-12 takes, members in the order of the schema's
   * {@code properties}. docs/generation.md says which keywords are supported.
   *
   * @param schema as JSON
   * @return the constraint
   * @throws IllegalArgumentException where it is damaged, takes nothing, or has a keyword or value
   *     that is not supported, with its path
   */
  public static Constraint jsonSchema(String schema) {
    return new Constraint("json_schema", List.of(schema), Notations.jsonSchema(schema));
  }

  /**
   * What a regular expression matches as a whole: ECMA-262's syntax with the flag u, without what
   * depends on the text around (look-around, back-references, word boundaries) and without flags.
   *
   * @param pattern the expression
   * @return the constraint
   * @throws IllegalArgumentException where it is damaged, or has what is not supported, with the
   *     place
   */
  public static Constraint regex(String pattern) {
    return new Constraint("regex", List.of(pattern), Notations.regex(pattern));
  }

  /**
   * What a grammar in llama.cpp's notation, GBNF, derives from its rule {@code root}.
   *
   * @param gbnf the rules
   * @return the constraint
   * @throws IllegalArgumentException where a rule is damaged, undefined or recursive on its left,
   *     with line and column
   */
  public static Constraint grammar(String gbnf) {
    return new Constraint("grammar", List.of(gbnf), Notations.grammar(gbnf));
  }

  /**
   * One of some texts.
   *
   * @param texts at least one
   * @return the constraint
   * @throws IllegalArgumentException where there is none
   */
  public static Constraint choice(List<String> texts) {
    return new Constraint("choice", new ArrayList<>(texts), Notations.choice(texts));
  }

  /**
   * One of some texts; see {@link #choice(List)}.
   *
   * @param texts at least one
   * @return the constraint
   */
  public static Constraint choice(String... texts) {
    return choice(Arrays.asList(texts));
  }

  Program program() {
    return program;
  }

  /** Whether both are written alike, in the same notation. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Constraint that
        && notation.equals(that.notation)
        && text.equals(that.text);
  }

  @Override
  public int hashCode() {
    return 31 * notation.hashCode() + text.hashCode();
  }

  @Override
  public String toString() {
    return text.isEmpty() ? notation : notation + " " + String.join(" | ", text);
  }
}
