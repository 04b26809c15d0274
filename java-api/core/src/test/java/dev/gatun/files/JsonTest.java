package dev.gatun.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trees that are read are those of Jackson's mapper. */
class JsonTest {
  private static final JsonMapper MAPPER = new JsonMapper();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        " [ ] ",
        "null",
        "true",
        "\"\\u00e9\\ud83d\\ude00\\n\"",
        "{\"a\":1,\"b\":{\"a\":[1,[2,[{}]],null,false]},\"a\":\"last\"}",
        "[0,-0,-1,2147483647,2147483648,-9223372036854775808,9223372036854775808]",
        "[0.0,-0.0,1e-5,1.5,1e308,123456789012345678901234567890.5]",
      })
  void a_tree_is_that_of_the_mapper(String text) throws IOException {
    JsonNode expected = MAPPER.readTree(text);
    assertEquals(expected, Json.read(text));
    assertEquals(MAPPER.convertValue(expected, Object.class), Json.value(expected));
    assertEquals(expected, Json.node(Json.value(expected)));
    assertEquals(expected, Json.read(new String(Json.bytes(expected), StandardCharsets.UTF_8)));
  }

  @Test
  void nothing_is_a_missing_node() throws IOException {
    assertTrue(Json.read("").isMissingNode());
    assertTrue(Json.read(" \n").isMissingNode());
  }

  @Test
  void random_damage_is_refused_where_the_mapper_refuses_it() throws IOException {
    Random random = new Random(Long.getLong("gatun.test.seed", 1));
    char[] text = "{\"a\":[1,2.5e-3,\"x\\ty\",null,true],\"b\":{\"c\":{\"d\":[]}}}".toCharArray();
    for (int i = 0; i < 2000; i++) {
      char[] part = Arrays.copyOf(text, random.nextInt(text.length) + 1);
      part[random.nextInt(part.length)] = (char) (32 + random.nextInt(96));
      String damaged = new String(part);
      JsonNode expected = null;
      try {
        expected =
            MAPPER
                .reader()
                .with(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .readTree(damaged);
      } catch (JacksonException refused) {
        assertThrows(JacksonException.class, () -> Json.read(damaged));
        continue;
      }
      assertEquals(expected, Json.read(damaged));
    }
  }

  @Test
  void what_stands_behind_a_value_is_refused() {
    JacksonException thrown = assertThrows(JacksonException.class, () -> Json.read("{} []"));
    assertEquals("more stands behind the end of the value", thrown.getOriginalMessage());
  }

  @Test
  void a_name_that_must_come_once_is_refused_the_second_time() throws IOException {
    String twice = "{\"a\":1,\"b\":{\"a\":2},\"b\":3}";
    assertEquals(3, Json.read(twice).get("b").intValue());
    JacksonException thrown = assertThrows(JacksonException.class, () -> Json.readUnique(twice));
    assertTrue(thrown.getOriginalMessage().contains("Duplicate field 'b'"), thrown.getMessage());
  }

  @Test
  void what_is_wrong_is_told_in_words_of_json() {
    JacksonException open = assertThrows(JacksonException.class, () -> Json.read("{\"a\": [1}"));
    assertEquals("Unexpected close marker '}': expected ']'", Json.told(open));
    JacksonException cut = assertThrows(JacksonException.class, () -> Json.read("{"));
    assertEquals("Unexpected end-of-input: expected close marker for Object", Json.told(cut));
    JacksonException kind =
        assertThrows(JacksonException.class, () -> MAPPER.readValue("[1]", java.util.Map.class));
    assertEquals("found Array", Json.told(kind));
  }

  @Test
  void depth_is_bounded() {
    assertThrows(JacksonException.class, () -> Json.read("[".repeat(100_000)));
  }

  @Test
  void values_that_json_does_not_have_are_refused_by_their_class() {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class, () -> Json.node(List.of(Map.of("a", new int[0]))));
    assertEquals("JSON of [I, expected a text, number, boolean, list or map", thrown.getMessage());
  }
}
