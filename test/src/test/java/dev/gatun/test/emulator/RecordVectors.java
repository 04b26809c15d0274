package dev.gatun.test.emulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** A program: writes what the device's primitives make of the probes' words to files. */
public final class RecordVectors {
  private RecordVectors() {}

  /**
   * Runs the probes one by one, and appends to the files what each one's kernel left as soon as it
   * is known. A probe begins with a line {@code begin NAME}, and ends with {@code right NAME}, or
   * {@code failed: NAME} and which of its words is not as the PTX ISA says; the last line sums up.
   *
   * @param arguments the folder of the images, the folder of the files, and their name, as sm_90;
   *     then perhaps {@code --skip FILE}, names of probes that are not run, and {@code --only
   *     REGEX}
   */
  public static void main(String[] arguments) throws IOException {
    Path images = Path.of(arguments[0]);
    Set<String> skipped = new HashSet<>();
    Pattern only = Pattern.compile(".*");
    for (int i = 3; i < arguments.length; i += 2) {
      if (i + 1 < arguments.length && arguments[i].equals("--skip")) {
        skipped.addAll(Files.readAllLines(Path.of(arguments[i + 1])));
      } else if (i + 1 < arguments.length && arguments[i].equals("--only")) {
        only = Pattern.compile(arguments[i + 1]);
      } else {
        throw new IllegalArgumentException(arguments[i] + ": expected --skip FILE or --only REGEX");
      }
    }
    RecordedVectors.Writer writer = new RecordedVectors.Writer(Path.of(arguments[1]), arguments[2]);
    int count = 0;
    int wrong = 0;
    for (boolean hopper : new boolean[] {false, true}) {
      Pattern names = only;
      List<Probe> probes =
          (hopper ? HopperProbes.all() : Probes.all())
              .stream()
                  .filter(p -> names.matcher(p.name()).matches() && !skipped.contains(p.name()))
                  .toList();
      if (probes.isEmpty() || hopper && !Emulator.openHopper().description().endsWith("9.0")) {
        continue;
      }
      try (ProbeRunner runner = new ProbeRunner(images, hopper)) {
        for (Probe probe : probes) {
          System.out.println("begin " + probe.name());
          count++;
          String problem;
          try {
            int[] output = runner.run(probe);
            writer.append(probe, output);
            problem = difference(probe, output);
          } catch (RuntimeException e) {
            problem = e.toString();
          }
          wrong += problem == null ? 0 : 1;
          System.out.println(
              problem == null
                  ? "right " + probe.name()
                  : "failed: " + probe.name() + " " + problem);
        }
      }
    }
    System.out.printf("vectors: %d, not as expected: %d%n", count, wrong);
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
