package dev.gatun.bench;

import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/** The operands of a {@link RowKernel}'s case, and its call. */
final class GatunRows implements Subject.Task {
  /** Positions of rotary tables, which tokens use in turn. */
  static final int POSITIONS = 4096;

  private final GatunTensors tensors;
  private final Device device;
  private final KernelCase c;
  private final DType dtype;
  private final long[] shape;
  private final Tensor y;
  private final Runnable call;

  GatunRows(GatunTensors tensors, KernelCase c) {
    this.tensors = tensors;
    this.device = tensors.device();
    this.c = c;
    this.dtype = c.isBf16() ? DType.BF16 : DType.F32;
    this.shape = Arrays.stream(c.sizes()).asLongStream().toArray();
    RowKernel kernel = RowKernel.of(c);
    boolean narrow = c.isBf16() != (kernel == RowKernel.CAST);
    this.y = empty(narrow ? DType.BF16 : DType.F32);
    this.call = call(kernel, device.kernels());
  }

  private Runnable call(RowKernel kernel, Kernels kernels) {
    Operand x = input(1);
    Operand y = this.y.operand();
    switch (kernel) {
      case LAYER_NORM -> {
        Operand weight = parameter(3);
        Operand bias = parameter(4);
        LayerNorm norm = new LayerNorm(x, residual(), weight, bias, 1e-5f, y, sum());
        return () -> kernels.run(norm);
      }
      case RMS_NORM -> {
        RmsNorm norm = new RmsNorm(x, residual(), parameter(3), 0, 1e-5f, y, sum());
        return () -> kernels.run(norm);
      }
      case SOFTMAX -> {
        Softmax softmax = new Softmax(x, false, y);
        return () -> kernels.run(softmax);
      }
      case GELU -> {
        Activate gelu = new Activate(x, Activation.GELU, y);
        return () -> kernels.run(gelu);
      }
      case GATED_SILU -> {
        GatedActivation gated = new GatedActivation(x, input(2), Activation.SILU, y);
        return () -> kernels.run(gated);
      }
      case ROTARY -> {
        RotaryEmbedding rotary =
            new RotaryEmbedding(x, table(true), table(false), positions(), false, y);
        return () -> kernels.run(rotary);
      }
      case CAST -> {
        Cast cast = new Cast(x, y);
        return () -> kernels.run(cast);
      }
      case ADD -> {
        Elementwise add = new Elementwise(x, input(2), BinaryOp.ADD, y);
        return () -> kernels.run(add);
      }
      case EMBEDDING -> {
        long[] rows = RowKernel.ids(c.sizes()[0]);
        Tensor made = tensors.hold(Tensor.of(device, rows, rows.length));
        Indices ids = new Indices(made.operand(), x.size(0));
        Embedding embedding = new Embedding(x, ids, false, y);
        return () -> kernels.run(embedding);
      }
      default -> throw new IllegalStateException(kernel.name());
    }
  }

  private Operand input(long seed) {
    return tensors.of(KernelCase.many(seed, c.count()), dtype, shape).operand();
  }

  private Operand residual() {
    return c.hasResidual() ? input(2) : null;
  }

  private Operand sum() {
    return c.hasResidual() ? empty(dtype).operand() : null;
  }

  private Operand parameter(long seed) {
    long columns = shape[shape.length - 1];
    return tensors.of(KernelCase.numbers(seed, (int) columns, 1), dtype, columns).operand();
  }

  private Operand table(boolean cosine) {
    int pairs = c.sizes()[2] / 2;
    return tensors
        .of(KernelCase.rotaryTable(POSITIONS, pairs, cosine), DType.F32, POSITIONS, pairs)
        .operand();
  }

  private Indices positions() {
    long[] positions = new long[c.sizes()[0]];
    Arrays.setAll(positions, i -> i % POSITIONS);
    Tensor made = tensors.hold(Tensor.of(device, positions, positions.length));
    return new Indices(made.operand(), POSITIONS);
  }

  private Tensor empty(DType dtype) {
    return tensors.hold(Tensor.empty(device, dtype, shape));
  }

  @Override
  public void run() {
    call.run();
  }

  /** Sixteen rows, as all would be too many to compare. */
  @Override
  public float[] result() {
    run();
    long step = Math.max(1, shape[0] / 16);
    long[] some = shape.clone();
    some[0] = Math.ceilDiv(shape[0], step);
    long[] strides = Operand.rowMajor(shape);
    strides[0] *= step;
    try (Tensor rows = Layouts.contiguous(y.strided(0, some, strides))) {
      return tensors.floats(rows);
    }
  }
}
