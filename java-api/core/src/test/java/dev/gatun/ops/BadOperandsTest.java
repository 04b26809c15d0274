package dev.gatun.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every op with closed tensors, wrong ranks, dtypes, shapes and sizes: an exception that names what
 * is wrong, and no memory held.
 */
final class BadOperandsTest {
  private static final Device CPU = Device.cpu();
  private static final Segments TWO = Segments.of(CPU, 1, 2);
  private static final Activation NONE = Activation.NONE;
  private static final PoolingMode MEAN = PoolingMode.MEAN;

  private static final List<Tensor> MADE = new ArrayList<>();

  private long before;

  @BeforeEach
  void remember() {
    before = CPU.memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_held() {
    MADE.forEach(Tensor::close);
    MADE.clear();
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  private interface Op {
    void run(Tensor... x);
  }

  /** An op and the shapes it takes; I64 where the first length is negated. */
  private record Sound(String name, long[][] shapes, Op op) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Sound sound(String name, Op op, long[]... shapes) {
    return new Sound(name, shapes, op);
  }

  private static long[] f32(long... shape) {
    return shape;
  }

  private static long[] ids(long count) {
    return new long[] {-count};
  }

  private static List<Sound> ops() {
    Activation gelu = Activation.GELU;
    return List.of(
        sound("pack", x -> Packing.pack(x[0], Storage.of(DType.F32)), f32(5, 4)),
        sound(
            "matmul",
            x -> Matmul.linear(x[0], x[1], x[2], 5, gelu, DType.F32),
            f32(3, 4),
            f32(32 * 4),
            f32(5)),
        sound(
            "layer_norm",
            x -> Norm.layerNorm(x[0], x[1], x[2], x[3], 1e-5f),
            f32(3, 4),
            f32(3, 4),
            f32(4),
            f32(4)),
        sound("activ", x -> Elementwise.activation(x[0], gelu), f32(3, 4)),
        sound("elementwise", x -> Elementwise.divide(x[0], x[1]), f32(3, 4), f32(3, 4)),
        sound("softmax", x -> Norm.softmax(x[0]), f32(3, 4)),
        sound("softmax", x -> Norm.logSoftmax(x[0]), f32(3, 4)),
        sound("embedding", x -> Indexing.embedding(x[0], Ids.unchecked(x[1])), f32(7, 4), ids(3)),
        sound(
            "embedding",
            x -> Indexing.addEmbedding(x[0], x[1], Ids.unchecked(x[2])),
            f32(3, 4),
            f32(7, 4),
            ids(3)),
        sound(
            "scatter_rows",
            x -> Indexing.scatterRows(x[0], Ids.unchecked(x[1]), 3, 2, 4),
            f32(3, 4),
            ids(3)),
        sound("pool", x -> Reductions.pool(x[0], TWO, PoolingMode.FIRST), f32(3, 4)),
        sound("l2_normalize", x -> Norm.l2Normalize(x[0]), f32(3, 4)),
        sound("batched_matmul", x -> Matmul.batchedMatmul(x[0], x[1]), f32(2, 3, 4), f32(2, 5, 4)),
        sound(
            "attention",
            x -> ragged(x[0], x[1], x[2], x[3]),
            f32(3, 2, 4),
            f32(3, 2, 4),
            f32(3, 2, 4),
            f32(2, 1, 1, 2)),
        sound(
            "attention",
            x -> padded(x[0], x[1], x[2], x[3], 1),
            f32(2, 3, 2, 4),
            f32(2, 5, 2, 4),
            f32(2, 5, 2, 4),
            f32(2, 1, 3, 5)),
        sound(
            "disentangled_bias",
            x -> Attention.disentangledBias(x[0], x[1], TWO, x[2], 3, 0, 8, 1),
            f32(2, 3, 6),
            f32(2, 3, 6),
            ids(3)),
        sound(
            "rotary",
            x -> Rotary.rotaryEmbedding(x[0], x[1], x[2], Ids.unchecked(x[3]), false),
            f32(3, 2, 4),
            f32(9, 2),
            f32(9, 2),
            ids(3)),
        sound(
            "rotary_cache_update",
            x ->
                Rotary.rotaryCacheUpdate(
                    x[0],
                    x[1],
                    x[2],
                    Ids.unchecked(x[3]),
                    false,
                    Ids.unchecked(of(-1, 0, 1)),
                    x[4],
                    x[5],
                    null),
            f32(3, 16),
            f32(9, 2),
            f32(9, 2),
            ids(3),
            f32(2, 5, 1, 4),
            f32(2, 5, 1, 4)),
        sound("expert_routing", x -> Experts.route(x[0], 2, true, 1, null).close(), f32(3, 4)),
        sound("matmul_pack", x -> Experts.pack(List.of(x[0], x[0]), DType.F32), f32(5, 4)),
        sound("argmax", x -> Reductions.argmax(x[0]), f32(3, 4)),
        sound("topk", x -> Reductions.topk(x[0], 2), f32(3, 4)),
        sound(
            "index_add",
            x -> Indexing.indexAdd(x[0], Ids.unchecked(x[1]), x[2]),
            f32(7, 4),
            ids(3),
            f32(3, 4)),
        sound("cross_entropy", x -> Loss.crossEntropy(x[0], x[1], -100), f32(3, 4), ids(3)));
  }

  /** What no operand of any op may be. */
  private enum Spoiling {
    CLOSED,
    SCALAR,
    OTHER_DTYPE
  }

  /** Each op with each of its operands spoilt in each way. */
  static Stream<Arguments> spoilt() {
    List<Arguments> all = new ArrayList<>();
    for (Sound op : ops()) {
      for (int i = 0; i < op.shapes.length; i++) {
        for (Spoiling spoiling : Spoiling.values()) {
          // A scalar is broadcast there, and rows of any type are copied.
          boolean sound =
              spoiling == Spoiling.SCALAR && op.name.equals("elementwise")
                  || spoiling == Spoiling.OTHER_DTYPE && op.name.equals("scatter_rows") && i == 0;
          if (!sound) {
            all.add(Arguments.of(op, i, spoiling));
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{0}: operand {1} {2}")
  @MethodSource("spoilt")
  void a_spoilt_operand_is_named(Sound op, int operand, Spoiling spoiling) {
    Tensor[] tensors = new Tensor[op.shapes.length];
    for (int i = 0; i < tensors.length; i++) {
      tensors[i] = make(op.shapes[i]);
    }
    Tensor good = tensors[operand];
    boolean closed = spoiling == Spoiling.CLOSED;
    switch (spoiling) {
      case CLOSED -> good.close();
      case SCALAR -> tensors[operand] = number(good) ? make() : Tensor.of(CPU, new long[1]);
      case OTHER_DTYPE -> tensors[operand] = other(good);
    }
    Class<? extends RuntimeException> expected =
        closed ? IllegalStateException.class : IllegalArgumentException.class;
    refused(expected, closed ? "closed" : op.name, () -> op.op.run(tensors));
    good.close();
    for (Tensor tensor : tensors) {
      tensor.close();
    }
  }

  /** Ops with operands that do not go together. */
  static Stream<Arguments> mismatched() {
    return Stream.of(
        bad(
            "pack: weight is F32[4]@cpu, expected 2 axes",
            x -> Packing.pack(x[0], Storage.of(DType.F32)),
            f32(4)),
        bad(
            "has a negative length",
            x -> Matmul.linear(x[0], x[1], null, -1, NONE, DType.F32),
            f32(3, 4),
            f32(4)),
        bad(
            "expected shape [128]",
            x -> Matmul.linear(x[0], x[1], null, 5, NONE, DType.F32),
            f32(3, 4),
            f32(127)),
        bad(
            "bias is F32[4], expected shape [5]",
            x -> Matmul.linear(x[0], x[1], x[2], 5, NONE, DType.F32),
            f32(3, 4),
            f32(128),
            f32(4)),
        bad(
            "weight is F32[5], expected shape [4]",
            x -> Norm.layerNorm(x[0], null, x[1], null, 1e-5f),
            f32(3, 4),
            f32(5)),
        bad("layer_norm: ", x -> Norm.layerNorm(x[0], null, null, null, -1), f32(3, 4)),
        bad("layer_norm: ", x -> Norm.layerNorm(x[0], x[1], null, null, 0), f32(3, 4), f32(2, 4)),
        bad(
            "elementwise: b is F32[2, 4], cannot be broadcast to y F32[3, 4]",
            x -> Elementwise.add(x[0], x[1]),
            f32(3, 4),
            f32(2, 4)),
        bad("strides [4, 1]", x -> Norm.softmax(x[0].slice(1, 0, 2)), f32(3, 4)),
        bad(
            "id 7 at 1 is outside of 0 to 6",
            x -> Indexing.embedding(x[0], Ids.unchecked(of(0, 7))),
            f32(7, 4)),
        bad(
            "id -1 at 0 is outside of 0 to 6",
            x -> Indexing.embedding(x[0], Ids.unchecked(of(-1))),
            f32(7, 4)),
        bad(
            "overlaps input",
            x -> Indexing.addEmbedding(x[0].slice(0, 0, 2), x[0], Ids.unchecked(of(1, 1))),
            f32(7, 4)),
        bad("reshape: ", x -> Indexing.scatterRows(x[0], Ids.unchecked(of(0, 1)), 3, 3), f32(2, 2)),
        bad(
            "negative length",
            x -> Indexing.scatterRows(x[0], Ids.unchecked(of(0, 1)), -3, 2),
            f32(2, 2)),
        bad(
            "scatter_rows: ",
            x -> Indexing.scatterRows(x[0], Ids.unchecked(of(0, 3)), 3, 2),
            f32(2, 2)),
        bad("pool: x is F32[4, 4], expected", x -> Reductions.pool(x[0], TWO, MEAN), f32(4, 4)),
        bad(
            "b is F32[2, 5, 3], expected shape [2, 5, 4]",
            x -> Matmul.batchedMatmul(x[0], x[1]),
            f32(2, 3, 4),
            f32(2, 5, 3)),
        bad(
            "expected shape [3, 2, 4]",
            x -> ragged(x[0], x[1], x[0], null),
            f32(3, 2, 4),
            f32(4, 2, 4)),
        bad(
            "bias is F32[2, 1, 3, 3]",
            x -> ragged(x[0], x[0], x[0], x[1]),
            f32(3, 2, 4),
            f32(2, 1, 3, 3)),
        bad("scale is NaN", x -> padded(x[0], x[0], x[0], null, Float.NaN), f32(1, 3, 2, 4)),
        bad(
            "c2p and p2c are both missing",
            x -> Attention.disentangledBias(null, null, TWO, of(0, 0, 1), 3, 0, 8, 1)),
        bad(
            "expected a positive span",
            x -> Attention.disentangledBias(x[0], null, TWO, of(0, 0, 1), -3, 0, 8, 1),
            f32(2, 3, 6)),
        bad(
            "rotary",
            x -> Rotary.rotaryEmbedding(x[0], x[1], x[1], Ids.unchecked(of(0, 1, 9)), false),
            f32(3, 2, 4),
            f32(9, 2)),
        bad(
            "cross_entropy: target 4 at 1",
            x -> Loss.crossEntropy(x[0], of(0, 4), -100),
            f32(2, 4)));
  }

  private static void ragged(Tensor query, Tensor key, Tensor value, Tensor bias) {
    Attention.scaledDotProductAttention(
        query, TWO, Attention.Keys.ragged(key, value, TWO), scaled(1, bias), true);
  }

  private static void padded(Tensor query, Tensor key, Tensor value, Tensor bias, float scale) {
    Attention.scaledDotProductAttention(
        query, null, Attention.Keys.padded(key, value), scaled(scale, bias), true);
  }

  private static Attention.Scores scaled(float scale, Tensor bias) {
    return Attention.Scores.scaled(scale).withBias(bias);
  }

  private static Arguments bad(String message, Op op, long[]... shapes) {
    return Arguments.of(message, op, shapes);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mismatched")
  void operands_that_do_not_go_together_are_named(String message, Op op, long[][] shapes) {
    Tensor[] tensors = Stream.of(shapes).map(BadOperandsTest::make).toArray(Tensor[]::new);
    refused(IllegalArgumentException.class, message, () -> op.run(tensors));
    for (Tensor tensor : tensors) {
      tensor.close();
    }
  }

  private static void refused(
      Class<? extends RuntimeException> expected, String message, Executable use) {
    String said = assertThrows(expected, use).getMessage();
    assertTrue(said.contains(message), said);
  }

  private static boolean number(Tensor x) {
    return x.dtype() == DType.F32;
  }

  private static Tensor of(long... ids) {
    Tensor tensor = Tensor.of(CPU, ids, ids.length);
    MADE.add(tensor);
    return tensor;
  }

  private static Tensor make(long... shape) {
    return shape.length > 0 && shape[0] < 0
        ? of(new long[(int) -shape[0]])
        : Tensor.zeros(CPU, shape);
  }

  private static Tensor other(Tensor x) {
    return number(x)
        ? Tensor.of(CPU, new long[(int) x.count()], x.shape())
        : Tensor.zeros(CPU, x.shape());
  }
}
