package dev.gatun.test.emulator;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The emulated CUDA driver, which the build makes of {@code test/emulator} and {@code cuda-src}.
 * With {@code -Dgatun.test.cuda=device} the tests run on the first device of the system's driver.
 */
public final class Emulator {
  /** Which thread of a block runs next. */
  public enum Policy {
    ROUND_ROBIN,
    REVERSE,
    GREEDY_WARP,
    RANDOM
  }

  /** The property that names another folder with the driver library. */
  public static final String PROPERTY = "gatun.test.emulator";

  /** The driver library. */
  public static final Path LIBRARY =
      Path.of(System.getProperty(PROPERTY, "target/emulator"))
          .resolve("libgatun_emulated_cuda.so")
          .toAbsolutePath();

  /** The images that the driver loads in place of fat binaries. */
  public static final Path IMAGES = LIBRARY.resolveSibling("images");

  private static final boolean DEVICE = "device".equals(System.getProperty("gatun.test.cuda"));

  private static final long TEXT_BYTES = 1 << 16;

  private static final class Calls {
    static final SymbolLookup LOOKUP = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    static final MethodHandle SET =
        handle(
            "gatun_emulator_set",
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT);
    static final MethodHandle FAIL =
        handle(
            "gatun_emulator_fail", ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    static final MethodHandle SET_MEMORY =
        handle("gatun_emulator_set_memory", ValueLayout.JAVA_LONG);
    static final MethodHandle LOSE = handle("gatun_emulator_lose", ValueLayout.JAVA_INT);
    static final MethodHandle RESET = handle("gatun_emulator_reset");
    static final MethodHandle PLAN = handle("gatun_emulator_plan", ValueLayout.JAVA_INT);
    static final MethodHandle PLANNED = text("gatun_emulator_planned");
    static final MethodHandle COUNTS = text("gatun_emulator_counts");

    static MethodHandle text(String name) {
      return Linker.nativeLinker()
          .downcallHandle(
              LOOKUP.find(name).orElseThrow(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    }

    static MethodHandle handle(String name, java.lang.foreign.MemoryLayout... arguments) {
      return Linker.nativeLinker()
          .downcallHandle(LOOKUP.find(name).orElseThrow(), FunctionDescriptor.ofVoid(arguments));
    }
  }

  private Emulator() {}

  /** The backend of the device under test; the emulated one is of compute capability 8.0. */
  public static Backend open() {
    return open(0);
  }

  /** The device of compute capability 9.0; the one under test where it is not emulated. */
  public static Backend openHopper() {
    return open(DEVICE ? 0 : 1);
  }

  private static Backend open(int ordinal) {
    if (!DEVICE) {
      System.setProperty("gatun.cuda.driver", LIBRARY.toString());
      System.setProperty("gatun.cuda.images", IMAGES.toString());
    }
    if (System.getProperty("gatun.cuda.cublaslt") == null) {
      // The cases' weights are in panels, and NVIDIA's own library would look for a device.
      System.setProperty("gatun.cuda.cublaslt", "off");
    }
    return Devices.open("cuda", ordinal);
  }

  /** Whether the device under test is emulated. */
  public static boolean isEmulated() {
    return !DEVICE;
  }

  /**
   * How kernels run from now on.
   *
   * @param seed of what is random
   * @param earlyCopies whether asynchronous copies land when they are issued
   * @param lazyStreams whether streams do their work only when they are waited for
   */
  public static void set(Policy policy, long seed, boolean earlyCopies, boolean lazyStreams) {
    if (DEVICE) {
      return;
    }
    try {
      Calls.SET.invokeExact(
          policy.ordinal(),
          seed,
          earlyCopies ? 1 : 0,
          lazyStreams ? 1 : 0,
          Runtime.getRuntime().availableProcessors());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Makes one call of a function of the driver fail, after so many that do not. */
  public static void fail(String function, int callsBefore, int result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(function);
      Calls.FAIL.invokeExact(name, callsBefore, result);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** How much memory the device has. */
  public static void setMemory(long bytes) {
    try {
      Calls.SET_MEMORY.invokeExact(bytes);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Loses the device, as a kernel that fails does. */
  public static void lose(int result) {
    try {
      Calls.LOSE.invokeExact(result);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends the state that a failure leaves the device in. */
  public static void reset() {
    try {
      Calls.RESET.invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A launch that was planned.
   *
   * @param kernel the name in {@code kernels.list}
   * @param x blocks along x
   * @param y blocks along y
   * @param z blocks along z
   */
  public record Planned(String kernel, long x, long y, long z) {}

  /** Notes launches from now on in place of running them, or ends that. */
  public static void plan(boolean on) {
    try {
      Calls.PLAN.invokeExact(on ? 1 : 0);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** What was noted since this was last asked. */
  public static List<Planned> planned() {
    return lines(Calls.PLANNED).stream().map(Emulator::parse).toList();
  }

  /**
   * Calls of a function of the driver.
   *
   * @param calls how many
   * @param bytes that they allocated, copied or set, in all
   */
  public record Count(long calls, long bytes) {
    static final Count NONE = new Count(0, 0);
  }

  /** Calls of the driver's functions by their names. */
  public record Counts(Map<String, Count> functions) {
    public Count of(String function) {
      return functions.getOrDefault(function, Count.NONE);
    }

    /** How often the host waited for the device: for a stream, an event or all of it. */
    public long waits() {
      return of("cuStreamSynchronize").calls()
          + of("cuEventSynchronize").calls()
          + of("cuCtxSynchronize").calls();
    }
  }

  /** What was called since this was last asked. */
  public static Counts counts() {
    return new Counts(
        lines(Calls.COUNTS).stream()
            .map(line -> line.split(" "))
            .collect(
                Collectors.toMap(
                    words -> words[0],
                    words -> new Count(Long.parseLong(words[1]), Long.parseLong(words[2])))));
  }

  private static List<String> lines(MethodHandle function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(TEXT_BYTES);
      long length = (long) function.invokeExact(text, TEXT_BYTES);
      if (length > TEXT_BYTES) {
        throw new IllegalStateException("the emulator noted " + length + " characters");
      }
      byte[] bytes = text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      return new String(bytes, StandardCharsets.US_ASCII).lines().toList();
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static Planned parse(String line) {
    String[] words = line.split(" ");
    return new Planned(
        words[0], Long.parseLong(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3]));
  }
}
