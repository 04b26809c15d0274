package dev.gatun.bench;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Packing;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Gatun's kernels, called as the ops call them. */
final class GatunKernels implements Subject {
  private final Device device = Device.cpu();
  private final GatunTensors tensors = new GatunTensors(device);

  @Override
  public Task task(String name) {
    tensors.close();
    KernelCase c = KernelCase.of(name);
    if (c.isOfTraining()) {
      return new GatunGradients(tensors, c);
    }
    if (c.isAttention()) {
      return attention(c);
    }
    if (c.isExperts()) {
      return new GatunExperts(tensors, c);
    }
    return c.isMatmul() ? matmul(c) : new GatunRows(tensors, c);
  }

  private Task attention(KernelCase c) {
    int[] s = c.sizes();
    DType dtype = c.isBf16() ? DType.BF16 : DType.F32;
    Tensor output = hold(Tensor.empty(device, dtype, s[0], s[1], s[2], s[4]));
    List<KernelCall> calls = new ArrayList<>();
    for (int copy = 0; copy < KernelCase.copies((long) Cost.of(c).bytes()); copy++) {
      Tensor query = tensor(c.head(0), dtype, s[0], s[1], s[2], s[4]);
      Tensor key = tensor(c.head(1), dtype, s[0], s[1], s[3], s[4]);
      Tensor value = tensor(c.head(2), dtype, s[0], s[1], s[3], s[4]);
      calls.add(
          new ScaledDotProductAttention(
              tokens(query).operand(),
              tokens(key).operand(),
              tokens(value).operand(),
              tokens(output).operand(),
              null,
              AttentionKeys.PADDED,
              AttentionScores.scaled((float) (1 / Math.sqrt(s[4])), null),
              c.isCausal() ? new AttentionMask(Causal.TOP_LEFT, 0, null) : AttentionMask.NONE,
              Dropout.NONE,
              null,
              null));
    }
    return new Turns(calls, output);
  }

  /** A view of [batch, heads, length, size] as [batch, length, heads, size]. */
  private Tensor tokens(Tensor x) {
    long heads = x.size(1);
    long length = x.size(2);
    long size = x.size(3);
    return hold(
        x.strided(
            0,
            new long[] {x.size(0), length, heads, size},
            new long[] {heads * length * size, size, length * size, 1}));
  }

  private Task matmul(KernelCase c) {
    int m = c.sizes()[0];
    int n = c.sizes()[1];
    int k = c.sizes()[2];
    DType dtype = c.isBf16() ? DType.BF16 : DType.F32;
    Tensor x = tensor(c.x(), dtype, m, k);
    Tensor y = hold(Tensor.empty(device, dtype, m, n));
    List<KernelCall> calls = new ArrayList<>();
    float[] weights = c.weight();
    for (int copy = 0; copy < KernelCase.copies((long) Cost.of(c).bytes()); copy++) {
      try (Tensor weight = Tensor.of(device, weights, n, k)) {
        calls.add(
            switch (c.type()) {
              case "f32", "bf16" ->
                  new Matmul(
                      x.operand(),
                      hold(Packing.pack(weight, Storage.of(dtype))).operand(),
                      null,
                      Activation.NONE,
                      y.operand());
              case "w8a8" ->
                  quantized(x, weight, BlockFormat.INT8, QuantizedActivations.INT8_PER_TOKEN, y);
              case "w4a16" ->
                  quantized(x, weight, BlockFormat.int4(32), QuantizedActivations.EXACT, y);
              case "w4a16-zeros" ->
                  quantized(
                      x, weight, BlockFormat.int4WithZeros(32), QuantizedActivations.EXACT, y);
              default ->
                  quantized(x, weight, BlockFormat.int4(32), QuantizedActivations.INT8_BLOCKS, y);
            });
      }
    }
    return new Turns(calls, y);
  }

  private KernelCall quantized(
      Tensor x, Tensor weight, BlockFormat format, QuantizedActivations activations, Tensor y) {
    try (Tensor blocks = Quantization.quantize(weight, format)) {
      Tensor packed = hold(Quantization.pack(blocks, format, weight.size(1)));
      return new QuantizedMatmul(
          format.layout(),
          activations,
          x.operand(),
          packed.operand(),
          null,
          Activation.NONE,
          y.operand());
    }
  }

  private Tensor tensor(float[] numbers, DType dtype, long... shape) {
    return tensors.of(numbers, dtype, shape);
  }

  private Tensor hold(Tensor tensor) {
    return tensors.hold(tensor);
  }

  /** Calls that differ in their weights only, one after another. */
  private final class Turns implements Task {
    private final List<KernelCall> calls;
    private final Tensor output;
    private int turn;

    Turns(List<KernelCall> calls, Tensor output) {
      this.calls = calls;
      this.output = output;
    }

    @Override
    public void run() {
      device.kernels().run(calls.get(turn));
      turn = (turn + 1) % calls.size();
    }

    @Override
    public float[] result() {
      run();
      return tensors.floats(output);
    }
  }

  @Override
  public String version() {
    return "gatun " + device.description();
  }

  @Override
  public void close() {
    tensors.close();
  }
}
