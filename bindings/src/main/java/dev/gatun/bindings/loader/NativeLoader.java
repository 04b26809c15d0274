package dev.gatun.bindings.loader;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * Loads a native library out of the jars: {@code META-INF/gatun/OS-ARCH/NAME} is unpacked once into
 * a cache folder named by its SHA-256, and loaded from there. {@code -Dgatun.NAME.library=PATH}
 * takes a file instead.
 */
public final class NativeLoader {
  /**
   * The property that names the cache folder; else {@code $XDG_CACHE_HOME/gatun}, {@code
   * ~/.cache/gatun}.
   */
  public static final String CACHE_PROPERTY = "gatun.cache";

  private static final String RESOURCES = "META-INF/gatun/";

  /**
   * One place that was tried.
   *
   * @param source the property, resource or file
   * @param outcome what came of it
   */
  public record Attempt(String source, String outcome) {
    /** Whether a property asked for that place, so that no other serves in its stead. */
    public boolean askedFor() {
      return source.startsWith("-D");
    }

    @Override
    public String toString() {
      return source + ": " + outcome;
    }
  }

  /**
   * What came of loading.
   *
   * @param file the library that was loaded, or null when none could be
   * @param attempts every place tried, in order
   */
  public record Result(Path file, List<Attempt> attempts) {
    public boolean loaded() {
      return file != null;
    }

    /** The attempts as one line. */
    public String report() {
      return String.join("; ", attempts.stream().map(Attempt::toString).toList());
    }
  }

  private NativeLoader() {}

  /** The platform's folder name among the resources, such as {@code linux-x86_64}. */
  public static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String system = os.startsWith("linux") ? "linux" : os.startsWith("mac") ? "macos" : "windows";
    String machine = arch.equals("amd64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch;
    return system + "-" + machine;
  }

  /** The folder that unpacked files are kept in. */
  public static Path cacheFolder() {
    return cacheFolder(System::getProperty, System::getenv);
  }

  /** The same by other properties and another environment; XDG has relative paths ignored. */
  static Path cacheFolder(UnaryOperator<String> properties, UnaryOperator<String> environment) {
    String property = properties.apply(CACHE_PROPERTY);
    if (property != null && !property.isBlank()) {
      return Path.of(property);
    }
    String xdg = environment.apply("XDG_CACHE_HOME");
    return xdg != null && Path.of(xdg).isAbsolute()
        ? Path.of(xdg, "gatun")
        : Path.of(properties.apply("user.home"), ".cache", "gatun");
  }

  /**
   * Loads a library for the classes of this module.
   *
   * @param name the short name: {@code gatun_cpu} for {@code libgatun_cpu.so}
   */
  public static Result load(String name) {
    List<Attempt> attempts = new ArrayList<>();
    String property = name.replace('_', '.') + ".library";
    String forced = System.getProperty(property);
    if (forced != null) {
      Path file = Path.of(forced).toAbsolutePath();
      return new Result(tryLoad(file, "-D" + property, attempts) ? file : null, attempts);
    }
    String resource = RESOURCES + platform() + "/" + System.mapLibraryName(name);
    ClassLoader loader = NativeLoader.class.getClassLoader();
    URL url = loader.getResource(resource);
    if (url == null) {
      attempts.add(
          new Attempt(
              resource,
              "not in any jar; the platforms built here are those with a compiler (this is "
                  + platform()
                  + ")"));
      return new Result(null, attempts);
    }
    Path usual = cacheFolder();
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"), "gatun");
    String cache = System.getProperty(CACHE_PROPERTY, "");
    for (Path folder : cache.isBlank() ? List.of(usual, temporary) : List.of(usual)) {
      try {
        Path file =
            unpack(
                url,
                loader.getResource(resource + ".sha256"),
                folder.resolve("native"),
                System.mapLibraryName(name));
        if (tryLoad(file, file.toString(), attempts)) {
          return new Result(file, attempts);
        }
      } catch (IOException e) {
        String source = cache.isBlank() ? folder.toString() : "-D" + CACHE_PROPERTY + "=" + cache;
        attempts.add(new Attempt(source, "cannot unpack " + resource + ": " + e));
      }
    }
    return new Result(null, attempts);
  }

