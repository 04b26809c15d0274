package dev.gatun.generation.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A language, as all notations are read into: what {@link Program} is made of. */
sealed interface Expression {
  /** The empty text alone. */
  Expression EMPTY = new Sequence(List.of());

  /** No text at all. */
  Expression NEVER = new Choice(List.of());

  /** One code point of a set. */
  record Characters(CodePoints set) implements Expression {}

  /** One after the other. */
  record Sequence(List<Expression> parts) implements Expression {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** One of several. */
  record Choice(List<Expression> options) implements Expression {
    public Choice {
      options = List.copyOf(options);
    }
  }

  /**
   * The same several times.
   *
   * @param max {@link #UNBOUNDED} for no limit
   */
  record Repeat(Expression body, int min, int max) implements Expression {
    static final int UNBOUNDED = Integer.MAX_VALUE;
  }

  /** A language with a name, which may be used inside itself. */
  final class Rule implements Expression {
    private final String name;
    private Expression body;

    Rule(String name) {
      this.name = name;
    }

    String name() {
      return name;
    }

    /** What it stands for; null while nobody has said so. */
    Expression body() {
      return body;
    }

    void define(Expression expression) {
      body = expression;
    }
  }

  /** What all of several regular languages have: none of them uses a rule inside itself. */
  record All(List<Expression> parts) implements Expression {
    public All {
      parts = List.copyOf(parts);
    }
  }

  /** What is in one regular language and not in another. */
  record Difference(Expression from, Expression without) implements Expression {}

  static Expression set(CodePoints set) {
    return set.isEmpty() ? NEVER : new Characters(set);
  }

  /** A text itself. */
  static Expression text(String text) {
    return sequence(text.codePoints().mapToObj(each -> set(CodePoints.of(each))).toList());
  }

  static Expression sequence(Expression... parts) {
    return sequence(Arrays.asList(parts));
  }

  static Expression sequence(List<Expression> parts) {
    List<Expression> flat = new ArrayList<>();
    for (Expression part : parts) {
      if (part.equals(NEVER)) {
        return NEVER;
      }
      if (part instanceof Sequence inner) {
        flat.addAll(inner.parts);
      } else {
        flat.add(part);
      }
    }
    return flat.size() == 1 ? flat.getFirst() : new Sequence(flat);
  }

  static Expression choice(Expression... options) {
    return choice(Arrays.asList(options));
  }

  static Expression choice(List<Expression> options) {
    List<Expression> flat = new ArrayList<>();
    for (Expression option : options) {
      if (option instanceof Choice inner) {
        flat.addAll(inner.options);
      } else {
        flat.add(option);
      }
    }
    return flat.size() == 1 ? flat.getFirst() : new Choice(flat);
  }

  static Expression optional(Expression body) {
    return repeat(body, 0, 1);
  }

  /** Any number of times. */
  static Expression star(Expression body) {
    return repeat(body, 0, Repeat.UNBOUNDED);
  }

  /** {@code min} to {@code max} times. */
  static Expression repeat(Expression body, int min, int max) {
    if (max == 0 || body.equals(EMPTY)) {
      return EMPTY;
    }
    if (body.equals(NEVER)) {
      return min == 0 ? EMPTY : NEVER;
    }
    return min == 1 && max == 1 ? body : new Repeat(body, min, max);
  }
}
