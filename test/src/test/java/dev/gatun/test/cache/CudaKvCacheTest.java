package dev.gatun.test.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvSequence;
import dev.gatun.nn.KvStep;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.emulator.Emulator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The same on a CUDA device, emulated where there is none, and steps that are replayed. */
final class CudaKvCacheTest {
  private static final int HEADS = 2;
  private static final int SIZE = 16;
  private static final int WIDTH = 3 * HEADS * SIZE;
  private static final KvCache.Shape SHAPE = new KvCache.Shape(1, HEADS, SIZE, DType.F32);

  private Device cuda;

  @BeforeEach
  void open() {
    Emulator.open();
    cuda = Device.cuda(0);
  }

  @Test
  void random_scripts_attend_to_each_sequences_own_history() {
    long before = cuda.memory().allocatedBytes();
    long first = Long.getLong("gatun.test.seed", 1);
    for (long seed = first; seed < first + 8; seed++) {
      CacheScript.run(cuda, seed, 15);
    }
    assertEquals(before, cuda.memory().allocatedBytes(), "memory is given back");
  }

  /** A recorded step of up to three tokens, replayed with sequences that come, go and fork. */
  @Test
  void a_recorded_step_serves_the_steps_that_are_written_in_its_place() {
    Random random = new Random(5);
    try (Scope _ = Scope.open();
        KvCache cache = KvCache.paged(cuda, SHAPE, 4, 20);
        KvCache plain = KvCache.paged(cuda, SHAPE, 3, 30);
        KvStep step = cache.step(3, 3, 24);
        RotaryPositionalEmbedding rotary = new RotaryPositionalEmbedding(cuda, SIZE, 24, 10000)) {
      Tensor qkv = Tensor.zeros(cuda, 3, WIDTH);
      Ids positions = Ids.of(cuda, "positions", 24, 0, 0, 0);
      Segments segments = Segments.of(cuda, 1, 1, 1);
      Tensor[] result = new Tensor[1];
      Replay replay =
          cuda.capture(
              () -> {
                Tensor query = step.append(0, qkv, rotary, positions);
                result[0] = attend(query, segments, step);
              });
      List<KvSequence> sequences = new ArrayList<>();
      List<KvSequence> others = new ArrayList<>();
      try (replay) {
        for (int i = 0; i < 12; i++) {
          if (sequences.size() < 3 && i % 2 == 0) {
            boolean fork = i == 4;
            sequences.add(fork ? sequences.getFirst().fork() : cache.open());
            others.add(fork ? others.getFirst().fork() : plain.open());
          } else if (i % 5 == 0) {
            sequences.removeLast().close();
            others.removeLast().close();
          }
          int count = sequences.size();
          int[] ones = new int[count];
          Arrays.fill(ones, 1);
          float[] x = new float[count * WIDTH];
          for (int j = 0; j < x.length; j++) {
            x[j] = random.nextFloat() - 0.5f;
          }
          long[] places = others.stream().mapToLong(KvSequence::length).toArray();
          Tensor input = Tensor.of(cuda, x, count, WIDTH);
          Layouts.copy(input, qkv.slice(0, 0, count));
          positions.write(places);
          segments.write(ones);
          step.write(sequences, ones);
          replay.run();
          float[] want;
          try (KvStep own = plain.step(others, ones)) {
            Tensor query = own.append(0, input, rotary, Ids.of(cuda, "positions", 24, places));
            want = attend(query, Segments.of(cuda, ones), own).toFloatArray();
          }
          float[] got = Arrays.copyOf(result[0].toFloatArray(), want.length);
          assertArrayEquals(want, got, 1e-5f, "step " + i);
        }
      }
    }
  }

  private static Tensor attend(Tensor query, Segments segments, KvStep step) {
    return Attention.scaledDotProductAttention(
            query,
            segments,
            step.view(0),
            Attention.Scores.scaled(0.25f),
            Attention.Mask.of(Causal.BOTTOM_RIGHT),
            Dropout.NONE,
            false,
            false)
        .output();
  }
}
