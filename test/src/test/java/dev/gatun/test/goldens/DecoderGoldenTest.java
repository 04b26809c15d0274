package dev.gatun.test.goldens;

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
}
