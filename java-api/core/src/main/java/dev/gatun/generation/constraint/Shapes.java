package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Characters;
import dev.gatun.generation.constraint.Expression.Choice;
import dev.gatun.generation.constraint.Expression.Difference;
import dev.gatun.generation.constraint.Expression.Repeat;
import dev.gatun.generation.constraint.Expression.Rule;
import dev.gatun.generation.constraint.Expression.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** What is known of an expression and the rules that it uses before anything is read. */
final class Shapes {
  private final Set<Rule> rules = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Rule> order = new ArrayList<>();
  private final Set<Rule> nullable = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Rule> productive = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Rule, Rule> withoutEmpty = new IdentityHashMap<>();

  Shapes(Expression root) {
    learn(root);
  }

  /** Takes in the rules of an expression that are not known yet. */
  private void learn(Expression root) {
    collect(root);
    for (int i = 0; i < order.size(); i++) {
      collect(order.get(i).body());
    }
    solve(nullable, (e, found) -> isNullable(e, found));
    solve(productive, (e, found) -> isProductive(e, found));
  }

  private void solve(Set<Rule> found, BiPredicate<Expression, Predicate<Rule>> holds) {
    boolean more = true;
    while (more) {
      more = false;
      // Rules mostly use those that are met behind them.
      for (Rule rule : order.reversed()) {
        if (!found.contains(rule) && holds.test(rule.body(), found::contains)) {
          found.add(rule);
          more = true;
        }
      }
    }
  }

  private void collect(Expression e) {
    switch (e) {
      case Characters _, All _, Difference _ -> {}
      case Sequence sequence -> sequence.parts().forEach(this::collect);
      case Choice choice -> choice.options().forEach(this::collect);
      case Repeat repeat -> collect(repeat.body());
      case Rule rule -> {
        if (rules.add(rule)) {
          order.add(rule);
        }
      }
    }
  }

  /** Whether a rule is used inside itself. */
  boolean isRecursive(Rule rule) {
    return uses(rule.body(), rule, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  private static boolean uses(Expression e, Rule wanted, Set<Rule> seen) {
    return switch (e) {
      case Characters _, All _, Difference _ -> false;
      case Sequence sequence -> sequence.parts().stream().anyMatch(p -> uses(p, wanted, seen));
      case Choice choice -> choice.options().stream().anyMatch(o -> uses(o, wanted, seen));
      case Repeat repeat -> uses(repeat.body(), wanted, seen);
      case Rule rule -> rule == wanted || seen.add(rule) && uses(rule.body(), wanted, seen);
    };
  }

  /** Whether the empty text is in it. */
  boolean isNullable(Expression e) {
    return isNullable(e, nullable::contains);
  }

  private static boolean isNullable(Expression e, Predicate<Rule> rules) {
    return switch (e) {
      case Characters _ -> false;
      case Sequence sequence -> sequence.parts().stream().allMatch(p -> isNullable(p, rules));
      case Choice choice -> choice.options().stream().anyMatch(o -> isNullable(o, rules));
      case Repeat repeat -> repeat.min() == 0 || isNullable(repeat.body(), rules);
      case Rule rule -> rules.test(rule);
      case All all -> all.parts().stream().allMatch(p -> isNullable(p, rules));
      case Difference difference ->
          isNullable(difference.from(), rules) && !isNullable(difference.without(), rules);
    };
  }

  /** Whether it has any text; what {@link All} and {@link Difference} leave is not looked at. */
  boolean isProductive(Expression e) {
    return isProductive(e, productive::contains);
  }

  private static boolean isProductive(Expression e, Predicate<Rule> rules) {
    return switch (e) {
      case Characters characters -> !characters.set().isEmpty();
      case Sequence sequence -> sequence.parts().stream().allMatch(p -> isProductive(p, rules));
      case Choice choice -> choice.options().stream().anyMatch(o -> isProductive(o, rules));
      case Repeat repeat -> repeat.min() == 0 || isProductive(repeat.body(), rules);
      case Rule rule -> rules.test(rule);
      case All _, Difference _ -> true;
    };
  }

  /** The texts of an expression but for the empty one. */
  Expression withoutEmpty(Expression e) {
    if (!isNullable(e)) {
      return e;
    }
    return switch (e) {
      case Characters _ -> e;
      case Choice choice ->
          Expression.choice(choice.options().stream().map(this::withoutEmpty).toList());
      case Repeat repeat -> Expression.repeat(withoutEmpty(repeat.body()), 1, repeat.max());
      case Sequence sequence -> {
        List<Expression> options = new ArrayList<>();
        List<Expression> parts = sequence.parts();
        for (int i = 0; i < parts.size(); i++) {
          List<Expression> rest = new ArrayList<>(parts.subList(i, parts.size()));
          rest.set(0, withoutEmpty(parts.get(i)));
          options.add(Expression.sequence(rest));
        }
        yield Expression.choice(options);
      }
      case Rule rule -> {
        Rule made = withoutEmpty.get(rule);
        if (made == null) {
          made = new Rule(rule.name());
          withoutEmpty.put(rule, made);
          made.define(withoutEmpty(rule.body()));
          learn(made);
        }
        yield made;
      }
      case All _, Difference _ -> new Difference(e, Expression.EMPTY);
    };
  }

  /** The rules that come back to themselves before anything is read; empty for none. */
  List<Rule> leftRecursion() {
    Set<Rule> done = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Rule rule : order) {
      List<Rule> found = leftRecursion(rule, new LinkedHashSet<>(), done);
      if (!found.isEmpty()) {
        return found;
      }
    }
    return List.of();
  }

  private List<Rule> leftRecursion(Rule rule, LinkedHashSet<Rule> path, Set<Rule> done) {
    if (path.contains(rule)) {
      List<Rule> all = new ArrayList<>(path);
      return all.subList(all.indexOf(rule), all.size());
    }
    if (!done.add(rule)) {
      return List.of();
    }
    path.add(rule);
    List<Rule> first = new ArrayList<>();
    first(rule.body(), first);
    for (Rule next : first) {
      List<Rule> found = leftRecursion(next, path, done);
      if (!found.isEmpty()) {
        return found;
      }
    }
    path.remove(rule);
    return List.of();
  }

  /** The rules that may be first. */
  private void first(Expression e, List<Rule> found) {
    switch (e) {
      case Characters _, All _, Difference _ -> {}
      case Choice choice -> choice.options().forEach(o -> first(o, found));
      case Repeat repeat -> first(repeat.body(), found);
      case Rule rule -> found.add(rule);
      case Sequence sequence -> {
        for (Expression part : sequence.parts()) {
          first(part, found);
          if (!isNullable(part)) {
            break;
          }
        }
      }
    }
  }

  /** Whether a plain character may be first; true where that is not known. */
  boolean beginsPlain(Expression e) {
    return switch (e) {
      case Characters characters -> !characters.set().intersect(PlainText.SET).isEmpty();
      case Choice choice -> choice.options().stream().anyMatch(this::beginsPlain);
      case Repeat repeat -> beginsPlain(repeat.body());
      case Sequence sequence ->
          !sequence.parts().isEmpty()
              && (isNullable(sequence.parts().getFirst())
                  || beginsPlain(sequence.parts().getFirst()));
      case Rule rule -> beginsPlain(rule.body());
      case All _, Difference _ -> true;
    };
  }
}
