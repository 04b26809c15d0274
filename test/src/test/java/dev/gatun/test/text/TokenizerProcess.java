package dev.gatun.test.text;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What a process does in which the native tokenizers have little room; prints what came of it. */
public final class TokenizerProcess {
  private static final EncodeOptions CUT = EncodeOptions.DEFAULT.withMaxLength(256);

  private static int unwound;

  private TokenizerProcess() {}

  /** Runs the case that the first argument names with the tokenizer of the second. */
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "many" -> many(Path.of(arguments[1]));
      case "full" -> full(Path.of(arguments[1]));
      case "deep" -> deep(Path.of(arguments[1]));
      case "loaders" -> loaders(arguments[1]);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** Texts one after the other by several threads. */
  private static void many(Path folder) throws Exception {
    String text = "the lock of the canal lifts a vessel ".repeat(25);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      long tokens =
          IntStream.range(0, 2000)
              .parallel()
              .mapToLong(i -> tokenizer.encodeStart(text + i, CUT).length())
              .sum();
      System.out.println(tokens);
    }
  }

  /** Keeps all until the heap is full, then lets go and goes on. */
  private static void full(Path folder) throws Exception {
    String text = "a ".repeat(80_000);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      List<Object> kept = new ArrayList<>();
      for (int round = 0; round < 2; round++) {
        try {
          while (true) {
            kept.add(tokenizer.encode(text));
          }
        } catch (OutOfMemoryError e) {
          kept.clear();
        }
        System.out.println(tokenizer.encode("a lock").length());
      }
    }
  }

  /** Encodes at every depth of a recursion that ends the stack. */
  private static void deep(Path folder) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      int ended = 0;
      for (int round = 0; round < 3; round++) {
        unwound = 0;
        try {
          descend(tokenizer, 0);
        } catch (StackOverflowError e) {
          ended++;
        }
      }
      System.out.println(ended + " " + tokenizer.encode("a lock").length());
    }
  }

  private static int descend(Tokenizer tokenizer, int depth) {
    int below;
    try {
      below = descend(tokenizer, depth + 1);
    } catch (StackOverflowError e) {
      // At the end, where little is left, and at steps further up.
      if (unwound++ < 300 || unwound % 100 == 0) {
        tokenizer.encode("a lock of the canal");
      }
      throw e;
    }
    return below + 1;
  }

  /** Loads the library in class loaders beside each other, and where there is none for a thread. */
  private static void loaders(String folder) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    for (int i = 0; i < 3; i++) {
      ClassLoader parent = ClassLoader.getPlatformClassLoader();
      try (URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]), parent)) {
        Thread.currentThread().setContextClassLoader(i == 0 ? null : loader);
        Class<?> main = loader.loadClass(TokenizerProcess.class.getName());
        main.getMethod("once", String.class).invoke(null, folder);
      }
    }
  }

  /** Encodes a text. */
  public static void once(String folder) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.load(Path.of(folder))) {
      System.out.println(tokenizer.encode("a lock").length());
    }
  }
}
