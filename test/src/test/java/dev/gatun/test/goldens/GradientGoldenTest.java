package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every parameter of every golden has the gradient that the reference implementation gave. */
final class GradientGoldenTest {
  static List<GradientGoldens.Case> cases() throws IOException {
    return GradientGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(GradientGoldens.Case golden) throws IOException {
    assertTrue(GradientGoldens.check(golden, Device.cpu()) > 0);
  }

  static List<GradientGoldens.Case> all() throws IOException {
    return GradientGoldens.all();
  }

  @ParameterizedTest
  @MethodSource("all")
  void checkpoints_give_the_same_bits_of_less_memory(GradientGoldens.Case golden)
      throws IOException {
    GradientGoldens.checkCheckpoints(golden, Device.cpu());
  }
}
