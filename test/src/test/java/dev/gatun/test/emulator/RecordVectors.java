package dev.gatun.test.emulator;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program: writes what the device's primitives make of the probes' words to files. */
public final class RecordVectors {
  private RecordVectors() {}

  /**
   * Prints a line for each probe whose words are not as the PTX ISA says, and how many there were.
   *
   * @param arguments the folder of the images, the folder of the files, and their name, as sm_90
   */
  public static void main(String[] arguments) throws IOException {
    List<Probe> probes = Probes.all();
    List<int[]> outputs = new ArrayList<>();
    int wrong = 0;
    try (ProbeRunner runner = new ProbeRunner(Path.of(arguments[0]))) {
      for (Probe probe : probes) {
        int[] output = runner.run(probe);
        outputs.add(output);
        String difference = difference(probe, output);
        if (difference != null) {
          wrong++;
          System.out.println("differs: " + difference);
        }
      }
    }
    RecordedVectors.write(Path.of(arguments[1]), arguments[2], probes, outputs);
    System.out.printf("vectors: %d, not as expected: %d%n", probes.size(), wrong);
  }

  /** Where an output is not what the PTX ISA says; null where it is. */
  static String difference(Probe probe, int[] output) {
    for (int i = 0; i < output.length; i++) {
      if (!probe.expected().allows(i, output[i])) {
        return "%s: word %d is 0x%08x, %s, expected %s"
            .formatted(
                probe, i, output[i], Float.intBitsToFloat(output[i]), probe.expected().at(i));
      }
    }
    return null;
  }
}
