package dev.gatun.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.pipelines.TextClassificationPipeline;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.TokenCountEstimator;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What LangChain4j's compliance tests do not ask. */
final class GatunModelsTest {
  private final ChatModel model = new GatunChatModel(Canal.chat());

  @Test
  void reasoningIsApart() {
    AiMessage message = model.chat(UserMessage.from("How many locks are there?")).aiMessage();
    assertEquals("Six locks.", message.text());
    assertEquals("Three, one and two.", message.thinking());
  }

  @Test
  void drawsRepeatByTheirSeed() {
    List<String> texts =
        List.of(4L, 4L, 5L).stream()
            .map(
                seed ->
                    GatunChatModel.builder()
                        .chat(Canal.chat())
                        .defaultRequestParameters(
                            GatunChatRequestParameters.builder()
                                .temperature(4.0)
                                .maxOutputTokens(20)
                                .seed(seed)
                                .build())
                        .build()
                        .chat("Hello!"))
            .toList();
    assertEquals(texts.get(0), texts.get(1));
    assertNotEquals(texts.get(0), texts.get(2));
  }

  @Test
  void aSchemaHasItsMembersAlone() throws IOException {
    ResponseFormat format =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(
                JsonSchema.builder()
                    .name("lock")
                    .rootElement(
                        JsonObjectSchema.builder()
                            .addEnumProperty("name", List.of("Gatun", "Miraflores"))
                            .addBooleanProperty("open")
                            .required("name", "open")
                            .build())
                    .build())
            .build();
    ChatResponse response =
        model.chat(
            ChatRequest.builder()
                .messages(UserMessage.from("Which lock?"))
                .responseFormat(format)
                .build());
    var made = new ObjectMapper().readTree(response.aiMessage().text());
    assertEquals(2, made.size());
    assertTrue(List.of("Gatun", "Miraflores").contains(made.get("name").textValue()));
    assertTrue(made.get("open").isBoolean());
  }

  @Test
  void badRequestsSayWhatIsWrong() {
    assertTrue(
        assertThrows(InvalidRequestException.class, () -> model.chat("word ".repeat(2000)))
            .getMessage()
            .startsWith("the conversation has "));
    assertTrue(
        assertThrows(
                InvalidRequestException.class,
                () -> model.chat(UserMessage.from("x"), SystemMessage.from("y")))
            .getMessage()
            .startsWith("chat template, line "));
    ChatRequest hot =
        ChatRequest.builder().messages(UserMessage.from("x")).temperature(-1.0).build();
    assertTrue(
        assertThrows(InvalidRequestException.class, () -> model.chat(hot))
            .getMessage()
            .contains("temperature"));
    ChatRequest toolless =
        ChatRequest.builder()
            .messages(UserMessage.from("x"))
            .toolChoice(ToolChoice.REQUIRED)
            .build();
    assertThrows(InvalidRequestException.class, () -> model.chat(toolless));
    ChatRequestParameters other = ChatRequestParameters.builder().modelName("gpt").build();
    assertThrows(
        UnsupportedFeatureException.class,
        () -> GatunChatModel.builder().chat(Canal.chat()).defaultRequestParameters(other).build());
    assertThrows(IllegalArgumentException.class, () -> GatunChatModel.builder().build());
  }

  @Test
  void aHandlerIsToldWhatIsWrong() throws Exception {
    StreamingChatModel streaming = new GatunStreamingChatModel(Canal.chat());
    CompletableFuture<Throwable> told = new CompletableFuture<>();
    streaming.chat(
        "word ".repeat(2000),
        new StreamingChatResponseHandler() {
          @Override
          public void onCompleteResponse(ChatResponse response) {
            told.complete(null);
          }

          @Override
          public void onError(Throwable error) {
            told.complete(error);
          }
        });
    assertEquals(InvalidRequestException.class, told.get().getClass());
  }

  @Test
  void tokensAreThoseThatTheModelReads() {
    TokenCountEstimator estimator = new GatunTokenCountEstimator(Canal.chat());
    UserMessage message = UserMessage.from("How do ships climb?");
    int read = model.chat(message).tokenUsage().inputTokenCount();
    assertEquals(read, estimator.estimateTokenCountInMessage(message));
    int text = estimator.estimateTokenCountInText("How do ships climb?");
    assertTrue(text > 0 && text < read);
    List<dev.langchain4j.data.message.ChatMessage> all =
        List.of(SystemMessage.from("Be brief."), message, AiMessage.from("By locks."));
    assertTrue(estimator.estimateTokenCountInMessages(all) > read);
    assertEquals(0, estimator.estimateTokenCountInMessages(List.of()));
    // A system's message cannot come last by this template's rules, and its text is counted.
    assertEquals(
        2 * text,
        estimator.estimateTokenCountInMessages(
            List.of(
                SystemMessage.from("How do ships climb?"),
                SystemMessage.from("How do ships climb?"))));
  }

  @Test
  void aCrossEncoderScoresTexts(@TempDir Path folder) throws IOException {
    Canal.copy(Canal.GOLDENS.resolve("bert-regression"), folder);
    ObjectMapper json = new ObjectMapper();
    ObjectNode tokenizer = json.createObjectNode();
    tokenizer.putObject("pre_tokenizer").put("type", "Whitespace");
    ObjectNode words = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    ObjectNode vocabulary = words.putObject("vocab");
    for (int id = 0; id < 101; id++) {
      vocabulary.put("w" + id, id);
    }
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    try (TextClassificationPipeline pipeline = TextClassificationPipeline.load(folder)) {
      var scores =
          new GatunScoringModel(pipeline)
              .scoreAll(List.of(TextSegment.from("w5 w6"), TextSegment.from("w7")), "w3 w4");
      assertNull(scores.tokenUsage());
      assertEquals(
          List.of(
              (double) pipeline.classify("w3 w4", "w5 w6", 1).getFirst().score(),
              (double) pipeline.classify("w3 w4", "w7", 1).getFirst().score()),
          scores.content());
    }
  }
}
