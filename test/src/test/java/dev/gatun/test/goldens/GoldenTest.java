package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every encoder among the goldens gives what the reference implementation gave. */
final class GoldenTest {
  static List<Path> cases() throws IOException {
    return Goldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(Path folder) throws IOException {
    Goldens.check(folder, Device.cpu());
  }
}
