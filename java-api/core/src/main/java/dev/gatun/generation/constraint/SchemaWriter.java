package dev.gatun.generation.constraint;

import static dev.gatun.generation.constraint.Expression.EMPTY;
import static dev.gatun.generation.constraint.Expression.NEVER;
import static dev.gatun.generation.constraint.Expression.choice;
import static dev.gatun.generation.constraint.Expression.optional;
import static dev.gatun.generation.constraint.Expression.repeat;
import static dev.gatun.generation.constraint.Expression.sequence;
import static dev.gatun.generation.constraint.Expression.text;
import static dev.gatun.generation.constraint.JsonText.SPACE;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Repeat;
import dev.gatun.generation.constraint.Expression.Rule;
import dev.gatun.generation.constraint.Schema.Located;
import dev.gatun.generation.constraint.Schema.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes an expression of a JSON schema: the JSON texts whose values it takes. */
final class SchemaWriter {
  private static final int MOST_MULTIPLE = 1000;

  /**
   * Digits that a double tells apart: beyond them a number may become its bound when it is read.
   */
  private static final int DIGITS = 15;

  /** Digits behind the point that a multiple may have. */
  private static final int MULTIPLE_DIGITS = 6;

  private final SchemaPatterns patterns = new SchemaPatterns();
  private final SchemaReader reader;
  private final SchemaOverlap overlap;
  private final StringText strings = new StringText();
  private final Map<List<String>, Rule> rules = new HashMap<>();
  private final ArrayDeque<List<Located>> unwritten = new ArrayDeque<>();

  private SchemaWriter(String schema) {
    this.reader = new SchemaReader(schema, patterns);
    this.overlap = new SchemaOverlap(reader, patterns);
  }

  /**
   * The language of a schema.
   *
   * @throws IllegalArgumentException where it is damaged or has what is not supported, with the
   *     path
   */
  static Expression write(String schema) {
    SchemaWriter writer = new SchemaWriter(schema);
    Expression root = writer.rule(List.of(writer.reader.root()));
    while (!writer.unwritten.isEmpty()) {
      List<Located> next = writer.unwritten.poll();
      writer.rules.get(key(next)).define(writer.values(next));
    }
    return root;
  }

  private static List<String> key(List<Located> schemas) {
    return schemas.stream().map(Located::pointer).toList();
  }

  /** What keeps to all of some schemas. */
  Expression rule(List<Located> schemas) {
    return rules.computeIfAbsent(
        key(schemas),
        key -> {
          unwritten.add(schemas);
          return new Rule(String.join(" and ", key));
        });
  }

  private Expression values(List<Located> schemas) {
    if (schemas.isEmpty()) {
      return JsonText.value();
    }
    return choice(reader.expand(schemas).stream().map(this::value).toList());
  }

  private Expression value(Schema schema) {
    if (schema.values != null) {
      return choice(
          schema.values.stream()
              .filter(value -> overlap.accepts(schema, value))
              .map(SchemaWriter::constant)
              .toList());
    }
    List<Expression> options = new ArrayList<>();
    for (Type type : schema.types()) {
      options.add(
          switch (type) {
            case NULL -> JsonText.NULL;
            case BOOLEAN -> JsonText.BOOLEAN;
            case NUMBER -> number(schema);
            case STRING -> string(schema);
            case ARRAY -> array(schema);
            case OBJECT -> new SchemaMembers(this, schema, patterns, strings).object();
          });
    }
    return choice(options);
  }

  /** A value as it is, with space where there may be some. */
  private static Expression constant(JsonNode value) {
    if (!value.isContainerNode() || value.isEmpty()) {
      return value.isTextual() ? quote(value.textValue()) : text(value.toString());
    }
    List<Expression> parts = new ArrayList<>();
    parts.add(text(value.isArray() ? "[" : "{"));
    parts.add(SPACE);
    if (value.isArray()) {
      for (JsonNode each : value) {
        separate(parts);
        parts.add(constant(each));
      }
    } else {
      for (Map.Entry<String, JsonNode> each : value.properties()) {
        separate(parts);
        parts.add(sequence(name(each.getKey()), constant(each.getValue())));
      }
    }
    parts.add(SPACE);
    parts.add(text(value.isArray() ? "]" : "}"));
    return sequence(parts);
  }

  private static void separate(List<Expression> parts) {
    if (parts.size() > 2) {
      parts.add(SPACE);
      parts.add(text(","));
      parts.add(SPACE);
    }
  }

  /** A member's name, and what stands between it and its value. */
  static Expression name(String name) {
    return sequence(quote(name), SPACE, text(":"), SPACE);
  }

  private static Expression quote(String value) {
    StringBuilder text = new StringBuilder("\"");
    value
        .codePoints()
        .forEach(
            c ->
                text.append(
                    JsonText.LITERAL.contains(c) ? Character.toString(c) : JsonText.escaped(c)));
    return text(text.append('"').toString());
  }

