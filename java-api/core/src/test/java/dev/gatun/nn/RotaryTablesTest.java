package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables of each rotary scaling against those of transformers. */
final class RotaryTablesTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/rope-tables");
  private static final ObjectMapper JSON = new ObjectMapper();

  static Stream<String> cases() throws IOException {
    return StreamSupport.stream(((Iterable<String>) settings()::fieldNames).spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void tables_equal_the_reference(String name) throws IOException {
    JsonNode about = settings().get(name);
    int length = about.get("positions").intValue();
    int longest = about.get("max_position_embeddings").intValue();
    RotaryTables tables =
        RotaryTables.of(
            RotaryScaling.of(map(about.get("rope_scaling").toString()), longest),
            about.get("head_dim").intValue(),
            length);
    assertEquals(about.get("attention_factor").doubleValue(), tables.attentionFactor(), 1e-12);
    try (TensorFile file = TensorFile.open(GOLDEN.resolve("expected.safetensors"))) {
      close(values(file, "out." + name + ".inv_freq"), tables.inverseFrequencies());
      int half = tables.rotarySize() / 2;
      both(values(file, "out." + name + ".cos"), tables.cosine(), length, half);
      both(values(file, "out." + name + ".sin"), tables.sine(), length, half);
    }
  }

  /** Settings that the goldens lack; the numbers are transformers' for a head of 8 elements. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'truncate': false | 0.05539863556623459 0.0024999999441206455 | 1.138629436111989",
        "'truncate': false, 'beta_fast': 8, 'beta_slow': 2 | 0.06349658966064453"
            + " 0.0024999999441206455 | 1.138629436111989",
        "'truncate': false, 'beta_fast': 1, 'beta_slow': 1 | 0.1 0.0025 | 1.138629436111989",
        "'attention_factor': 1.5 | 0.0625 0.0025 | 1.5",
        "'mscale': 1.0, 'mscale_all_dim': 0.5 | 0.0625 0.0025 | 1.0648216253695715",
        "'mscale': 2.0 | 0.0625 0.0025 | 1.138629436111989",
        "'factor': null | 0.05625000223517418 0.00125 | 1.2079441541679836",
      })
  void yarn(String settings, String middle, double attention) throws IOException {
    String base = "'rope_type':'yarn','factor':4.0,'original_max_position_embeddings':256,";
    RotaryTables tables = tables("{" + base + settings + "}", 2048, 8, 16);
    String[] want = middle.split(" ");
    float[] got = tables.inverseFrequencies();
    close(
        new float[] {Float.parseFloat(want[0]), Float.parseFloat(want[1])},
        new float[] {got[1], got[2]});
    assertEquals(attention, tables.attentionFactor(), 1e-12);
  }

  @Test
  void long_rope_takes_its_factor_from_the_lengths() throws IOException {
    String settings =
        "'type': 'longrope', 'short_factor': [1, 2, 3, 4], 'long_factor': [2, 4, 6, 8],"
            + " 'original_max_position_embeddings': 64";
    RotaryTables upTo = tables("{" + settings + "}", 256, 8, 64);
    RotaryTables beyond = tables("{" + settings + "}", 256, 8, 65);
    close(new float[] {1, 0.05f, 0.01f / 3, 0.00025f}, upTo.inverseFrequencies());
    close(new float[] {0.5f, 0.025f, 0.01f / 6, 0.000125f}, beyond.inverseFrequencies());
    assertEquals(1.1547005383792517, upTo.attentionFactor(), 1e-12);
    assertEquals(1.1547005383792517, beyond.attentionFactor(), 1e-12);
    String given = "{" + settings + ", 'attention_factor': 1.25}";
    assertEquals(1.25, tables(given, 256, 8, 65).attentionFactor());
  }

  @Test
  void dynamic_is_plain_up_to_the_longest_length() throws IOException {
    String settings = "{'rope_type': 'dynamic', 'factor': 2}";
    float[] plain = RotaryTables.of(RotaryScaling.none(1e4), 32, 64).inverseFrequencies();
    assertArrayEquals(plain, tables(settings, 64, 32, 64).inverseFrequencies());
    assertTrue(tables(settings, 64, 32, 65).inverseFrequencies()[15] < plain[15]);
  }

  @Test
  void a_part_of_a_head_turns() throws IOException {
    String settings = "{'rope_type': 'linear', 'factor': 2.0, 'partial_rotary_factor': 0.5}";
    RotaryTables tables = tables(settings, 64, 8, 3);
    assertEquals(4, tables.rotarySize());
    close(new float[] {0.5f, 0.005f}, tables.inverseFrequencies());
    float[] head = {1, 2, 3, 4, 5, 6, 7, 8};
    try (RotaryPositionalEmbedding rotary = new RotaryPositionalEmbedding(Device.cpu(), tables);
        Tensor x = Tensor.of(Device.cpu(), head, 1, 1, 8);
        Ids positions = Ids.of(Device.cpu(), "positions", 3, 2);
        Tensor y = rotary.forward(x, positions)) {
      float[] got = y.toFloatArray();
      assertEquals(Math.cos(1) - 3 * Math.sin(1), got[0], 1e-6);
      assertEquals(3 * Math.cos(1) + Math.sin(1), got[2], 1e-6);
      for (int i = 4; i < 8; i++) {
        assertEquals(head[i], got[i]);
      }
    }
  }

  /** The numbers are transformers' for a head of 12 elements. */
  @Test
  void proportional_turns_the_first_pairs_of_the_whole_head() throws IOException {
    String base = "{'rope_type': 'proportional', 'rope_theta': 1000";
    RotaryTables tables = tables(base + ", 'partial_rotary_factor': 0.5}", 64, 12, 3);
    assertEquals(12, tables.rotarySize());
    close(new float[] {1, 0.31622776f, 0.1f, 0, 0, 0}, tables.inverseFrequencies());
    float[] part = {0.5f, 0, 0, 0, 0, 0};
    String some = base + ", 'partial_rotary_factor': 0.3, 'factor': 2}";
    close(part, tables(some, 64, 12, 3).inverseFrequencies());
    float[] whole = {1, 0.31622776f, 0.1f, 0.03162278f, 0.01f, 0.0031622781f};
    close(whole, tables(base + "}", 64, 12, 3).inverseFrequencies());
  }

  @Test
  void long_tables_are_those_of_each_position() throws IOException {
    RotaryTables first = tables("{}", 64, 8, 3);
    RotaryTables second = tables("{'rope_theta': 100}", 64, 8, 40_000);
    try (RotaryPositionalEmbedding rotary =
        RotaryPositionalEmbedding.of(Device.cpu(), first, second, false)) {
      assertArrayEquals(joined(first.cosine(), second.cosine()), rotary.cosine().toFloatArray());
      assertArrayEquals(joined(first.sine(), second.sine()), rotary.sine().toFloatArray());
    }
  }

  private static float[] joined(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'rope_type': 'ntk' | 'rope_type' is ntk, expected one of default, linear, dynamic, llama3",
        "'type': 'ntk' | 'type' is ntk, expected one of default",
        "'rope_type': 3 | 'rope_type' is 3, expected a text",
        "'rope_theta': 0 | 'rope_theta' is 0, expected a number above 0",
        "'rope_theta': 'big' | 'rope_theta' is big, expected a number above 0",
        "'rope_type': 'yarn', 'factor': 2, 'rope_theta': 1 | 'rope_theta' is 1, expected a number",
        "'partial_rotary_factor': 1.5 | 'partial_rotary_factor' is 1.5, expected a number above 0",
        "'partial_rotary_factor': 0 | 'partial_rotary_factor' is 0, expected a number above 0",
        "'partial_rotary_factor': 0.4 | 'partial_rotary_factor' 0.4 give the rotary size 3",
        "'full_attention': {} | 'full_attention' is {}, expected one value",
        "'rope_type': 'linear' | 'factor' is missing, expected a number above 0",
        "'rope_type': 'linear', 'factor': 0 | 'factor' is 0, expected a number above 0",
        "'rope_type': 'linear', 'factor': 1e999 | 'factor' is Infinity, expected a number above 0",
        "'rope_type': 'dynamic', 'factor': -2.0 | 'factor' is -2.0, expected a number above 0",
        "'rope_type': 'dynamic', 'factor': 2, 'partial_rotary_factor': 0.25 | expected at least 4",
        "'rope_type': 'llama3', 'factor': 8 | 'low_freq_factor' is missing, expected a number",
        "'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 4, 'high_freq_factor': 4"
            + " | 'high_freq_factor' is 4, expected a number above 4.0",
        "'rope_type': 'yarn' | 'original_max_position_embeddings' is missing, expected the length",
        "'rope_type': 'yarn', 'original_max_position_embeddings': 6.5 | is 6.5, expected an"
            + " integer",
        "'rope_type': 'yarn', 'factor': 2, 'beta_fast': 0.5 | 'beta_fast' is 0.5, expected at"
            + " least",
        "'rope_type': 'yarn', 'factor': 2, 'beta_slow': 0 | 'beta_slow' is 0, expected a number",
        "'rope_type': 'yarn', 'factor': 2, 'mscale': -1 | 'mscale' is -1, expected a number from 0",
        "'rope_type': 'yarn', 'factor': 2, 'truncate': 1 | 'truncate' is 1, expected true or false",
        "'rope_type': 'yarn', 'factor': 2, 'attention_factor': 0 | 'attention_factor' is 0",
        "'rope_type': 'longrope', 'factor': 2 | 'short_factor' is missing, expected a list",
        "'rope_type': 'longrope', 'factor': 2, 'short_factor': [1, 'x'] | 'short_factor' has x at"
            + " 1",
        "'rope_type': 'longrope', 'factor': 2, 'short_factor': [1, 0] | 'short_factor' has 0 at 1",
        "'rope_type': 'longrope', 'factor': 2, 'short_factor': [1, 1, 1, 1], 'long_factor': [1]"
            + " | 'long_factor' has 1 numbers, expected 4, half the rotary size 8",
        "'rope_type': 'longrope', 'factor': 2, 'short_factor': [1], 'long_factor': [1]"
            + " | 'short_factor' has 1 numbers, expected 4, half the rotary size 8",
      })
  void bad_settings(String settings, String message) {
    bad(message, "{" + settings + "}", 64, 8, 16);
  }

  @Test
  void bad_sizes() {
    bad("head_size 5 and 'partial_rotary_factor' 1.0 give the rotary size 5", "{}", 64, 5, 16);
    bad("rotary size 0, expected an even number from 2", "{}", 64, 0, 16);
    bad("length 0 and rotary size 8, expected a length from 1", "{}", 64, 8, 0);
    bad("'max_position_embeddings' is 0, expected a number from 1", "{}", 0, 8, 16);
  }

  private static void bad(String message, String settings, int longest, int head, int length) {
    String said =
        assertThrows(IllegalArgumentException.class, () -> tables(settings, longest, head, length))
            .getMessage();
    assertTrue(said.contains(message), said);
  }

  private static RotaryTables tables(String settings, int longest, int head, int length)
      throws IOException {
    Map<String, ?> parameters = map(settings.replace('\'', '"'));
    return RotaryTables.of(RotaryScaling.of(parameters, longest), head, length);
  }

  /** As in a JSON text; the last of equal keys counts. */
  private static Map<String, Object> map(String json) throws JsonProcessingException {
    return JSON.readValue(json, new TypeReference<>() {});
  }

  private static JsonNode settings() throws IOException {
    return JSON.readTree(GOLDEN.resolve("case.json").toFile()).get("cases");
  }

  private static float[] values(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT);
  }

  private static void close(float[] want, float[] got) {
    assertEquals(want.length, got.length);
    for (int i = 0; i < want.length; i++) {
      assertEquals(want[i], got[i], 1e-6 * want[i], "frequency " + i);
    }
  }

  /** The reference repeats the table [length, half] for the second half of a head. */
  private static void both(float[] want, float[] got, int length, int half) {
    assertEquals(want.length, 2 * got.length);
    assertEquals(length * half, got.length);
    for (int i = 0; i < want.length; i++) {
      float value = got[i / (2 * half) * half + i % half];
      assertEquals(want[i], value, 1e-5, "element " + i);
    }
  }
}
