package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Requests that arrive from many threads, are cancelled, share beginnings, and come again with
 * other ends give the ids that each gives alone, in a cache of its own and with its prompt in one
 * piece.
 */
final class RandomScriptsTest {
  private static final int VOCABULARY = 96;

  /** More than the cache has room for. */
  private static final int THREADS = 10;

  private record Asked(int[] prompt, GenerationConfig config, boolean cancelled) {}

  @ParameterizedTest
  @CsvSource({
    "llama, F32, 1, 1",
    "llama, I8, 1, 2",
    "llama-gqa, F32, 1, 3",
    "llama-gqa, F32, 1, 4",
    "mixtral, F32, 1, 5",
    "qwen2-moe, F32, 1, 6",
    "gemma2, I8, 1, 7",
    // About the original length of 64 tokens.
    "phi3-longrope, F32, 40, 8",
    "phi3-longrope, F32, 40, 9"
  })
  void each_request_gives_what_it_gives_alone(String golden, DType cache, int shortest, long seed)
      throws Exception {
    Path folder = Path.of("goldens/decoders", golden);
    long drawn = seed + 100 * (Long.getLong("gatun.test.seed", 1) - 1);
    Random random = new Random(drawn);
    List<Asked> asked = script(random, shortest, 40);
    List<List<int[]>> alone = new ArrayList<>();
    for (Asked each : asked) {
      alone.add(alone(folder, cache, each));
    }
    GeneratorOptions options =
        GeneratorOptions.defaults()
            .withCacheDtype(cache)
            .withPageSize(1 + random.nextInt(9))
            .withCacheBytes(shortest * 2000L + 60_000 + random.nextInt(20_000))
            .withSteps(4 + random.nextInt(10), 4 + random.nextInt(60), 1 + random.nextInt(20));
    long before = Device.cpu().memory().allocatedBytes();
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    // A model that guesses for itself is always right; what is looked up often is not.
    Path draft = seed % 2 == 0 ? folder : null;
    try (TextGenerator generator = TextGenerator.load(folder, draft, options)) {
      List<Thread> threads = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int first = thread;
        threads.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    for (int i = first; i < asked.size(); i += THREADS) {
                      check(generator, asked.get(i), alone.get(i));
                    }
                  } catch (Throwable e) {
                    failures.add(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertEquals(before, Device.cpu().memory().allocatedBytes());
    if (!failures.isEmpty()) {
      throw new AssertionError("seed " + drawn + ", " + options, failures.peek());
    }
  }

  private static List<Asked> script(Random random, int shortest, int count) {
    List<Asked> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] prompt = random.ints(shortest + random.nextInt(30), 0, VOCABULARY).toArray();
      if (i > 0 && random.nextInt(3) > 0) {
        // One from before with another end.
        int[] before = asked.get(random.nextInt(i)).prompt;
        int kept = 1 + random.nextInt(before.length);
        System.arraycopy(before, 0, prompt, 0, Math.min(kept, prompt.length));
      }
      GenerationConfig.Builder config =
          GenerationConfig.builder()
              .maxNewTokens(1 + random.nextInt(16))
              .promptLookupNumTokens(random.nextBoolean() ? 0 : 1 + random.nextInt(7))
              .seed(random.nextLong())
              .eosTokenId(List.of(2));
      switch (random.nextInt(4)) {
        case 0 -> config.doSample(true).temperature(1.5f).topK(20);
        case 1 -> config.doSample(true).topP(0.9).numReturnSequences(2);
        case 2 -> config.numBeams(3).numReturnSequences(2);
        default -> config.repetitionPenalty(1.1f);
      }
      asked.add(new Asked(prompt, config.build(), random.nextInt(6) == 0));
    }
    return asked;
  }

  private static List<int[]> alone(Path folder, DType cache, Asked asked) throws IOException {
    GeneratorOptions options = GeneratorOptions.defaults().withCacheDtype(cache);
    try (TextGenerator generator = TextGenerator.load(folder, options)) {
      GenerationConfig plain = asked.config.toBuilder().promptLookupNumTokens(0).build();
      return generator.generate(asked.prompt, plain).completions().stream()
          .map(Completion::ids)
          .toList();
    }
  }

  private static void check(TextGenerator generator, Asked asked, List<int[]> expected) {
    try (GenerationStream stream = generator.stream(asked.prompt, asked.config)) {
      if (asked.cancelled) {
        stream.iterator().hasNext();
        stream.cancel();
      }
      List<Completion> given = stream.result().completions();
      if (asked.cancelled) {
        for (int i = 0; i < given.size() && asked.config.numBeams() == 1; i++) {
          int[] ids = given.get(i).ids();
          assertTrue(ids.length <= expected.get(i).length);
          assertArrayEquals(Arrays.copyOf(expected.get(i), ids.length), ids);
        }
        return;
      }
      assertEquals(expected.size(), given.size());
      for (int i = 0; i < given.size(); i++) {
        assertArrayEquals(expected.get(i), given.get(i).ids(), asked.config.toString());
      }
    }
  }
}
