package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.gatun.server.TestModels.Greedy;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's own Java client takes the server for OpenAI's. */
class OpenAiClientTest {
  private static TestServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = TestServer.ofAll(folder, options -> options.withApiKeys(List.of("secret")));
    client = client("secret");
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(server.uri("/v1").toString())
        .apiKey(key)
        .maxRetries(0)
        .build();
  }

  private static ChatCompletionCreateParams.Builder chat() {
    return ChatCompletionCreateParams.builder()
        .model("llama")
        .addSystemMessage("w5 w6")
        .addUserMessage("w7 w8")
        .temperature(0)
        .maxCompletionTokens(12);
  }

  @Test
  void lists_models() {
    assertEquals(
        List.of("llama", "embedder", "reranker"),
        client.models().list().data().stream().map(model -> model.id()).toList());
    assertEquals("llama", client.models().retrieve("llama").id());
    assertThrows(NotFoundException.class, () -> client.models().retrieve("none"));
  }

  @Test
  void chats_and_streams_the_same() {
    ChatCompletion whole =
        client.chat().completions().create(chat().logprobs(true).topLogprobs(2).build());
    String text = whole.choices().getFirst().message().content().orElseThrow();
    assertTrue(text.contains("w"), text);
    assertEquals(12, whole.usage().orElseThrow().completionTokens());
    assertEquals(
        ChatCompletion.Choice.FinishReason.LENGTH, whole.choices().getFirst().finishReason());
    var logprobs = whole.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
    assertEquals(2, logprobs.getFirst().topLogprobs().size());

    ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
    ChatCompletionCreateParams streamed =
        chat()
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    try (StreamResponse<ChatCompletionChunk> events =
        client.chat().completions().createStreaming(streamed)) {
      events.stream().forEach(all::accumulate);
    }
    ChatCompletion joined = all.chatCompletion();
    assertEquals(text, joined.choices().getFirst().message().content().orElseThrow());
    assertEquals(
        whole.usage().orElseThrow().totalTokens(), joined.usage().orElseThrow().totalTokens());
  }

  @Test
  void completes() {
    Greedy greedy = Greedy.read();
    Completion answer =
        client
            .completions()
            .create(
                CompletionCreateParams.builder()
                    .model("llama")
                    .prompt(TestModels.words(greedy.prompt()))
                    .temperature(0)
                    .maxTokens(greedy.output().length)
                    .build());
    assertEquals(TestModels.words(greedy.output()), answer.choices().getFirst().text());
  }

  @Test
  void embeds() {
    CreateEmbeddingResponse answer =
        client
            .embeddings()
            .create(
                EmbeddingCreateParams.builder()
                    .model("embedder")
                    .inputOfArrayOfStrings(List.of("Hello World!", "x"))
                    .build());
    assertEquals(2, answer.data().size());
    assertEquals(8, answer.data().getFirst().embedding().size());
    // What sentence-transformers gives.
    assertEquals(-0.1445447, answer.data().getFirst().embedding().getFirst(), 1e-5);
  }

  @Test
  void errors_are_its_own() {
    BadRequestException wrong =
        assertThrows(
            BadRequestException.class,
            () -> client.chat().completions().create(chat().temperature(9).build()));
    assertEquals("temperature", wrong.param().orElseThrow());
    assertTrue(wrong.getMessage().contains("0 to 2"), wrong.getMessage());
    assertThrows(
        NotFoundException.class,
        () -> client.chat().completions().create(chat().model("gpt-5").build()));
    OpenAIClient stranger = client("wrong");
    assertThrows(UnauthorizedException.class, () -> stranger.models().list());
    stranger.close();
  }
}
