package dev.gatun.test.contract.programs;

import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.BadCall;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.CudaAgreement;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.LevelVariant;
import dev.gatun.test.contract.frame.Placement;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Tolerance;
import dev.gatun.test.emulator.Emulator;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A program for who writes a kernel: its bad arguments, its contract cases on every CPU level, as
 * processors are that have more and less, then on the emulator, then what its largest case takes on
 * each level. Arguments: how the names of the kernels begin, then perhaps {@code level=NAME},
 * {@code backend=cpu|cuda} and {@code cases=N}. {@code ./gatun dev kernel} starts it.
 */
public final class KernelLoop {
  private static final int EMULATED = 12;
  private static final double SECONDS = 0.15;

  private final List<Case> cases;
  private final List<Case> emulated;
  private final List<LevelVariant> variants;
  private int failed;

  private KernelLoop(List<Case> cases, List<Case> emulated, List<LevelVariant> variants) {
    this.cases = cases;
    this.emulated = emulated;
    this.variants = variants;
  }

  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (String option : List.of(args).subList(1, args.length)) {
      String[] parts = option.split("=", 2);
      if (parts.length < 2 || !List.of("level", "backend", "cases").contains(parts[0])) {
        fail(option + ": expected level=NAME, backend=cpu, backend=cuda or cases=N");
      }
      options.put(parts[0], parts[1]);
    }
    String level = options.getOrDefault("level", "");
    String backend = options.getOrDefault("backend", "");
    int each = Integer.parseInt(options.getOrDefault("cases", "40"));
    // -Dgatun.test.kernel has left those whose names begin so.
    List<Case> cases = Cases.all(each).toList();
    List<LevelVariant> variants =
        Stream.concat(LevelVariant.whole().stream(), LevelVariant.reduced().stream())
            .filter(v -> v.level().id().startsWith(level))
            .toList();
    if (variants.isEmpty()) {
      fail("level=" + level + ": this processor runs " + Subjects.levels());
    }
    List<Case> emulated = Cases.all(Target.EMULATED, 0, each).toList();
    KernelLoop loop = new KernelLoop(cases, emulated, variants);
    loop.badArguments();
    if (!backend.equals("cuda")) {
      loop.processor();
    }
    if (!backend.equals("cpu") && level.isEmpty()) {
      loop.emulator();
    }
    if (!backend.equals("cuda")) {
      loop.time();
    }
    System.exit(loop.failed == 0 ? 0 : 1);
  }

  private static void fail(String message) {
    System.err.println("gatun dev kernel: " + message);
    System.exit(2);
  }

  private void processor() {
    Map<LevelVariant, Integer> right = new HashMap<>();
    for (Case c : cases) {
      Runs.References references = Runs.references(c);
      for (LevelVariant variant : variants) {
        variant.choose(Subjects.CPU);
        Subjects.CPU.setThreads(2);
        if (passes(
            variant + ": " + c, () -> Tolerance.check(c, references, Runs.run(c, Subjects.CPU)))) {
          right.merge(variant, 1, Integer::sum);
        }
      }
    }
    for (LevelVariant variant : variants) {
      System.out.printf(
          "%-40s %d of %d cases%n", variant, right.getOrDefault(variant, 0), cases.size());
    }
  }

  private void badArguments() {
    List<BadCall> bad = Cases.bad().toList();
    long right = bad.stream().filter(call -> passes(call.message(), call::check)).count();
    System.out.printf("%-40s %d of %d cases%n", "bad arguments", right, bad.size());
  }

  private void emulator() {
    // Those with the fewest numbers: each thread of a kernel is a fiber there.
    List<Case> small =
        emulated.stream().sorted(Comparator.comparingLong(KernelLoop::numbers)).toList();
    int count = Math.min(EMULATED, small.size());
    int right = 0;
    for (int i = 0; i < count; i++) {
      Case c = small.get((int) ((long) i * small.size() * 3 / 4 / count));
      right +=
          passes(
                  "emulator: " + c,
                  () ->
                      CudaAgreement.check(
                          c, Emulator.open(), false, List.of(Emulator.Policy.GREEDY_WARP)))
              ? 1
              : 0;
    }
    System.out.printf("%-40s %d of %d cases%n", "emulator", right, count);
  }

  private boolean passes(String what, Runnable check) {
    try {
      check.run();
      return true;
    } catch (AssertionError | RuntimeException e) {
      failed++;
      System.out.println("failed: " + what + ": " + e.getMessage());
      return false;
    }
  }

  private void time() {
    Case largest = cases.stream().max(Comparator.comparingLong(KernelLoop::numbers)).orElseThrow();
    System.out.println("one thread, " + largest + ":");
    Map<LevelVariant, Double> least = new HashMap<>();
    // In two rounds: the first ones run before Java's side is compiled.
    for (int round = 0; round < 2; round++) {
      for (LevelVariant variant : variants) {
        variant.choose(Subjects.CPU);
        Subjects.CPU.setThreads(1);
        least.merge(variant, microseconds(largest), Math::min);
      }
    }
    variants.forEach(v -> System.out.printf("%-40s %.1f us%n", v, least.get(v)));
  }

  /** The least time of a call. */
  private static double microseconds(Case c) {
    Map<String, Placement> placements = new HashMap<>();
    try {
      for (Data data : c.data()) {
        placements.put(data.name(), new Placement(data, Subjects.CPU.memory(), 0));
      }
      Map<String, Operand> operands = new HashMap<>();
      placements.forEach((name, placement) -> operands.put(name, placement.operand()));
      long best = Long.MAX_VALUE;
      long end = System.nanoTime() + (long) (SECONDS * 1e9);
      do {
        long start = System.nanoTime();
        Subjects.CPU.kernels().run(c.call().apply(operands::get));
        best = Math.min(best, System.nanoTime() - start);
      } while (System.nanoTime() < end);
      return best / 1e3;
    } finally {
      placements.values().forEach(Placement::close);
    }
  }

  private static long numbers(Case c) {
    return c.data().stream().mapToLong(Data::count).sum();
  }
}
