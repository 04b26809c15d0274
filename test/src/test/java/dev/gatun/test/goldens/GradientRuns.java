package dev.gatun.test.goldens;

import dev.gatun.kernels.api.device.Devices;
import dev.gatun.tensor.Device;
import java.io.IOException;

/** A program: the gradients of goldens with the backend that the JVM's properties ask for. */
final class GradientRuns {
  private GradientRuns() {}

  public static void main(String[] args) throws IOException {
    try {
      System.out.println(Devices.host().description());
    } catch (IllegalStateException e) {
      System.out.println(GoldenRuns.CANNOT + e.getMessage().replace('\n', ' '));
      return;
    }
    int done = 0;
    for (GradientGoldens.Case golden : GradientGoldens.cases()) {
      System.out.println(golden);
      done += GradientGoldens.check(golden, Device.cpu());
    }
    System.out.println("done: " + done);
  }
}
