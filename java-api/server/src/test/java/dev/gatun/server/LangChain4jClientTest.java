package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's client of OpenAI works with the server. */
class LangChain4jClientTest {
  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = TestServer.ofAll(folder, options -> options);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static OpenAiChatModel chat(double temperature) {
    return OpenAiChatModel.builder()
        .baseUrl(server.uri("/v1").toString())
        .apiKey("none")
        .modelName("llama")
        .temperature(temperature)
        .seed(8)
        .maxTokens(10)
        .maxRetries(0)
        .build();
  }

  @Test
  void chats_and_streams_the_same() throws Exception {
    ChatResponse whole = chat(1).chat(SystemMessage.from("w5"), UserMessage.from("w6 w7"));
    assertEquals(10, whole.tokenUsage().outputTokenCount());
    assertEquals(FinishReason.LENGTH, whole.finishReason());
    CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
    StringBuilder parts = new StringBuilder();
    OpenAiStreamingChatModel.builder()
        .baseUrl(server.uri("/v1").toString())
        .apiKey("none")
        .modelName("llama")
        .temperature(1.0)
        .seed(8)
        .maxTokens(10)
        .build()
        .chat(
            List.of(SystemMessage.from("w5"), UserMessage.from("w6 w7")),
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String part) {
                parts.append(part);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                streamed.complete(response);
              }

              @Override
              public void onError(Throwable problem) {
                streamed.completeExceptionally(problem);
              }
            });
    ChatResponse joined = streamed.get(30, TimeUnit.SECONDS);
    assertEquals(whole.aiMessage().text(), joined.aiMessage().text());
    assertEquals(whole.aiMessage().text(), parts.toString());
    assertEquals(10, joined.tokenUsage().outputTokenCount());
  }

  @Test
  void embeds() {
    OpenAiEmbeddingModel embeddings =
        OpenAiEmbeddingModel.builder()
            .baseUrl(server.uri("/v1").toString())
            .apiKey("none")
            .modelName("embedder")
            .maxRetries(0)
            .build();
    float[] vector =
        embeddings
            .embedAll(List.of(TextSegment.from("Hello World!"), TextSegment.from("x")))
            .content()
            .getFirst()
            .vector();
    assertEquals(-0.1445447f, vector[0], 1e-5f);
  }

  @Test
  void errors_are_its_own() {
    InvalidRequestException wrong =
        assertThrows(InvalidRequestException.class, () -> chat(9).chat("w5"));
    assertTrue(wrong.getMessage().contains("temperature"), wrong.getMessage());
  }
}
