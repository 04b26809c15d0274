import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.stream.Stream;

/**
 * Talks with a model that {@code ./gatun serve --model DIR_OR_GGUF} serves. Usage: HttpChat URI
 * MODEL, such as http://127.0.0.1:8080 and the name of the model's folder.
 */
public final class HttpChat {
  private static final ObjectMapper JSON = new ObjectMapper();

  private HttpChat() {}

  /** Runs it. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    URI chats = URI.create(arguments[0]).resolve("/v1/chat/completions");
    try (HttpClient client = HttpClient.newHttpClient()) {
      String whole =
          client
              .send(request(chats, arguments[1], false), HttpResponse.BodyHandlers.ofString())
              .body();
      System.out.println(JSON.readTree(whole).at("/choices/0/message/content").textValue());

      // The same as it comes, by server-sent events.
      Stream<String> events =
          client
              .send(request(chats, arguments[1], true), HttpResponse.BodyHandlers.ofLines())
              .body();
      for (String line : (Iterable<String>) events::iterator) {
        if (line.startsWith("data: {")) {
          JsonNode delta = JSON.readTree(line.substring("data: ".length())).at("/choices/0/delta");
          System.out.print(delta.path("content").asText(""));
        }
      }
      System.out.println();
    }
  }

  private static HttpRequest request(URI chats, String model, boolean stream) {
    String body =
        """
        {"model": "%s", "stream": %s, "temperature": 0,
         "messages": [{"role": "user", "content": "How do ships climb?"}]}
        """
            .formatted(model, stream);
    return HttpRequest.newBuilder(chats)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }
}
