package dev.gatun.bench;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.ActivationBackward;
import dev.gatun.kernels.api.call.elementwise.GatedActivationBackward;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.norm.LayerNormBackward;
import dev.gatun.kernels.api.call.norm.RmsNormBackward;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.call.norm.SoftmaxBackward;
import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The operands of a case of training, and its calls. */
final class GatunGradients implements Subject.Task {
  private final GatunTensors tensors;
  private final KernelCase c;
  private final DType dtype;
  private final long[] shape;
  private final Tensor result;
  private final List<KernelCall> calls;

  GatunGradients(GatunTensors tensors, KernelCase c) {
    this.tensors = tensors;
    this.c = c;
    this.dtype = c.isBf16() ? DType.BF16 : DType.F32;
    this.shape = Arrays.stream(c.sizes()).asLongStream().toArray();
    if (c.isAttention()) {
      this.result = empty(shape[0], shape[1], shape[2], shape[4]);
      this.calls = List.of(attention());
    } else if (c.isProduct()) {
      this.result = tensors.hold(Tensor.empty(tensors.device(), DType.F32, shape[0], shape[1]));
      this.calls = product();
    } else if (RowKernel.of(c).isOptimizer()) {
      this.result = input(1);
      this.calls = List.of(RowKernel.of(c) == RowKernel.ADAMW ? adamW() : adafactor());
    } else {
      this.result = empty(shape);
      this.calls = List.of(rows());
    }
  }

  /** As a layer has it whose queries, keys and values are [batch, length, heads, size]. */
  private KernelCall attention() {
    int[] s = c.sizes();
    Tensor[] heads = new Tensor[4];
    for (int i = 0; i < heads.length; i++) {
      heads[i] = tokens(tensors.of(c.head(i), dtype, s[0], s[1], i % 3 == 0 ? s[2] : s[3], s[4]));
    }
    Tensor output = tokens(empty(s[0], s[1], s[2], s[4]));
    Tensor lse = tensors.hold(Tensor.empty(tensors.device(), DType.F32, s[0], s[1], s[2]));
    ScaledDotProductAttention forward =
        new ScaledDotProductAttention(
            heads[0].operand(),
            heads[1].operand(),
            heads[2].operand(),
            output.operand(),
            null,
            AttentionKeys.PADDED,
            AttentionScores.scaled((float) (1 / Math.sqrt(s[4])), null),
            c.isCausal() ? new AttentionMask(Causal.TOP_LEFT, 0, null) : AttentionMask.NONE,
            Dropout.NONE,
            lse.operand(),
            null);
    tensors.device().kernels().run(forward);
    return new AttentionBackward(
        forward,
        heads[3].operand(),
        null,
        null,
        tokens(result).operand(),
        tokens(empty(s[0], s[1], s[3], s[4])).operand(),
        tokens(empty(s[0], s[1], s[3], s[4])).operand(),
        null,
        null);
  }

  /** A view of [batch, heads, length, size] as [batch, length, heads, size]. */
  private Tensor tokens(Tensor x) {
    long[] s = x.shape();
    long[] strides = {s[1] * s[2] * s[3], s[3], s[2] * s[3], 1};
    return tensors.hold(x.strided(0, new long[] {s[0], s[2], s[1], s[3]}, strides));
  }

  /** Of {@code a bᵀ}, b turned, or both: one kernel in F32; in BF16 b is packed before. */
  private List<KernelCall> product() {
    long m = shape[0];
    long n = shape[1];
    long k = shape[2];
    boolean isOfWeight = c.kernel().equals(KernelCase.DWEIGHT);
    Tensor a = isOfWeight ? turned(c.left(), k, m) : tensors.of(c.left(), dtype, m, k);
    Tensor b = turned(c.right(), k, n);
    if (dtype == DType.F32) {
      return List.of(
          new BatchedMatmul(batch(a).operand(), batch(b).operand(), batch(result).operand()));
    }
    List<KernelCall> all = new ArrayList<>();
    Tensor rows = a;
    if (isOfWeight) {
      rows = empty(m, k);
      all.add(new Copy(a.operand(), rows.operand()));
    }
    Tensor packed = tensors.hold(Packing.allocate(tensors.device(), Storage.of(dtype), n, k));
    all.add(new MatmulPack(b.operand(), packed.operand()));
    all.add(new Matmul(rows.operand(), packed.operand(), null, Activation.NONE, result.operand()));
    return all;
  }

