package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every decoder among the goldens gives what the reference implementation gave. */
final class DecoderGoldenTest {
  static List<Path> cases() throws IOException {
    return DecoderGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(Path folder) throws IOException {
    DecoderGoldens.check(folder, Device.cpu());
  }

  static List<Path> dense() throws IOException {
    return DecoderGoldens.dense();
  }

  /** The bound that docs/generation.md tells. */
  @ParameterizedTest
  @MethodSource("dense")
  void is_near_the_reference_with_a_cache_of_signed_bytes(Path folder) throws IOException {
    double error = DecoderGoldens.errorOfSignedBytes(folder, Device.cpu());
    assertTrue(error > 0 && error <= 0.02, "off by %g of the largest score".formatted(error));
  }
}
