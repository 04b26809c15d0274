package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Runs a case on a backend. */
public final class Runs {
  private Runs() {}

  /** What a case gives by the reference. */
  public static final class References {
    /** So many that the most of what they move results by is about what roundings may. */
    private static final int MOVES = 32;

    /** The kinds of draws, each at once. */
    private enum Draws {
      FIRST_ORDERS,
      OTHER_ORDERS,
      MOVED_OPERANDS,
      RANDOM_ROUNDING
    }

    private final Case of;
    private final Map<String, int[]> exact;
    private final List<Map<String, int[]>> plain;
    private Draws last = Draws.FIRST_ORDERS;

    private References(Case of, Map<String, int[]> exact, List<Map<String, int[]>> plain) {
      this.of = of;
      this.exact = exact;
      this.plain = new ArrayList<>(plain);
    }

    /** In double. */
    public Map<String, int[]> exact() {
      return exact;
    }

    /** In the case's dtype, by as many draws of {@link Tolerance} as were asked for. */
    public List<Map<String, int[]>> plain() {
      return List.copyOf(plain);
    }

    /** Adds the draws of the next kind; false after the last. */
    boolean addDraws() {
      switch (last) {
        case FIRST_ORDERS -> {
          List<Backend> all = Subjects.plain(of.dtype());
          add(all.subList(plain.size(), all.size()).stream(), backend -> run(of, backend));
          last = Draws.OTHER_ORDERS;
        }
        case OTHER_ORDERS -> {
          Case wide = of.widened();
          add(seeds(), seed -> narrowed(run(wide.moved(seed), Subjects.EXACT)));
          last = Draws.MOVED_OPERANDS;
        }
        case MOVED_OPERANDS -> {
          add(seeds(), seed -> run(of, Subjects.randomlyRounding(seed)));
          last = Draws.RANDOM_ROUNDING;
        }
        case RANDOM_ROUNDING -> {
          return false;
        }
      }
      return true;
    }

    private <T> void add(Stream<T> draws, Function<T, Map<String, int[]>> run) {
      plain.addAll(draws.parallel().map(run).toList());
    }

    private static Stream<Integer> seeds() {
      return IntStream.rangeClosed(1, MOVES).boxed();
    }

    /** Results of F32 in the types that the case's have. */
    private Map<String, int[]> narrowed(Map<String, int[]> results) {
      Map<String, int[]> narrow = new LinkedHashMap<>();
      results.forEach(
          (name, bits) -> {
            DType dtype = of.data(name).dtype();
            DType wide = of.widened().data(name).dtype();
            narrow.put(
                name,
                dtype == wide
                    ? bits
                    : Arrays.stream(bits)
                        .map(b -> b == -1 ? b : Numbers.bits(Numbers.value(b, wide), dtype))
                        .toArray());
          });
      return narrow;
    }
  }

  public static References references(Case c) {
    List<Backend> plain = Subjects.plain(c.dtype()).subList(0, c.dtype() == DType.F32 ? 2 : 1);
    List<Map<String, int[]>> results =
        IntStream.rangeClosed(0, plain.size())
            .parallel()
            .mapToObj(i -> i == 0 ? run(c.widened(), Subjects.EXACT) : run(c, plain.get(i - 1)))
            .toList();
    return new References(c, results.getFirst(), results.subList(1, results.size()));
  }

  /** The bits of every operand that the case writes, by name; guard zones are checked. */
  public static Map<String, int[]> run(Case c, Backend backend) {
    return run(c, backend, false);
  }

  /** The same, with operands that are aligned to 16 bytes on request. */
  public static Map<String, int[]> run(Case c, Backend backend, boolean aligned) {
    try (Placed placed = Placed.of(c, backend, aligned)) {
      backend.kernels().run(placed.call());
      return placed.results();
    }
  }

  /** The same, each operand so many elements behind a place that is aligned to 16 bytes. */
  public static Map<String, int[]> run(Case c, Backend backend, ToIntFunction<Data> behind) {
    try (Placed placed = Placed.of(c, backend, behind)) {
      backend.kernels().run(placed.call());
      return placed.results();
    }
  }

  /** What the reference in double writes to an operand, for another case to read. */
  public static double[] values(Case c, String name) {
    DType dtype = c.data(name).dtype();
    return Arrays.stream(run(c, Subjects.EXACT).get(name))
        .mapToDouble(bits -> Numbers.value(bits, dtype))
        .toArray();
  }

  /** A case's operands in a backend's memory. */
  public record Placed(Case of, Map<String, Placement> placements) implements AutoCloseable {
    public static Placed of(Case c, Backend backend, boolean aligned) {
      return of(c, backend, data -> aligned ? 0 : c.data().indexOf(data) % 4);
    }

    /** Each operand so many elements behind a place that is aligned to 16 bytes. */
    public static Placed of(Case c, Backend backend, ToIntFunction<Data> behind) {
      Placed placed = new Placed(c, new LinkedHashMap<>());
      try {
        for (Data data : c.data()) {
          placed.placements.put(
              data.name(), new Placement(data, backend.memory(), behind.applyAsInt(data)));
        }
        return placed;
      } catch (RuntimeException | Error e) {
        placed.close();
        throw e;
      }
    }

    public KernelCall call() {
      return of.call()
          .apply(
              name -> {
                Placement placement = placements.get(name);
                return placement == null ? null : placement.operand();
              });
    }

    /** The bits of every operand that the case writes, by name; guard zones are checked. */
    public Map<String, int[]> results() {
      Map<String, int[]> results = new LinkedHashMap<>();
      placements.forEach(
          (name, placement) -> {
            int[] bits = placement.result();
            if (bits != null) {
              results.put(name, bits);
            }
          });
      return results;
    }

    @Override
    public void close() {
      placements.values().forEach(Placement::close);
    }
  }
}
