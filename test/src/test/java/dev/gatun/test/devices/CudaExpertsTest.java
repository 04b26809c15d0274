package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCombine;
import dev.gatun.kernels.api.call.experts.GroupedMatmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Rows, offsets and places that are none: the host does not see them, so the kernels must do what
 * the calls' specifications say, and touch nothing else, which the emulator checks.
 */
final class CudaExpertsTest {
  private static final Backend CUDA = Emulator.open();
  private static final int EXPERTS = 3;
  private static final int PLACES = 6;
  private static final int SIZE = 8;
  private static final float UNWRITTEN = -7;

  /** Places [6] of tokens [2] by experts whose weights are their numbers, plus 1, times one. */
  private static float[][] product(DType dtype, int[] offsets, int[] rows) {
    long count = MatmulPack.packedCount(dtype, SIZE, SIZE);
    byte[] packed = new byte[(int) (EXPERTS * count * dtype.bytes())];
    byte[] x = new byte[2 * SIZE * dtype.bytes()];
    for (int e = 0; e < EXPERTS; e++) {
      for (int i = 0; i < SIZE; i++) {
        put(packed, dtype, e * count + MatmulPack.place(dtype, i, i, SIZE), e + 1);
      }
    }
    for (int i = 0; i < 2 * SIZE; i++) {
      put(x, dtype, i, 1 + i / SIZE);
    }
    float[] y = new float[PLACES * SIZE];
    Arrays.fill(y, UNWRITTEN);
    try (Buffer xs = buffer(MemorySegment.ofArray(x));
        Buffer weights = buffer(MemorySegment.ofArray(packed));
        Buffer begins = buffer(MemorySegment.ofArray(offsets));
        Buffer tokens = buffer(MemorySegment.ofArray(rows));
        Buffer results = buffer(MemorySegment.ofArray(y))) {
      CUDA.kernels()
          .run(
              new GroupedMatmul(
                  Operand.of(xs, dtype, 2, SIZE),
                  Operand.of(tokens, DType.I32, PLACES),
                  Operand.of(begins, DType.I32, EXPERTS + 1),
                  Operand.of(weights, dtype, EXPERTS * count),
                  null,
                  Activation.NONE,
                  Operand.of(results, DType.F32, PLACES, SIZE)));
      CUDA.memory().read(results, 0, MemorySegment.ofArray(y));
    }
    float[][] of = new float[PLACES][];
    Arrays.setAll(of, p -> Arrays.copyOfRange(y, p * SIZE, (p + 1) * SIZE));
    return of;
  }

  private static void put(byte[] bytes, DType dtype, long place, float value) {
    int bits = Float.floatToRawIntBits(value);
    int size = dtype.bytes();
    for (int i = 0; i < size; i++) {
      bits = size == 2 && i == 0 ? bits >>> 16 : bits;
      bytes[(int) place * size + i] = (byte) (bits >>> 8 * i);
    }
  }

  private static Buffer buffer(MemorySegment values) {
    Buffer buffer = CUDA.memory().allocate(values.byteSize());
    CUDA.memory().write(values, buffer, 0);
    return buffer;
  }

  private static void all(float expected, float[] row) {
    float[] wanted = new float[row.length];
    Arrays.fill(wanted, expected);
    assertArrayEquals(wanted, row);
  }

