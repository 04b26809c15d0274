package dev.gatun.test.contract.programs;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.cases.Family;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Placement;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.emulator.Emulator;
import dev.gatun.test.emulator.Emulator.Planned;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A program: plans the cases of a run of {@link DeviceContract} as on devices of several sizes, and
 * says which kernels too few of them reach, which never split and whose rings are never used again.
 */
public final class ReachRuns {
  /** Devices as the emulator shows them, by their places: H100, A100, RTX 4090, the emulator. */
  static final List<Target> TARGETS =
      List.of(new Target(90, 132), new Target(80, 108), new Target(89, 128), new Target(90, 4));

  private static final int LEAST_CASES = 20;
  private static final int LEAST_OF_A_KIND = 5;
  private static final long ARENA = 1L << 27;
  // What runs on the host has no larger operands.
  private static final long HOST_ARENA = 1L << 21;
  // Guard zones are of so many bytes, which keeps operands aligned.
  private static final long GAP = 64;

  private static final int ALL = 0;
  private static final int SPLIT = 1;
  private static final int WRAPPED = 2;
  private static final int FLIPPED = 3;
  private static final String[] KINDS = {
    "reach it", "split it", "use a stage of its ring again", "bring a stage's phase back"
  };

  private ReachRuns() {}

  /**
   * Prints what is lacking, a line each, and how many cases there were.
   *
   * @param arguments random cases of a simple kernel, and perhaps {@code all} for every count
   */
  public static void main(String... arguments) {
    int each = Integer.parseInt(arguments[0]);
    long cases = 0;
    for (int ordinal = 0; ordinal < TARGETS.size(); ordinal++) {
      Target target = TARGETS.get(ordinal);
      System.setProperty(Target.MULTIPROCESSORS, String.valueOf(target.multiprocessors()));
      Map<String, int[]> counts = new HashMap<>();
      cases += count(Devices.open("cuda", ordinal), target, each, counts);
      report(target, counts, arguments.length > 1);
    }
    System.out.println("planned: " + cases);
  }

  private static void report(Target target, Map<String, int[]> counts, boolean all) {
    for (KernelFacts kernel : KernelFacts.list()) {
      int[] found = counts.getOrDefault(kernel.name(), new int[KINDS.length]);
      for (int kind = 0; kind < KINDS.length; kind++) {
        boolean expected =
            switch (kind) {
              case SPLIT -> kernel.splits();
              case WRAPPED -> kernel.stages() > 0;
              case FLIPPED -> kernel.hasPhases();
              default -> true;
            };
        int least = kind == ALL ? LEAST_CASES : LEAST_OF_A_KIND;
        boolean lacking = expected && kernel.runsOn(target) && found[kind] < least;
        if (lacking || all && expected && found[kind] > 0) {
          System.out.printf(
              "%s: %d cases %s as on %d multiprocessors of compute capability %d.%d, %d expected%n",
              kernel.name(),
              found[kind],
              KINDS[kind],
              target.multiprocessors(),
              target.capability() / 10,
              target.capability() % 10,
              least);
        }
      }
    }
  }

  /** Adds up how many cases a kernel has of each kind; all of them. */
  private static long count(Backend device, Target target, int each, Map<String, int[]> counts) {
    long cases = 0;
    Emulator.plan(true);
    try (Buffer arena = device.memory().allocate(ARENA)) {
      clear(arena, HOST_ARENA);
      for (Family family : Family.values()) {
        for (Draw draw : (Iterable<Draw>) Cases.draws(family, target, each)::iterator) {
          Case c = draw.make();
          Map<String, Operand> operands = operands(c, arena, draw.isAligned());
          KernelCall call = c.call().apply(operands::get);
          // Indices are looked at before a launch; other values are all the same to a plan.
          indices(c, operands, true);
          device.kernels().run(call);
          indices(c, operands, false);
          Map<String, Set<Integer>> kinds = new HashMap<>();
          List<Planned> launches = Emulator.planned();
          if (launches.isEmpty()) {
            // Done on the host.
            clear(arena, HOST_ARENA);
          }
          for (Planned launch : launches) {
            KernelFacts kernel = KernelFacts.of(launch.kernel());
            long steps = kernel.steps(launch, call);
            Set<Integer> found = kinds.computeIfAbsent(launch.kernel(), k -> new HashSet<>());
            found.add(ALL);
            if (kernel.parts(launch, call) > 1) {
              found.add(SPLIT);
            }
            if (steps > kernel.stages()) {
              found.add(WRAPPED);
            }
            if (steps > 2L * kernel.stages()) {
              found.add(FLIPPED);
            }
          }
          kinds.forEach(
              (name, found) -> {
                int[] sums = counts.computeIfAbsent(name, k -> new int[KINDS.length]);
                found.forEach(kind -> sums[kind]++);
              });
          cases++;
        }
      }
    } finally {
      Emulator.plan(false);
    }
    return cases;
  }

  /** Writes zeros, which what runs on the host takes for numbers and scales. */
  private static void clear(Buffer arena, long bytes) {
    MemorySegment zeros = MemorySegment.ofArray(new byte[1 << 16]);
    for (long at = 0; at < bytes; at += zeros.byteSize()) {
      arena.memory().write(zeros, arena, at);
    }
  }

  /** The case's operands without values, laid out as {@link Placement} does. */
  private static Map<String, Operand> operands(Case c, Buffer arena, boolean aligned) {
    Map<String, Operand> operands = new HashMap<>();
    long at = 0;
    int skip = 0;
    for (Data data : c.data()) {
      int bytes = data.dtype().bytes();
      long first = at / bytes + (aligned ? 0 : skip++ % 4);
      operands.put(
          data.name(), new Operand(arena, first, data.dtype(), data.shape(), data.strides()));
      long end = (first + data.span()) * bytes + GAP;
      at = Math.ceilDiv(end, GAP) * GAP;
    }
    return operands;
  }

  /** Writes the operands of whole numbers, or zeros. */
  private static void indices(Case c, Map<String, Operand> operands, boolean values) {
    for (Data data : c.data()) {
      if (data.contents() != null && (data.dtype() == DType.I64 || data.dtype() == DType.I32)) {
        byte[] bytes = Placement.bytes(values ? data : data.withValues(null), 0, 0);
        if (!values) {
          Arrays.fill(bytes, (byte) 0);
        }
        Operand to = operands.get(data.name());
        to.buffer().memory().write(MemorySegment.ofArray(bytes), to.buffer(), to.byteOffset());
      }
    }
  }
}
