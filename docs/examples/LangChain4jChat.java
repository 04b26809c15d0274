import dev.gatun.chat.Chat;
import dev.gatun.langchain4j.GatunChatModel;
import dev.gatun.langchain4j.GatunStreamingChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Talks with a model by LangChain4j's interfaces. Usage: LangChain4jChat DIR_OR_GGUF. */
public final class LangChain4jChat {
  private LangChain4jChat() {}

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    try (Chat chat = Chat.load(Path.of(arguments[0]))) {
      ChatModel model = new GatunChatModel(chat);
      System.out.println(model.chat("Where is the canal?"));

      StreamingChatModel streaming = new GatunStreamingChatModel(chat);
      CompletableFuture<ChatResponse> done = new CompletableFuture<>();
      streaming.chat(
          "How do ships climb?",
          new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String text) {
              System.out.print(text);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
              System.out.println();
              done.complete(response);
            }

            @Override
            public void onError(Throwable error) {
              done.completeExceptionally(error);
            }
          });
      System.out.println(done.join().finishReason());
    }
  }
}
