package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;

/** What is left of the limits while a template is rendered. */
final class Budget {
  static final ScopedValue<Budget> CURRENT = ScopedValue.newInstance();
  private static final int CHARS_A_STEP = 16;

  private final Limits limits;
  private long steps;
  private int depth;

  Budget(Limits limits) {
    this.limits = limits;
  }

  /** Some steps of work. */
  static void spend(long count) {
    if (CURRENT.isBound()) {
      CURRENT.get().step(count);
    }
  }

  /** The writing of {@code more} chars behind {@code before} others. */
  static void chars(long more, long before) {
    if (!CURRENT.isBound()) {
      return;
    }
    Budget budget = CURRENT.get();
    if (before + more > budget.limits.chars()) {
      throw new TemplateException(
          Kind.LIMIT, "a text has more than %d chars".formatted(budget.limits.chars()));
    }
    budget.step(1 + more / CHARS_A_STEP);
  }

  void step(long count) {
    steps += count;
    if (steps > limits.steps()) {
      throw new TemplateException(
          Kind.LIMIT, "the template does more than %d steps".formatted(limits.steps()));
    }
  }

  void enter() {
    step(1);
    if (++depth > limits.depth()) {
      throw new TemplateException(Kind.RECURSION, "maximum recursion depth exceeded");
    }
  }

  void leave() {
    depth--;
  }
}
