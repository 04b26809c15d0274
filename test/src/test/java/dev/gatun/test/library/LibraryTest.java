package dev.gatun.test.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.test.devices.ChildJvm;
import dev.gatun.weights.TensorFile;
import java.io.File;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program, as its users compile and run it, says what it is to say and no more. */
final class LibraryTest {
  private static final Path SAMPLE = Path.of("../docs/library");
  private static final Path GOLDEN = Path.of("goldens/minilm");

  /** What a program has that depends on gatun-text-hf and gatun-onnx. */
  private static final Pattern BROUGHT =
      Pattern.compile(
          ".*(/target/classes|/gatun-[^/]*|/(jackson|api|tokenizers|jna|gson|slf4j-api|commons"
              + "|protobuf)-[^/]*\\.jar)");

  private static final String CONFIG =
      """
      {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384,
       "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536,
       "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}
      """;

  @TempDir private Path folder;

  @Test
  void runs_on_the_class_path() throws Exception {
    Path classes = folder.resolve("classes");
    compile("-d", classes.toString(), "-cp", brought(), program());
    check(
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        classes + File.pathSeparator + brought(),
        "example.Library");
  }

  @Test
  void runs_on_the_module_path() throws Exception {
    Path classes = folder.resolve("classes");
    Path module =
        Files.writeString(
            folder.resolve("module-info.java"), "module example { requires dev.gatun.text.hf; }");
    compile("-d", classes.toString(), "-p", brought(), program(), module.toString());
    check(
        "--enable-native-access=dev.gatun.bindings,ai.djl.tokenizers,com.sun.jna",
        "-p",
        classes + File.pathSeparator + brought(),
        "-m",
        "example/example.Library");
  }

  /** What is printed is what is there, with the versions of this build. */
  @Test
  void readme_has_the_project() throws Exception {
    String pom = Files.readString(SAMPLE.resolve("pom.xml"));
    String readme = Files.readString(Path.of("../README.md"));
    assertTrue(readme.contains("<!-- docs/library/pom.xml -->\n```xml\n" + pom + "```\n"));
    String version =
        Files.readString(Path.of("../pom.xml")).split("<version>")[1].split("</version>")[0];
    assertTrue(pom.contains("<version>" + version + "</version>"), version);
    // That of Maven 3.8 does not know releases.
    Pattern compiler =
        Pattern.compile("<artifactId>maven-compiler-plugin</artifactId>\\s*<version>");
    assertTrue(compiler.matcher(pom).find(), pom);
    String example = Files.readString(Path.of("../docs/examples/djl/pom.xml"));
    assertTrue(compiler.matcher(example).find(), example);
  }

  /** Nobody carries the native code of other platforms. */
  @Test
  void tokenizers_are_of_one_platform() throws Exception {
    String jar =
        Arrays.stream(brought().split(File.pathSeparator))
            .filter(each -> each.contains("gatun-djl-tokenizers"))
            .findFirst()
            .orElse(null);
    assumeTrue(jar != null, "not run by Maven");
    Set<String> platforms = new TreeSet<>();
    try (JarFile file = new JarFile(jar)) {
      file.stream()
          .filter(entry -> entry.getName().matches("native/lib/.*/.*"))
          .forEach(entry -> platforms.add(entry.getName().split("/")[2]));
    }
    assertEquals(1, platforms.size(), platforms.toString());
  }

  private static String program() {
    return SAMPLE.resolve("src/main/java/example/Library.java").toString();
  }

  private static String brought() {
    return String.join(
        File.pathSeparator,
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(each -> BROUGHT.matcher(each).matches())
            .toList());
  }

  private static void compile(String... arguments) {
    ToolProvider javac = ToolProvider.findFirst("javac").orElseThrow();
    assertEquals(0, javac.run(System.out, System.err, arguments));
  }

  private void check(String... options) throws Exception {
    Path model = Files.createDirectory(folder.resolve("model"));
    copy("/all-minilm-l6-v2.onnx", model.resolve("model.onnx"));
    copy("/all-minilm-l6-v2-tokenizer.json", model.resolve("tokenizer.json"));
    Files.writeString(model.resolve("config.json"), CONFIG);
    JsonNode sentences =
        new ObjectMapper().readTree(GOLDEN.resolve("case.json").toFile()).get("sentences");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.add(model.toString());
    float[][] expected = new float[2][];
    try (TensorFile file = TensorFile.open(GOLDEN.resolve("expected.safetensors"))) {
      for (int i = 0; i < 2; i++) {
        command.add(sentences.get(i).get("text").textValue());
        expected[i] = file.get("out." + i + ".embedding").data().toArray(ValueLayout.JAVA_FLOAT);
      }
    }
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), command);
    assertEquals("", outcome.err());
    assertEquals(0, outcome.code());
    assertEquals(dot(expected[0], expected[1]), Double.parseDouble(outcome.out()), 1e-3);
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static void copy(String resource, Path target) throws Exception {
    try (InputStream in = LibraryTest.class.getResourceAsStream(resource)) {
      Files.copy(in, target);
    }
  }
}
