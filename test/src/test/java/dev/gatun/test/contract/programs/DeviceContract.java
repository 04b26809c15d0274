package dev.gatun.test.contract.programs;

import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.CudaAgreement;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A program: the contract's cases on a device, as many as fit into a time. Cases and what is right
 * of them are made ahead on all processors, and few are held at a time: with a heap of 24 GiB
 * ({@code -Xmx24g}) those for a device of 132 multiprocessors, with 2 GiB those for one of 4, as
 * {@code -Dgatun.cuda.multiprocessors=4} says.
 */
public final class DeviceContract {
  private static final String USAGE =
      """
      usage: java -Xmx24g [-D...] dev.gatun.test.contract.DeviceContract SECONDS EACH [--skip FILE] [--seed N]
        SECONDS      begins no case after so many
        EACH         random cases of a simple kernel; others have more or fewer
        --skip FILE  leaves out the cases whose ids are in the file, one a line
        --seed N     the number of each kernel's first case, 1 where it is not given
      Properties: gatun.test.kernel=NAME runs the cases of kernels whose names begin so,
      gatun.cuda.multiprocessors=N plans as on a device of so many (-Xmx2g is enough for 4).
      Before a case 'begin ID', after it 'right ID' or 'failed: ID why'; the last line sums up.
      Exit status: 0 all right, 1 a case failed, 2 these arguments are wrong, 3 the device is lost.\
      """;

  private static final int FAILED = 1;
  private static final int WRONG_ARGUMENTS = 2;
  private static final int DEVICE_LOST = 3;

  /** What the arguments say. */
  private record Arguments(long seconds, int each, Set<String> skipped, long seed) {
    static Arguments parse(String... given) throws IOException {
      if (given.length < 2 || given.length % 2 != 0) {
        throw new IllegalArgumentException("arguments " + Arrays.toString(given));
      }
      Set<String> skipped = Set.of();
      long seed = Long.getLong(Cases.SEED, 1);
      for (int i = 2; i < given.length; i += 2) {
        switch (given[i]) {
          case "--skip" ->
              skipped =
                  Files.readAllLines(Path.of(given[i + 1])).stream()
                      .map(String::strip)
                      .collect(Collectors.toSet());
          case "--seed" -> seed = Long.parseLong(given[i + 1]);
          default -> throw new IllegalArgumentException("there is no option " + given[i]);
        }
      }
      return new Arguments(Long.parseLong(given[0]), Integer.parseInt(given[1]), skipped, seed);
    }
  }

  private final Backend device = Emulator.open();
  private int right;
  private int failed;

  private DeviceContract() {}

  /** Runs cases, in an order that mixes the kernels. */
  public static void main(String... given) {
    Arguments arguments;
    try {
      arguments = Arguments.parse(given);
    } catch (IllegalArgumentException | IOException e) {
      System.err.println(e.getMessage() + "\n" + USAGE);
      System.exit(WRONG_ARGUMENTS);
      return;
    }
    System.exit(new DeviceContract().run(arguments));
  }

  private int run(Arguments arguments) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(arguments.seconds);
    Target target = Target.of(0);
    say(
        "%s, planned as on %d multiprocessors, heap %d MiB"
            .formatted(
                device.label(), target.multiprocessors(), Runtime.getRuntime().maxMemory() >> 20));
    List<Draw> draws = new ArrayList<>();
    for (Family family : Family.values()) {
      Cases.draws(family, target, arguments.seed, 0, arguments.each).forEach(draws::add);
    }
    int all = draws.size();
    draws.removeIf(draw -> arguments.skipped.contains(draw.id()));
    // In a random order, so that a part of them is a part of each kernel's.
    Collections.shuffle(draws, new Random(1));
    boolean lost = false;
    try (Prepared.Queue queue = new Prepared.Queue(draws)) {
      while (!lost && queue.hasNext() && System.nanoTime() < end) {
        Prepared next = queue.next();
        say("begin " + next.draw().id());
        lost = check(next);
      }
    }
    say(
        "cases: %d of %d, skipped: %d, failed: %d"
            .formatted(right + failed, all, all - draws.size(), failed));
    if (lost) {
      // What would clean up calls the driver, which may not come back.
      Runtime.getRuntime().halt(DEVICE_LOST);
    }
    return failed == 0 ? 0 : FAILED;
  }

  /** Runs a case, twice for equal bits; whether the device is lost. */
  private boolean check(Prepared next) {
    String id = next.draw().id();
    try {
      CudaAgreement.check(
          next.made(),
          next.references(),
          device,
          next.draw().isAligned(),
          List.of(Policy.GREEDY_WARP, Policy.RANDOM));
      right++;
      say("right " + id);
      return false;
    } catch (AssertionError | RuntimeException | OutOfMemoryError e) {
      failed++;
      say("failed: " + id + " " + String.valueOf(e.getMessage()).replace("\n", " | "));
      return isDeviceLost(e);
    }
  }

  private static boolean isDeviceLost(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CudaException cuda && cuda.isDeviceLost()) {
        return true;
      }
    }
    return false;
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
