package dev.gatun.bench;

import dev.gatun.bindings.cpu.CpuElementwise;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Gatun's kernels on a few numbers, where the time of a call is what is around the kernel. */
final class SmallCalls implements Subject {
  /** How much of the way to a kernel a call goes. */
  enum Way {
    /** A call of the native library that does nothing. */
    EMPTY,
    /** The kernel with addresses at hand. */
    KERNEL,
    /** A checked record of the call, that is not run. */
    RECORD,
    /** A checked record, run by the backend. */
    RUN,
    /** The op, with a new tensor for its result, closed at once. */
    OP
  }

  private static final int CALLS = 1000;
  private static final float EPS = 1e-5f;

  // Takes what would otherwise be found to be of no use.
  private static volatile Object sink;

  private final Way way;
  private final Device device = Device.cpu();
  private final GatunTensors tensors = new GatunTensors(device);

  SmallCalls(Way way) {
    this.way = way;
  }

  @Override
  public Task task(String name) {
    tensors.close();
    KernelCase c = KernelCase.of(name);
    if (way == Way.EMPTY) {
      return task(CpuLibrary::abi, null);
    }
    return c.isMatmul() ? matmul(c) : rows(c);
  }

  private Task rows(KernelCase c) {
    int rows = c.sizes()[0];
    int columns = c.sizes()[1];
    Tensor x = tensor(KernelCase.many(1, c.count()), rows, columns);
    Tensor y = tensors.hold(Tensor.empty(device, DType.F32, rows, columns));
    Operand from = x.operand();
    Operand to = y.operand();
    Kernels kernels = device.kernels();
    switch (RowKernel.of(c)) {
      case LAYER_NORM -> {
        Tensor weight = tensor(KernelCase.numbers(3, columns, 1), columns);
        Tensor bias = tensor(KernelCase.numbers(4, columns, 1), columns);
        Operand w = weight.operand();
        Operand b = bias.operand();
        MemorySegment none = MemorySegment.NULL;
        return switch (way) {
          case OP -> op(() -> Norm.layerNorm(x, null, weight, bias, EPS));
          case RUN -> task(() -> kernels.run(new LayerNorm(from, null, w, b, EPS, to, null)), y);
          case RECORD -> record(() -> new LayerNorm(from, null, w, b, EPS, to, null));
          default -> {
            MemorySegment in = memory(x);
            MemorySegment scale = memory(weight);
            MemorySegment shift = memory(bias);
            MemorySegment out = memory(y);
            CpuRows.Codes codes = new CpuRows.Codes(none, 0, none, none, false);
            yield task(
                () ->
                    CpuRows.layerNorm(
                        in, none, scale, shift, out, none, 0, 0, rows, columns, EPS, codes),
                y);
          }
        };
      }
      case SOFTMAX -> {
        return switch (way) {
          case OP -> op(() -> Norm.softmax(x));
          case RUN -> task(() -> kernels.run(new Softmax(from, false, to)), y);
          case RECORD -> record(() -> new Softmax(from, false, to));
          default -> {
            MemorySegment in = memory(x);
            MemorySegment out = memory(y);
            yield task(() -> CpuRows.softmax(in, out, 0, rows, columns, false), y);
          }
        };
      }
      case ADD -> {
        Tensor other = tensor(KernelCase.many(2, c.count()), rows, columns);
        Operand added = other.operand();
        BinaryOp add = BinaryOp.ADD;
        return switch (way) {
          case OP -> op(() -> dev.gatun.ops.Elementwise.add(x, other));
          case RUN -> task(() -> kernels.run(new Elementwise(from, added, add, to)), y);
          case RECORD -> record(() -> new Elementwise(from, added, add, to));
          default -> {
            MemorySegment a = memory(x);
            MemorySegment b = memory(other);
            MemorySegment out = memory(y);
            long[] strides = to.strides();
            long[][] layout = {to.shape(), strides, strides, strides};
            yield task(() -> CpuElementwise.elementwise(a, b, out, 0, add.ordinal(), layout), y);
          }
        };
      }
      default -> throw new IllegalArgumentException("no small call of " + c.kernel());
    }
  }

  private Task matmul(KernelCase c) {
    int m = c.sizes()[0];
    int n = c.sizes()[1];
    int k = c.sizes()[2];
    Activation none = Activation.NONE;
    Tensor x = tensor(c.x(), m, k);
    Tensor packed = tensors.hold(Packing.pack(tensor(c.weight(), n, k), Storage.of(DType.F32)));
    Tensor y = tensors.hold(Tensor.empty(device, DType.F32, m, n));
    Operand from = x.operand();
    Operand weight = packed.operand();
    Operand to = y.operand();
    Kernels kernels = device.kernels();
    return switch (way) {
      case OP -> op(() -> dev.gatun.ops.Matmul.linear(x, packed, null, n, none, DType.F32));
      case RUN -> task(() -> kernels.run(new Matmul(from, weight, null, none, to)), y);
      case RECORD -> record(() -> new Matmul(from, weight, null, none, to));
      default -> {
        MemorySegment in = memory(x);
        MemorySegment w = memory(packed);
        MemorySegment out = memory(y);
        MemorySegment bias = MemorySegment.NULL;
        long packedWeight = CpuLibrary.packed();
        yield task(
            () -> CpuLibrary.matmul(in, k, w, packedWeight, bias, out, n, m, n, k, none.ordinal()),
            y);
      }
    };
  }

  private Tensor tensor(float[] numbers, long... shape) {
    return tensors.of(numbers, DType.F32, shape);
  }

  private static MemorySegment memory(Tensor x) {
    return ((HostBuffer) x.operand().buffer()).segment();
  }

  private interface Making {
    Object make();
  }

  private interface Op {
    Tensor run();
  }

  private static Task record(Making making) {
    return task(() -> sink = making.make(), null);
  }

  private static Task op(Op op) {
    return new Repeated() {
      @Override
      void once() {
        op.run().close();
      }

      @Override
      public float[] result() {
        try (Tensor y = op.run()) {
          return y.toFloatArray();
        }
      }
    };
  }

  /** A call that fills y, or nothing where that is null. */
  private static Task task(Runnable call, Tensor y) {
    return new Repeated() {
      @Override
      void once() {
        call.run();
      }

      @Override
      public float[] result() {
        once();
        return y == null ? new float[0] : y.toFloatArray();
      }
    };
  }

  private abstract static class Repeated implements Task {
    abstract void once();

    @Override
    public void run() {
      for (int i = 0; i < CALLS; i++) {
        once();
      }
    }

    @Override
    public int calls() {
      return CALLS;
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
