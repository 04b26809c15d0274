package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GGUF models whose blocks stay in the mapped file give what those with packed weights give. */
final class MappedWeightsTest {
  private static final Path LLAMA = Path.of("goldens", "gguf-llama", "model-q4_k.gguf");
  private static final Memory MEMORY = Device.cpu().memory();

  static List<Path> decoders() throws IOException {
    List<Path> all = new ArrayList<>(GgufModelsTest.decoders());
    try (Stream<Path> files = Files.list(LLAMA.getParent())) {
      files.filter(file -> file.toString().endsWith(".gguf")).sorted().forEach(all::add);
    }
    return all;
  }

  private static CausalLm load(Path file, boolean mapped, Compute compute) throws IOException {
    WeightTypes types = WeightTypes.of(Storage.F32).withMapped(mapped);
    return AutoModel.loadCausalLm(file, Device.cpu(), types, compute, null);
  }

  private static float[] logits(Path file, boolean mapped, Compute compute) throws IOException {
    long[][] ids = {{3, 1, 4, 1, 5, 9, 2, 6}, {2, 7, 1, 8, 2, 8, 1, 8}};
    try (CausalLm model = load(file, mapped, compute);
        CausalLmOutput output = model.forward(CausalLmInputs.of(ids))) {
      return output.logits().toFloatArray();
    }
  }

  @ParameterizedTest
  @MethodSource("decoders")
  void logits_are_those_of_packed_weights_to_the_bit(Path file) throws IOException {
    long held = MEMORY.allocatedBytes();
    for (Compute compute : List.of(Compute.EXACT, Compute.INT8_BLOCKS, Compute.INT8_PER_TOKEN)) {
      float[] packed = logits(file, false, compute);
      assertArrayEquals(packed, logits(file, true, compute), file + " " + compute);
    }
    assertEquals(held, MEMORY.allocatedBytes(), "memory is given back");
  }

  @Test
  void they_generate_the_same_ids() throws IOException {
    int[] prompt = {1, 5, 9, 2, 6, 5, 3, 5};
    List<List<Integer>> ids = new ArrayList<>();
    for (boolean mapped : new boolean[] {false, true}) {
      GeneratorOptions options = GeneratorOptions.defaults().withMappedWeights(mapped);
      try (TextGenerator generator = TextGenerator.load(LLAMA, options)) {
        GenerationConfig some =
            generator.defaults().config().toBuilder().maxNewTokens(12).minNewTokens(12).build();
        int[] got = generator.generate(prompt, some).completions().getFirst().ids();
        ids.add(java.util.Arrays.stream(got).boxed().toList());
      }
    }
    assertEquals(12, ids.getFirst().size());
    assertEquals(ids.getFirst(), ids.getLast());
  }

  @Test
  void blocks_take_no_memory_of_their_own() throws IOException {
    long held = MEMORY.allocatedBytes();
    long packed;
    try (CausalLm _ = load(LLAMA, false, Compute.EXACT)) {
      packed = MEMORY.allocatedBytes() - held;
    }
    try (CausalLm _ = load(LLAMA, true, Compute.EXACT)) {
      long mapped = MEMORY.allocatedBytes() - held;
      assertTrue(mapped < packed / 4, "%d bytes, packed %d".formatted(mapped, packed));
    }
  }
}
