package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Chromium without a window, driven by chromedriver as the WebDriver standard has it. */
final class Browser implements AutoCloseable {
  private static final Pattern PORT = Pattern.compile(".*successfully on port (\\d+).*");
  private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

  private final Process driver;
  private final HttpClient client = HttpClient.newHttpClient();
  private final String session;

  /** Where a program of Debian's packages chromium and chromium-driver is; empty for nowhere. */
  static Optional<Path> installed(String name) {
    return Stream.of(System.getenv("PATH").split(":"))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  Browser(Path profile, int width, int height, boolean dark) throws Exception {
    driver =
        new ProcessBuilder(installed("chromedriver").orElseThrow().toString(), "--port=0")
            .redirectErrorStream(true)
            .start();
    ObjectNode options = TestModels.JSON.createObjectNode();
    options.put("binary", installed("chromium").orElseThrow().toString());
    options
        .putArray("args")
        .add("--headless=new")
        .add("--no-sandbox")
        .add("--disable-gpu")
        .add("--disable-dev-shm-usage")
        .add("--force-device-scale-factor=1")
        .add("--blink-settings=preferredColorScheme=" + (dark ? 0 : 1))
        .add("--user-data-dir=" + profile)
        .add("--window-size=" + width + "," + height);
    ObjectNode wanted = TestModels.JSON.createObjectNode();
    wanted.putObject("capabilities").putObject("alwaysMatch").set("goog:chromeOptions", options);
    try {
      JsonNode made = call("POST", "http://127.0.0.1:" + port() + "/session", wanted);
      session = "http://127.0.0.1:" + port + "/session/" + made.get("sessionId").textValue();
    } catch (Exception e) {
      driver.destroy();
      throw e;
    }
  }

  private int port;

  private int port() throws IOException {
    BufferedReader out = driver.inputReader(StandardCharsets.UTF_8);
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      Matcher found = PORT.matcher(line);
      if (found.matches()) {
        port = Integer.parseInt(found.group(1));
        // What it says later is not to fill the pipe.
        Thread.startVirtualThread(() -> out.lines().forEach(each -> {}));
        return port;
      }
    }
    throw new IOException("chromedriver ended");
  }

  private JsonNode call(String method, String uri, Object body) throws Exception {
    HttpRequest.BodyPublisher sent =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(TestModels.JSON.writeValueAsString(body));
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(URI.create(uri)).method(method, sent).build(),
            HttpResponse.BodyHandlers.ofString());
    JsonNode value = TestModels.JSON.readTree(answer.body()).get("value");
    if (answer.statusCode() != 200) {
      throw new AssertionError(uri + ": " + value.path("message").asText());
    }
    return value;
  }

  void open(URI uri) throws Exception {
    call("POST", session + "/url", Map.of("url", uri.toString()));
  }

  /** What a function's body in JavaScript returns. */
  JsonNode run(String script) throws Exception {
    return call("POST", session + "/execute/sync", Map.of("script", script, "args", new Object[0]));
  }

  /** Waits until an expression in JavaScript is true. */
  void await(String expression) throws Exception {
    long end = System.nanoTime() + 20_000_000_000L;
    while (!run("return Boolean(" + expression + ")").booleanValue()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            expression + " is not true of\n" + run("return document.body.innerText").asText());
      }
      Thread.sleep(20);
    }
  }

  private String element(String selector) throws Exception {
    JsonNode found =
        call("POST", session + "/element", Map.of("using", "css selector", "value", selector));
    return session + "/element/" + found.get(ELEMENT).textValue();
  }

  void click(String selector) throws Exception {
    call("POST", element(selector) + "/click", Map.of());
  }

  void type(String selector, String text) throws Exception {
    call("POST", element(selector) + "/value", Map.of("text", text));
  }

  String text(String selector) throws Exception {
    return call("GET", element(selector) + "/text", null).textValue();
  }

  void screenshot(Path file) throws Exception {
    String png = call("GET", session + "/screenshot", null).textValue();
    Files.createDirectories(file.getParent());
    Files.write(file, Base64.getDecoder().decode(png));
  }

  @Override
  public void close() {
    try {
      call("DELETE", session, null);
    } catch (Exception e) {
      throw new IllegalStateException("the browser cannot be closed", e);
    } finally {
      driver.destroy();
      driver.onExit().join();
    }
  }
}
