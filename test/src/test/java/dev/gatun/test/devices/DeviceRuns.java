package dev.gatun.test.devices;

import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A program: opens so many CUDA devices, computes on each, and moves a tensor from one to the next.
 */
public final class DeviceRuns {
  private DeviceRuns() {}

  public static void main(String[] arguments) {
    List<Device> open = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
      try {
        Device device = Device.cuda(i);
        open.add(device);
        System.out.println(device.description() + ", " + Devices.open("cuda", i).details().get(1));
        System.out.println(device + ": " + computed(device));
      } catch (IllegalStateException e) {
        System.out.println(e.getMessage());
      }
    }
    if (open.size() > 1) {
      move(open);
    }
    open.forEach(d -> System.out.println(d + " holds " + d.memory().allocatedBytes()));
    System.out.println("cpu: " + computed(Device.cpu()));
  }

  private static String computed(Device device) {
    try (Tensor x = Tensor.of(device, new float[] {1, 1}, 1, 2);
        Tensor y = Norm.softmax(x)) {
      return Arrays.toString(y.toFloatArray());
    } catch (RuntimeException e) {
      return e.getMessage();
    }
  }

  private static void move(List<Device> open) {
    Tensor x = Tensor.of(open.getFirst(), new float[] {3, 4}, 1, 2);
    for (Device device : open.subList(1, open.size())) {
      try (Tensor y = Tensor.of(device, new float[] {0, 0}, 1, 2)) {
        device
            .kernels()
            .run(
                new Softmax(Operand.of(x.operand().buffer(), DType.F32, 1, 2), false, y.operand()));
      } catch (IllegalArgumentException e) {
        System.out.println(e.getMessage());
      }
      try (Tensor old = x) {
        x = old.to(device);
      }
      System.out.println(x.device() + " has " + Arrays.toString(x.toFloatArray()));
    }
    x.close();
  }
}
