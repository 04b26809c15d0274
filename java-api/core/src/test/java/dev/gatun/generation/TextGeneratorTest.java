package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests together, over a model whose logits follow from the whole history. */
@Timeout(60)
final class TextGeneratorTest {
  private static final GenerationConfig GREEDY =
      GenerationConfig.builder().maxNewTokens(12).eosTokenId(List.of(1)).build();

  private static TextGenerator generator(TableModel model, GeneratorOptions options) {
    return new TextGenerator(model, null, null, new GenerationDefaults(GREEDY, List.of()), options);
  }

  private static TextGenerator generator(TableModel model) {
    return generator(model, GeneratorOptions.defaults());
  }

  /** What the settings give without any cache, scheduler or thread. */
  private static List<int[]> alone(int[] prompt, GenerationConfig config, int maxLength) {
    int length = Math.min(maxLength, prompt.length + config.maxNewTokens().getAsInt());
    List<int[]> all = new ArrayList<>();
    if (config.numBeams() > 1) {
      BeamSearch search =
          new BeamSearch(
              config, h -> false, new TokenHistory(prompt), null, length, config.seed().orElse(0));
      while (!search.isDone()) {
        search.step(
            search.running().stream()
                .map(beam -> TableModel.logProbabilities(beam.history()))
                .toArray(float[][]::new));
      }
      search.results().forEach(beam -> all.add(beam.history().from(prompt.length)));
      return all;
    }
    for (int i = 0; i < config.numReturnSequences(); i++) {
      TokenHistory history = new TokenHistory(prompt);
      Sampler sampler = new Sampler(config, length, null);
      int id = -1;
      while (history.length() < length && !config.eosTokenId().contains(id)) {
        id = sampler.next(TableModel.logits(history), history, config.seed().orElse(0), i).id();
        history.add(id);
      }
      all.add(history.from(prompt.length));
    }
    return all;
  }

  private static GenerationConfig random(Random random) {
    GenerationConfig.Builder builder =
        GenerationConfig.builder()
            .maxNewTokens(1 + random.nextInt(30))
            .seed(random.nextLong())
            .eosTokenId(List.of(1));
    switch (random.nextInt(5)) {
      case 0 -> builder.numBeams(2 + random.nextInt(3)).numReturnSequences(2);
      case 1 -> builder.doSample(true).temperature(2).numReturnSequences(1 + random.nextInt(3));
      case 2 -> builder.doSample(true).topP(0.8).repetitionPenalty(1.2f);
      case 3 -> builder.numBeams(4).numBeamGroups(2).diversityPenalty(1);
      default -> builder.noRepeatNgramSize(2);
    }
    return builder.promptLookupNumTokens(random.nextInt(5)).build();
  }

  /** Prompts begin alike, so that their pages are shared. */
  private static int[] prompt(Random random) {
    int[] prompt = new int[1 + random.nextInt(random.nextBoolean() ? 6 : 70)];
    long seed = random.nextInt(3);
    int own = random.nextInt(prompt.length + 1);
    for (int i = 0; i < prompt.length; i++) {
      prompt[i] = i < own ? (int) ((seed + i) * 5 % 13) : random.nextInt(TableModel.VOCABULARY);
    }
    return prompt;
  }

