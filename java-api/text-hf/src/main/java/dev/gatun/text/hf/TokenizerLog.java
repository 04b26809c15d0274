package dev.gatun.text.hf;

import java.util.ServiceLoader;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.SLF4JServiceProvider;

/** What DJL logs by. */
final class TokenizerLog {
  private static final String VERBOSITY = "slf4j.internal.verbosity";

  private TokenizerLog() {}

  /** A program without a log is not told that it has none, for it asked for none. */
  static void quiet() {
    ClassLoader loader = LoggerFactory.class.getClassLoader();
    if (System.getProperty(VERBOSITY) != null
        || ServiceLoader.load(SLF4JServiceProvider.class, loader).stream().findAny().isPresent()) {
      return;
    }
    System.setProperty(VERBOSITY, "ERROR");
    try {
      LoggerFactory.getILoggerFactory();
    } finally {
      System.clearProperty(VERBOSITY);
    }
  }
}
