package dev.gatun.text.hf;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** The native library that runs the tokenizers. */
public final class TokenizerLibrary {
  private static final String RESOURCE = "/native/lib/tokenizers.properties";

  /** Keeps DJL from the network: no telemetry, and its CPU library, which is in its jar. */
  private static final Map<String, String> OFFLINE =
      Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");

  /** Names the class loader that has the library of DJL's cache, which a JVM gives to one only. */
  private static final String OWNER = "dev.gatun.text.hf.owner";

  private static final String NAME = "tokenizers";

  private static final String OVERRIDE = "RUST_LIBRARY_PATH";

  private static boolean loaded;

  private TokenizerLibrary() {}

  /**
   * {@return the version of the library in DJL's jar, as its publishers write it: of Hugging Face's
   * tokenizers, then of DJL, {@code 0.21.0-0.38.0}; {@code unknown} when the jar does not tell}
   */
  public static String version() {
    try (InputStream in = HuggingFaceTokenizer.class.getResourceAsStream(RESOURCE)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }

  /** The class loader of DJL's tokenizers, which has their files too. */
  static ClassLoader loader() {
    return HuggingFaceTokenizer.class.getClassLoader();
  }

  /**
   * Loads the library into DJL's class loader unless it is there; on a thread of {@link
   * TokenizerThreads}. The first class loader of a JVM takes it from DJL's cache, every other one a
   * copy of its own, for a JVM loads a file into one class loader only.
   *
   * @throws IOException if it cannot be loaded, with what to do
   */
  static synchronized void load() throws IOException {
    if (loaded) {
      return;
    }
    TokenizerLog.quiet();
    // Class loaders share nothing but the system's properties.
    synchronized (System.getProperties()) {
      Map<String, String> settings = new HashMap<>(OFFLINE);
      String self = Integer.toHexString(System.identityHashCode(loader()));
      String owner = System.getProperty(OWNER);
      Path copy = null;
      if (owner == null) {
        System.setProperty(OWNER, self);
      } else if (!owner.equals(self) && System.getProperty(OVERRIDE) == null) {
        copy = copy();
        settings.put(OVERRIDE, copy.resolve(System.mapLibraryName(NAME)).toString());
      }
      Map<String, String> before = new HashMap<>();
      settings.forEach((key, value) -> before.put(key, System.setProperty(key, value)));
      try {
        LibUtils.checkStatus();
        loaded = true;
      } catch (LinkageError | AssertionError | RuntimeException e) {
        throw new IOException(refusal(e), e);
      } finally {
        before.forEach(TokenizerLibrary::restore);
        delete(copy);
      }
    }
  }

  /** The settings that DJL reads each time a tokenizer is made. */
  static synchronized <T> T offline(Making<T> making) throws IOException {
    Map<String, String> before = new HashMap<>();
    OFFLINE.forEach((key, value) -> before.put(key, System.setProperty(key, value)));
    try {
      return making.make();
    } finally {
      before.forEach(TokenizerLibrary::restore);
    }
  }

  /** What makes a tokenizer. */
  interface Making<T> {
    T make() throws IOException;
  }

  private static String refusal(Throwable problem) {
    Throwable cause = problem;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String said = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return "Hugging Face's tokenizers cannot be loaded: "
        + said
        + (said.contains("another classloader")
            ? "; a JVM loads this file into one class loader: keep DJL's tokenizers and"
                + " gatun-text-hf in one that all applications share (a server's lib folder,"
                + " restart.include of Spring's DevTools,"
                + " quarkus.class-loading.parent-first-artifacts), or set the property "
                + OVERRIDE
                + " to the path of another copy of it"
            : "; DJL unpacks them to ~/.djl.ai, or where DJL_CACHE_DIR says, which must be writable"
                + " and allow to execute");
  }

  private static Path copy() throws IOException {
    Path folder = Files.createTempDirectory("gatun-tokenizers-");
    String system = System.getProperty("os.name");
    String name = system.startsWith("Windows") ? "win" : system.startsWith("Mac") ? "osx" : "linux";
    String machine =
        System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
    String from = "native/lib/" + name + "-" + machine + "/cpu/";
    for (String file : files(name)) {
      try (InputStream in = loader().getResourceAsStream(from + file)) {
        if (in == null) {
          throw new IOException("DJL's tokenizers have no " + from + file);
        }
        Files.copy(in, folder.resolve(file));
      }
    }
    return folder;
  }

  private static List<String> files(String system) {
    String library = System.mapLibraryName(NAME);
    return system.equals("win")
        ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", library)
        : List.of(library);
  }

  /** A library that is loaded needs its file no longer, but on Windows, which keeps it. */
  private static void delete(Path folder) throws IOException {
    if (folder == null) {
      return;
    }
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (!file.toFile().delete()) {
          file.toFile().deleteOnExit();
        }
      }
    }
    if (!folder.toFile().delete()) {
      folder.toFile().deleteOnExit();
    }
  }

  private static void restore(String key, String value) {
    if (value == null) {
      System.clearProperty(key);
    } else {
      System.setProperty(key, value);
    }
  }
}
