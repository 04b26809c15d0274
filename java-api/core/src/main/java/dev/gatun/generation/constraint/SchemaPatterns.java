package dev.gatun.generation.constraint;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The patterns of a schema, run on texts that are known. */
final class SchemaPatterns {
  private final Map<Expression, Automaton> automata = new HashMap<>();
  private final Map<String, Expression> read = new HashMap<>();

  /** What a pattern matches somewhere. */
  Expression expression(String pattern) {
    return read.computeIfAbsent(pattern, RegexParser::anywhere);
  }

  /** Whether a pattern matches somewhere in a text. */
  boolean matches(String pattern, String text) {
    return matches(expression(pattern), text);
  }

  /** Whether a language has a text. */
  boolean matches(Expression language, String text) {
    Automaton automaton = automata.get(language);
    if (automaton == null) {
      automaton = new Automaton(new Program(language));
      automata.put(language, automaton);
    }
    Automaton.State state = automaton.start();
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      state = automaton.next(state, each & 0xff);
    }
    return state.isAccepting();
  }
}
