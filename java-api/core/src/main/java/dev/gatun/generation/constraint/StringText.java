package dev.gatun.generation.constraint;

import static dev.gatun.generation.constraint.Expression.choice;
import static dev.gatun.generation.constraint.Expression.repeat;
import static dev.gatun.generation.constraint.Expression.sequence;
import static dev.gatun.generation.constraint.Expression.set;
import static dev.gatun.generation.constraint.Expression.text;

import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Characters;
import dev.gatun.generation.constraint.Expression.Choice;
import dev.gatun.generation.constraint.Expression.Difference;
import dev.gatun.generation.constraint.Expression.Repeat;
import dev.gatun.generation.constraint.Expression.Rule;
import dev.gatun.generation.constraint.Expression.Sequence;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** JSON strings whose values are of a language; each character in its shortest spelling. */
final class StringText {
  private static final int LONGEST_NAME = 512;

  private final Map<CodePoints, Expression> characters = new HashMap<>();

  /** A string with its quotes whose value is of a language. */
  Expression quoted(Expression value) {
    return sequence(text("\""), written(value), text("\""));
  }

  /** How the texts of a language are written between quotes. */
  Expression written(Expression e) {
    return switch (e) {
      case Characters c -> characters.computeIfAbsent(c.set(), StringText::written);
      case Sequence sequence -> sequence(sequence.parts().stream().map(this::written).toList());
      case Choice choice -> choice(choice.options().stream().map(this::written).toList());
      case Repeat repeat -> repeat(written(repeat.body()), repeat.min(), repeat.max());
      case All all -> new All(all.parts().stream().map(this::written).toList());
      case Difference d -> new Difference(written(d.from()), written(d.without()));
      case Rule rule -> throw new IllegalArgumentException("a rule, " + rule.name());
    };
  }

  private static Expression written(CodePoints set) {
    List<Expression> options = new ArrayList<>();
    options.add(set(set.intersect(JsonText.LITERAL)));
    List<Expression> escaped = new ArrayList<>();
    for (int c : JsonText.escapedIn(set)) {
      String written = JsonText.escaped(c).substring(1);
      escaped.add(text(written));
      // Writers do not agree on how hexadecimal digits look.
      String upper = written.substring(0, 1) + written.substring(1).toUpperCase(Locale.ROOT);
      if (!upper.equals(written)) {
        escaped.add(text(upper));
      }
    }
    if (!escaped.isEmpty()) {
      options.add(sequence(text("\\"), choice(escaped)));
    }
    return choice(options);
  }

  /** All strings but some, as their values. */
  static Expression allBut(Collection<String> names) {
    Node root = new Node();
    for (String name : names) {
      if (name.length() > LONGEST_NAME) {
        throw new IllegalArgumentException(
            "JSON schema: the property '%s...' has a name of %d characters, supported are %d"
                .formatted(name.substring(0, 32), name.length(), LONGEST_NAME));
      }
      Node node = root;
      for (int c : name.codePoints().toArray()) {
        node = node.children.computeIfAbsent(c, _ -> new Node());
      }
      node.ends = true;
    }
    return root.others();
  }

  private static final class Node {
    private final Map<Integer, Node> children = new TreeMap<>();
    private boolean ends;

    private Expression others() {
      CodePoints rest = CodePoints.ALL;
      List<Expression> options = new ArrayList<>();
      for (Map.Entry<Integer, Node> child : children.entrySet()) {
        CodePoints one = CodePoints.of(child.getKey());
        rest = rest.minus(one);
        options.add(sequence(set(one), child.getValue().others()));
      }
      options.add(sequence(set(rest), Expression.star(set(CodePoints.ALL))));
      if (!ends) {
        options.add(Expression.EMPTY);
      }
      return choice(options);
    }
  }

  /**
   * How many characters the texts of a regular language have.
   *
   * @param most {@link Repeat#UNBOUNDED} for any number
   */
  record Length(int least, int most) {
    static Length of(Expression e) {
      return switch (e) {
        case Characters _ -> new Length(1, 1);
        case Sequence s -> {
          Length sum = new Length(0, 0);
          for (Expression part : s.parts()) {
            Length of = of(part);
            sum = new Length(add(sum.least, of.least), add(sum.most, of.most));
          }
          yield sum;
        }
        case Choice c -> {
          int least = Repeat.UNBOUNDED;
          int most = 0;
          for (Expression option : c.options()) {
            Length of = of(option);
            least = Math.min(least, of.least);
            most = Math.max(most, of.most);
          }
          yield new Length(least, most);
        }
        case Repeat r -> {
          Length of = of(r.body());
          yield new Length(times(of.least, r.min()), times(of.most, r.max()));
        }
        case Rule _, All _, Difference _ -> new Length(0, Repeat.UNBOUNDED);
      };
    }

    private static int add(int a, int b) {
      return (int) Math.min((long) a + b, Repeat.UNBOUNDED);
    }

    private static int times(int a, int b) {
      return (int) Math.min((long) a * b, Repeat.UNBOUNDED);
    }
  }
}