  private Expression number(Schema schema) {
    if (schema.multiples.isEmpty()) {
      if (schema.integers) {
        return integers(schema);
      }
      return schema.least == null && schema.most == null
          ? JsonText.NUMBER
          : NumberText.decimals(schema, places(schema));
    }
    List<Expression> all = new ArrayList<>();
    // Of larger numbers a double, which many read them as, has not all digits.
    BigDecimal large = BigDecimal.TEN.pow(schema.integers ? DIGITS : DIGITS - MULTIPLE_DIGITS);
    schema.atLeast(schema.least == null ? large.negate() : schema.least, false);
    schema.atMost(schema.most == null ? large : schema.most, false);
    all.add(schema.integers ? integers(schema) : NumberText.decimals(schema, places(schema)));
    for (Located multiple : schema.multiples) {
      BigDecimal of = multiple.node().decimalValue().stripTrailingZeros();
      int places = Math.max(0, of.scale());
      BigInteger scaled = of.movePointRight(places).toBigIntegerExact();
      if (places > MULTIPLE_DIGITS || scaled.compareTo(BigInteger.valueOf(MOST_MULTIPLE)) > 0) {
        throw SchemaReader.wrong(
            multiple.pointer(),
            "multipleOf is %s, which is not supported: expected up to 6 digits behind the point,"
                    .formatted(multiple.node())
                + " and no more than %d without the point".formatted(MOST_MULTIPLE));
      }
      all.add(NumberText.multiples(scaled.intValueExact(), places));
    }
    return new All(all);
  }

  /** Digits behind the point: so many that numbers beside a bound are told from it. */
  private static int places(Schema schema) {
    int places = DIGITS - 1;
    for (BigDecimal bound : new BigDecimal[] {schema.least, schema.most}) {
      if (bound != null) {
        int whole = Math.max(1, bound.precision() - bound.scale());
        places = Math.min(places, Math.max(Math.max(1, bound.scale()), DIGITS - whole));
      }
    }
    return places;
  }

  private static Expression integers(Schema schema) {
    BigInteger least = null;
    BigInteger most = null;
    if (schema.least != null) {
      least = schema.least.setScale(0, RoundingMode.CEILING).unscaledValue();
      boolean on = schema.leastExcluded && new BigDecimal(least).compareTo(schema.least) == 0;
      least = on ? least.add(BigInteger.ONE) : least;
    }
    if (schema.most != null) {
      most = schema.most.setScale(0, RoundingMode.FLOOR).unscaledValue();
      boolean on = schema.mostExcluded && new BigDecimal(most).compareTo(schema.most) == 0;
      most = on ? most.subtract(BigInteger.ONE) : most;
    }
    return least == null && most == null ? JsonText.INTEGER : NumberText.integers(least, most);
  }

  private Expression string(Schema schema) {
    int min = schema.minLength;
    int max = schema.maxLength;
    if (min > max) {
      return NEVER;
    }
    List<Expression> all = new ArrayList<>();
    schema.patterns.forEach(p -> all.add(patterns.expression(p.node().textValue())));
    schema.formats.forEach(f -> all.add(SchemaFormats.find(f.node().textValue())));
    if (all.isEmpty()) {
      return sequence(text("\""), repeat(JsonText.CHARACTER, min, max), text("\""));
    }
    if (all.size() == 1
        && all.getFirst() instanceof Repeat repeat
        && repeat.body() instanceof Expression.Characters) {
      // So many characters of a set: that counts itself.
      int least = Math.max(min, repeat.min());
      int most = Math.min(max, repeat.max());
      return least > most ? NEVER : strings.quoted(repeat(repeat.body(), least, most));
    }
    boolean within =
        all.stream()
            .map(StringText.Length::of)
            .anyMatch(length -> length.least() >= min && length.most() <= max);
    if (!within && (min > 0 || max < Repeat.UNBOUNDED)) {
      all.add(repeat(Expression.set(CodePoints.ALL), min, max));
    }
    return strings.quoted(all.size() == 1 ? all.getFirst() : new All(all));
  }

  private Expression array(Schema schema) {
    int min = schema.minItems;
    int max = schema.maxItems;
    int prefix = Math.min(schema.prefix(), max);
    if (min > max) {
      return NEVER;
    }
    Expression rest = rule(schema.element(schema.prefix()));
    Expression tail;
    if (prefix == 0) {
      tail =
          max == 0
              ? EMPTY
              : min == 0
                  ? optional(JsonText.list(rest, 0, less(max)))
                  : JsonText.list(rest, min - 1, less(max));
    } else {
      int room = max == Repeat.UNBOUNDED ? max : max - prefix;
      tail = repeat(sequence(text(","), SPACE, rest, SPACE), Math.max(0, min - prefix), room);
      for (int i = prefix - 1; i >= 0; i--) {
        Expression element = sequence(rule(schema.element(i)), SPACE, tail);
        tail = i == 0 ? element : sequence(text(","), SPACE, element);
        tail = i >= min ? optional(tail) : tail;
      }
    }
    return sequence(text("["), SPACE, tail, text("]"));
  }

  private static int less(int max) {
    return max == Repeat.UNBOUNDED ? max : max - 1;
  }
}
