package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.weights.TensorFile;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Schedules are transformers'. */
final class ScheduleTest {
  private static final double RATE = 0.01;
  private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED;

  /** 45 updates, 5 of warm-up, 40 in all. */
  @Test
  void schedules_are_those_of_transformers() throws Exception {
    Map<String, Schedule> schedules =
        Map.of(
            "linear", plain(Schedule.Type.LINEAR, 5),
            "cosine", plain(Schedule.Type.COSINE, 5),
            "cosine-restarts-2", Schedule.cosineWithRestarts(5, 40, 2),
            "polynomial", Schedule.polynomial(5, 40, RATE, 1e-4, 2),
            "inverse-sqrt", plain(Schedule.Type.INVERSE_SQRT, 5),
            "constant-warmup", plain(Schedule.Type.CONSTANT_WITH_WARMUP, 5));
    Path folder = Path.of("../../test/goldens/optimisers/expected.safetensors");
    try (TensorFile golden = TensorFile.open(folder)) {
      for (Map.Entry<String, Schedule> each : schedules.entrySet()) {
        double[] rates = golden.get("out.schedule." + each.getKey()).data().toArray(F64);
        assertEquals(45, rates.length);
        for (int update = 0; update < rates.length; update++) {
          assertEquals(
              rates[update],
              RATE * each.getValue().factor(update),
              1e-6 * RATE,
              each.getKey() + " at " + update);
        }
      }
    }
  }

  private static Schedule plain(Schedule.Type type, long warmup) {
    return Schedule.of(type, Map.of(), warmup, 40, RATE);
  }

  @Test
  void arguments_of_schedules_are_those_of_transformers() throws Exception {
    JsonNode golden =
        new ObjectMapper()
            .readTree(Path.of("../../test/goldens/schedules/schedules.json").toFile());
    double rate = golden.get("learning_rate").asDouble();
    Set<String> types = new HashSet<>();
    for (JsonNode each : golden.get("cases")) {
      Schedule.Type type = Schedule.Type.of(each.get("lr_scheduler_type").asText());
      types.add(type.key());
      Map<String, Object> kwargs =
          new ObjectMapper()
              .convertValue(each.get("lr_scheduler_kwargs"), new TypeReference<>() {});
      Schedule schedule =
          Schedule.of(
              type,
              kwargs,
              each.get("warmup_steps").asLong(),
              golden.get("updates").asLong(),
              rate);
      for (int update = 0; update < each.get("rates").size(); update++) {
        assertEquals(
            each.get("rates").get(update).asDouble(),
            rate * schedule.factor(update),
            1e-9 * rate,
            type + " " + kwargs + " at " + update);
      }
    }
    assertEquals(
        Stream.of(Schedule.Type.values())
            .filter(type -> !type.arguments().isEmpty() && !type.followsEvaluations())
            .map(Schedule.Type::key)
            .collect(Collectors.toSet()),
        types);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear | num_cycles | 1 | has num_cycles, expected none for linear",
        "cosine | lr_end | 1 | has lr_end, expected of cosine only num_cycles",
        "cosine | num_cycles | many | has num_cycles=many, expected a number",
        "cosine_with_restarts | num_cycles | 1.5 | num_cycles=1.5, expected a whole number from 1"
            + " on",
        "inverse_sqrt | timescale | 0 | has timescale=0, expected a whole number from 1 on",
        "cosine_with_min_lr | num_cycles | 1 | has neither min_lr nor min_lr_rate, expected one",
        "cosine_with_min_lr | min_lr | -1 | has min_lr=-1, expected at least 0",
        "warmup_stable_decay | num_stable_steps | 3 | has no num_decay_steps, expected updates",
        "warmup_stable_decay | num_decay_steps | 36 |"
            + " has num_decay_steps=36, expected at most the 35 of 40 updates that 5 of warm-up"
            + " leave",
      })
  void arguments_that_do_not_fit_are_named(String type, String name, String value, String message) {
    Object number = value.matches("-?[0-9.]+") ? (Object) new BigDecimal(value) : value;
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Schedule.of(Schedule.Type.of(type), Map.of(name, number), 5, 40, RATE));
    assertTrue(e.getMessage().contains("lr_scheduler_kwargs"), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void what_two_arguments_say_differently_is_named() {
    Exception both =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Schedule.of(
                    Schedule.Type.COSINE_WITH_MIN_LR,
                    Map.of("min_lr", 1e-4, "min_lr_rate", 0.1),
                    5,
                    40,
                    RATE));
    assertTrue(both.getMessage().contains("both min_lr and min_lr_rate"), both.getMessage());
    Exception curve =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Schedule.of(
                    Schedule.Type.WARMUP_STABLE_DECAY,
                    Map.of("num_decay_steps", 3, "decay_type", "exponential"),
                    5,
                    40,
                    RATE));
    assertTrue(
        curve.getMessage().contains("decay_type=exponential, expected linear, cosine or 1-sqrt"),
        curve.getMessage());
  }

  @Test
  void a_constant_is_one_from_the_first_update_on() {
    Schedule constant = plain(Schedule.Type.CONSTANT, 5);
    assertEquals(1, constant.factor(0));
    assertEquals(1, constant.factor(1000));
  }

  /** As get_cosine_with_hard_restarts_schedule_with_warmup and polynomial with their defaults. */
  @Test
  void what_a_type_leaves_open_is_as_transformers_has_it() {
    Schedule cosine = plain(Schedule.Type.COSINE, 5);
    Schedule restarts = plain(Schedule.Type.COSINE_WITH_RESTARTS, 5);
    Schedule polynomial = plain(Schedule.Type.POLYNOMIAL, 5);
    for (int update = 0; update < 40; update++) {
      assertEquals(cosine.factor(update), restarts.factor(update), 1e-12);
    }
    assertEquals(1e-7 / RATE, polynomial.factor(40), 1e-15);
    assertEquals((RATE - 1e-7) * 0.2 / RATE + 1e-7 / RATE, polynomial.factor(33), 1e-12);
    // get_inverse_sqrt_schedule: its time scale is the warm-up, or 10,000 where there is none.
    Schedule unwarmed = plain(Schedule.Type.INVERSE_SQRT, 0);
    assertEquals(1, unwarmed.factor(0));
    assertEquals(0.5, unwarmed.factor(30_000), 1e-12);
  }

  @Test
  void types_have_the_names_of_transformers() {
    for (String name :
        List.of(
            "linear",
            "cosine",
            "cosine_with_restarts",
            "polynomial",
            "constant",
            "constant_with_warmup",
            "inverse_sqrt",
            "cosine_with_min_lr",
            "cosine_warmup_with_min_lr",
            "warmup_stable_decay",
            "reduce_lr_on_plateau",
            "greedy")) {
      assertEquals(name, Schedule.Type.of(name).key());
    }
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> Schedule.Type.of("triangular"));
    assertTrue(e.getMessage().contains("'triangular', expected one of linear, cosine"));
  }
}
