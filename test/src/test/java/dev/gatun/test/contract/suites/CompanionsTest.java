package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Subjects;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * On the processor a row of a product, and a query of attention, is the same bits however many
 * others are computed beside it, on every level.
 */
final class CompanionsTest {
  private static final Device DEVICE = Device.of(Subjects.CPU);

  /** Rows that few, some, a block's last and more than a chunk's rows are. */
  private static final int[][] PARTS = {{1, 2, 3, 4, 5, 6, 7, 9}, {130, 1, 128, 2, 400}};

  @BeforeAll
  static void isAskedFor() {
    Subjects.assumeBackend("cpu");
  }

  @AfterAll
  static void restore() {
    LevelVariant.whole().getLast().choose(Subjects.CPU);
  }

  static Stream<LevelVariant> levels() {
    return Stream.concat(LevelVariant.whole().stream(), LevelVariant.reduced().stream());
  }

  /** Weights and what becomes of activations. */
  private record Product(Storage storage, QuantizedActivations activations, int k) {}

  private static List<Product> products() {
    List<Product> products = new ArrayList<>();
    for (Storage dense : new Storage[] {Storage.F32, Storage.BF16, Storage.F16}) {
      products.add(new Product(dense, QuantizedActivations.EXACT, 37));
      products.add(new Product(dense, QuantizedActivations.EXACT, 1100));
    }
    for (QuantizedActivations activations : QuantizedActivations.values()) {
      for (BlockFormat format :
          new BlockFormat[] {
            BlockFormat.INT8,
            BlockFormat.int8(64),
            BlockFormat.int4(32),
            BlockFormat.int4WithZeros(128),
            BlockFormat.Q4_1,
            BlockFormat.Q8_0
          }) {
        products.add(new Product(Storage.of(format), activations, 384));
      }
    }
    return products;
  }

  @ParameterizedTest
  @MethodSource("levels")
  void a_row_of_a_product_is_the_same_among_others(LevelVariant level) {
    level.choose(Subjects.CPU);
    int n = 40;
    for (Product product : products()) {
      Random random = new Random(product.k);
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        try (Scope _ = Scope.open();
            Linear linear =
                Linear.of(
                    normal(random, DType.F32, n, product.k),
                    normal(random, DType.F32, n),
                    Activation.GELU,
                    product.storage,
                    Compute.of(product.activations))) {
          if (dtype == DType.BF16 && product.storage.equals(Storage.F32)) {
            continue;
          }
          for (int[] parts : PARTS) {
            int m = Arrays.stream(parts).sum();
            Tensor x = normal(random, dtype, m, product.k);
            float[] all = linear.forward(x).toFloatArray();
            int row = 0;
            for (int rows : parts) {
              assertArrayEquals(
                  Arrays.copyOfRange(all, row * n, (row + rows) * n),
                  linear.forward(x.slice(0, row, row + rows)).toFloatArray(),
                  "%s of %s, rows %d to %d of %d".formatted(product, dtype, row, row + rows, m));
              row += rows;
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("levels")
  void a_sequence_is_the_same_among_others(LevelVariant level) {
    level.choose(Subjects.CPU);
    int[] lengths = {3, 60, 1, 16, 17, 150, 2, 7};
    for (DType dtype : new DType[] {DType.F32, DType.BF16, DType.F16}) {
      for (int[] heads : new int[][] {{2, 2, 32}, {6, 2, 20}}) {
        Random random = new Random(7);
        try (Scope _ = Scope.open()) {
          int tokens = Arrays.stream(lengths).sum();
          Tensor q = normal(random, dtype, tokens, heads[0], heads[2]);
          Tensor k = normal(random, dtype, tokens, heads[1], heads[2]);
          Tensor v = normal(random, dtype, tokens, heads[1], heads[2]);
          float[] all = attend(q, k, v, Attention.Mask.NONE, lengths, lengths);
          int at = 0;
          for (int length : lengths) {
            float[] alone =
                attend(
                    q.slice(0, at, at + length),
                    k.slice(0, at, at + length),
                    v.slice(0, at, at + length),
                    Attention.Mask.NONE,
                    new int[] {length},
                    new int[] {length});
            int row = heads[0] * heads[2];
            assertArrayEquals(
                Arrays.copyOfRange(all, at * row, (at + length) * row),
                alone,
                "%s, %s heads, a sequence of %d".formatted(dtype, Arrays.toString(heads), length));
            at += length;
          }
        }
      }
    }
  }

  /** As a prompt in a cache, however it is cut. */
  @ParameterizedTest
  @MethodSource("levels")
  void a_query_is_the_same_in_every_chunk(LevelVariant level) {
    level.choose(Subjects.CPU);
    int length = 420;
    for (DType dtype : new DType[] {DType.F32, DType.BF16, DType.F16}) {
      for (int window : new int[] {0, 9, 150}) {
        Random random = new Random(window);
        Attention.Mask mask = new Attention.Mask(Causal.BOTTOM_RIGHT, window, null);
        try (Scope _ = Scope.open()) {
          Tensor q = normal(random, dtype, length, 6, 24);
          Tensor k = normal(random, dtype, length, 2, 24);
          Tensor v = normal(random, dtype, length, 2, 24);
          float[] all = attend(q, k, v, mask, new int[] {length}, new int[] {length});
          for (int from = 0, to; from < length; from = to) {
            int[] sizes = {1, 2, 5, 6, 40, 130};
            to = Math.min(length, from + sizes[random.nextInt(sizes.length)]);
            float[] chunk =
                attend(
                    q.slice(0, from, to),
                    k.slice(0, 0, to),
                    v.slice(0, 0, to),
                    mask,
                    new int[] {to - from},
                    new int[] {to});
            assertArrayEquals(
                Arrays.copyOfRange(all, from * 6 * 24, to * 6 * 24),
                chunk,
                "%s, window %d, queries %d to %d".formatted(dtype, window, from, to));
          }
        }
      }
    }
  }

  private static float[] attend(
      Tensor q, Tensor k, Tensor v, Attention.Mask mask, int[] queries, int[] keys) {
    try (Scope _ = Scope.open();
        Segments ofQueries = Segments.of(DEVICE, queries);
        Segments ofKeys = Segments.of(DEVICE, keys)) {
      Attention.Result result =
          Attention.scaledDotProductAttention(
              q,
              ofQueries,
              Attention.Keys.ragged(k, v, ofKeys),
              Attention.Scores.scaled(0.3f),
              mask,
              Dropout.NONE,
              false,
              false);
      return Elementwise.cast(result.output(), DType.F32).toFloatArray();
    }
  }

  private static Tensor normal(Random random, DType dtype, long... shape) {
    int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Elementwise.cast(Tensor.of(DEVICE, values, shape), dtype);
  }
}
