package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.generation.GeneratorOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command lines with curl that the documents show are answered. */
class CurlTest {
  private static final Pattern COMMAND =
      Pattern.compile("^curl (?:.*\\\\\n)*.*$", Pattern.MULTILINE);

  @TempDir private Path folder;

  @Test
  void what_documents_show_works() throws Exception {
    assumeTrue(Browser.installed("curl").isPresent(), "curl is not installed");
    int count = 0;
    GeneratorOptions options = GeneratorOptions.defaults();
    Path canal = TestModels.GOLDENS.resolve("chat-model");
    List<ServedModel> models =
        List.of(
            ServedModel.load("canal", canal, options),
            ServedModel.load("llama", TestModels.llama(folder.resolve("llama"), 128), options),
            ServedModel.load("embedder", TestModels.embedder(folder.resolve("embedder")), options),
            ServedModel.load("reranker", TestModels.reranker(folder.resolve("reranker")), options));
    try (TestServer server = TestServer.of(models, each -> each)) {
      for (String name : new String[] {"README.md", "docs/serving.md"}) {
        Matcher commands = COMMAND.matcher(Files.readString(Path.of("../..", name)));
        while (commands.find()) {
          String command = commands.group().replace("127.0.0.1:8080", "127.0.0.1:" + server.port());
          Process process = new ProcessBuilder("bash", "-c", command + " --fail-with-body").start();
          String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
          assertEquals(0, process.waitFor(), command + "\n" + out);
          assertFalse(out.isBlank() || out.contains("\"error\""), command + "\n" + out);
          assertTrue(
              !command.contains("\"canal\"") || out.contains("By three locks, 26 metres"), out);
          count++;
        }
      }
    }
    assertTrue(count >= 6, count + " commands were found");
  }
}
