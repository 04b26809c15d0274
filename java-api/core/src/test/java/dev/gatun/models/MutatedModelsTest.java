package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A model with a damaged file loads and runs, or is refused by an exception that is documented. The
 * seed is in every message; {@code -Dgatun.test.seed=N} runs one again.
 */
final class MutatedModelsTest {
  private static final String[] VALUES = {
    "-1",
    "0",
    "1",
    "2",
    "3",
    "31",
    "2147483647",
    "1e300",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\"relu\"",
    "99999999999999999999",
    "[[[[]]]]",
    "\"c2p|p2c\""
  };

  @TempDir private Path folder;

  private final long seed = Long.getLong("gatun.test.seed", 1);
  private final Random random = new Random(seed);
  private int refused;

  @ParameterizedTest
  @ValueSource(strings = {"bert-mlm", "deberta-v2-conv", "roberta-qa", "electra-classify"})
  void configurations(String golden) throws IOException {
    ModelFiles.read(golden).write(folder);
    Path file = folder.resolve("config.json");
    byte[] original = Files.readAllBytes(file);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = i % 4 == 0 ? damaged(original) : otherValue(original);
      Files.write(file, bytes);
      run(i, new String(bytes, StandardCharsets.UTF_8));
    }
    assertTrue(refused > 50, "seed " + seed + ": only " + refused + " of 200 were refused");
  }

  @Test
  void safetensors() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    files.write(folder);
    weights(folder.resolve("model.safetensors"), files.safetensors(), 300);
  }

  @Test
  @Tag("full")
  void many() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    files.write(folder);
    weights(folder.resolve("model.safetensors"), files.safetensors(), 5_000);
  }

  private void weights(Path file, byte[] original, int times) throws IOException {
    Files.write(file, original);
    run(-1, "as it was");
    assertEquals(0, refused, "the model as it was");
    for (int i = 0; i < times; i++) {
      // A new file each time: one that is mapped must not be cut.
      Files.delete(file);
      Files.write(file, damaged(original));
      run(i, file.getFileName().toString());
    }
    assertTrue(refused > times / 8, "seed " + seed + ": only " + refused + " were refused");
    refused = 0;
  }

  /** Loads the directory and runs it. */
  private void run(int i, String what) {
    long before = Device.cpu().memory().allocatedBytes();
    long[][] ids = {{1, 2, 3}, {4}};
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(ids))) {
      assertEquals(2, output.lastHiddenState().size(0));
    } catch (IOException | IllegalArgumentException e) {
      assertTrue(e.getMessage() != null && !e.getMessage().isBlank(), () -> at(i, what));
      refused++;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(at(i, what), e);
    }
    assertEquals(before, Device.cpu().memory().allocatedBytes(), () -> at(i, what));
  }

  private String at(int i, String what) {
    return "seed " + seed + " case " + i + ": " + what;
  }

  /** Cut off, or with a few bits or bytes changed, half of the time near the beginning. */
  private byte[] damaged(byte[] original) {
    if (random.nextInt(4) == 0) {
      return Arrays.copyOf(original, random.nextInt(original.length));
    }
    byte[] bytes = original.clone();
    int reach = random.nextBoolean() ? Math.min(5_000, bytes.length) : bytes.length;
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      int at = random.nextInt(reach);
      bytes[at] =
          random.nextBoolean()
              ? (byte) random.nextInt()
              : (byte) (bytes[at] ^ 1 << random.nextInt(8));
    }
    return bytes;
  }

  /** The same JSON with another value at one of its colons. */
  private byte[] otherValue(byte[] original) {
    String text = new String(original, StandardCharsets.UTF_8);
    int colon = text.indexOf(':', random.nextInt(text.lastIndexOf(':')));
    int end = colon + 1;
    while (",}]".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    String value = VALUES[random.nextInt(VALUES.length)];
    return (text.substring(0, colon + 1) + value + text.substring(end))
        .getBytes(StandardCharsets.UTF_8);
  }
}
