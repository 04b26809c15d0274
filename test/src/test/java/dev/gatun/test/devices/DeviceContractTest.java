package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.test.contract.programs.DeviceContract;
import dev.gatun.test.emulator.Emulator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the contract's program for devices prints, and how it ends. */
final class DeviceContractTest {
  private static final int NOT_READY = 600;
  private static final int ILLEGAL_ADDRESS = 700;

  @TempDir private Path folder;

  /** The program, with a call of the driver that fails. */
  static final class Broken {
    private Broken() {}

    /** Takes the result of the call, and the program's arguments. */
    public static void main(String... arguments) {
      Emulator.open();
      Emulator.fail("cuLaunchKernel", 5, Integer.parseInt(arguments[0]));
      DeviceContract.main(List.of(arguments).subList(1, arguments.length).toArray(String[]::new));
    }
  }

  @BeforeAll
  static void emulated() {
    assumeTrue(Emulator.isEmulated(), "failures are ordered");
  }

  private ChildJvm.Outcome run(Class<?> main, String... arguments) throws Exception {
    return ChildJvm.run(
        folder,
        Map.of(),
        List.of("-Dgatun.test.kernel=softmax", "-Dgatun.cuda.multiprocessors=132"),
        main,
        arguments);
  }

  private static List<String> lines(String out, String begins) {
    return out.lines()
        .filter(l -> l.startsWith(begins))
        .map(l -> l.substring(begins.length()))
        .toList();
  }

  @Test
  void each_case_is_named_before_and_after_it() throws Exception {
    ChildJvm.Outcome outcome = run(DeviceContract.class, "60", "6", "--seed", "100");
    assertEquals(0, outcome.code(), outcome.out() + outcome.err());
    List<String> begun = lines(outcome.out(), "begin ");
    assertEquals(begun, lines(outcome.out(), "right "));
    assertEquals(begun.size(), begun.stream().distinct().count());
    assertTrue(begun.contains("plain/softmax/105"), outcome.out());
    assertTrue(outcome.out().contains("planned as on 132 multiprocessors"), outcome.out());
    assertTrue(
        outcome
            .out()
            .endsWith("cases: %1$d of %1$d, skipped: 0, failed: 0\n".formatted(begun.size())),
        outcome.out());
  }

  @Test
  void cases_that_are_skipped_are_left_out_and_the_others_are_the_same() throws Exception {
    List<String> all = lines(run(DeviceContract.class, "60", "6").out(), "begin ");
    Path skip = Files.write(folder.resolve("skip"), all.subList(0, all.size() - 2));
    ChildJvm.Outcome outcome = run(DeviceContract.class, "60", "6", "--skip", skip.toString());
    assertEquals(0, outcome.code(), outcome.out());
    assertEquals(
        List.copyOf(all.subList(all.size() - 2, all.size())).stream().sorted().toList(),
        lines(outcome.out(), "begin ").stream().sorted().toList());
  }

  @Test
  void a_case_that_fails_does_not_end_the_others() throws Exception {
    ChildJvm.Outcome outcome = run(Broken.class, String.valueOf(NOT_READY), "60", "6");
    assertEquals(1, outcome.code(), outcome.out());
    List<String> failed = lines(outcome.out(), "failed: ");
    assertEquals(1, failed.size(), outcome.out());
    assertTrue(failed.getFirst().matches("[a-z]+/softmax[^/ ]*/[0-9]+ .*CUDA_ERROR_NOT_READY.*"));
    assertTrue(outcome.out().matches("(?s).*right .*failed: .*right .*, failed: 1\n"));
  }

  @Test
  void a_device_that_is_lost_ends_the_program_with_a_status_of_its_own() throws Exception {
    ChildJvm.Outcome outcome = run(Broken.class, String.valueOf(ILLEGAL_ADDRESS), "60", "6");
    assertEquals(3, outcome.code(), outcome.out());
    List<String> lines = outcome.out().lines().toList();
    assertTrue(lines.getLast().matches("cases: [0-9]+ of [0-9]+, skipped: 0, failed: 1"));
    assertTrue(lines.get(lines.size() - 2).matches("failed: .* CUDA_ERROR_ILLEGAL_ADDRESS.*"));
    assertEquals(
        lines.get(lines.size() - 3).substring("begin ".length()),
        lines.get(lines.size() - 2).split(" ")[1]);
  }

  @Test
  void arguments_that_say_nothing_are_named() throws Exception {
    ChildJvm.Outcome outcome = run(DeviceContract.class, "60", "6", "--without", "file");
    assertEquals(2, outcome.code());
    assertTrue(outcome.err().startsWith("there is no option --without\nusage: "), outcome.err());
  }
}