  /**
   * Copies the resource to {@code folder/SHA256/name}, unless the same bytes are there.
   *
   * @param expected a file with the checksum that the resource must have, or null
   */
  static Path unpack(URL resource, URL expected, Path folder, String name) throws IOException {
    String listed = null;
    if (expected != null) {
      try (InputStream in = expected.openStream()) {
        listed = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
      }
      Path file = folder.resolve(listed).resolve(name);
      if (isEntry(resource, file)) {
        return file;
      }
    }
    byte[] bytes;
    try (InputStream in = resource.openStream()) {
      bytes = in.readAllBytes();
    }
    String checksum = sha256(bytes);
    if (listed != null && !listed.equals(checksum)) {
      throw new IOException(
          "%s has SHA-256 %s, its .sha256 says %s".formatted(resource, checksum, listed));
    }
    Path file = folder.resolve(checksum).resolve(name);
    if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), bytes)) {
      return file;
    }
    Files.createDirectories(file.getParent());
    Path part = Files.createTempFile(file.getParent(), name, ".part");
    try {
      Files.write(part, bytes);
      try {
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
    return file;
  }

  /**
   * Whether a file has the size and the checksum that a jar's directory lists for its entry: to
   * unpack the entry for a comparison takes longer than all else of a start.
   */
  private static boolean isEntry(URL resource, Path file) throws IOException {
    if (!(resource.openConnection() instanceof JarURLConnection jar) || !Files.exists(file)) {
      return false;
    }
    JarEntry entry = jar.getJarEntry();
    if (entry == null || entry.getCrc() < 0 || entry.getSize() != Files.size(file)) {
      return false;
    }
    CRC32 checksum = new CRC32();
    // In pieces, for new memory for all of it takes longer than reading it.
    try (InputStream in = new CheckedInputStream(Files.newInputStream(file), checksum)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return checksum.getValue() == entry.getCrc();
  }

  private static boolean tryLoad(Path file, String source, List<Attempt> attempts) {
    try {
      System.load(file.toString());
      attempts.add(new Attempt(source, "loaded"));
      return true;
    } catch (UnsatisfiedLinkError e) {
      if (String.valueOf(e.getMessage()).contains("another classloader")) {
        return loadCopy(file, source, attempts);
      }
      attempts.add(new Attempt(source, String.valueOf(e.getMessage())));
    } catch (SecurityException e) {
      attempts.add(new Attempt(source, String.valueOf(e.getMessage())));
    }
    return false;
  }

  /**
   * Loads what another class loader has: a JVM gives a file to one only, so that each further one
   * gets a copy, which needs its file no longer once it is loaded.
   */
  private static boolean loadCopy(Path file, String source, List<Attempt> attempts) {
    Path tmp = Path.of(System.getProperty("java.io.tmpdir"));
    for (Path parent : List.of(file.getParent(), tmp)) {
      Path folder = null;
      try {
        folder = Files.createTempDirectory(parent, "copy");
        Path copy = Files.copy(file, folder.resolve(file.getFileName()));
        System.load(copy.toString());
        attempts.add(new Attempt(source, "loaded a copy, for another class loader has it"));
        return true;
      } catch (IOException | UnsatisfiedLinkError e) {
        attempts.add(new Attempt(source, "another class loader has it, and a copy: " + e));
      } finally {
        delete(folder, file.getFileName());
      }
    }
    return false;
  }

  /** On Windows, which keeps the files of libraries, when the JVM ends. */
  private static void delete(Path folder, Path name) {
    if (folder == null) {
      return;
    }
    for (Path each : List.of(folder.resolve(name), folder)) {
      if (!each.toFile().delete()) {
        each.toFile().deleteOnExit();
      }
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