  @Test
  void a_row_that_is_none_counts_as_zeros() {
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      float[][] y =
          product(dtype, new int[] {0, 2, 2, 5}, new int[] {1, 2, -1, 0, Integer.MIN_VALUE, 0});
      all(2, y[0]);
      all(0, y[1]);
      all(0, y[2]);
      all(3, y[3]);
      all(0, y[4]);
      all(UNWRITTEN, y[5]);
    }
  }

  @Test
  void offsets_are_cut_to_the_places() {
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      int[] rows = {0, 0, 0, 0, 1, 1};
      float[][] y = product(dtype, new int[] {-9, 4, Integer.MAX_VALUE, 100}, rows);
      all(1, y[0]);
      all(1, y[3]);
      all(4, y[4]);
      all(4, y[5]);
      all(UNWRITTEN, product(dtype, new int[] {8, 8, 7, -1}, rows)[0]);
    }
  }

  @Test
  void a_place_that_is_none_adds_nothing() {
    float[] y = new float[2 * SIZE];
    try (Buffer x = buffer(MemorySegment.ofArray(ones(3 * SIZE)));
        Buffer weights = buffer(MemorySegment.ofArray(ones(4)));
        Buffer places = buffer(MemorySegment.ofArray(new int[] {2, 3, -2, Integer.MIN_VALUE}));
        Buffer results = buffer(MemorySegment.ofArray(y))) {
      CUDA.kernels()
          .run(
              new ExpertCombine(
                  Operand.of(x, DType.F32, 3, SIZE),
                  Operand.of(weights, DType.F32, 2, 2),
                  Operand.of(places, DType.I32, 2, 2),
                  null,
                  Operand.of(results, DType.F32, 2, SIZE)));
      CUDA.memory().read(results, 0, MemorySegment.ofArray(y));
    }
    all(1, Arrays.copyOf(y, SIZE));
    all(0, Arrays.copyOfRange(y, SIZE, 2 * SIZE));
    assertEquals(0, CUDA.memory().allocatedBytes());
  }

  private static final int TOKENS = 11;
  private static final int HIDDEN = 64;
  private static final int INNER = 96;

  /** Experts' layers with quantised weights, of which nothing is read between. */
  private record Layer(
      Tensor x, Tensor logits, Tensor up, Tensor down, QuantizedActivations activations) {
    static Layer on(Device device, QuantizedActivations activations) {
      Random random = new Random(3);
      Tensor x = random(device, random, TOKENS, HIDDEN);
      Tensor logits = random(device, random, TOKENS, 5);
      List<Tensor> ups = new ArrayList<>();
      List<Tensor> downs = new ArrayList<>();
      for (int e = 0; e < 5; e++) {
        ups.add(random(device, random, INNER, HIDDEN));
        downs.add(random(device, random, HIDDEN, INNER));
      }
      Tensor up = Experts.pack(ups, BlockFormat.int4(32));
      return new Layer(x, logits, up, Experts.pack(downs, BlockFormat.INT8), activations);
    }

    private static Tensor random(Device device, Random random, long... shape) {
      float[] values = new float[(int) (shape[0] * shape[1])];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return Tensor.of(device, values, shape);
    }

    /** Other tokens, in the memory of those before. */
    void refill(long seed) {
      Random random = new Random(seed);
      for (Tensor tensor : List.of(x, logits)) {
        float[] values = new float[(int) tensor.count()];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) random.nextGaussian();
        }
        Operand operand = tensor.operand();
        tensor.device().memory().write(MemorySegment.ofArray(values), operand.buffer(), 0);
      }
    }

    Tensor run() {
      Experts.Routing routing = Experts.route(logits, 2, true, 1, null);
      Tensor inner =
          Experts.linear(
              x,
              routing.rows(),
              routing,
              up,
              BlockFormat.int4(32),
              activations,
              null,
              INNER,
              Activation.SILU,
              DType.BF16);
      Tensor out =
          Experts.linear(
              inner,
              null,
              routing,
              down,
              BlockFormat.INT8,
              activations,
              null,
              HIDDEN,
              Activation.NONE,
              DType.F32);
      return Experts.combine(out, routing, null, DType.F32);
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_replay_of_quantised_experts_routes_anew(QuantizedActivations activations) {
    Device cuda = Device.cuda(0);
    for (Policy policy : new Policy[] {Policy.ROUND_ROBIN, Policy.GREEDY_WARP}) {
      Emulator.set(policy, 3, false, true);
      try (Scope _ = Scope.open()) {
        Layer layer = Layer.on(cuda, activations);
        Layer beside = Layer.on(Device.cpu(), activations);
        List<Tensor> results = new ArrayList<>();
        try (Replay replay = cuda.capture(() -> results.add(layer.run()))) {
          for (int seed = 0; seed < 3; seed++) {
            layer.refill(seed);
            beside.refill(seed);
            replay.run();
            float[] replayed = results.getLast().toFloatArray();
            assertArrayEquals(layer.run().toFloatArray(), replayed);
            // Of numbers up to 100: another order of sums rounds some of the inner layer, or their
            // codes, to neighbours.
            assertArrayEquals(beside.run().toFloatArray(), replayed, 0.5f);
          }
        }
      }
    }
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
    assertEquals(0, CUDA.memory().allocatedBytes());
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }
}
