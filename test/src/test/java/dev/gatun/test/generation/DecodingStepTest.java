package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Counts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a decoding step asks of the driver: it is a graph that is launched, allocates nothing, and
 * waits once, for the ids. Whatever a device chooses, the host would have chosen too.
 */
final class DecodingStepTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final Path MODEL = GOLDENS.resolve("decoders/llama-gqa");
  private static final int[] PROMPT = {5, 6, 7, 8};

  /** Steps that are counted, behind those that are run before their size is recorded. */
  private static final int STEPS = 4;

  private static GenerationConfig.Builder config(int tokens) {
    return GenerationConfig.builder().maxNewTokens(tokens).eosTokenId(List.of()).seed(3);
  }

  @ParameterizedTest
  @CsvSource({
    "decoders/llama-gqa, false",
    "decoders/llama-gqa, true",
    "encoder-decoders/t5, false",
    "encoder-decoders/bart, true"
  })
  void a_decoding_step_is_a_graph_that_waits_for_nothing_but_its_ids(
      String model, boolean ofSignedBytes) throws IOException {
    assumeTrue(Emulator.isEmulated(), "a device counts nothing");
    Emulator.open();
    Device cuda = Device.cuda(0);
    long before = cuda.memory().allocatedBytes();
    GeneratorOptions options = GeneratorOptions.defaults().withDevice(cuda);
    options = ofSignedBytes ? options.withCacheDtype(DType.I8) : options;
    try (TextGenerator generator = TextGenerator.load(GOLDENS.resolve(model), options)) {
      for (boolean sample : new boolean[] {false, true}) {
        GenerationConfig.Builder settings = config(4).doSample(sample).topK(20).topP(0.9);
        generator.generate(PROMPT, settings.build());
        Counts few = counts(generator, settings.build());
        Counts more = counts(generator, settings.maxNewTokens(4 + STEPS).build());
        assertEquals(
            STEPS, more.of("cuGraphLaunch").calls() - few.of("cuGraphLaunch").calls(), "graphs");
        assertEquals(few.of("cuLaunchKernel"), more.of("cuLaunchKernel"), "kernels by themselves");
        assertEquals(few.of("cuMemAllocAsync"), more.of("cuMemAllocAsync"), "allocations");
        assertEquals(few.of("cuMemHostAlloc"), more.of("cuMemHostAlloc"), "pinned memory");
        assertEquals(STEPS, more.waits() - few.waits(), "waits, one a step");
        assertEquals(
            STEPS * 8,
            more.of("cuMemcpyDtoHAsync").bytes() - few.of("cuMemcpyDtoHAsync").bytes(),
            "bytes that are read: an id a step");
      }
    }
    assertEquals(before, cuda.memory().allocatedBytes(), "memory is given back");
  }

  private static Counts counts(TextGenerator generator, GenerationConfig config) {
    Emulator.counts();
    generator.generate(PROMPT, config);
    return Emulator.counts();
  }

  /** The same requests, with log-probabilities, which the host chooses by. */
  @Test
  void a_device_chooses_what_the_host_would() throws IOException {
    List<Device> devices = new ArrayList<>(List.of(Device.cpu()));
    if (Emulator.isEmulated()) {
      Emulator.open();
      devices.add(Device.cuda(0));
    }
    for (Device device : devices) {
      GeneratorOptions options = GeneratorOptions.defaults().withDevice(device);
      try (TextGenerator generator = TextGenerator.load(MODEL, options)) {
        List<GenerationConfig> all = new ArrayList<>();
        all.add(config(9).build());
        all.add(config(9).doSample(true).topK(0).temperature(1.3f).build());
        all.add(config(9).doSample(true).topK(7).build());
        all.add(config(9).doSample(true).topK(0).topP(0.7).build());
        all.add(config(9).doSample(true).topK(0).minP(0.2).temperature(2).build());
        all.add(config(9).doSample(true).topK(30).topP(0.9).minP(0.05).build());
        List<GenerationStream> together =
            all.stream().map(each -> generator.stream(PROMPT, each)).toList();
        for (int i = 0; i < all.size(); i++) {
          Completion chosen = together.get(i).result().completions().getFirst();
          GenerationConfig byHost = all.get(i).toBuilder().logprobs(0).build();
          Completion host = generator.generate(PROMPT, byHost).completions().getFirst();
          assertArrayEquals(host.ids(), chosen.ids(), device + " " + all.get(i));
        }
      }
    }
  }
}
