package dev.gatun.test.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.emulator.Emulator.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The emulator's primitives, against the PTX ISA and against what a device was seen to do. */
final class PrimitivesTest {
  private static final Path VECTORS = Path.of("vectors");

  static List<Probe> probes() {
    return Stream.concat(Probes.all().stream(), HopperProbes.all().stream()).toList();
  }

  private static int[] run(Probe probe) throws IOException {
    assumeTrue(Emulator.isEmulated(), "RecordVectors asks a device");
    boolean hopper = Probes.all().stream().noneMatch(p -> p.name().equals(probe.name()));
    try (ProbeRunner runner = new ProbeRunner(Emulator.IMAGES, hopper)) {
      return runner.run(probe);
    }
  }

  @AfterAll
  static void restore() {
    Emulator.set(Policy.ROUND_ROBIN, 1, false, false);
  }

  @ParameterizedTest
  @MethodSource("probes")
  void does_the_same_in_every_order(Probe probe) throws IOException {
    for (Policy policy : Policy.values()) {
      Emulator.set(policy, 3, policy.ordinal() % 2 == 0, false);
      assertNull(RecordVectors.difference(probe, run(probe)), policy.name());
    }
  }

  @ParameterizedTest
  @MethodSource("probes")
  void does_what_the_ptx_isa_says(Probe probe) throws IOException {
    assertNull(RecordVectors.difference(probe, run(probe)));
  }

  @ParameterizedTest
  @MethodSource("probes")
  void does_what_a_device_was_recorded_to_do(Probe probe) throws IOException {
    assumeTrue(
        Files.exists(RecordedVectors.index(VECTORS, "sm_90")),
        "no device's vectors are recorded yet: bench/gpu/run.sh --phase vectors records them");
    assertNull(RecordedVectors.read(VECTORS, "sm_90").difference(probe, run(probe)));
  }

  @Test
  void a_vector_of_other_bits_is_named(@TempDir Path folder) throws IOException {
    List<Probe> probes = probes();
    List<int[]> outputs = new ArrayList<>();
    for (Probe probe : probes) {
      outputs.add(run(probe));
      new RecordedVectors.Writer(folder, "sm_00").append(probe, outputs.getLast());
    }
    RecordedVectors recorded = RecordedVectors.read(folder, "sm_00");
    for (int i = 0; i < probes.size(); i++) {
      int[] output = outputs.get(i);
      assertNull(recorded.difference(probes.get(i), output));
      // A flipped sign is off by more than any bound, but of zeros and of what may be flushed.
      int place = 3;
      output[place] ^= 0x81000000;
      String difference = recorded.difference(probes.get(i), output);
      assertNotNull(difference, probes.get(i).name());
      assertTrue(difference.contains("word 3 is"), difference);
    }
  }

  /** Every function of the headers is called by a probe, but what only gives it its arguments. */
  @ParameterizedTest
  @CsvSource({"primitives.h, primitives.cu", "primitives_sm90.h, hopper_sm90a.cu"})
  void every_primitive_has_a_probe(String file, String calls) throws IOException {
    String header = Files.readString(Path.of("../cuda-src/include", file));
    String probes = Files.readString(Path.of("emulator/probes", calls));
    Matcher matcher =
        Pattern.compile("__device__ __forceinline__ [^;{}()]*?\\b(\\w+)\\(").matcher(header);
    Set<String> names = new TreeSet<>();
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    assertTrue(names.size() > 15, names.toString());
    names.remove("shared_address");
    assertEquals(
        Set.of(),
        names.stream()
            .filter(
                name -> !Pattern.compile("\\b" + name + "(<[\\w, ]+>)?\\(").matcher(probes).find())
            .collect(Collectors.toSet()));
  }
}
