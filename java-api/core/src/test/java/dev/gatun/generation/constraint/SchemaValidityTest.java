package dev.gatun.generation.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.ValueNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Texts of tokens drawn at random under a random schema, which a validator of others takes; and
 * changes of them, which are taken if and only if the validator takes them.
 */
final class SchemaValidityTest {
  /**
   * Numbers without zeros at the end of their fraction, and without an exponent where their digits
   * are few: with bounds no exponent is taken, and elsewhere none of three digits.
   */
  private static final class PlainNumbers extends JsonNodeFactory {
    private static final long serialVersionUID = 1;

    @Override
    public ValueNode numberNode(BigDecimal value) {
      BigDecimal stripped = value.stripTrailingZeros();
      int digits = stripped.precision() - stripped.scale();
      if (Math.abs(digits - 1) > 99) {
        return DecimalNode.valueOf(BigDecimal.ONE);
      }
      boolean few = stripped.scale() < 0 && digits < 19;
      return DecimalNode.valueOf(few ? stripped.setScale(0) : stripped);
    }
  }

  private static final TokenTrie TRIE = Vocabularies.small();
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .nodeFactory(new PlainNumbers())
          .build();
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private static final long SEED = Long.getLong("gatun.test.seed", 1);
  private static final Pattern LONG_FRACTION = Pattern.compile("\\.[0-9]{20}");

  private int texts;
  private int schemas;
  private int takenChanges;
  private int refusedChanges;

  @Test
  void what_is_drawn_validates() {
    run(300, SEED);
    assertTrue(schemas > 200 && texts > 300, schemas + " schemas, " + texts + " texts");
    assertTrue(takenChanges > 100 && refusedChanges > 100, takenChanges + " and " + refusedChanges);
  }

  @Test
  @Tag("full")
  void what_is_drawn_of_10000_schemas_validates() {
    run(10_000 * 5 / 4, SEED + 1_000_000);
    assertTrue(schemas >= 10_000, schemas + " schemas");
  }

  @Test
  void what_is_drawn_of_each_format_validates() {
    Random random = new Random(8);
    for (String format : SchemaFormats.names()) {
      String schema = "{\"type\":\"string\",\"format\":\"%s\"}".formatted(format);
      TokenAutomaton automaton = new TokenAutomaton(Notations.jsonSchema(schema), TRIE, false);
      Schema validator = REGISTRY.getSchema(schema);
      int count = 0;
      for (int i = 0; i < 60; i++) {
        byte[] drawn = Vocabularies.draw(automaton, TRIE, random, 150);
        if (drawn != null) {
          String text = new String(drawn, StandardCharsets.UTF_8);
          // Mail addresses must be in a domain that exists.
          String known =
              format.equals("email") ? text.substring(0, text.lastIndexOf('.')) + ".com\"" : text;
          assertTrue(errors(validator, known).isEmpty(), () -> format + ": " + text);
          count++;
        }
      }
      assertTrue(count > 20, format + ": " + count);
    }
  }

  private void run(int count, long first) {
    for (long seed = first; seed < first + count; seed++) {
      Random random = new Random(seed);
      ObjectNode schema = RandomSchemas.next(random);
      try {
        check(schema, random);
      } catch (RuntimeException | AssertionError e) {
        fail("seed %d: %s; %s".formatted(seed, e, schema), e);
      }
    }
  }

  private void check(ObjectNode schema, Random random) {
    TokenAutomaton automaton;
    try {
      automaton = new TokenAutomaton(Notations.jsonSchema(schema.toString()), TRIE, false);
    } catch (IllegalArgumentException e) {
      // Random bounds may leave nothing.
      assertTrue(e.getMessage().contains("no text matches it"), e.getMessage());
      return;
    }
    schemas++;
    Schema validator = REGISTRY.getSchema(schema);
    boolean formats = schema.toString().contains("\"format\"");
    for (int i = 0; i < 3; i++) {
      byte[] drawn = Vocabularies.draw(automaton, TRIE, random, 150);
      if (drawn == null) {
        continue;
      }
      texts++;
      String text = new String(drawn, StandardCharsets.UTF_8);
      var errors = errors(validator, text);
      assertTrue(errors.isEmpty(), () -> text + ": " + errors);
      JsonNode changed = change(read(text), random);
      String other = changed.toString();
      boolean valid = errors(validator, other).isEmpty();
      boolean taken = Vocabularies.accepts(automaton, other);
      takenChanges += valid && taken ? 1 : 0;
      refusedChanges += valid || taken ? 0 : 1;
      // Of some formats only the usual part is taken, and no number of so many digits, as one that
      // had its exponent changed may have.
      boolean usual = !formats && !LONG_FRACTION.matcher(other).find();
      if (usual || taken) {
        assertEquals(valid, taken, () -> text + " changed to " + other);
      }
    }
  }

  private static List<com.networknt.schema.Error> errors(Schema validator, String text) {
    return validator.validate(
        text,
        InputFormat.JSON,
        context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
  }

  private static JsonNode read(String text) {
    try {
      return JSON.readTree(text);
    } catch (java.io.IOException e) {
      throw new AssertionError(text, e);
    }
  }

  /** Another value, whose members are in the same order. */
  private static JsonNode change(JsonNode value, Random random) {
    JsonNodeFactory make = JsonNodeFactory.instance;
    if (value.isObject() && !value.isEmpty() && random.nextInt(4) > 0) {
      ObjectNode copy = make.objectNode();
      List<String> names = new ArrayList<>();
      value.properties().forEach(e -> names.add(e.getKey()));
      int at = random.nextInt(names.size() + 1);
      boolean remove = random.nextInt(3) == 0;
      for (int i = 0; i < names.size(); i++) {
        if (i != at) {
          copy.set(names.get(i), value.get(names.get(i)));
        } else if (!remove) {
          copy.set(names.get(i), change(value.get(names.get(i)), random));
        }
      }
      if (at == names.size()) {
        copy.set("zz", change(make.nullNode(), random));
      }
      return copy;
    }
    if (value.isArray() && random.nextInt(4) > 0) {
      ArrayNode copy = make.arrayNode();
      int at = random.nextInt(value.size() + 1);
      boolean remove = random.nextInt(3) == 0;
      for (int i = 0; i < value.size(); i++) {
        if (i != at) {
          copy.add(value.get(i));
        } else if (!remove) {
          copy.add(change(value.get(i), random));
        }
      }
      if (at == value.size()) {
        copy.add(at > 0 ? value.get(random.nextInt(at)) : make.numberNode(1));
      }
      return copy;
    }
    if (value.isTextual() && random.nextInt(4) > 0) {
      StringBuilder text = new StringBuilder(value.textValue());
      int at =
          text.offsetByCodePoints(0, random.nextInt(text.codePointCount(0, text.length()) + 1));
      text.insert(at, "abc1\"é水".charAt(random.nextInt(7)));
      return make.textNode(text.toString());
    }
    if (value.isIntegralNumber() && random.nextInt(4) > 0) {
      long number = value.longValue() / 2 + random.nextInt(21) - 10;
      return make.numberNode(number);
    }
    return switch (random.nextInt(6)) {
      case 0 -> make.nullNode();
      case 1 -> make.booleanNode(random.nextBoolean());
      case 2 -> make.numberNode(random.nextInt(200) - 100);
      case 3 -> make.textNode("ab");
      case 4 -> make.objectNode();
      default -> make.arrayNode();
    };
  }
}