  private Tensor turned(float[] numbers, long rows, long columns) {
    return tensors.hold(
        tensors
            .of(numbers, dtype, rows, columns)
            .strided(0, new long[] {columns, rows}, new long[] {1, columns}));
  }

  private Tensor batch(Tensor x) {
    long[] strides = {0, x.operand().stride(0), x.operand().stride(1)};
    return tensors.hold(x.strided(0, new long[] {1, x.size(0), x.size(1)}, strides));
  }

  private KernelCall adamW() {
    return new OptimizerStep(
        new UpdateRule.Adam(0.9, 0.999, 1e-8, false, true),
        1,
        List.of(update(small(3, result.count()), tensors.of(c.squares(), DType.F32, shape))),
        1,
        null,
        Float.POSITIVE_INFINITY);
  }

  private KernelCall adafactor() {
    Tensor rows = squares(5, shape[0]);
    return new AdafactorStep(
        new AdafactorRule(1e-30, 1e-3, 1, -0.8, 0, false),
        2,
        List.of(update(rows, squares(6, shape[1]))),
        1,
        null,
        Float.POSITIVE_INFINITY);
  }

  private ParameterUpdate update(Tensor... states) {
    return new ParameterUpdate(
        result.operand(),
        input(2).operand(),
        Arrays.stream(states).map(Tensor::operand).toList(),
        null,
        KernelCase.LEARNING_RATE,
        KernelCase.WEIGHT_DECAY);
  }

  private Tensor squares(long seed, long count) {
    return tensors.of(KernelCase.squares(seed, (int) count), DType.F32, count);
  }

  private Tensor small(long seed, long count) {
    return tensors.of(KernelCase.many(seed, (int) count), DType.F32, shape);
  }

  private KernelCall rows() {
    Operand dy = input(1).operand();
    Operand x = input(2).operand();
    Operand dx = result.operand();
    long columns = shape[1];
    return switch (RowKernel.of(c)) {
      case LAYER_NORM_BACKWARD ->
          new LayerNormBackward(
              dy, x, weight(columns), 1e-5f, null, dx, sums(columns), sums(columns));
      case RMS_NORM_BACKWARD ->
          new RmsNormBackward(dy, x, weight(columns), 0, 1e-5f, null, dx, sums(columns));
      case SOFTMAX_BACKWARD -> {
        Operand y = empty(shape).operand();
        tensors.device().kernels().run(new Softmax(x, false, y));
        yield new SoftmaxBackward(dy, y, false, dx);
      }
      case GELU_BACKWARD -> new ActivationBackward(dy, x, Activation.GELU, dx);
      case GATED_SILU_BACKWARD ->
          new GatedActivationBackward(
              dy, x, input(3).operand(), Activation.SILU, dx, empty(shape).operand());
      default -> throw new IllegalStateException(c.kernel());
    };
  }

  private Tensor input(long seed) {
    return tensors.of(KernelCase.many(seed, c.count()), dtype, shape);
  }

  private Operand weight(long columns) {
    return tensors.of(KernelCase.numbers(3, (int) columns, 1), DType.F32, columns).operand();
  }

  private Operand sums(long columns) {
    return tensors.hold(Tensor.empty(tensors.device(), DType.F32, columns)).operand();
  }

  private Tensor empty(long... sizes) {
    return tensors.hold(Tensor.empty(tensors.device(), dtype, sizes));
  }

  @Override
  public void run() {
    for (KernelCall call : calls) {
      tensors.device().kernels().run(call);
    }
  }

  /** Some rows, as all would be too many to compare. */
  @Override
  public float[] result() {
    run();
    Tensor matrix = result.reshape(result.count() / result.size(-1), result.size(-1));
    long step = Math.max(1, matrix.size(0) / 16);
    long[] some = {Math.ceilDiv(matrix.size(0), step), matrix.size(1)};
    try (Tensor rows =
        Layouts.contiguous(matrix.strided(0, some, new long[] {step * matrix.size(1), 1}))) {
      return tensors.floats(rows);
    }
  }
}
