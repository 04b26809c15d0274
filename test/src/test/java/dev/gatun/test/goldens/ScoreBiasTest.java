package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.models.Chunk;
import dev.gatun.models.Seq2SeqInputs;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.tensor.Device;
import dev.gatun.test.contract.frame.Subjects;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The bias of scores is found once a pass for all layers and sequences, as large as attention reads
 * it, and is not kept longer.
 */
final class ScoreBiasTest {
  private static final long[][] SOURCES = {
    {16, 76, 36, 79, 80, 65, 99}, {83, 31, 89}, {5, 6, 7, 8, 9}
  };
  private static final long[][] TARGETS = {{0, 41, 97, 8}, {0, 67, 67, 30}, {0, 3, 4, 5}};
  private static final long BUCKETS = 8;
  private static final long HEADS = 4;

  /** A backend that counts. */
  private static final class Counter implements Backend {
    /** Rows that were taken of tables of biases, by each call. */
    final List<Long> found = new ArrayList<>();

    /** The biases of each call of attention that has one. */
    final List<Operand> read = new ArrayList<>();

    /** The most biases that there were while attention was computed. */
    int most;

    @Override
    public String name() {
      return Subjects.CPU.name();
    }

    @Override
    public String description() {
      return Subjects.CPU.description();
    }

    @Override
    public Memory memory() {
      return Subjects.CPU.memory();
    }

    @Override
    public Kernels kernels() {
      return call -> {
        count(call);
        Subjects.CPU.kernels().run(call);
      };
    }

    private void count(KernelCall call) {
      if (call instanceof Embedding e && e.table().size(0) == BUCKETS) {
        found.add(e.y().size(0));
      }
      if (call instanceof ScaledDotProductAttention a && a.scores().bias() != null) {
        read.add(a.scores().bias());
        long open =
            read.stream().map(Operand::buffer).distinct().filter(b -> !b.isClosed()).count();
        most = Math.max(most, (int) open);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"t5, 1", "mt5, 1", "switch, 1", "umt5, 2"})
  void is_found_once_a_pass(String name, int each) throws IOException {
    Path folder = Path.of("goldens/encoder-decoders", name);
    Counter counter = new Counter();
    try (Seq2SeqLm model = EncoderDecoderGoldens.load(folder, Device.of(counter))) {
      int layers = 2;
      model.forward(Seq2SeqInputs.of(SOURCES, null, TARGETS)).close();
      List<Long> whole = new ArrayList<>();
      whole.addAll(Collections.nCopies(each, 7L * 7));
      whole.addAll(Collections.nCopies(each, 4L * 4));
      assertEquals(whole, counter.found, "pairs of the longest source, and of the longest target");
      assertEquals(2 * layers, counter.read.size());
      assertArrayEquals(new long[] {1, HEADS, 7, 7}, counter.read.getFirst().shape());
      assertArrayEquals(new long[] {1, HEADS, 4, 4}, counter.read.getLast().shape());
      assertEquals(1, counter.most, "biases at a time");
      step(model, counter, each);
    }
  }

  /** A step with caches: each target stands elsewhere, so each has its own. */
  private static void step(Seq2SeqLm model, Counter counter, int each) {
    try (KvCache sources = KvCache.paged(model.device(), model.sourceShape(), 4, 8);
        KvCache cache = KvCache.paged(model.device(), model.cacheShape(), 4, 8)) {
      List<KvSequence> from = List.of(sources.open(), sources.open(), sources.open());
      model.encode(from, SOURCES);
      List<KvSequence> to = List.of(cache.open(), cache.open(), cache.open());
      for (int length : new int[] {2, 1}) {
        counter.found.clear();
        counter.read.clear();
        List<Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          chunks.add(new Chunk(to.get(i), new long[length], 1, from.get(i)));
        }
        try (TokenBatch batch = model.batch(chunks)) {
          model.logits(batch).close();
        }
        Operand bias = counter.read.getFirst();
        assertEquals(each, counter.found.size());
        assertEquals(3 * bias.size(2) * bias.size(3), counter.found.getFirst());
        assertEquals(length, bias.size(2));
        assertTrue(bias.size(3) <= 4, "keys: " + bias.size(3));
      }
      to.forEach(KvSequence::close);
      from.forEach(KvSequence::close);
    }
  }
}
