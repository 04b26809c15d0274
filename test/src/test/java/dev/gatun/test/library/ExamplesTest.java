package dev.gatun.test.library;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.server.GatunServer;
import dev.gatun.server.ServedModel;
import dev.gatun.server.ServerLimits;
import dev.gatun.server.ServerOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/examples compile, and say what their model knows by heart. */
final class ExamplesTest {
  private static final Path SOURCES = Path.of("../docs/examples");
  private static final Path MODEL = Path.of("goldens/chat-model");
  private static final String WHERE = "In Panama, between two oceans.\n";
  private static final String HOW = "By three locks, 26 metres up to the lake.\n";

  @TempDir private Path folder;

  @Test
  void the_library() throws Exception {
    String model = MODEL.toString();
    assertEquals(WHERE + HOW + "It is 31 degrees in Colón.\n", run("LibraryChat", model));
  }

  @Test
  void the_server() throws Exception {
    ServerOptions options = new ServerOptions("127.0.0.1", 0, List.of(), ServerLimits.DEFAULT);
    ServedModel model = ServedModel.load("canal", MODEL, GeneratorOptions.defaults());
    try (GatunServer server = GatunServer.start(options, List.of(model))) {
      assertEquals(HOW + HOW, run("HttpChat", server.uri().toString(), "canal"));
    }
  }

  @Test
  void langchain4j() throws Exception {
    assertEquals(WHERE + HOW + "STOP\n", run("LangChain4jChat", MODEL.toString()));
  }

  @Test
  void djl() throws Exception {
    // By the vectors that sentence-transformers gives.
    assertEquals(
        "0.738 a b c d e f g h i j k l m n o p\n" + "0.909 x\n",
        run(
            "djl/src/main/java/DjlEmbeddings",
            "goldens/sentence-models/base",
            "Hello World!",
            "a b c d e f g h i j k l m n o p",
            "x"));
  }

  @Test
  void djl_trains() throws Exception {
    assertEquals("y = 3.00 x -1.00\n", run("djl/src/main/java/DjlRegression"));
    assertEquals(
        "trained\n",
        run(
            "djl/src/main/java/DjlFineTuning",
            "goldens/bert-classify",
            folder.resolve("trained").toString()));
  }

  /** What a program prints. */
  private String run(String program, String... arguments) throws Exception {
    ToolProvider javac = ToolProvider.findFirst("javac").orElseThrow();
    int code =
        javac.run(
            System.out,
            System.err,
            // A class path of a build may name folders that it does not have.
            "-Xlint:all,-path",
            "-Werror",
            "-d",
            folder.toString(),
            "-cp",
            System.getProperty("java.class.path"),
            SOURCES.resolve(program + ".java").toString());
    assertEquals(0, code);
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (URLClassLoader loader =
            new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8)) {
      System.setOut(print);
      String name = Path.of(program).getFileName().toString();
      loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } finally {
      System.setOut(before);
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}
