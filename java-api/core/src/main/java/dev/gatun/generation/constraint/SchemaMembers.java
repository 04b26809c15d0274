package dev.gatun.generation.constraint;

import static dev.gatun.generation.constraint.Expression.EMPTY;
import static dev.gatun.generation.constraint.Expression.NEVER;
import static dev.gatun.generation.constraint.Expression.choice;
import static dev.gatun.generation.constraint.Expression.repeat;
import static dev.gatun.generation.constraint.Expression.sequence;
import static dev.gatun.generation.constraint.Expression.text;
import static dev.gatun.generation.constraint.JsonText.SPACE;

import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Difference;
import dev.gatun.generation.constraint.Expression.Repeat;
import dev.gatun.generation.constraint.Expression.Rule;
import dev.gatun.generation.constraint.Schema.Located;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An object of a schema: the members that it names in their order, each once, then others. An
 * automaton cannot tell whether a name came before, so that order is what keeps names apart.
 */
final class SchemaMembers {
  private static final int MOST_PATTERNS = 4;

  private final SchemaWriter writer;
  private final Schema schema;
  private final SchemaPatterns patterns;
  private final StringText strings;
  private final List<String> names;
  private final Map<Integer, Rule> rest = new HashMap<>();
  private final boolean counts;
  private final Expression other;

  SchemaMembers(SchemaWriter writer, Schema schema, SchemaPatterns patterns, StringText strings) {
    this.writer = writer;
    this.schema = schema;
    this.patterns = patterns;
    this.strings = strings;
    this.names = new ArrayList<>(schema.names());
    this.counts =
        schema.minProperties > schema.required.size() || schema.maxProperties != Integer.MAX_VALUE;
    this.other = other();
  }

  Expression object() {
    if (schema.minProperties > schema.maxProperties) {
      return NEVER;
    }
    if (schema.minProperties > names.size() + 1 && !other.equals(NEVER)) {
      throw SchemaReader.wrong(
          SchemaReader.child(schema.pointer, "minProperties"),
          ("minProperties is %d, which is not supported beyond one more than the %d properties that"
                  + " are named: others could come twice")
              .formatted(schema.minProperties, names.size()));
    }
    return sequence(text("{"), SPACE, first(0), text("}"));
  }

  private boolean isRequired(int index) {
    return schema.required.contains(names.get(index));
  }

  private Expression member(int index) {
    String name = names.get(index);
    return sequence(SchemaWriter.name(name), writer.rule(schema.member(name, patterns)), SPACE);
  }

  /** What may come from a name on where nothing has come. */
  private Expression first(int index) {
    if (index == names.size()) {
      Expression one = sequence(other, SPACE, rest(index, 1));
      return choice(mayEnd(0) ? EMPTY : NEVER, other.equals(NEVER) ? NEVER : one);
    }
    Expression with = sequence(member(index), rest(index + 1, 1));
    return isRequired(index) ? with : choice(with, first(index + 1));
  }

  private boolean mayEnd(int count) {
    return count >= schema.minProperties && count <= schema.maxProperties;
  }

  /**
   * What may come from a name on behind others.
   *
   * @param count how many have come; not told apart where it does not matter
   */
  private Expression rest(int index, int count) {
    int known = counts ? Math.min(count, schema.maxProperties + 1) : 0;
    int key = index * (names.size() + 3) + Math.min(known, names.size() + 2);
    Rule rule = rest.get(key);
    if (rule == null) {
      rule = new Rule(schema.pointer);
      rest.put(key, rule);
      rule.define(index == names.size() ? tail(count) : further(index, count));
    }
    return rule;
  }

  private Expression further(int index, int count) {
    if (counts && count > schema.maxProperties) {
      return NEVER;
    }
    Expression with = sequence(text(","), SPACE, member(index), rest(index + 1, count + 1));
    return isRequired(index) ? with : choice(with, rest(index + 1, count));
  }

  private Expression tail(int count) {
    if (!counts) {
      return other.equals(NEVER)
          ? EMPTY
          : Expression.star(sequence(text(","), SPACE, other, SPACE));
    }
    if (count > schema.maxProperties) {
      return NEVER;
    }
    int lacking = Math.max(0, schema.minProperties - count);
    int room =
        schema.maxProperties == Integer.MAX_VALUE ? Repeat.UNBOUNDED : schema.maxProperties - count;
    if (other.equals(NEVER)) {
      return lacking == 0 ? EMPTY : NEVER;
    }
    // Two others may have one name, and then are one.
    return lacking > 1 ? NEVER : repeat(sequence(text(","), SPACE, other, SPACE), lacking, room);
  }

  /** A member that is not named. */
  private Expression other() {
    List<String> all = List.copyOf(schema.namePatterns());
    if (all.size() > MOST_PATTERNS) {
      throw SchemaReader.wrong(
          SchemaReader.child(schema.pointer, "patternProperties"),
          "patternProperties has %d patterns, supported are up to %d"
              .formatted(all.size(), MOST_PATTERNS));
    }
    List<Expression> options = new ArrayList<>();
    for (int chosen = 0; chosen < 1 << all.size(); chosen++) {
      Set<String> matched = new LinkedHashSet<>();
      List<Expression> yes = new ArrayList<>();
      List<Expression> no = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        boolean in = (chosen >> i & 1) != 0;
        (in ? yes : no).add(patterns.expression(all.get(i)));
        if (in) {
          matched.add(all.get(i));
        }
      }
      List<Located> value = schema.otherMember(matched);
      if (value.stream()
          .noneMatch(each -> each.node().isBoolean() && !each.node().booleanValue())) {
        Expression key = key(yes, no);
        if (!key.equals(NEVER)) {
          options.add(sequence(key, SPACE, text(":"), SPACE, writer.rule(value)));
        }
      }
    }
    return choice(options);
  }

  private Expression key(List<Expression> yes, List<Expression> no) {
    if (yes.isEmpty() && no.isEmpty()) {
      return names.isEmpty() ? JsonText.STRING : strings.quoted(StringText.allBut(names));
    }
    List<Expression> all = new ArrayList<>(yes);
    if (!names.isEmpty()) {
      all.add(StringText.allBut(names));
    }
    if (all.isEmpty()) {
      all.add(Expression.star(Expression.set(CodePoints.ALL)));
    }
    Expression keys = all.size() == 1 ? all.getFirst() : new All(all);
    if (!no.isEmpty()) {
      keys = new Difference(keys, choice(no));
    }
    boolean plain = all.size() == 1 && no.isEmpty();
    return plain || RegularTerminal.hasText(keys) ? strings.quoted(keys) : NEVER;
  }
}
