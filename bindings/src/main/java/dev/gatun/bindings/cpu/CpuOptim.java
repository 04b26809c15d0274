package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import dev.gatun.bindings.generated.cpu.gatun_factored_parameter;
import dev.gatun.bindings.generated.cpu.gatun_parameter;
import dev.gatun.bindings.generated.cpu.gatun_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Steps of optimisers over lists; arguments are as {@code gatun_cpu.h} says. */
public final class CpuOptim {
  // A list of a thread: made anew when a longer one comes, so that a call allocates nothing.
  private static final ThreadLocal<MemorySegment> LIST =
      ThreadLocal.withInitial(() -> MemorySegment.NULL);

  private CpuOptim() {}

  /** A list of parameters to fill. */
  public static final class Parameters {
    private final MemorySegment list;
    private final int count;

    public Parameters(int count) {
      this.list = list(gatun_parameter.sizeof() * count);
      this.count = count;
    }

    /**
     * Sets one of them.
     *
     * @param copy NULL for none
     */
    public void set(
        int i,
        MemorySegment parameter,
        MemorySegment gradient,
        MemorySegment[] states,
        MemorySegment copy,
        long elements,
        double[] numbers) {
      MemorySegment p = gatun_parameter.asSlice(list, i);
      gatun_parameter.parameter(p, parameter);
      gatun_parameter.gradient(p, gradient);
      for (int s = 0; s < states.length; s++) {
        gatun_parameter.states(p, s, states[s]);
      }
      gatun_parameter.copy(p, copy);
      gatun_parameter.count(p, elements);
      for (int n = 0; n < numbers.length; n++) {
        gatun_parameter.numbers(p, n, (float) numbers[n]);
      }
    }
  }

  /** A list of parameters of Adafactor to fill. */
  public static final class FactoredParameters {
    private final MemorySegment list;
    private final int count;

    public FactoredParameters(int count) {
      this.list = list(gatun_factored_parameter.sizeof() * count);
      this.count = count;
    }

    /**
     * Sets one of them.
     *
     * @param columnSquares NULL of what is no matrix
     * @param mean NULL for none
     * @param copy NULL for none
     * @param sizes batches, rows, columns
     */
    public void set(
        int i,
        MemorySegment parameter,
        MemorySegment gradient,
        MemorySegment rowSquares,
        MemorySegment columnSquares,
        MemorySegment mean,
        MemorySegment copy,
        long[] sizes,
        double[] numbers) {
      MemorySegment p = gatun_factored_parameter.asSlice(list, i);
      gatun_factored_parameter.parameter(p, parameter);
      gatun_factored_parameter.gradient(p, gradient);
      gatun_factored_parameter.row_squares(p, rowSquares);
      gatun_factored_parameter.column_squares(p, columnSquares);
      gatun_factored_parameter.mean(p, mean);
      gatun_factored_parameter.copy(p, copy);
      gatun_factored_parameter.batches(p, sizes[0]);
      gatun_factored_parameter.rows(p, sizes[1]);
      gatun_factored_parameter.columns(p, sizes[2]);
      for (int n = 0; n < numbers.length; n++) {
        gatun_factored_parameter.numbers(p, n, (float) numbers[n]);
      }
    }
  }

  /** A list of ranges to fill. */
  public static final class Ranges {
    private final MemorySegment list;
    private final int count;

    public Ranges(int count) {
      this.list = list(gatun_range.sizeof() * count);
      this.count = count;
    }

    /** Sets one of them. */
    public void set(int i, MemorySegment first, long elements) {
      MemorySegment range = gatun_range.asSlice(list, i);
      gatun_range.first(range, first);
      gatun_range.count(range, elements);
    }
  }

  /** Memory for a list until this thread's next one, or as long as what it records. */
  private static MemorySegment list(long bytes) {
    MemorySegment kept = CpuRecording.arguments(bytes);
    if (kept != null) {
      return kept;
    }
    if (LIST.get().byteSize() < bytes) {
      LIST.set(Arena.ofAuto().allocate(bytes, 8));
    }
    return LIST.get();
  }

  public static void step(
      Parameters parameters,
      int update,
      int copyDtype,
      float scale,
      MemorySegment norm,
      float maxNorm) {
    CpuLibrary.check(
        "optimizer_step",
        gatun_cpu_h.gatun_optimizer_step(
            CpuRecording.current(),
            parameters.list,
            parameters.count,
            update,
            copyDtype,
            scale,
            norm,
            maxNorm));
  }

  public static void adafactor(
      FactoredParameters parameters,
      int copyDtype,
      float scale,
      MemorySegment norm,
      float maxNorm) {
    CpuLibrary.check(
        "adafactor_step",
        gatun_cpu_h.gatun_adafactor_step(
            CpuRecording.current(),
            parameters.list,
            parameters.count,
            copyDtype,
            scale,
            norm,
            maxNorm));
  }

  public static void globalNorm(
      Ranges ranges, float scale, MemorySegment norms, MemorySegment norm) {
    CpuLibrary.check(
        "global_norm",
        gatun_cpu_h.gatun_global_norm(
            CpuRecording.current(), ranges.list, ranges.count, scale, norms, norm));
  }
}
