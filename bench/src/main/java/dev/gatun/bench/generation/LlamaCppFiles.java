package dev.gatun.bench.generation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * llama.cpp's libraries: in the folder that {@value #SETTING} names, else out of an npm package,
 * which is downloaded once.
 */
public final class LlamaCppFiles {
  /** The property with the folder of the libraries. */
  public static final String SETTING = "gatun.bench.llama_cpp";

  static final String PACKAGE = "@node-llama-cpp/linux-x64@3.22.1";

  /** llama.cpp's release in that package. */
  static final String RELEASE = "0.5.0";

  private static final Path PLACE = GenerationCase.FOLDER.resolve("llama.cpp");

  private LlamaCppFiles() {}

  /** The libraries' folder; brings them there. */
  static Path folder() throws IOException {
    String set = System.getProperty(SETTING);
    if (set != null) {
      return Path.of(set);
    }
    Path folder = PLACE.resolve("package/bins/linux-x64");
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(PLACE);
      run("npm", "pack", "--silent", PACKAGE);
      try (var archives = Files.newDirectoryStream(PLACE, "*.tgz")) {
        for (Path archive : archives) {
          run("tar", "xzf", archive.getFileName().toString());
        }
      }
    }
    return folder;
  }

  private static void run(String... command) throws IOException {
    Process process =
        new ProcessBuilder(List.of(command))
            .directory(PLACE.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes());
    try {
      if (process.waitFor() != 0) {
        throw new IOException("%s: %s".formatted(String.join(" ", command), said.strip()));
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Why it cannot be measured here; null where it can. */
  public static String missing() {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (System.getProperty(SETTING) == null
        && !system.toLowerCase(Locale.ROOT).equals("linux amd64")) {
      return "the npm package %s is not for %s; --llama-cpp names a folder with its libraries"
          .formatted(PACKAGE, system);
    }
    try {
      folder();
      return null;
    } catch (IOException e) {
      return "%s; npm brings it, or --llama-cpp names a folder with its libraries"
          .formatted(e.getMessage());
    }
  }
}
