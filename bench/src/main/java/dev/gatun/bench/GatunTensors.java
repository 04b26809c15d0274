package dev.gatun.bench;

import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The tensors of a case, closed together. */
final class GatunTensors implements AutoCloseable {
  private final Device device;
  private final List<Tensor> held = new ArrayList<>();

  GatunTensors(Device device) {
    this.device = device;
  }

  Device device() {
    return device;
  }

  /** A tensor of these numbers, rounded to a dtype. */
  Tensor of(float[] numbers, DType dtype, long... shape) {
    Tensor wide = Tensor.of(device, numbers, shape);
    if (dtype == DType.F32) {
      return hold(wide);
    }
    try (wide) {
      Tensor narrow = hold(Tensor.empty(device, dtype, shape));
      device.kernels().run(new Cast(rows(wide).operand(), rows(narrow).operand()));
      return narrow;
    }
  }

  /** The numbers of a tensor without gaps. */
  float[] floats(Tensor x) {
    if (x.dtype() == DType.F32) {
      return x.toFloatArray();
    }
    try (Tensor wide = Tensor.empty(device, DType.F32, x.shape())) {
      device.kernels().run(new Cast(rows(x).operand(), rows(wide).operand()));
      return wide.toFloatArray();
    }
  }

  private static Tensor rows(Tensor x) {
    return x.reshape(x.count() / x.size(-1), x.size(-1));
  }

  /** Closes it with the others. */
  Tensor hold(Tensor tensor) {
    held.add(tensor);
    return tensor;
  }

  @Override
  public void close() {
    held.forEach(Tensor::close);
    held.clear();
  }
}
