package dev.gatun.test.goldens;

import dev.gatun.kernels.api.device.Backends;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A program: the goldens with the backend that the JVM's properties ask for. */
final class GoldenRuns {
  /** Printed in front of the reason when the processor cannot run what is asked for. */
  static final String CANNOT = "cannot: ";

  private GoldenRuns() {}

  /**
   * @param args the goldens to run; all when there are none
   */
  public static void main(String[] args) throws IOException {
    try {
      System.out.println(Backends.host().description());
    } catch (IllegalStateException e) {
      System.out.println(CANNOT + e.getMessage().replace('\n', ' '));
      return;
    }
    List<String> wanted = List.of(args);
    int done = 0;
    for (Path folder : Goldens.cases()) {
      if (wanted.isEmpty() || wanted.contains(folder.getFileName().toString())) {
        System.out.println(folder);
        Goldens.check(folder, Device.cpu());
        done++;
      }
    }
    System.out.println("done: " + done);
  }
}
