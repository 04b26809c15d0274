package dev.gatun.bindings.cuda;

import dev.gatun.bindings.generated.cuda.cuda_h;
import dev.gatun.bindings.loader.LinkerCache;
import dev.gatun.bindings.loader.NativeLoader;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The CUDA driver, {@code libcuda.so.1}. Nothing of CUDA is touched before {@link #load()}; the
 * other methods need a {@code load()} that succeeded.
 */
public final class CudaDriver {
  /** The property that names the driver library to load in place of the system's. */
  public static final String PROPERTY = "gatun.cuda.driver";

  /** The driver library's name in the folders where it is looked for. */
  public static final String NAME = "libcuda.so.1";

  /** The outcome of an attempt at a file that is not there. */
  public static final String MISSING = "no such file";

  // Where distributions, containers, WSL and NixOS put it.
  private static final List<String> FOLDERS =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/usr/local/nvidia/lib64",
          "/usr/local/nvidia/lib",
          "/usr/lib/wsl/lib",
          "/run/opengl-driver/lib");

  private static final class Holder {
    static final NativeLoader.Result RESULT = loadOnce(candidates());
  }

  private CudaDriver() {}

  /**
   * Finds, loads and initialises the driver on the first call; the same result ever after. Where
   * there is none, the result says what was tried and why it failed.
   */
  public static NativeLoader.Result load() {
    return Holder.RESULT;
  }

  private static Set<Path> candidates() {
    Set<Path> files = new LinkedHashSet<>();
    String property = System.getProperty(PROPERTY);
    if (property != null && !property.isBlank()) {
      files.add(Path.of(property).toAbsolutePath());
      return files;
    }
    String path = System.getenv("LD_LIBRARY_PATH");
    if (path != null) {
      for (String folder : path.split(File.pathSeparator)) {
        if (!folder.isBlank()) {
          files.add(Path.of(folder, NAME).toAbsolutePath());
        }
      }
    }
    files.addAll(LinkerCache.find(LinkerCache.FILE, NAME));
    FOLDERS.forEach(folder -> files.add(Path.of(folder, NAME)));
    return files;
  }

  private static NativeLoader.Result loadOnce(Set<Path> files) {
    List<NativeLoader.Attempt> attempts = new ArrayList<>();
    for (Path file : files) {
      if (!Files.exists(file)) {
        attempts.add(new NativeLoader.Attempt(file.toString(), MISSING));
        continue;
      }
      String problem = problem(file);
      if (problem == null) {
        // By its path and from the class loader of the generated classes, which look there. It is
        // the only one that they find: a library that failed was not loaded for them.
        System.load(file.toString());
        problem = initialise();
      }
      attempts.add(new NativeLoader.Attempt(file.toString(), problem == null ? "loaded" : problem));
      if (problem == null) {
        return new NativeLoader.Result(file, List.copyOf(attempts));
      }
    }
    return new NativeLoader.Result(null, List.copyOf(attempts));
  }

  /**
   * Why a library is none that can be used, null where it can: a stub that only links, or the
   * driver of another device, fails at its initialisation.
   */
  private static String problem(Path file) {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      // Kept for the process: a driver that has begun its work does not expect to be unloaded.
      SymbolLookup library = SymbolLookup.libraryLookup(file, Arena.global());
      Optional<MemorySegment> init = library.find("cuInit");
      if (init.isEmpty()) {
        return "is no CUDA driver: it has no cuInit";
      }
      FunctionDescriptor taking = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
      int status = (int) linker.downcallHandle(init.get(), taking).invokeExact(0);
      if (status == cuda_h.CUDA_SUCCESS()) {
        return null;
      }
      FunctionDescriptor naming =
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      String[] words = {"unknown CUresult", "which this driver does not know"};
      String[] functions = {"cuGetErrorName", "cuGetErrorString"};
      for (int i = 0; i < functions.length; i++) {
        Optional<MemorySegment> function = library.find(functions[i]);
        if (function.isPresent()
            && (int) linker.downcallHandle(function.get(), naming).invokeExact(status, pointer)
                == cuda_h.CUDA_SUCCESS()) {
          words[i] = string(pointer);
        }
      }
      return new CudaException(status, words[0], words[1], "cuInit").getMessage();
    } catch (IllegalArgumentException e) {
      return whyNot(file, e);
    } catch (Throwable e) {
      return root(e).getMessage();
    }
  }

  /** What the dynamic linker says of a file that it does not open. */
  private static String whyNot(Path file, IllegalArgumentException unsaid) {
    try {
      System.load(file.toString());
      return unsaid.getMessage();
    } catch (UnsatisfiedLinkError e) {
      return e.getMessage();
    }
  }

  private static String initialise() {
    try {
      check(cuda_h.cuInit(0), "cuInit");
      return null;
    } catch (CudaException e) {
      return e.getMessage();
    } catch (LinkageError e) {
      return "is no CUDA driver: " + root(e);
    }
  }

  /** The first cause: of a function that the library lacks, the line that names it. */
  public static Throwable root(Throwable e) {
    return e.getCause() == null ? e : root(e.getCause());
  }

  /** As {@link #check(int, String)}, the call put together only when it failed. */
  static void check(int status, String format, Object... arguments) {
    if (status != cuda_h.CUDA_SUCCESS()) {
      check(status, format.formatted(arguments));
    }
  }

  /**
   * Throws unless a status is {@code CUDA_SUCCESS}.
   *
   * @param status what the driver returned
   * @param call the function, and what the reader of the message needs of its arguments
   * @throws CudaException with the code's name and the call
   */
  public static void check(int status, String call) {
    if (status == cuda_h.CUDA_SUCCESS()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      String code =
          cuda_h.cuGetErrorName(status, pointer) == cuda_h.CUDA_SUCCESS()
              ? string(pointer)
              : "unknown CUresult";
      String description =
          cuda_h.cuGetErrorString(status, pointer) == cuda_h.CUDA_SUCCESS()
              ? string(pointer)
              : "which this driver does not know";
      throw new CudaException(status, code, description, call);
    }
  }

  private static String string(MemorySegment pointer) {
    return pointer.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The CUDA version that the driver supports, as {@code CUDA_VERSION} counts: 13000 is 13.0. */
  public static int driverVersion() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
      check(cuda_h.cuDriverGetVersion(version), "cuDriverGetVersion");
      return version.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** The number of devices that this process may see. */
  public static int deviceCount() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      check(cuda_h.cuDeviceGetCount(count), "cuDeviceGetCount");
      return count.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** The name of a device, such as {@code NVIDIA H100 80GB HBM3}. */
  public static String deviceName(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(256);
      check(
          cuda_h.cuDeviceGetName(name, (int) name.byteSize(), device(ordinal)),
          "cuDeviceGetName(" + ordinal + ")");
      return name.getString(0);
    }
  }

  /** The compute capability of a device times ten: 90 is 9.0, 120 is 12.0. */
  public static int computeCapability(int ordinal) {
    return 10 * attribute(ordinal, cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR())
        + attribute(ordinal, cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR());
  }

  /** The memory of a device in bytes. */
  public static long totalMemory(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
      check(
          cuda_h.cuDeviceTotalMem_v2(bytes, device(ordinal)), "cuDeviceTotalMem(" + ordinal + ")");
      return bytes.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** The streaming multiprocessors of a device. */
  public static int multiprocessors(int ordinal) {
    return attribute(ordinal, cuda_h.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT());
  }

  /** The shared memory in bytes that a block can have. */
  public static int sharedMemory(int ordinal) {
    return attribute(ordinal, cuda_h.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN());
  }

  /** The second-level cache in bytes. */
  public static int cacheBytes(int ordinal) {
    return attribute(ordinal, cuda_h.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE());
  }

  private static int attribute(int ordinal, int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      check(
          cuda_h.cuDeviceGetAttribute(value, attribute, device(ordinal)),
          "cuDeviceGetAttribute(" + attribute + ", " + ordinal + ")");
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  private static int device(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment device = arena.allocate(ValueLayout.JAVA_INT);
      check(cuda_h.cuDeviceGet(device, ordinal), "cuDeviceGet(" + ordinal + ")");
      return device.get(ValueLayout.JAVA_INT, 0);
    }
  }
}
