package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The second name, in JVMs with and without DJL's PyTorch engine. */
final class PyTorchNameTest {
  /** A program that asks for PyTorch by its name, as {@code optEngine} does. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      System.out.println(
          new TreeSet<>(Engine.getAllEngines()) + " " + Engine.getInstance().getEngineName());
      if (!Engine.hasEngine("PyTorch")) {
        return;
      }
      Engine engine = Engine.getEngine("PyTorch");
      System.out.println(engine.getEngineName() + " " + engine.getClass().getSimpleName());
      if (!(engine instanceof GatunEngine)) {
        return;
      }
      try (ZooModel<NDList, NDList> model =
              Criteria.builder()
                  .setTypes(NDList.class, NDList.class)
                  .optModelPath(Path.of(args[0]))
                  .optTranslator(new NoopTranslator())
                  .optEngine("PyTorch")
                  .build()
                  .loadModel();
          Predictor<NDList, NDList> predictor = model.newPredictor();
          NDManager manager = NDManager.newBaseManager(null, "PyTorch")) {
        NDList outputs = predictor.predict(new NDList(manager.create(new long[][] {{2, 3}})));
        System.out.println(outputs.get(0).getName() + " " + outputs.get(0).getShape());
      }
    }
  }

  private static List<String> lines(boolean asked, boolean pytorch) throws Exception {
    String path =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> pytorch || !entry.contains("pytorch-"))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-DOPT_OUT_TRACKING=true",
                "-Dai.djl.offline=true",
                "-DDJL_CACHE_DIR=target/djl",
                "-DENGINE_CACHE_DIR=target/djl"));
    if (asked) {
      command.add("-D" + PyTorchNameProvider.PROPERTY + "=true");
    }
    command.addAll(
        List.of(
            "-cp",
            path,
            Program.class.getName(),
            Models.GOLDENS.resolve("bert-classify").toString()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said.lines().toList();
  }

  @Test
  void it_serves_a_program_that_asks_for_pytorch() throws Exception {
    assertEquals(
        List.of("[Gatun, PyTorch] Gatun", "PyTorch GatunEngine", "logits (1, 3)"),
        engines(lines(true, false)));
  }

  @Test
  void it_is_not_there_unless_it_is_asked_for() throws Exception {
    assertEquals(List.of("[Gatun] Gatun"), engines(lines(false, false)));
  }

  @Test
  void it_leaves_a_pytorch_engine_alone() throws Exception {
    List<String> lines = engines(lines(true, true));
    assertEquals("[Gatun, PyTorch] Gatun", lines.getFirst());
    assertTrue(lines.get(1).startsWith("PyTorch Pt"), lines::toString);
  }

  /** Without the engines that DJL's API brings itself. */
  private static List<String> engines(List<String> lines) {
    return lines.stream().map(line -> line.replaceAll("(RPC|Rust), |, (RPC|Rust)", "")).toList();
  }
}
