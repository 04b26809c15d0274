package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sources of requests that begin together are encoded together, as far as there is room. */
@Timeout(60)
final class EncodedSourcesTest {
  private static final int START = 4;
  private static final int BAD = 9;
  private static final GenerationConfig GREEDY =
      GenerationConfig.builder().maxNewTokens(6).eosTokenId(List.of()).build();

  /** A table's model behind an encoder, which tells how many sources it was given at once. */
  private static final class Encoded implements StepModel {
    private final TableModel table = new TableModel(100, 4, 200);
    private final int batchTokens;
    final KvCache sources;
    final List<Integer> given = new ArrayList<>();

    Encoded(int batchTokens, int pages) {
      this.batchTokens = batchTokens;
      this.sources = KvCache.paged(Device.cpu(), new KvCache.Shape(0, 1, 1, DType.F32), 1, pages);
    }

    @Override
    public SourceModel encoder() {
      return new SourceModel() {
        @Override
        public int maxLength() {
          return 100;
        }

        @Override
        public int vocabSize() {
          return TableModel.VOCABULARY;
        }

        @Override
        public int startTokenId() {
          return START;
        }

        @Override
        public int batchTokens() {
          return batchTokens;
        }

        @Override
        public List<KvSequence> encode(List<int[]> ids) {
          return encoded(ids);
        }
      };
    }

    private List<KvSequence> encoded(List<int[]> ids) {
      given.add(ids.size());
      List<KvSequence> open = new ArrayList<>();
      try {
        ids.forEach(_ -> open.add(sources.open()));
        if (ids.stream().flatMapToInt(Arrays::stream).anyMatch(id -> id == BAD)) {
          throw new IllegalArgumentException("a bad source");
        }
        sources.step(open, ids.stream().mapToInt(each -> each.length).toArray()).close();
        return open;
      } catch (IllegalArgumentException | KvCacheFullException e) {
        open.forEach(KvSequence::close);
        throw e;
      }
    }

    @Override
    public KvCache cache() {
      return table.cache();
    }

    @Override
    public int maxLength() {
      return table.maxLength();
    }

    @Override
    public int vocabSize() {
      return table.vocabSize();
    }

    @Override
    public List<List<Next>> step(List<Work> works) {
      return table.step(works);
    }

    @Override
    public void close() {
      table.close();
      sources.close();
    }
  }

  /** The first source begins alone; the others wait for its step, and then begin. */
  private static List<GenerationStream> streams(
      TextGenerator generator, Encoded model, int... lengths) throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    Semaphore gate = new Semaphore(0);
    model.table.before =
        () -> {
          entered.countDown();
          gate.acquireUninterruptibly();
        };
    List<GenerationStream> streams = new ArrayList<>();
    streams.add(generator.stream(new int[] {1}, GREEDY));
    entered.await();
    for (int length : lengths) {
      int[] source = new int[Math.abs(length)];
      Arrays.fill(source, length < 0 ? BAD : 2);
      streams.add(generator.stream(source, GREEDY));
    }
    gate.release(100_000);
    return streams;
  }

  private static TextGenerator generator(Encoded model) {
    GenerationDefaults defaults = new GenerationDefaults(GREEDY, List.of());
    return new TextGenerator(model, null, null, defaults, GeneratorOptions.defaults());
  }

  private static void check(List<GenerationStream> streams) {
    int[] first = streams.getFirst().result().completions().getFirst().ids();
    assertEquals(6, first.length);
    for (GenerationStream stream : streams) {
      assertArrayEquals(first, stream.result().completions().getFirst().ids());
    }
  }

  @Test
  void begin_together_in_one_batch() throws InterruptedException {
    Encoded model = new Encoded(1000, 100);
    try (TextGenerator generator = generator(model)) {
      check(streams(generator, model, 3, 5, 1, 8));
      assertEquals(List.of(1, 4), model.given);
      assertEquals(100, model.sources.freePages());
    }
  }

  @Test
  void a_batch_has_no_more_tokens_than_are_worth_it() throws InterruptedException {
    Encoded model = new Encoded(7, 100);
    try (TextGenerator generator = generator(model)) {
      check(streams(generator, model, 3, 4, 3, 10, 3, 2));
      assertEquals(List.of(1, 2, 2, 1, 1), model.given);
      assertEquals(100, model.sources.freePages());
    }
  }

  @Test
  void one_that_fails_fails_alone() throws InterruptedException {
    Encoded model = new Encoded(1000, 100);
    try (TextGenerator generator = generator(model)) {
      List<GenerationStream> streams = streams(generator, model, 3, -2, 4);
      GenerationStream bad = streams.remove(2);
      check(streams);
      assertEquals(
          "a bad source", assertThrows(IllegalArgumentException.class, bad::result).getMessage());
      assertEquals(List.of(1, 3, 1, 1, 1), model.given);
      assertEquals(100, model.sources.freePages());
    }
  }

  /** A cache that has room for some of them: the others wait until those have ended. */
  @Test
  void sources_wait_for_room() throws InterruptedException {
    Encoded model = new Encoded(1000, 9);
    try (TextGenerator generator = generator(model)) {
      check(streams(generator, model, 4, 4, 8));
      assertEquals(9, model.sources.freePages());
    }
  }
}
