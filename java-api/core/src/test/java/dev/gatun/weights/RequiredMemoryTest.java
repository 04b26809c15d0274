package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Files that say how large their tensors are, and have none. */
final class RequiredMemoryTest {
  private static final Device CPU = Device.cpu();

  private record Sizes(Map<String, Info> tensors) implements TensorFile {
    @Override
    public Set<String> names() {
      return tensors.keySet();
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Info info(String name) {
      return tensors.get(name);
    }

    @Override
    public Entry get(String name) {
      throw new AssertionError("reads " + name);
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }

  private static Sizes matrix(String type, long elements, long bytes) {
    return new Sizes(
        Map.of("w.weight", new TensorFile.Info(type, new long[] {1, elements}, elements, bytes)));
  }

  private static void check(TensorFile file, Storage storage) {
    new Loader(file, "a model", CPU, null, WeightTypes.of(storage), Compute.EXACT).close();
  }

  @Test
  void a_model_larger_than_memory_is_refused_before_it_is_read() {
    long held = CPU.memory().allocatedBytes();
    Sizes file = matrix("F32", 1L << 40, 1L << 42);
    String message =
        assertThrows(WeightsException.class, () -> check(file, Storage.BF16)).getMessage();
    assertTrue(
        message.matches(
            "a model: its weights take at least 2199.0 GB as BF16, and cpu has [0-9.]+ GB free;"
                + " close what is not needed, load the weights as a narrower type, as INT8 or"
                + " INT4, or take a smaller model"),
        message);
    assertEquals(held, CPU.memory().allocatedBytes());
  }

  @Test
  void blocks_that_stay_in_the_file_take_none() {
    Sizes file = matrix("Q8_0", 1L << 40, 34L << 35);
    WeightTypes types = WeightTypes.of(Storage.F32);
    assertThrows(WeightsException.class, () -> check(file, Storage.F32));
    new Loader(file, "a model", CPU, null, types.withMapped(true), Compute.EXACT).close();
  }

  @Test
  void what_counts_is_what_the_weights_become() {
    // Three times what is free as F32, and less than half of it as INT4.
    long elements = CPU.memory().freeBytes() / 4 * 3 / 4096 * 4096;
    Sizes file = matrix("F32", elements, 4 * elements);
    assertThrows(WeightsException.class, () -> check(file, Storage.F32));
    assertDoesNotThrow(() -> check(file, Storage.of(BlockFormat.int4(32))));
    // Blocks stay what they are.
    Sizes blocks = matrix("Q8_0", elements, 2 * CPU.memory().freeBytes());
    assertThrows(WeightsException.class, () -> check(blocks, Storage.of(BlockFormat.int4(32))));
  }
}
