package dev.gatun.test.contract;

import dev.gatun.test.emulator.Emulator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program: the contract's cases on a device, as many as fit into a time. */
public final class DeviceContract {
  private DeviceContract() {}

  /**
   * Prints a line for each case that fails, and how many there were.
   *
   * @param arguments the seconds, the number of random cases of each kernel, and perhaps how the
   *     descriptions of those to run begin
   */
  public static void main(String[] arguments) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[0]));
    int each = Integer.parseInt(arguments[1]);
    System.out.println(Emulator.open().label());
    String begins = arguments.length > 2 ? arguments[2] : "";
    List<Case> plain =
        CudaContractTest.cases(each).filter(c -> c.description().startsWith(begins)).toList();
    List<Case> tiles =
        Stream.concat(Cases.tiles(each), Cases.hopper(each))
            .filter(c -> c.description().startsWith(begins))
            .toList();
    List<Runnable> checks =
        new ArrayList<>(
            Stream.concat(
                    plain.stream().map(c -> check(c, false)),
                    tiles.stream().map(c -> check(c, true)))
                .toList());
    // In a random order, so that a part of them is a part of each kernel's.
    Collections.shuffle(checks, new Random(1));
    int done = 0;
    int failed = 0;
    for (Runnable check : checks) {
      if (System.nanoTime() > end) {
        break;
      }
      done++;
      try {
        check.run();
      } catch (AssertionError | RuntimeException e) {
        failed++;
        System.out.println("failed: " + e.getMessage());
      }
    }
    System.out.printf("cases: %d of %d, failed: %d%n", done, checks.size(), failed);
    System.exit(failed == 0 ? 0 : 1);
  }

  private static Runnable check(Case c, boolean aligned) {
    return () -> CudaContractTest.check(c, aligned, List.of(Emulator.Policy.GREEDY_WARP));
  }
}
