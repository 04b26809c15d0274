package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same on a CUDA device, emulated where there is none. */
@Tag("full")
final class CudaGradientGoldenTest {
  static List<GradientGoldens.Case> cases() throws IOException {
    return GradientGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(GradientGoldens.Case golden) throws IOException {
    Emulator.open();
    assertTrue(GradientGoldens.check(golden, Device.cuda(0)) > 0);
  }
}
