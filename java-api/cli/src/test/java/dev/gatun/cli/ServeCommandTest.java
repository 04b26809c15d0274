package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gatun serve} as a process, and what it refuses. */
class ServeCommandTest {
  private static final Path MODEL = Path.of("../../test/goldens/gguf-llama/model-q4_k.gguf");

  @TempDir private Path folder;

  private static CommandRun refused(int code, String message, String... arguments) {
    List<String> all = new ArrayList<>(List.of("serve"));
    all.addAll(List.of(arguments));
    CommandRun run = CommandRun.of(new ModelLoader(), "", all.toArray(String[]::new));
    assertEquals(code, run.code(), run.err());
    assertTrue(run.err().contains(message), run.err());
    return run;
  }

  @Test
  void names_what_is_wrong() {
    refused(2, "--model");
    String model = MODEL.toString();
    refused(1, "not a model directory", "--model", "x=" + folder.resolve("none"));
    refused(1, "set an API key", "--model", model, "--host", "0.0.0.0");
    refused(1, "two models are named a", "--model", "a=" + model, "--model", "a=" + model);
    refused(2, "port is 70000", "--model", model, "--port", "70000");
    refused(2, "--parallel", "--model", model, "--parallel", "0");
    refused(2, "--request-seconds: 0, expected", "--model", model, "--request-seconds", "0");
    refused(2, "API key", "--model", model, "--api-key", "with space");
  }

  @Test
  void serves_until_it_is_told_to_end() throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Gatun.class.getName(),
            "serve",
            "--model",
            "small=" + MODEL,
            "--port",
            "0",
            "--api-key",
            "secret");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader out = process.inputReader();
        HttpClient client = HttpClient.newHttpClient()) {
      List<String> said = new ArrayList<>();
      String line = out.readLine();
      while (line != null && !line.startsWith("gatun: listens at ")) {
        said.add(line);
        line = out.readLine();
      }
      assertTrue(said.contains("gatun: serves small: completions"), said::toString);
      URI uri = URI.create(line.substring("gatun: listens at ".length()));
      HttpRequest models =
          HttpRequest.newBuilder(uri.resolve("/v1/models"))
              .header("Authorization", "Bearer secret")
              .build();
      HttpResponse<String> answer = client.send(models, HttpResponse.BodyHandlers.ofString());
      assertTrue(answer.body().contains("\"id\":\"small\""), answer.body());
      process.toHandle().destroy();
      assertTrue(process.waitFor(10, TimeUnit.SECONDS), "it goes on");
      // What the system says of a process that SIGTERM ended.
      assertEquals(143, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }
}
