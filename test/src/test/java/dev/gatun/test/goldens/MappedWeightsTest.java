package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.SafetensorsFile;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Models whose weights stay in the mapped file give what those with packed weights give. */
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
    return load(file, Storage.F32, mapped, compute);
  }

  private static CausalLm load(Path file, Storage storage, boolean mapped, Compute compute)
      throws IOException {
    WeightTypes types = WeightTypes.of(storage).withMapped(mapped);
    return AutoModel.loadCausalLm(file, Device.cpu(), types, compute, null);
  }

  private static float[] logits(Path file, boolean mapped, Compute compute) throws IOException {
    return logits(file, Storage.F32, mapped, compute);
  }

  private static float[] logits(Path file, Storage storage, boolean mapped, Compute compute)
      throws IOException {
    long[][] ids = {{3, 1, 4, 1, 5, 9, 2, 6}, {2, 7, 1, 8, 2, 8, 1, 8}};
    try (CausalLm model = load(file, storage, mapped, compute);
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

  @ParameterizedTest
  @CsvSource({
    "llama-biases, F32", "llama-gqa, BF16", "llama, F16", "gemma2, BF16", "gpt2, F32",
    "mixtral, BF16", "phi3, F32", "falcon-new, F16", "bloom, BF16", "gptj, F32"
  })
  void floats_of_a_directory_give_those_of_packed_weights_to_the_bit(
      String family, DType dtype, @TempDir Path folder) throws IOException {
    Storage storage = Storage.of(dtype);
    shards(Path.of("goldens", "decoders", family), dtype, folder);
    long held = MEMORY.allocatedBytes();
    float[] packed = logits(folder, storage, false, Compute.EXACT);
    assertArrayEquals(packed, logits(folder, storage, true, Compute.EXACT), family);
    assertEquals(held, MEMORY.allocatedBytes(), "memory is given back");
  }

  @Test
  void floats_take_no_memory_of_their_own(@TempDir Path folder) throws IOException {
    shards(Path.of("goldens", "decoders", "llama"), DType.BF16, folder);
    long held = MEMORY.allocatedBytes();
    long packed;
    try (CausalLm _ = load(folder, Storage.BF16, false, Compute.EXACT)) {
      packed = MEMORY.allocatedBytes() - held;
    }
    try (CausalLm _ = load(folder, Storage.BF16, true, Compute.EXACT)) {
      long mapped = MEMORY.allocatedBytes() - held;
      assertTrue(mapped < packed / 4, "%d bytes, packed %d".formatted(mapped, packed));
    }
  }

  @Test
  void weights_that_become_other_numbers_are_told(@TempDir Path folder) throws IOException {
    shards(Path.of("goldens", "decoders", "llama"), DType.BF16, folder);
    System.setProperty("gatun.strict", "true");
    try {
      String told =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> load(folder, Storage.F32, true, Compute.EXACT))
              .getMessage();
      assertTrue(
          told.contains("weights are packed, for they are kept as other numbers than the mapped"),
          told);
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  /** The model with its matrices as other floats, cut off, in two shards. */
  private static void shards(Path model, DType dtype, Path folder) throws IOException {
    Files.copy(model.resolve("config.json"), folder.resolve("config.json"));
    StringBuilder map = new StringBuilder();
    List<List<TensorFile.Entry>> shards = List.of(new ArrayList<>(), new ArrayList<>());
    try (Arena arena = Arena.ofConfined();
        TensorFile file = SafetensorsFile.open(model.resolve("model.safetensors"))) {
      for (String name : file.names()) {
        int shard = shards.getFirst().size() > shards.getLast().size() ? 1 : 0;
        shards.get(shard).add(narrow(file.get(name), dtype, arena));
        map.append(map.isEmpty() ? "" : ", ")
            .append("\"%s\": \"%d.safetensors\"".formatted(name, shard));
      }
      for (int i = 0; i < shards.size(); i++) {
        SafetensorsWriter.write(folder.resolve(i + ".safetensors"), shards.get(i), Map.of());
      }
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {%s}}".formatted(map));
  }

  private static TensorFile.Entry narrow(TensorFile.Entry entry, DType dtype, Arena arena) {
    if (entry.shape().length < 2 || dtype == DType.F32) {
      return entry;
    }
    MemorySegment data = arena.allocate(2 * entry.elements(), 2);
    for (long i = 0; i < entry.elements(); i++) {
      float x = entry.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i);
      short bits =
          dtype == DType.F16
              ? Float.floatToFloat16(x)
              : (short) (Float.floatToRawIntBits(x) >>> 16);
      data.setAtIndex(ValueLayout.JAVA_SHORT, i, bits);
    }
    return new TensorFile.Entry(entry.name(), dtype, entry.shape(), data, entry.source());
  }
}
