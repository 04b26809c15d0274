package dev.gatun.test.contract.programs;

import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A program: every kernel of the processor while memory runs out at its first, second or third
 * allocation, by {@code starved.cpp}. A call says so, or gives the right bits, and the next one
 * gives the right bits. Likewise recordings, and calls whose threads cannot be started. Its
 * arguments are how many cases of a simple kernel there are, and the library that was loaded before
 * all others.
 */
public final class StarvedRuns {
  private static final int ALLOCATIONS = 3;

  private static MethodHandle starve;
  private static MethodHandle feed;
  private static int refused;
  private static int calls;

  private StarvedRuns() {}

  public static void main(String[] args) throws Throwable {
    SymbolLookup library = SymbolLookup.libraryLookup(Path.of(args[1]), Arena.global());
    starve = function(library, "starve", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));
    feed = function(library, "feed", FunctionDescriptor.ofVoid());
    startsNoThread();
    Subjects.CPU.setThreads(1);
    for (Case c : Cases.all(Integer.parseInt(args[0])).toList()) {
      for (CpuLevel level : Subjects.levels()) {
        Subjects.CPU.setLevel(level);
        Map<String, int[]> right = Runs.run(c, Subjects.CPU);
        for (int allocations = 0; allocations < ALLOCATIONS; allocations++) {
          run(c, level, right, allocations);
        }
      }
      record(c);
    }
    System.out.println("refused: " + refused + " of " + calls);
    System.exit(0);
  }

  /** Work for several threads of which none starts is done by the caller. */
  private static void startsNoThread() throws Throwable {
    Case c =
        Cases.draws(Family.PLAIN, Target.HOST, 1, 0, 40)
            .filter(draw -> draw.generator().name().equals("matmul-wide"))
            .findFirst()
            .orElseThrow()
            .make();
    Subjects.CPU.setThreads(1);
    Map<String, int[]> right = Runs.run(c, Subjects.CPU);
    Subjects.CPU.setThreads(5);
    check(c, right, Integer.MAX_VALUE);
  }

  /** A recording that finds no memory says so; one that does replays. */
  private static void record(Case c) throws Throwable {
    for (int allocations = 0; allocations < 2 * ALLOCATIONS; allocations++) {
      try (Runs.Placed placed = Runs.Placed.of(c, Subjects.CPU, false)) {
        var call = placed.call();
        starve.invokeExact((long) allocations);
        try {
          Subjects.CPU.capture(() -> Subjects.CPU.kernels().run(call)).close();
        } catch (OutOfMemoryError e) {
          refused++;
        } finally {
          feed.invokeExact();
        }
      }
    }
  }

  /** In a thread of its own, which has no memory of an earlier call. */
  private static void run(Case c, CpuLevel level, Map<String, int[]> right, int allocations)
      throws InterruptedException {
    AtomicReference<Throwable> wrong = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    check(c, right, allocations);
                  } catch (Throwable e) {
                    wrong.set(e);
                  }
                });
    thread.join();
    if (wrong.get() != null) {
      throw new AssertionError(
          "%s: %s after %d allocations".formatted(level.id(), c, allocations), wrong.get());
    }
  }

  private static void check(Case c, Map<String, int[]> right, int allocations) throws Throwable {
    calls++;
    try (Runs.Placed placed = Runs.Placed.of(c, Subjects.CPU, false)) {
      var call = placed.call();
      boolean done = false;
      starve.invokeExact((long) allocations);
      try {
        Subjects.CPU.kernels().run(call);
        done = true;
      } catch (OutOfMemoryError e) {
        refused++;
      } finally {
        feed.invokeExact();
      }
      if (done) {
        same(right, placed.results());
      }
    }
    same(right, Runs.run(c, Subjects.CPU));
  }

  private static void same(Map<String, int[]> right, Map<String, int[]> got) {
    right.forEach(
        (name, bits) -> {
          if (!Arrays.equals(bits, got.get(name))) {
            throw new AssertionError(name + " has other bits");
          }
        });
  }

  private static MethodHandle function(
      SymbolLookup library, String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor);
  }
}
