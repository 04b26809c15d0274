package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoder-decoders on a CUDA device, emulated where there is none. */
final class CudaEncoderDecoderTest {
  private static void check(String name) throws IOException {
    Emulator.open();
    EncoderDecoderGoldens.check(Path.of("goldens", "encoder-decoders", name), Device.cuda(0));
  }

  @Test
  void equals_the_reference() throws IOException {
    check("umt5");
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"t5", "bart", "marian", "switch", "m2m-100"})
  void equals_the_reference_in_other_families(String name) throws IOException {
    check(name);
  }
}
