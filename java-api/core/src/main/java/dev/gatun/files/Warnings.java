package dev.gatun.files;

/**
 * Words about what is in a file and is passed by, by the logger {@code dev.gatun}; not exported.
 */
public final class Warnings {
  /** The property by which everything that is passed by is an error. */
  private static final String STRICT = "gatun.strict";

  private static final System.Logger LOGGER = System.getLogger("dev.gatun");

  private Warnings() {}

  /**
   * Says what is passed by.
   *
   * @throws IllegalArgumentException with that message where {@code -Dgatun.strict=true}
   */
  public static void ignored(String message) {
    String strict = System.getProperty(STRICT, "false");
    if (!strict.equals("true") && !strict.equals("false")) {
      throw new IllegalArgumentException(
          "-D%s=%s: expected true or false".formatted(STRICT, strict));
    }
    if (strict.equals("true")) {
      throw new IllegalArgumentException(message + " (an error, since gatun.strict is true)");
    }
    LOGGER.log(System.Logger.Level.WARNING, message);
  }
}
