package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.generation.GeneratorOptions;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
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
    server =
        TestServer.of(
            List.of(
                ServedModel.load(
                    "llama",
                    TestModels.llama(folder.resolve("llama"), 128),
                    GeneratorOptions.defaults()),
                ServedModel.load(
                    "embedder",
                    TestModels.embedder(folder.resolve("embedder")),
                    GeneratorOptions.defaults()),
                TestModels.ofBytes("bytes")),
            options -> options);
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
        .strictTools(true)
        .strictJsonSchema(true)
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

  /** Asks a model whose tokens spell bytes. */
  private static ChatResponse ask(ChatRequest.Builder request) {
    return chat(1)
        .chat(
            request
                .modelName("bytes")
                .maxOutputTokens(120)
                .messages(UserMessage.from("x"))
                .build());
  }

  @Test
  void answers_by_a_schema() {
    JsonObjectSchema place =
        JsonObjectSchema.builder()
            .addEnumProperty("city", List.of("Colón", "Gatun"))
            .addIntegerProperty("metres")
            .required("city")
            .additionalProperties(false)
            .build();
    String text =
        ask(ChatRequest.builder()
                .responseFormat(
                    ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(JsonSchema.builder().name("place").rootElement(place).build())
                        .build()))
            .aiMessage()
            .text();
    assertTrue(text.contains("Colón") || text.contains("Gatun"), text);
  }

  @Test
  void calls_tools() {
    ToolSpecification weather =
        ToolSpecification.builder()
            .name("weather")
            .description("of a city")
            .parameters(
                JsonObjectSchema.builder()
                    .addEnumProperty("city", List.of("Colón", "Gatun"))
                    .required("city")
                    .additionalProperties(false)
                    .build())
            .build();
    ChatResponse answer =
        ask(ChatRequest.builder().toolSpecifications(weather).toolChoice(ToolChoice.REQUIRED));
    assertEquals(FinishReason.TOOL_EXECUTION, answer.finishReason(), answer::toString);
    ToolExecutionRequest call = answer.aiMessage().toolExecutionRequests().getFirst();
    assertEquals("weather", call.name());
    assertTrue(call.arguments().contains("city"), call::arguments);
    // What the tool gave goes back.
    ChatResponse next =
        chat(1)
            .chat(
                ChatRequest.builder()
                    .modelName("bytes")
                    .maxOutputTokens(3)
                    .messages(
                        UserMessage.from("x"),
                        answer.aiMessage(),
                        ToolExecutionResultMessage.from(call, "31 degrees"))
                    .toolSpecifications(weather)
                    .build());
    assertEquals(3, next.tokenUsage().outputTokenCount());
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
