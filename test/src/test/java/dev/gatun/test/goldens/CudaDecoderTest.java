package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoders on a CUDA device, emulated where there is none. */
final class CudaDecoderTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama-gqa", "gptj", "bloom-heads"})
  void equals_the_reference(String name) throws IOException {
    Emulator.open();
    DecoderGoldens.check(Path.of("goldens", "decoders", name), Device.cuda(0));
  }
}
