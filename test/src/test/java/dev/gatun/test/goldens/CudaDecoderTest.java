package dev.gatun.test.goldens;

import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoders on a CUDA device, emulated where there is none. */
final class CudaDecoderTest {
  private static void check(String name) throws IOException {
    Emulator.open();
    DecoderGoldens.check(Path.of("goldens", "decoders", name), Device.cuda(0));
  }

  @Test
  void equals_the_reference() throws IOException {
    check("llama-gqa");
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"gptj", "bloom-heads", "gemma2", "qwen2-moe"})
  void equals_the_reference_in_other_families(String name) throws IOException {
    check(name);
  }
}
