package dev.gatun.bindings.cuda;

import dev.gatun.bindings.generated.cublas.cublas_v2_h;
import dev.gatun.bindings.generated.cublaslt.cublasLt_h;
import dev.gatun.bindings.loader.NativeLoader;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * NVIDIA's matrix products, {@code libcublasLt}. Nothing of it is touched before {@link #load()};
 * the other methods need a {@code load()} that succeeded.
 */
public final class CublasLt {
  /** The property that names the library to load, or {@value #OFF} for none. */
  public static final String PROPERTY = "gatun.cuda.cublaslt";

  /** The property's value that asks for no library. */
  public static final String OFF = "off";

  /** The library's names in the folders where it is looked for, the better first. */
  public static final List<String> NAMES = List.of("libcublasLt.so.13", "libcublasLt.so.12");

  /** The oldest version, as {@link #version()} counts. */
  private static final long MINIMUM = 120000;

  private static final List<String> FOLDERS =
      List.of(
          "/usr/local/cuda/lib64",
          "/usr/local/cuda/targets/x86_64-linux/lib",
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64");

  // Of a Python, where PyTorch's packages bring it.
  private static final List<String> PYTHON_FOLDERS =
      List.of("nvidia/cu13/lib", "nvidia/cublas/lib");

  private static final class Holder {
    static final NativeLoader.Result RESULT = loadOnce();
  }

  private CublasLt() {}

  /**
   * Finds and loads the library on the first call; the same result ever after. Where there is none,
   * the result says what was tried and why it failed.
   */
  public static NativeLoader.Result load() {
    return Holder.RESULT;
  }

  private static NativeLoader.Result loadOnce() {
    String property = System.getProperty(PROPERTY);
    List<NativeLoader.Attempt> attempts = new ArrayList<>();
    if (OFF.equals(property)) {
      attempts.add(new NativeLoader.Attempt("-D" + PROPERTY + "=" + OFF, "asked for no library"));
      return new NativeLoader.Result(null, List.copyOf(attempts));
    }
    boolean named = property != null && !property.isBlank();
    Set<Path> files = named ? Set.of(Path.of(property).toAbsolutePath()) : candidates();
    for (Path file : files) {
      if (!Files.exists(file)) {
        attempts.add(new NativeLoader.Attempt(file.toString(), CudaDriver.MISSING));
        continue;
      }
      try {
        // By its path and from the class loader of the generated classes, which look there.
        System.load(file.toString());
      } catch (UnsatisfiedLinkError e) {
        attempts.add(new NativeLoader.Attempt(file.toString(), e.getMessage()));
        continue;
      }
      // A library that was loaded stays, so no other is tried after it.
      try {
        long version = version();
        if (version >= MINIMUM) {
          attempts.add(new NativeLoader.Attempt(file.toString(), "loaded"));
          return new NativeLoader.Result(file, List.copyOf(attempts));
        }
        attempts.add(
            new NativeLoader.Attempt(
                file.toString(),
                "is too old: version %s, and %s or later is needed"
                    .formatted(text(version), text(MINIMUM))));
      } catch (LinkageError e) {
        attempts.add(
            new NativeLoader.Attempt(file.toString(), "is no cuBLASLt: " + CudaDriver.root(e)));
      }
      break;
    }
    return new NativeLoader.Result(null, List.copyOf(attempts));
  }

  private static Set<Path> candidates() {
    List<Path> folders = new ArrayList<>();
    String path = System.getenv("LD_LIBRARY_PATH");
    if (path != null) {
      for (String folder : path.split(File.pathSeparator)) {
        if (!folder.isBlank()) {
          folders.add(Path.of(folder).toAbsolutePath());
        }
      }
    }
    FOLDERS.forEach(folder -> folders.add(Path.of(folder)));
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String root = System.getenv(variable);
      if (root != null && !root.isBlank()) {
        python(Path.of(root, "lib"), "site-packages", folders);
      }
    }
    python(Path.of(System.getProperty("user.home"), ".local", "lib"), "site-packages", folders);
    python(Path.of("/usr/local/lib"), "dist-packages", folders);
    python(Path.of("/usr/local/lib"), "site-packages", folders);
    Set<Path> files = new LinkedHashSet<>();
    for (String name : NAMES) {
      folders.forEach(folder -> files.add(folder.resolve(name)));
    }
    return files;
  }

  /** Adds the folders of NVIDIA's packages in every Python of a folder. */
  private static void python(Path lib, String packages, List<Path> folders) {
    if (!Files.isDirectory(lib)) {
      return;
    }
    try (DirectoryStream<Path> pythons = Files.newDirectoryStream(lib, "python3*")) {
      for (Path python : pythons) {
        for (String inside : PYTHON_FOLDERS) {
          Path folder = python.resolve(packages).resolve(inside);
          if (Files.isDirectory(folder)) {
            folders.add(folder);
          }
        }
      }
    } catch (IOException e) {
      // A folder that cannot be read has no library either.
    }
  }

  /** The library's version: 130100 is 13.1.0. */
  public static long version() {
    return cublasLt_h.cublasLtGetVersion();
  }

  /** A version for people. */
  public static String text(long version) {
    return version / 10000 + "." + version % 10000 / 100 + "." + version % 100;
  }

  /**
   * Throws unless a status is {@code CUBLAS_STATUS_SUCCESS}.
   *
   * @param status what the library returned
   * @param call the function, and the shapes
   * @throws CublasLtException with the status's name and the call
   */
  static void check(int status, Object call) {
    if (status != cublas_v2_h.CUBLAS_STATUS_SUCCESS()) {
      throw new CublasLtException(
          status,
          string(cublasLt_h.cublasLtGetStatusName(status)),
          string(cublasLt_h.cublasLtGetStatusString(status)),
          call.toString());
    }
  }

  private static String string(MemorySegment pointer) {
    return pointer.address() == 0 ? "unknown" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
