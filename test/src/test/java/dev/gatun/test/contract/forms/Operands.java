package dev.gatun.test.contract.forms;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Numbers;
import dev.gatun.test.contract.frame.Placement;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Values;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A case's operands as tensors of a device, each with memory of its own, and what an op gave. */
final class Operands {
  private final Case c;
  private final Device device;
  // The memory of each operand as a flat tensor.
  private final Map<String, Tensor> flat = new LinkedHashMap<>();
  private final Map<String, int[]> results = new HashMap<>();
  private boolean gradient;

  Operands(Case c, Device device) {
    this.c = c;
    this.device = device;
    for (Data data : c.data()) {
      byte[] bytes = Placement.bytes(data, 0, 0);
      Tensor tensor = Tensor.empty(device, data.dtype(), data.span());
      device.memory().write(MemorySegment.ofArray(bytes), tensor.operand().buffer(), 0);
      flat.put(data.name(), tensor);
    }
  }

  /** The case's call of these operands. */
  KernelCall call() {
    return c.call()
        .apply(
            name -> {
              Tensor tensor = flat.get(name);
              return tensor == null ? null : shaped(tensor, c.data(name)).operand();
            });
  }

  /** What a call reads of floating-point numbers, each operand's whole memory. */
  List<Tensor> floats(KernelCall call) {
    return flat.values().stream()
        .filter(t -> call.inputs().stream().anyMatch(o -> o.buffer() == t.operand().buffer()))
        .filter(t -> List.of(DType.F32, DType.BF16, DType.F16).contains(t.dtype()))
        .toList();
  }

  /** Whether some of what was given has a gradient, by the tape that was recording. */
  boolean hasGradient() {
    return gradient;
  }

  private static Tensor shaped(Tensor tensor, Data data) {
    return tensor.strided(0, data.shape(), data.strides());
  }

  private String name(Operand operand) {
    return flat.entrySet().stream()
        .filter(e -> e.getValue().operand().buffer() == operand.buffer())
        .map(Map.Entry::getKey)
        .findAny()
        .orElseThrow();
  }

  /** The tensor of an operand of the call, null of null. */
  Tensor tensor(Operand operand) {
    return operand == null
        ? null
        : flat.get(name(operand)).strided(operand.offset(), operand.shape(), operand.strides());
  }

  Segments segments(Offsets offsets) {
    return offsets == null
        ? null
        : Segments.known(tensor(offsets.values()), offsets.tokens(), offsets.longest());
  }

  Ids ids(Indices indices) {
    Tensor values = tensor(indices.values());
    return indices.isUnknown() ? Ids.unchecked(values) : Ids.known(values, indices.below());
  }

  /** An I32 tensor of a length, for what counts alone. */
  Tensor empty(long count) {
    return Tensor.empty(device, DType.I32, count);
  }

  /** A weight [n, k] out of its packed form, which begins at an element of the operand. */
  Tensor unpacked(Operand packed, long first, long n, long k) {
    double[] values = c.data(name(packed)).values();
    Data weight =
        Data.rows(
            "weight", packed.dtype(), Values.of(() -> weight(values, packed, first, n, k)), n, k);
    Tensor tensor = Tensor.empty(device, packed.dtype(), n, k);
    byte[] bytes = Placement.bytes(weight, 0, 0);
    device.memory().write(MemorySegment.ofArray(bytes), tensor.operand().buffer(), 0);
    return tensor;
  }

  /** A weight [n, k] out of its packed blocks: what the reference multiplies by one gives. */
  Tensor dequantized(PackedLayout layout, Operand packed, long first, long n, long k) {
    double[] all = c.data(name(packed)).values();
    long bytes = layout.packedBytes(n, k);
    double[] own = Arrays.copyOfRange(all, (int) first, (int) (first + bytes));
    Data one = Data.rows("one", DType.F32, Values.of(() -> identity((int) k)), k, k);
    Case product =
        Case.of(
            c + ": its weight",
            List.of(one, Data.vector("packed", DType.U8, own), Data.output("y", k, n)),
            of ->
                new QuantizedMatmul(
                    layout,
                    QuantizedActivations.EXACT,
                    of.apply("one"),
                    of.apply("packed"),
                    null,
                    Activation.NONE,
                    of.apply("y")));
    int[] columns = Runs.run(product, Subjects.EXACT).get("y");
    float[] weight = new float[columns.length];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = Float.intBitsToFloat(columns[(int) (i % k * n + i / k)]);
    }
    return Tensor.of(device, weight, n, k);
  }

  private static double[] identity(int k) {
    double[] one = new double[k * k];
    for (int i = 0; i < k; i++) {
      one[i * k + i] = 1;
    }
    return one;
  }

  private static double[] weight(double[] values, Operand packed, long first, long n, long k) {
    double[] weight = new double[Math.toIntExact(n * k)];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = values[(int) (first + MatmulPack.place(packed.dtype(), i / k, i % k, k))];
    }
    return weight;
  }

  /** Takes down what an op gave in the place of an operand; nothing where that is not there. */
  void gives(Operand operand, Tensor result) {
    if (operand == null) {
      return;
    }
    Tape tape = Tape.recording();
    gradient |= tape != null && tape.tracks(result);
    Data data = c.data(name(operand));
    byte[] bytes = new byte[Math.toIntExact(span(result.operand()) * result.dtype().bytes())];
    device
        .memory()
        .read(
            result.operand().buffer(), result.operand().byteOffset(), MemorySegment.ofArray(bytes));
    if (result.dtype() != data.dtype() || !Arrays.equals(result.shape(), data.shape())) {
      throw new AssertionError("%s: %s is %s".formatted(c, data, result));
    }
    Data there = data.withStrides(result.operand().strides());
    int[] bits = new int[data.count()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] =
          Numbers.bits(
              MemorySegment.ofArray(bytes), there.place(i) * data.dtype().bytes(), data.dtype());
    }
    results.put(data.name(), bits);
  }

  private static long span(Operand operand) {
    long last = 0;
    for (int axis = 0; axis < operand.rank(); axis++) {
      if (operand.size(axis) == 0) {
        return 0;
      }
      last += (operand.size(axis) - 1) * operand.stride(axis);
    }
    return last + 1;
  }

  /** What was taken down, with what a kernel leaves as it was left out. */
  Map<String, int[]> results(Map<String, int[]> exact) {
    Map<String, int[]> all = new HashMap<>();
    exact.forEach(
        (name, right) -> {
          int[] bits = results.get(name);
          if (bits == null && Arrays.stream(right).allMatch(bit -> bit == -1)) {
            // An operand that the call has another one in the place of.
            all.put(name, right);
            return;
          }
          if (bits == null) {
            throw new AssertionError("%s: no %s was given".formatted(c, name));
          }
          boolean bytes = c.data(name).dtype() == DType.I8;
          int[] kept = bits.clone();
          for (int i = 0; i < kept.length && !bytes; i++) {
            kept[i] = right[i] == -1 ? -1 : kept[i];
          }
          all.put(name, kept);
        });
    return all;
  }
}
