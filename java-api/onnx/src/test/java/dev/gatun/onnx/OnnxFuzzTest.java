package dev.gatun.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged graphs end in a WeightsException or an IOException, never in another one. The seed is in
 * every message; {@code -Dgatun.test.seed=N} runs one again.
 */
final class OnnxFuzzTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/bert-mlm");

  @TempDir private Path folder;

  private final long seed = Long.getLong("gatun.test.seed", 1);
  private final Random random = new Random(seed);

  /** A few bytes are others, or those from elsewhere; sometimes the end is missing. */
  private byte[] mutated(byte[] original, int reach) {
    if (random.nextInt(8) == 0) {
      return Arrays.copyOf(original, random.nextInt(original.length));
    }
    byte[] bytes = original.clone();
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      int at = random.nextInt(reach);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        default -> {
          int other = random.nextInt(bytes.length);
          int length = Math.min(random.nextInt(12), bytes.length - Math.max(at, other));
          System.arraycopy(original, other, bytes, at, length);
        }
      }
    }
    return bytes;
  }

  @Test
  void graphs() throws IOException {
    byte[] original = OnnxModels.linear();
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = mutated(original, original.length);
      try {
        OnnxNames.resolve(
            OnnxReader.read(MemorySegment.ofArray(bytes), "fuzz", OnnxModels.NO_FILES));
      } catch (WeightsException e) {
        assertTrue(e.getMessage().startsWith("fuzz"), e.getMessage());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + " case " + i, e);
      }
    }
  }

  @Test
  void models() throws IOException {
    models(300);
  }

  @Test
  @Tag("full")
  void many_models() throws IOException {
    models(5_000);
  }

  private void models(int times) throws IOException {
    Files.copy(GOLDEN.resolve("config.json"), folder.resolve("config.json"));
    byte[] original = bert();
    assertTrue(runs(original, "the model as it was"));
    int refused = 0;
    for (int i = 0; i < times; i++) {
      int reach = random.nextBoolean() ? 5_000 : original.length;
      refused += runs(mutated(original, reach), "seed " + seed + " case " + i) ? 0 : 1;
    }
    assertTrue(refused > times / 8, "seed " + seed + ": only " + refused + " were refused");
  }

  /** Whether the directory loads and runs, and is not refused. */
  private boolean runs(byte[] bytes, String what) throws IOException {
    // A new file each time: one that is mapped must not be cut.
    Path file = folder.resolve("model.onnx");
    Files.deleteIfExists(file);
    Files.write(file, bytes);
    long before = Device.cpu().memory().allocatedBytes();
    boolean ran = false;
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{1, 2, 3}, {4}}))) {
      assertEquals(2, output.lastHiddenState().size(0));
      ran = true;
    } catch (IOException | IllegalArgumentException e) {
      assertTrue(e.getMessage() != null && !e.getMessage().isBlank(), what);
    } catch (RuntimeException | Error e) {
      throw new AssertionError(what, e);
    }
    assertEquals(before, Device.cpu().memory().allocatedBytes(), what);
    return ran;
  }

  /** The golden's tensors, all F32, as the initializers of a graph. */
  private static byte[] bert() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN)) {
      return OnnxModels.model(
          graph -> {
            for (String name : file.names()) {
              TensorFile.Entry entry = file.get(name);
              byte[] data = entry.data().toArray(ValueLayout.JAVA_BYTE);
              OnnxModels.put(
                  graph,
                  5,
                  OnnxModels.tensor(
                      name, 1, tensor -> OnnxModels.put(tensor, 9, data), entry.shape()));
            }
          });
    }
  }

  @Test
  void memory_is_given_back() throws IOException {
    Path file = Files.write(folder.resolve("m.onnx"), OnnxModels.linear());
    long before = 0;
    for (int i = 0; i < 20_000; i++) {
      if (i == 1_000) {
        before = mappedKiB();
      }
      try (TensorFile graph = TensorFile.open(file)) {
        graph.get("layer.weight");
      }
    }
    long grown = mappedKiB() - before;
    assertTrue(grown < 32 << 10, grown + " KiB more are mapped after 19,000 files of two pages");
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