  /** Random scripts: requests of many threads, some cancelled, in caches that are too small. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void a_request_gives_what_it_gives_alone(long seed) throws InterruptedException {
    Random random = new Random(seed);
    int pageSize = 1 + random.nextInt(16);
    int pages = Math.ceilDiv(110, pageSize) * 4 + random.nextInt(40) + 8;
    TableModel model = new TableModel(110, pageSize, pages);
    GeneratorOptions options =
        GeneratorOptions.defaults()
            .withSteps(1 + random.nextInt(12), 1 + random.nextInt(80), 1 + random.nextInt(30));
    int free = model.cache().freePages();
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    try (TextGenerator generator = generator(model, options)) {
      List<Thread> threads = new ArrayList<>();
      for (int thread = 0; thread < 6; thread++) {
        Random own = new Random(random.nextLong());
        threads.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    for (int i = 0; i < 12; i++) {
                      request(generator, own);
                    }
                  } catch (Throwable e) {
                    failures.add(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      if (!failures.isEmpty()) {
        throw new AssertionError("seed " + seed, failures.peek());
      }
    }
    assertTrue(model.closed);
    assertEquals(free, model.cache().freePages());
  }

  private static void request(TextGenerator generator, Random random) {
    int[] prompt = prompt(random);
    GenerationConfig config = random(random);
    List<int[]> expected = alone(prompt, config, generator.maxLength());
    try (GenerationStream stream = generator.stream(prompt, config)) {
      if (random.nextInt(4) == 0) {
        stream.iterator().hasNext();
        stream.cancel();
        for (Completion completion : stream.result().completions()) {
          if (config.numBeams() == 1) {
            int[] ids = completion.ids();
            assertTrue(
                expected.stream().anyMatch(e -> Arrays.mismatch(e, ids) < 0 || begins(e, ids)));
          }
        }
        return;
      }
      List<Completion> given = stream.result().completions();
      assertEquals(expected.size(), given.size());
      for (int i = 0; i < given.size(); i++) {
        assertArrayEquals(expected.get(i), given.get(i).ids(), config.toString());
      }
    }
  }

  private static boolean begins(int[] all, int... first) {
    return first.length <= all.length
        && Arrays.equals(all, 0, first.length, first, 0, first.length);
  }

  /** Requests that each fit the cache, and not together: some wait and are computed again. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void where_the_cache_is_full_the_youngest_wait(int pageSize) {
    int length = 60;
    // One fits, with a page to spare; five do not.
    TableModel model = new TableModel(length, pageSize, Math.ceilDiv(length, pageSize) + 1);
    int free = model.cache().freePages();
    GenerationConfig endless =
        GREEDY.toBuilder().eosTokenId(List.of()).maxNewTokens(50).doSample(true).build();
    int sum = 0;
    try (TextGenerator generator = generator(model)) {
      Semaphore steps = new Semaphore(0);
      model.before = steps::acquireUninterruptibly;
      List<GenerationStream> streams = new ArrayList<>();
      List<int[]> expected = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        int[] prompt = {i, i + 1, i + 2, i + 3, 2 * i};
        GenerationConfig config = endless.toBuilder().seed(i).build();
        streams.add(generator.stream(prompt, config));
        expected.add(alone(prompt, config, length).getFirst());
        sum += prompt.length + 49;
      }
      steps.release(100_000);
      for (int i = 0; i < 5; i++) {
        assertArrayEquals(expected.get(i), streams.get(i).result().completions().getFirst().ids());
      }
    }
    assertTrue(model.tokens.get() > sum, "nothing was computed again: " + model.tokens.get());
    assertEquals(free, model.cache().freePages());
  }

  @Test
  void steps_keep_to_their_bounds() {
    TableModel model = new TableModel(400, 16, 1000);
    try (TextGenerator generator =
        generator(model, GeneratorOptions.defaults().withSteps(4, 32, 8))) {
      List<GenerationStream> streams = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        int[] prompt = new int[100];
        Arrays.fill(prompt, i % 13);
        streams.add(generator.stream(prompt, GREEDY));
      }
      streams.forEach(GenerationStream::result);
    }
    assertTrue(model.mostSequences <= 4, "sequences " + model.mostSequences);
    assertTrue(model.mostTokens <= 32, "tokens " + model.mostTokens);
  }

  @Test
  void fewest_new_tokens_go_before_the_least_length() {
    int different = 0;
    try (TextGenerator generator = generator(new TableModel(110, 16, 40))) {
      for (int i = 0; i < 20; i++) {
        int[] prompt = {i % 11 + 2, 5, i / 11};
        GenerationConfig fewest = GREEDY.toBuilder().minNewTokens(2).build();
        GenerationConfig both = fewest.toBuilder().minLength(12).build();
        GenerationConfig length = GREEDY.toBuilder().minLength(12).build();
        int[] want = generator.generate(prompt, fewest).completions().getFirst().ids();
        assertArrayEquals(want, generator.generate(prompt, both).completions().getFirst().ids());
        int[] other = generator.generate(prompt, length).completions().getFirst().ids();
        different += Arrays.equals(want, other) ? 0 : 1;
      }
    }
    assertTrue(different > 0, "the length makes a difference alone");
  }

  @Test
  void a_long_prompt_holds_up_neither_text_nor_short_prompts() {
    TableModel model = new TableModel(5000, 16, 1000);
    Semaphore steps = new Semaphore(0);
    model.before = steps::acquireUninterruptibly;
    try (TextGenerator generator =
        generator(model, GeneratorOptions.defaults().withSteps(8, 64, 16))) {
      GenerationConfig twenty = GREEDY.toBuilder().maxNewTokens(20).eosTokenId(List.of()).build();
      GenerationStream writing = generator.stream(new int[] {5}, twenty);
      GenerationStream longPrompt = generator.stream(new int[4000], twenty);
      GenerationStream shortPrompt = generator.stream(new int[] {2, 3, 4}, twenty);
      steps.release(24);
      assertEquals(20, writing.result().generatedTokens());
      assertEquals(20, shortPrompt.result().generatedTokens());
      assertFalse(longPrompt.isDone());
      steps.release(1000);
      assertEquals(20, longPrompt.result().generatedTokens());
    }
  }

  @Test
  void a_request_is_cancelled_within_a_step_in_its_prompt_too() {
    TableModel model = new TableModel(5000, 16, 1000);
    Semaphore steps = new Semaphore(0);
    model.before = steps::acquireUninterruptibly;
    try (TextGenerator generator =
        generator(model, GeneratorOptions.defaults().withSteps(8, 64, 16))) {
      GenerationStream prompt = generator.stream(new int[4000], GREEDY);
      GenerationStream queued = generator.stream(new int[4000], GREEDY);
      steps.release(3);
      prompt.cancel();
      queued.close();
      steps.release(1);
      for (GenerationStream stream : List.of(prompt, queued)) {
        Completion completion = stream.result().completions().getFirst();
        assertEquals(FinishReason.CANCELLED, completion.reason());
        assertEquals(0, completion.ids().length);
      }
      assertTrue(model.steps.get() <= 4);
      steps.release(100);
      assertEquals(
          12,
          generator
              .generate(new int[] {3}, GREEDY.toBuilder().eosTokenId(List.of()).build())
              .generatedTokens());
    }
  }

  @Test
  void what_was_computed_is_not_computed_again() {
    TableModel model = new TableModel(300, 16, 100);
    try (TextGenerator generator = generator(model)) {
      int[] prompt = new int[100];
      GenerationResult once = generator.generate(prompt, GREEDY);
      assertEquals(0, once.cachedTokens());
      int before = model.tokens.get();
      GenerationResult again = generator.generate(prompt, GREEDY);
      assertEquals(99, again.cachedTokens());
      assertEquals(once.generatedTokens(), model.tokens.get() - before);
      assertArrayEquals(once.completions().getFirst().ids(), again.completions().getFirst().ids());
      GenerationConfig three =
          GREEDY.toBuilder().doSample(true).numReturnSequences(3).maxNewTokens(1).build();
      before = model.tokens.get();
      int[] other = new int[90];
      Arrays.fill(other, 4);
      generator.generate(other, three);
      assertEquals(92, model.tokens.get() - before);
    }
  }

  @Test
  void wrong_logits_end_their_request_alone() {
    TableModel model = new TableModel(300, 16, 100);
    model.poison = 9;
    Semaphore steps = new Semaphore(0);
    model.before = steps::acquireUninterruptibly;
    try (TextGenerator generator = generator(model)) {
      GenerationConfig safe = GREEDY.toBuilder().suppressTokens(List.of(9)).build();
      GenerationStream bad = generator.stream(new int[] {1, 9}, safe);
      GenerationStream good = generator.stream(new int[] {1, 8}, safe);
      steps.release(100);
      String message = assertThrows(InvalidLogitsException.class, bad::result).getMessage();
      assertEquals("logits of the token at position 2: that of id 3 is NaN", message);
      assertThrows(InvalidLogitsException.class, () -> bad.iterator().hasNext());
      assertArrayEquals(
          alone(new int[] {1, 8}, safe, 300).getFirst(),
          good.result().completions().getFirst().ids());
    }
  }

  @Test
  void a_step_that_fails_ends_its_requests_and_no_others() {
    TableModel model = new TableModel(300, 16, 100);
    int free = model.cache().freePages();
    try (TextGenerator generator = generator(model)) {
      model.before =
          () -> {
            throw new IllegalArgumentException("no such luck");
          };
      GenerationStream failed = generator.stream(new int[] {1}, GREEDY);
      assertEquals(
          "no such luck",
          assertThrows(IllegalArgumentException.class, failed::result).getMessage());
      assertEquals(free, model.cache().freePages());
      model.before = () -> {};
      assertTrue(generator.generate(new int[] {1}, GREEDY).generatedTokens() > 0);
    }
  }

  @Test
  void a_cache_that_is_too_small_is_told_with_the_setting() {
    TableModel model = new TableModel(300, 4, 5);
    try (TextGenerator generator = generator(model)) {
      GenerationConfig endless = GREEDY.toBuilder().eosTokenId(List.of()).maxNewTokens(50).build();
      GenerationStream stream = generator.stream(new int[] {1, 2}, endless);
      List<TextChunk> chunks = new ArrayList<>();
      String message =
          assertThrows(IllegalStateException.class, () -> stream.forEach(chunks::add)).getMessage();
      assertTrue(message.contains("cacheBytes"), message);
      // 20 places, 2 of the prompt; the last token needs none.
      assertEquals(19, chunks.size());
      assertEquals(
          12,
          generator
              .generate(new int[] {1, 2}, endless.toBuilder().maxNewTokens(12).build())
              .generatedTokens());
      assertThrows(IllegalStateException.class, () -> generator.generate(new int[30], GREEDY));
    }
  }

  @Test
  void bad_prompts_are_refused() {
    try (TextGenerator generator = generator(new TableModel(20, 4, 50))) {
      for (int[] prompt : new int[][] {{}, {13}, {-1}, new int[20], new int[25]}) {
        String message =
            assertThrows(IllegalArgumentException.class, () -> generator.generate(prompt, GREEDY))
                .getMessage();
        assertTrue(message.startsWith("prompt: "), message);
      }
      GenerationConfig begin = GREEDY.toBuilder().bosTokenId(4).build();
      assertEquals(1, generator.generate(new int[0], begin).promptTokens());
      assertThrows(IllegalArgumentException.class, () -> generator.stream("text"));
      GenerationConfig stops = GREEDY.toBuilder().stopStrings(List.of("x")).build();
      assertThrows(IllegalArgumentException.class, () -> generator.generate(new int[] {1}, stops));
      GenerationConfig longest = GREEDY.toBuilder().eosTokenId(List.of()).maxNewTokens(99).build();
      Completion full = generator.generate(new int[18], longest).completions().getFirst();
      assertEquals(FinishReason.LENGTH, full.reason());
      assertEquals(2, full.ids().length);
    }
  }

  @Test
  void it_closes_while_it_writes_twice_and_unused() {
    generator(new TableModel(20, 4, 50)).close();
    TableModel model = new TableModel(100_000, 16, 10_000);
    TextGenerator generator = generator(model);
    GenerationConfig endless =
        GREEDY.toBuilder().eosTokenId(List.of()).maxNewTokens(90_000).build();
    GenerationStream stream = generator.stream(new int[] {1}, endless);
    stream.iterator().next();
    generator.close();
    generator.close();
    assertEquals(
        "the text generator was closed",
        assertThrows(IllegalStateException.class, stream::result).getMessage());
    assertEquals(
        "the text generator is closed",
        assertThrows(IllegalStateException.class, () -> generator.generate(new int[] {1}, GREEDY))
            .getMessage());
    assertTrue(model.closed);
  }

  @Test
  void time_ends_a_request() {
    TableModel model = new TableModel(100_000, 16, 10_000);
    try (TextGenerator generator = generator(model)) {
      GenerationConfig timed =
          GREEDY.toBuilder()
              .eosTokenId(List.of())
              .maxNewTokens(90_000)
              .maxTime(Duration.ofMillis(30))
              .build();
      GenerationResult result = generator.generate(new int[] {1}, timed);
      assertEquals(FinishReason.TIME, result.completions().getFirst().reason());
    }
  }

  @Test
  void an_interrupted_reader_cancels() {
    TableModel model = new TableModel(100, 16, 100);
    Semaphore steps = new Semaphore(0);
    model.before = steps::acquireUninterruptibly;
    TextGenerator generator = generator(model);
    GenerationStream stream = generator.stream(new int[] {1}, GREEDY);
    Thread.currentThread().interrupt();
    assertThrows(CancellationException.class, stream::result);
    assertTrue(Thread.interrupted());
    steps.release(10);
    assertEquals(FinishReason.CANCELLED, stream.result().completions().getFirst().reason());
    generator.close();
  }

  @Test
  void a_subscriber_gets_what_it_asks_for() throws InterruptedException {
    GenerationConfig ten = GREEDY.toBuilder().eosTokenId(List.of()).maxNewTokens(10).build();
    try (TextGenerator generator = generator(new TableModel(100, 16, 100))) {
      Collector all = new Collector(Long.MAX_VALUE);
      new ChunkPublisher(() -> generator.stream(new int[] {2}, ten)).subscribe(all);
      all.end.await();
      assertEquals(10, all.chunks.size());
      assertEquals("complete", all.outcome);
      Collector two = new Collector(2);
      new ChunkPublisher(() -> generator.stream(new int[] {2}, ten)).subscribe(two);
      two.received.acquire(2);
      assertTimeoutPreemptively(Duration.ofSeconds(5), () -> two.subscription.request(8));
      two.end.await();
      assertEquals(10, two.chunks.size());
      Collector bad = new Collector(0);
      new ChunkPublisher(() -> generator.stream(new int[] {2}, ten)).subscribe(bad);
      bad.end.await();
      assertTrue(bad.outcome.contains("expected from 1"), bad.outcome);
      Collector refused = new Collector(1);
      new ChunkPublisher(() -> generator.stream(new int[] {99}, ten)).subscribe(refused);
      refused.end.await();
      assertTrue(refused.outcome.contains("vocabulary"), refused.outcome);
    }
  }

  private static final class Collector implements Flow.Subscriber<TextChunk> {
    private final long demand;
    private final List<TextChunk> chunks = new ArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Semaphore received = new Semaphore(0);
    private Flow.Subscription subscription;
    private String outcome;

    private Collector(long demand) {
      this.demand = demand;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(demand);
    }

    @Override
    public void onNext(TextChunk chunk) {
      chunks.add(chunk);
      received.release();
    }

    @Override
    public void onError(Throwable failure) {
      outcome = failure.getMessage();
      end.countDown();
    }

    @Override
    public void onComplete() {
      outcome = "complete";
      end.countDown();
    }
  }

  /** Nothing is left of requests that ended, once the collector has been through. */
  @Test
  void ten_thousand_requests_leave_nothing() throws InterruptedException {
    TableModel model = new TableModel(50, 4, 200);
    try (TextGenerator generator = generator(model)) {
      GenerationConfig two = GREEDY.toBuilder().maxNewTokens(2).build();
      long before = 0;
      for (int i = 0; i < 10_000; i++) {
        generator.generate(new int[] {i % 13, i / 13 % 13, i / 169 % 13}, two);
        if (i == 2000) {
          before = used();
        }
      }
      // 8,000 requests that each left an object of 100 bytes would be more than this.
      long bound = before + 800_000;
      for (int i = 0; i < 50 && used() > bound; i++) {
        Thread.sleep(100);
      }
      assertTrue(used() <= bound, "grown by " + (used() - before));
    }
  }

  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
