package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same on a CUDA device, emulated where there is none. */
final class CudaGoldenTest {
  static List<Path> cases() throws IOException {
    return Goldens.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equals_the_reference(Path folder) throws IOException {
    Emulator.open();
    Goldens.check(folder, Device.cuda(0));
  }
}
