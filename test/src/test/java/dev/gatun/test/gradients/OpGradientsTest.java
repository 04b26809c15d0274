package dev.gatun.test.gradients;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Loss;
import dev.gatun.ops.LossBackward;
import dev.gatun.ops.Matmul;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Packing;
import dev.gatun.ops.Reductions;
import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The gradients of each op are what central differences are, in double. */
final class OpGradientsTest {
  private static final Device DEVICE = Differences.DOUBLES;

  private final Random random = new Random(20);
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor random(long... shape) {
    return Differences.random(random, shape);
  }

  /** Numbers from 1/4 to 2. */
  private Tensor positive(long... shape) {
    float[] x = random(shape).toFloatArray();
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.25f + Math.abs(x[i]) / 2;
    }
    return Tensor.of(DEVICE, x, shape);
  }

  private static void one(String what, Tensor x, Function<Tensor, Tensor> op) {
    Differences.compare(what, List.of(x), in -> List.of(op.apply(in.getFirst())));
  }

  private static void two(String what, Tensor a, Tensor b, BinaryOperator<Tensor> op) {
    Differences.compare(what, List.of(a, b), in -> List.of(op.apply(in.get(0), in.get(1))));
  }

  @Test
  void elementwise() {
    two("add", random(2, 3), random(3), Elementwise::add);
    two("subtract", random(3), random(2, 3), Elementwise::subtract);
    two("multiply", random(2, 1, 3), random(4, 1), Elementwise::multiply);
    two("divide", random(2, 3), positive(2, 1), Elementwise::divide);
    two("divide_by_root", random(2, 3), positive(3), Elementwise::divideByRoot);
    two("maximum", random(4, 5), random(4, 5), Elementwise::maximum);
    two("minimum", random(4, 5), random(5), Elementwise::minimum);
    Tensor condition = Tensor.of(DEVICE, new float[] {1, 0, 2}, 3);
    one("keep_where", random(2, 3), x -> Elementwise.keepWhere(x, condition));
    Tensor half = Tensor.of(DEVICE, new float[] {0.5f}, 1);
    Tensor told = Elementwise.compare(condition, half, Comparison.GREATER);
    two("where", random(2, 3), random(3), (a, b) -> Elementwise.where(told, a, b));
    one("the same twice", random(2, 3), x -> Elementwise.add(x, x));
    one("its square", random(2, 3), x -> Elementwise.multiply(x, x));
    one(
        "a matrix and its transpose",
        random(3, 3),
        x -> Elementwise.add(x, x.strided(0, new long[] {3, 3}, new long[] {1, 3})));
  }

  @ParameterizedTest
  @EnumSource(
      value = UnaryOp.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"SIGN", "FLOOR", "CEIL", "ROUND", "TRUNC"})
  void functions(UnaryOp op) {
    // From 0.25 to 0.75, where all but one are defined and smooth.
    float[] x = new float[20];
    for (int i = 0; i < x.length; i++) {
      x[i] = (op == UnaryOp.ACOSH ? 1.25f : 0.25f) + 0.025f * i;
    }
    one("unary", Tensor.of(DEVICE, x, 4, 5), v -> Elementwise.unary(v, op));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation activation) {
    one("activation", random(4, 5), x -> Elementwise.activation(x, activation));
    two(
        "gated_activation",
        random(4, 5),
        random(4, 5),
        (gate, up) -> Elementwise.gatedActivation(gate, up, activation));
    one(
        "halves of a projection",
        random(4, 6),
        x -> Elementwise.gatedActivation(x.slice(1, 0, 3), x.slice(1, 3, 6), activation));
  }

  @Test
  void products() {
    for (Activation activation : List.of(Activation.NONE, Activation.GELU)) {
      Differences.compare(
          "linear",
          List.of(random(2, 3, 4), random(5, 4), random(5)),
          in -> {
            Tensor packed;
            try (var _ = Tape.pause()) {
              packed = Packing.pack(in.get(1), Storage.F32);
            }
            return List.of(
                Matmul.linear(in.get(0), packed, in.get(1), in.get(2), activation, DType.F32));
          });
    }
    two("batched_matmul", random(2, 3, 4), random(2, 5, 4), Matmul::batchedMatmul);
    two(
        "batched_matmul of views",
        random(2, 4, 3),
        random(2, 4, 5),
        (a, b) ->
            Matmul.batchedMatmul(
                a.strided(0, new long[] {2, 3, 4}, new long[] {12, 1, 3}),
                b.strided(0, new long[] {2, 5, 4}, new long[] {20, 1, 5})));
  }

  @Test
  void norms() {
    for (boolean withSum : new boolean[] {false, true}) {
      Differences.compare(
          "layer_norm",
          List.of(random(3, 5), random(3, 5), random(5), random(5)),
          in ->
              both(
                  Norm.layerNorm(
                      in.get(0), in.get(1), in.get(2), in.get(3), 1e-3f, withSum, null)));
      Differences.compare(
          "rms_norm",
          List.of(random(3, 5), random(3, 5), random(5)),
          in -> both(Norm.rmsNorm(in.get(0), in.get(1), in.get(2), 1, 1e-3f, withSum, null)));
    }
    one("layer_norm without", random(3, 5), x -> Norm.layerNorm(x, null, null, null, 1e-3f));
    two("rms_norm", random(2, 2, 5), random(5), (x, w) -> Norm.rmsNorm(x, null, w, 0, 1e-3f));
    one("l2_normalize", random(3, 5), x -> Norm.l2Normalize(x, 1e-3f));
    one("l2_normalize below eps", random(3, 5), x -> Norm.l2Normalize(x, 100));
    one("softmax", random(3, 5), Norm::softmax);
    one("log_softmax", random(3, 5), Norm::logSoftmax);
  }

  private static List<Tensor> both(Norm.Normed normed) {
    return Arrays.asList(normed.y(), normed.sum());
  }

  @Test
  void layouts() {
    one("contiguous", random(2, 3), Layouts::contiguous);
    one("permute", random(2, 3, 4), x -> Layouts.permute(x, 2, 0, 1));
    one("transpose", random(2, 3, 4), x -> Layouts.transpose(x, 0, 2));
    two("concat", random(2, 3), random(2, 2), (a, b) -> Layouts.concat(1, List.of(a, b, a)));
    one("reshape and slice", random(2, 6), x -> Layouts.contiguous(x.reshape(3, 4).slice(1, 1, 3)));
    one("cast", random(2, 3), x -> Elementwise.cast(x, DType.F32));
  }

  @Test
  void rows() {
    Ids ids = Ids.of(DEVICE, "id", 4, 2, 0, 2, 3, 2);
    one("embedding", random(4, 3), x -> Indexing.embedding(x, ids));
    one("index_select", random(4, 3), x -> Indexing.indexSelect(x, 0, ids));
    one("index_select inside", random(2, 4, 3), x -> Indexing.indexSelect(x, 1, ids));
    one("index_select last", random(2, 4), x -> Indexing.indexSelect(x, -1, ids));
    Ids places = Ids.orNone(DEVICE, "place", 6, 3, -1, 0, 5);
    one("scatter_rows", random(4, 3), x -> Indexing.scatterRows(x, places, 2, 3, 3));
  }

  @Test
  void reductions() {
    one("sum", random(2, 3, 4), x -> Reductions.sum(x, 1));
    one("sum of ends", random(2, 3, 4), x -> Reductions.sum(x, 0, 2));
    one("sum of all", random(2, 3), Reductions::sum);
    one("cumsum", random(2, 3, 4), x -> Reductions.cumsum(x, 1));
    one("cumsum of columns", random(3, 4), x -> Reductions.cumsum(Layouts.permute(x, 1, 0), -1));
    one("mean", random(2, 3, 4), x -> Reductions.mean(x, -1));
    one("max", random(3, 7), x -> Reductions.max(x, 1));
    one("min", random(3, 7), x -> Reductions.min(x, 0));
    one("topk", random(3, 7), x -> Reductions.topk(x, 3).values());
    one("sort", random(3, 7), x -> Reductions.sort(x, false).values());
    one("sort", random(2, 2, 5), x -> Reductions.sort(x, true).values());
  }

  @ParameterizedTest
  @EnumSource(PoolingMode.class)
  void pools(PoolingMode mode) {
    Segments segments = Segments.of(DEVICE, 3, 0, 1, 4);
    one("pool", random(8, 3), x -> Reductions.pool(x, segments, mode));
  }

  @Test
  void rotations() {
    Tensor cosine = random(6, 2);
    Tensor sine = random(6, 2);
    Ids positions = Ids.of(DEVICE, "position", 6, 1, 4, 0);
    for (boolean interleaved : new boolean[] {false, true}) {
      one(
          "rotary_embedding",
          random(3, 2, 5),
          x -> Rotary.rotaryEmbedding(x, cosine, sine, positions, interleaved));
    }
  }

  @Test
  void dropped_elements() {
    one("dropout", random(4, 6), x -> Elementwise.dropout(x, new Dropout(0.4f, 7)));
  }

  @Test
  void losses() {
    Tensor targets = Tensor.of(DEVICE, new long[] {1, -100, 4}, 3);
    one("cross_entropy", random(3, 5), x -> Loss.crossEntropy(x, targets, -100));
    one("mean", random(3, 5), x -> Loss.mean(Loss.crossEntropy(x, targets, -100), 2));
    LossBackward.Settings settings = LossBackward.Settings.of(-100);
    Differences.compare(
        "linear_cross_entropy",
        List.of(random(3, 4), random(5, 4), random(5)),
        in ->
            List.of(
                Loss.linearCrossEntropy(
                    in.get(0), in.get(1), in.get(2), Loss.Targets.of(targets), settings, 2, 2)));
  }

  @Test
  void experts() {
    for (boolean renormalize : new boolean[] {false, true}) {
      ExpertCapacity capacity =
          renormalize ? null : new ExpertCapacity(2, Segments.of(DEVICE, 5).offsets());
      Differences.compare(
          "a mixture of experts",
          List.of(
              random(5, 3),
              random(5, 4),
              random(2, 4),
              random(2, 4),
              random(2, 4),
              random(3, 2),
              random(5, 2)),
          in -> {
            Experts.Routing routing = Experts.route(in.get(0), 2, renormalize, 1.5f, capacity);
            List<Tensor> weights = in.subList(2, 5);
            Tensor packed;
            try (var _ = Tape.pause()) {
              packed = Experts.pack(weights, DType.F32);
            }
            Tensor y =
                Experts.linear(
                    in.get(1),
                    routing.rows(),
                    routing,
                    packed,
                    weights,
                    in.get(5),
                    Activation.TANH,
                    DType.F32);
            return List.of(Experts.combine(y, routing, in.get(6), DType.F32));
          });
    }
    Experts.Routing routing = Experts.route(random(5, 3), 2, true, 1, null);
    Differences.compare(
        "rows in the order of experts",
        List.of(random(10, 4), random(2, 4), random(2, 4), random(2, 4)),
        in -> {
          Tensor packed;
          try (var _ = Tape.pause()) {
            packed = Experts.pack(in.subList(1, 4), DType.F32);
          }
          return List.of(
              Experts.linear(
                  in.get(0),
                  null,
                  routing,
                  packed,
                  in.subList(1, 4),
                  null,
                  Activation.NONE,
                  DType.F32));
        });
  }

  @Test
  void relative_scores() {
    Segments segments = Segments.of(DEVICE, 3, 0, 4);
    Tensor positions = Tensor.of(DEVICE, new long[] {0, 1, 2, 0, 1, 5, 9}, 7);
    for (long buckets : new long[] {0, 4}) {
      Differences.compare(
          "attention with relative scores",
          List.of(random(2, 7, 8), random(2, 7, 8), random(7, 2, 3)),
          in -> {
            Tensor bias =
                Attention.disentangledBias(
                    in.get(0), in.get(1), segments, positions, 4, buckets, 16, 0.5f);
            return List.of(
                Attention.scaledDotProductAttention(
                        in.get(2),
                        segments,
                        Attention.Keys.ragged(in.get(2), in.get(2), segments),
                        Attention.Scores.scaled(0.3f).withBias(bias),
                        false)
                    .output());
          });
    }
  }

  /** What attention is given besides queries, keys and values. */
  private record Setting(
      String name, Causal causal, long window, boolean shown, float softcap, float dropout) {}

  @Test
  void attention_of_padded_batches() {
    Tensor shown = Tensor.of(DEVICE, new byte[] {1, 0, 1, 1, 1, 1, 1, 0}, 2, 4);
    for (Setting s :
        List.of(
            new Setting("plain", Causal.NONE, 0, false, 0, 0),
            new Setting("causal", Causal.BOTTOM_RIGHT, 0, false, 0, 0),
            new Setting("capped", Causal.TOP_LEFT, 0, true, 1.5f, 0),
            new Setting("dropped", Causal.NONE, 0, true, 0, 0.4f),
            new Setting("window", Causal.NONE, 2, false, 0, 0))) {
      Differences.compare(
          "attention " + s.name,
          List.of(
              random(2, 3, 4, 3),
              random(2, 4, 2, 3),
              random(2, 4, 2, 5),
              random(1, 4, 1, 4),
              random(4)),
          in -> {
            Attention.Result result =
                Attention.scaledDotProductAttention(
                    in.get(0),
                    null,
                    Attention.Keys.padded(in.get(1), in.get(2)),
                    new Attention.Scores(0.5f, s.softcap, in.get(3), null, in.get(4)),
                    new Attention.Mask(s.causal, s.window, s.shown ? shown : null),
                    new Dropout(s.dropout, 9),
                    true,
                    true);
            return List.of(result.output(), result.lse(), result.weights());
          });
    }
  }

  @Test
  void attention_of_ragged_batches() {
    Segments segments = Segments.of(DEVICE, 2, 0, 3);
    Tensor slopes = random(2);
    one(
        "attention of a joined projection",
        random(5, 12),
        qkv -> {
          List<Tensor> parts = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            parts.add(qkv.strided(i * 4L, new long[] {5, 2, 2}, new long[] {12, 2, 1}));
          }
          return Attention.scaledDotProductAttention(
                  parts.get(0),
                  segments,
                  Attention.Keys.ragged(parts.get(1), parts.get(2), segments),
                  Attention.Scores.scaled(0.7f).withSlopes(slopes),
                  Attention.Mask.of(Causal.TOP_LEFT),
                  Dropout.NONE,
                  false,
                  false)
              .output();
        });
    Segments others = Segments.of(DEVICE, 3, 1, 2);
    Differences.compare(
        "attention to other sequences",
        List.of(random(5, 2, 3), random(6, 1, 3), random(6, 1, 2), random(3, 2, 3, 3)),
        in ->
            List.of(
                Attention.scaledDotProductAttention(
                        in.get(0),
                        segments,
                        Attention.Keys.ragged(in.get(1), in.get(2), others),
                        Attention.Scores.scaled(0.7f).withBias(in.get(3)),
                        Attention.Mask.of(Causal.BOTTOM_RIGHT),
                        Dropout.NONE,
                        false,
                        false)
                    .output()));
  }
}
