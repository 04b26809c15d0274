package dev.gatun.test.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatRequest;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ToolCall;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A trained model, from a directory and from a GGUF file, answers as transformers has it. */
final class ChatModelTest {
  private static final Path MODEL = Path.of("goldens", "chat-model");
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @ValueSource(strings = {"", "chat-q8_0.gguf"})
  void answersAsTransformersDoes(String file) throws IOException {
    JsonNode answers = JSON.readTree(MODEL.resolve("case.json").toFile()).get("answers");
    assertTrue(answers.size() > 8);
    try (Chat chat = Chat.load(MODEL.resolve(file))) {
      for (JsonNode answer : answers) {
        ChatRequest request = request(answer);
        long[] prompt = chat.prompt(request).encode(chat.generator().tokenizer().orElseThrow());
        assertArrayEquals(JSON.convertValue(answer.get("prompt"), long[].class), prompt);
        ChatResult result = chat.answer(request);
        assertArrayEquals(
            JSON.convertValue(answer.get("ids"), int[].class),
            result.choices().getFirst().completion().ids());
        assertEquals(answer.get("text").textValue(), spelt(result.message()));
      }
    }
  }

  private static ChatRequest request(JsonNode answer) {
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonNode each : answer.get("messages")) {
      List<ToolCall> calls = new ArrayList<>();
      for (JsonNode call : each.path("tool_calls")) {
        calls.add(
            new ToolCall(
                call.get("id").textValue(),
                call.at("/function/name").textValue(),
                call.at("/function/arguments").toString()));
      }
      messages.add(
          new ChatMessage(
              each.get("role").textValue(),
              each.get("content").textValue(),
              "",
              calls,
              each.path("tool_call_id").textValue(),
              null,
              Map.of()));
    }
    ChatRequest.Builder builder = ChatRequest.builder().messages(messages);
    if (!answer.get("tools").isNull()) {
      builder.tools(
          JSON.convertValue(
              answer.get("tools"), new TypeReference<List<Map<String, Object>>>() {}));
    }
    return builder.build();
  }

  /** A message as this model writes it. */
  private static String spelt(ChatMessage message) {
    StringBuilder text = new StringBuilder();
    if (!message.reasoning().isEmpty()) {
      text.append("<think>\n").append(message.reasoning()).append("\n</think>\n\n");
    }
    text.append(message.content());
    for (ToolCall call : message.toolCalls()) {
      text.append(text.isEmpty() ? "" : "\n");
      text.append(
          "<tool_call>\n{\"name\": \"%s\", \"arguments\": %s}\n</tool_call>"
              .formatted(call.name(), call.arguments()));
    }
    return text + "<|im_end|>";
  }
}
