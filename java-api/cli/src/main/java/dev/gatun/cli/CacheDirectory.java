package dev.gatun.cli;

import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * The folder for what can be made again, where the bindings keep unpacked libraries too: the same
 * rule, as {@code NativeLoader} has it, which nothing above the backends imports.
 */
final class CacheDirectory {
  /** The property that names it. */
  static final String PROPERTY = "gatun.cache";

  private CacheDirectory() {}

  static Path find() {
    return find(System::getProperty, System::getenv);
  }

  static Path find(UnaryOperator<String> properties, UnaryOperator<String> environment) {
    String forced = properties.apply(PROPERTY);
    if (forced != null && !forced.isBlank()) {
      return Path.of(forced);
    }
    String xdg = environment.apply("XDG_CACHE_HOME");
    Path base =
        xdg != null && Path.of(xdg).isAbsolute()
            ? Path.of(xdg)
            : Path.of(properties.apply("user.home"), ".cache");
    return base.resolve("gatun");
  }
}
