package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.emulator.Emulator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices whose blocks have 99 KB of shared memory, as most outside of data centres. */
final class SharedMemoryTest {
  @TempDir private Path folder;

  @Test
  void few_queries_take_the_kernel_for_decoding() throws Exception {
    assumeTrue(Emulator.isEmulated(), "a device is of one kind");
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            Map.of("GATUN_EMULATOR_DEVICES", "80,86,89,120"),
            List.of(),
            DecodeOnDevices.class);
    assertEquals(0, outcome.code(), outcome.err());
    StringBuilder expected = new StringBuilder();
    for (String device : List.of("8.0", "8.6", "8.9", "12.0")) {
      for (int size : new int[] {64, 128, 256}) {
        expected.append("%s: attention_decode_bf16_%d right\n".formatted(device, size));
      }
    }
    assertEquals(expected.toString(), outcome.out());
  }
}
