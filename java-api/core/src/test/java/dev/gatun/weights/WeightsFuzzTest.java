package dev.gatun.weights;

import static dev.gatun.weights.Safetensors.file;
import static dev.gatun.weights.Safetensors.tensor;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files end in a WeightsException or an IOException, never in another one. */
class WeightsFuzzTest {
  private static final String PIECES = "{}[]\",:0129-.eE\\\u0000 FINU8[1]nulltrue\u00e9";

  @TempDir Path directory;

  private static byte[] mutate(byte[] original, Random random, int from) {
    byte[] bytes = original.clone();
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      int at = from + random.nextInt(bytes.length - from);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] = (byte) PIECES.charAt(random.nextInt(PIECES.length()));
        case 2 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        default -> {
          int other = from + random.nextInt(bytes.length - from);
          int length = Math.min(random.nextInt(12), bytes.length - Math.max(at, other));
          System.arraycopy(original, other, bytes, at, length);
        }
      }
    }
    return bytes;
  }

  @Test
  void mutatedSafetensorsHeaders() {
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + tensor("layer.weight", "F32", "[2,3]", 0, 24)
            + ","
            + tensor("layer.bias", "BF16", "[4]", 24, 32)
            + "}";
    byte[] original = file(header, 32);
    long seed = Long.getLong("gatun.test.seed", 1);
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = mutate(original, random, i % 8 == 0 ? 0 : 8);
      try {
        SafetensorsHeader.parse(MemorySegment.ofArray(bytes), "fuzz");
      } catch (WeightsException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError(
            "seed " + seed + " case " + i + ": " + new String(bytes, StandardCharsets.UTF_8), e);
      }
    }
    assertTrue(refused > 50_000, "seed " + seed + ": only " + refused + " were refused");
  }

  @Test
  void memoryIsGivenBack() throws IOException {
    Path path = directory.resolve("m.safetensors");
    int size = 8 << 20;
    Files.write(path, file("{" + tensor("t", "I8", "[" + size + "]", 0, size) + "}", size));
    long before = 0;
    for (int i = 0; i < 300; i++) {
      if (i == 50) {
        before = mappedKiB();
      }
      try (TensorFile file = TensorFile.open(path)) {
        file.get("t");
      }
    }
    long grown = mappedKiB() - before;
    assertTrue(grown < 512 << 10, grown + " KiB more are mapped after 250 files of 8 MiB");
  }

  private static long mappedKiB() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(l -> l.startsWith("VmSize:"))
        .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }
}
