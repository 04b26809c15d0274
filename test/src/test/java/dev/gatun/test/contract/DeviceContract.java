package dev.gatun.test.contract;

import dev.gatun.test.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program: the contract's cases on a device, as many as fit into a time. */
public final class DeviceContract {
  private record Check(Case made, boolean aligned) {}

  private DeviceContract() {}

  private static String kernel() {
    return System.getProperty("gatun.test.kernel", "");
  }

  /**
   * Before a case {@code begin CASE}, after it {@code right CASE} or {@code failed: CASE why}; the
   * last line sums up. {@code -Dgatun.test.kernel=NAME} runs those of kernels that begin so.
   *
   * @param arguments the seconds, the number of random cases of each kernel, and perhaps {@code
   *     --skip FILE}, cases that are left out
   */
  public static void main(String[] arguments) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[0]));
    int each = Integer.parseInt(arguments[1]);
    Set<String> skipped = new HashSet<>();
    String begins = arguments.length == 3 ? arguments[2] : kernel();
    if (arguments.length > 3) {
      skipped.addAll(Files.readAllLines(Path.of(arguments[3])));
    }
    System.out.println(Emulator.open().label());
    List<Check> checks = new ArrayList<>();
    CudaContractTest.cases(each).forEach(c -> checks.add(new Check(c, false)));
    Stream.concat(Cases.tiles(each), Cases.hopper(each))
        .forEach(c -> checks.add(new Check(c, true)));
    checks.removeIf(
        c -> !c.made.description().startsWith(begins) || skipped.contains(c.made.description()));
    // In a random order, so that a part of them is a part of each kernel's.
    Collections.shuffle(checks, new Random(1));
    int done = 0;
    int failed = 0;
    for (Check check : checks) {
      if (System.nanoTime() > end) {
        break;
      }
      done++;
      String id = check.made.description();
      System.out.println("begin " + id);
      try {
        CudaContractTest.check(check.made, check.aligned, List.of(Emulator.Policy.GREEDY_WARP));
        System.out.println("right " + id);
      } catch (AssertionError | RuntimeException e) {
        failed++;
        System.out.println("failed: " + id + " " + e.getMessage());
      }
    }
    System.out.printf("cases: %d of %d, failed: %d%n", done, checks.size(), failed);
    System.exit(failed == 0 ? 0 : 1);
  }
}
