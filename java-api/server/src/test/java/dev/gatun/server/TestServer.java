package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.GeneratorOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;

/** A server of small models on a free port, and a client of it. */
final class TestServer implements AutoCloseable {
  private final GatunServer server;
  private final HttpClient client =
      HttpClient.newBuilder().executor(Executors.newVirtualThreadPerTaskExecutor()).build();

  private TestServer(GatunServer server) {
    this.server = server;
  }

  /** One with all kinds of models, named llama, embedder and reranker. */
  static TestServer ofAll(Path folder, UnaryOperator<ServerOptions> change) throws IOException {
    List<ServedModel> models = new ArrayList<>();
    models.add(load("llama", TestModels.llama(folder.resolve("llama"), 128), 32));
    models.add(load("embedder", TestModels.embedder(folder.resolve("embedder")), 32));
    models.add(load("reranker", TestModels.reranker(folder.resolve("reranker")), 32));
    return of(models, change);
  }

  /** One whose model writes for minutes where it is let, so many texts at once. */
  static TestServer ofLong(Path folder, int sequences, UnaryOperator<ServerOptions> change)
      throws IOException {
    Path endless = TestModels.endless(folder.resolve("llama"));
    return of(List.of(load("llama", endless, sequences)), change);
  }

  private static ServedModel load(String name, Path folder, int sequences) throws IOException {
    return ServedModel.load(
        name, folder, GeneratorOptions.defaults().withSteps(sequences, 512, 128));
  }

  static TestServer of(List<ServedModel> models, UnaryOperator<ServerOptions> change)
      throws IOException {
    ServerOptions options = change.apply(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0));
    return new TestServer(GatunServer.start(options, models));
  }

  GatunServer server() {
    return server;
  }

  int port() {
    return server.address().getPort();
  }

  URI uri(String path) {
    return server.uri().resolve(path);
  }

  HttpResponse<String> post(String path, String body) throws Exception {
    return postBytes(path, body.getBytes(StandardCharsets.UTF_8));
  }

  HttpResponse<String> postBytes(String path, byte... body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** The answer to a request that succeeds. */
  JsonNode json(String path, String body) throws Exception {
    HttpResponse<String> answer = post(path, quoted(body));
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + ": " + answer.body());
    }
    return TestModels.JSON.readTree(answer.body());
  }

  /** The error of a request that is refused, with its status. */
  JsonNode error(String path, String body) throws Exception {
    return error(post(path, quoted(body)));
  }

  static JsonNode error(HttpResponse<String> answer) throws Exception {
    ObjectNode error = (ObjectNode) TestModels.JSON.readTree(answer.body()).required("error");
    for (String key : List.of("message", "type", "param", "code")) {
      error.required(key);
    }
    return error.put("status", answer.statusCode());
  }

  /** JSON is easier to read here with single quotes. */
  static String quoted(String body) {
    return body.replace('\'', '"');
  }

  /** The events of a stream, [DONE] left out. */
  List<JsonNode> events(String path, String body) throws Exception {
    return eventsOf(path, quoted(body));
  }

  /** The same for a body in JSON. */
  List<JsonNode> eventsOf(String path, String body) throws Exception {
    HttpResponse<String> answer = post(path, body);
    List<JsonNode> events = new ArrayList<>();
    for (String line : answer.body().split("\n\n")) {
      if (!line.startsWith("data: ")) {
        throw new AssertionError(answer.statusCode() + ": " + answer.body());
      }
      String data = line.substring("data: ".length());
      if (!data.equals("[DONE]")) {
        events.add(TestModels.JSON.readTree(data));
      }
    }
    if (!answer.body().endsWith("data: [DONE]\n\n")) {
      throw new AssertionError("no end: " + answer.body());
    }
    return events;
  }

  /** A number of the metrics. */
  double metric(String line) throws Exception {
    return get("/metrics")
        .body()
        .lines()
        .filter(each -> each.startsWith(line + " "))
        .mapToDouble(each -> Double.parseDouble(each.substring(line.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  @Override
  public void close() {
    server.close();
    client.close();
  }
}
