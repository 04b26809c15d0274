package dev.gatun.generation.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.generation.constraint.Schema.Located;
import dev.gatun.generation.constraint.Schema.Type;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Tells schemas apart, and values that they do not take. */
final class SchemaOverlap {
  private static final int DEEPEST = 8;

  private final SchemaReader reader;
  private final SchemaPatterns patterns;

  SchemaOverlap(SchemaReader reader, SchemaPatterns patterns) {
    this.reader = reader;
    this.patterns = patterns;
  }

  /** Whether it is certain that no value is in both. */
  boolean areDisjoint(Schema a, Schema b) {
    return areDisjoint(a, b, 0);
  }

  private boolean areDisjoint(Schema a, Schema b, int depth) {
    if (depth > DEEPEST) {
      return false;
    }
    if (a.values != null) {
      return a.values.stream().noneMatch(v -> accepts(a, v) && accepts(b, v));
    }
    if (b.values != null) {
      return areDisjoint(b, a, depth);
    }
    Set<Type> common = EnumSet.copyOf(a.types());
    common.retainAll(b.types());
    return common.stream().allMatch(type -> areDisjoint(type, a, b, depth));
  }

  private boolean areDisjoint(Type type, Schema a, Schema b, int depth) {
    return switch (type) {
      case NULL, BOOLEAN -> false;
      case NUMBER -> isBelow(a, b) || isBelow(b, a);
      case STRING -> a.maxLength < b.minLength || b.maxLength < a.minLength;
      case ARRAY -> a.maxItems < b.minItems || b.maxItems < a.minItems;
      case OBJECT -> membersTell(a, b, depth) || membersTell(b, a, depth);
    };
  }

  private static boolean isBelow(Schema a, Schema b) {
    if (a.most == null || b.least == null) {
      return false;
    }
    int order = a.most.compareTo(b.least);
    return order < 0 || order == 0 && (a.mostExcluded || b.leastExcluded);
  }

  /** Whether a member that the first must have is not what the other could have there. */
  private boolean membersTell(Schema a, Schema b, int depth) {
    for (String name : a.required) {
      List<Schema> one = reader.expand(a.member(name, patterns));
      List<Schema> other = reader.expand(b.member(name, patterns));
      if (one.stream().allMatch(x -> other.stream().allMatch(y -> areDisjoint(x, y, depth + 1)))) {
        return true;
      }
    }
    return false;
  }

  /** Whether some schemas take a value. */
  boolean accepts(List<Located> schemas, JsonNode value) {
    return reader.expand(schemas).stream().anyMatch(schema -> accepts(schema, value));
  }

  /** Whether a schema takes a value. */
  boolean accepts(Schema schema, JsonNode value) {
    if (!schema.has(Schema.type(value))
        || schema.values != null
            && schema.values.stream().noneMatch(v -> Schema.isEqual(v, value))) {
      return false;
    }
    return switch (Schema.type(value)) {
      case NULL, BOOLEAN -> true;
      case NUMBER -> acceptsNumber(schema, value);
      case STRING -> acceptsString(schema, value.textValue());
      case ARRAY -> {
        boolean all = value.size() >= schema.minItems && value.size() <= schema.maxItems;
        for (int i = 0; all && i < value.size(); i++) {
          all = accepts(schema.element(i), value.get(i));
        }
        yield all;
      }
      case OBJECT ->
          value.size() >= schema.minProperties
              && value.size() <= schema.maxProperties
              && schema.required.stream().allMatch(value::has)
              && value.properties().stream()
                  .allMatch(e -> accepts(schema.member(e.getKey(), patterns), e.getValue()));
    };
  }

  private static boolean acceptsNumber(Schema schema, JsonNode value) {
    var number = value.decimalValue();
    int low = schema.least == null ? 1 : number.compareTo(schema.least);
    int high = schema.most == null ? -1 : number.compareTo(schema.most);
    return (low > 0 || low == 0 && !schema.leastExcluded)
        && (high < 0 || high == 0 && !schema.mostExcluded)
        && (!schema.integers || number.stripTrailingZeros().scale() <= 0)
        && schema.multiples.stream()
            .allMatch(m -> number.remainder(m.node().decimalValue()).signum() == 0);
  }

  private boolean acceptsString(Schema schema, String text) {
    int length = text.codePointCount(0, text.length());
    return length >= schema.minLength
        && length <= schema.maxLength
        && schema.patterns.stream().allMatch(p -> patterns.matches(p.node().textValue(), text))
        && schema.formats.stream()
            .allMatch(f -> patterns.matches(SchemaFormats.find(f.node().textValue()), text));
  }
}
