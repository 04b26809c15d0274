import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatRequest;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatSession;
import dev.gatun.chat.ChatStream;
import dev.gatun.chat.ToolCall;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Talks with a model by the library. Usage: LibraryChat DIR_OR_GGUF. */
public final class LibraryChat {
  private LibraryChat() {}

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    try (Chat chat = Chat.load(Path.of(arguments[0]))) {
      System.out.println(chat.answer("Where is the canal?").text());

      // A conversation, and an answer as it comes.
      ChatSession session = chat.session().system("Be brief.");
      try (ChatStream stream = session.stream("How do ships climb?")) {
        for (ChatDelta delta : stream) {
          System.out.print(delta.content());
        }
        System.out.println();
      }

      // A tool: the model asks for it, the program calls it, the model reads what it gave.
      ChatRequest request =
          ChatRequest.builder()
              .user("How warm is it in Colón?")
              .tool(
                  "weather",
                  "How warm a city is",
                  Map.of(
                      "type", "object",
                      "properties", Map.of("city", Map.of("type", "string")),
                      "required", List.of("city")))
              .build();
      ChatResult asked = chat.answer(request);
      for (ToolCall call : asked.message().toolCalls()) {
        String degrees = call.argumentMap().get("city").equals("Colón") ? "31 degrees" : "unknown";
        request =
            request.toBuilder()
                .message(asked.message())
                .message(ChatMessage.tool(call, degrees))
                .build();
      }
      System.out.println(chat.answer(request).text());
    }
  }
}
