package dev.gatun.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.weights.TensorFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Schedules are transformers'. */
final class ScheduleTest {
  private static final double RATE = 0.01;
  private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED;

  /** 45 updates, 5 of warm-up, 40 in all. */
  @Test
  void schedules_are_those_of_transformers() throws Exception {
    Map<String, Schedule> schedules =
        Map.of(
            "linear", Schedule.of(Schedule.Type.LINEAR, 5, 40, RATE),
            "cosine", Schedule.of(Schedule.Type.COSINE, 5, 40, RATE),
            "cosine-restarts-2", Schedule.cosineWithRestarts(5, 40, 2),
            "polynomial", Schedule.polynomial(5, 40, RATE, 1e-4, 2),
            "inverse-sqrt", Schedule.of(Schedule.Type.INVERSE_SQRT, 5, 40, RATE),
            "constant-warmup", Schedule.of(Schedule.Type.CONSTANT_WITH_WARMUP, 5, 40, RATE));
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

  @Test
  void a_constant_is_one_from_the_first_update_on() {
    Schedule constant = Schedule.of(Schedule.Type.CONSTANT, 5, 40, RATE);
    assertEquals(1, constant.factor(0));
    assertEquals(1, constant.factor(1000));
  }

  /** As get_cosine_with_hard_restarts_schedule_with_warmup and polynomial with their defaults. */
  @Test
  void what_a_type_leaves_open_is_as_transformers_has_it() {
    Schedule cosine = Schedule.of(Schedule.Type.COSINE, 5, 40, RATE);
    Schedule restarts = Schedule.of(Schedule.Type.COSINE_WITH_RESTARTS, 5, 40, RATE);
    Schedule polynomial = Schedule.of(Schedule.Type.POLYNOMIAL, 5, 40, RATE);
    for (int update = 0; update < 40; update++) {
      assertEquals(cosine.factor(update), restarts.factor(update), 1e-12);
    }
    assertEquals(1e-7 / RATE, polynomial.factor(40), 1e-15);
    assertEquals((RATE - 1e-7) * 0.2 / RATE + 1e-7 / RATE, polynomial.factor(33), 1e-12);
    // get_inverse_sqrt_schedule: its time scale is the warm-up, or 10,000 where there is none.
    Schedule unwarmed = Schedule.of(Schedule.Type.INVERSE_SQRT, 0, 40, RATE);
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
            "inverse_sqrt")) {
      assertEquals(name, Schedule.Type.of(name).key());
    }
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> Schedule.Type.of("triangular"));
    assertTrue(e.getMessage().contains("'triangular', expected one of linear, cosine"));
  }
}
