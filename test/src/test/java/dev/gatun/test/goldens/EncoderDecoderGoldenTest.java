package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every encoder-decoder among the goldens gives what the reference implementation gave. */
final class EncoderDecoderGoldenTest {
  static List<Path> cases() throws IOException {
    return EncoderDecoderGoldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(Path folder) throws IOException {
    EncoderDecoderGoldens.check(folder, Device.cpu());
  }
}
