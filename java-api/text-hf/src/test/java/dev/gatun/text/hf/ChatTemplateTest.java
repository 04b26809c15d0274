package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.text.chat.Conversation;
import dev.gatun.text.chat.Prompt;
import dev.gatun.text.jinja.Limits;
import dev.gatun.text.jinja.TemplateException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chats become the text and the ids that transformers' apply_chat_template makes of them. */
final class ChatTemplateTest {
  static final Path GOLDENS = Path.of("..", "..", "test", "goldens");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 3, 5, 14, 7, 9);

  private final List<String> wrong = new ArrayList<>();

  @Test
  void chats_of_model_directories_have_the_texts_and_ids_of_transformers() throws IOException {
    JsonNode golden = read("chats");
    int count = 0;
    for (JsonNode each : golden.path("directories")) {
      Path directory = GOLDENS.resolve("chats").resolve(each.path("directory").textValue());
      ChatTemplate template = ChatTemplate.load(directory);
      try (Tokenizer tokenizer = Tokenizer.load(directory)) {
        for (JsonNode test : each.path("cases")) {
          JsonNode chat = golden.path("chats").path(test.path("chat").intValue());
          Conversation conversation =
              conversation(chat).withTemplate(test.path("template").textValue());
          String name = directory.getFileName() + " " + test.path("template") + " of " + chat;
          compare(name, template, conversation, test, tokenizer);
          count++;
        }
      }
    }
    report(count);
  }

  @Test
  void features_of_templates_give_the_texts_of_transformers() throws IOException {
    JsonNode golden = read("chats");
    JsonNode given = read("chat-templates-more");
    for (JsonNode test : golden.path("features")) {
      String name = test.path("template").asText() + " of " + test.path("context").asText();
      String source =
          given.path("templates").path(test.path("template").asText()).path("template").asText();
      JsonNode context = given.path("contexts").path(test.path("context").asText());
      if (context.path("messages").isEmpty()) {
        assertThrows(IllegalArgumentException.class, () -> conversation(context), name);
        continue;
      }
      try {
        compare(name, ChatTemplate.of(source, Map.of()), conversation(context), test, null);
      } catch (TemplateException e) {
        assertTrue(test.has("error"), () -> name + ": " + e.getMessage());
      }
    }
    report(golden.path("features").size());
  }

  @Test
  void published_kinds_of_templates_give_their_texts() throws IOException {
    JsonNode golden = read("chat-templates");
    Map<String, String> tokens =
        Map.of(
            "bos_token", golden.path("bos_token").textValue(),
            "eos_token", golden.path("eos_token").textValue());
    for (JsonNode test : golden.path("cases")) {
      String name = test.path("template").asText();
      Conversation conversation =
          Conversation.of(maps(golden.path("messages").path(test.path("messages").asText())))
              .withGenerationPrompt(test.path("add_generation_prompt").booleanValue())
              .withTools(name.equals("tools") ? maps(golden.path("tools")) : null);
      String source = golden.path("templates").path(name).asText();
      compare(name, ChatTemplate.of(source, tokens), conversation, test, null);
    }
    report(golden.path("cases").size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"default", "chatml"})
  void a_gguf_file_has_its_templates(String name) throws IOException {
    Path file = GOLDENS.resolve("chats").resolve("chat.vocab.gguf");
    ChatTemplate template = ChatTemplate.load(file);
    assertEquals(Set.of("default", "chatml"), template.names());
    Conversation conversation =
        Conversation.of(List.of(Conversation.message("user", "How do ships climb?")))
            .withTemplate(name);
    Prompt prompt = template.apply(conversation);
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      int begin = tokenizer.tokenToId("<|im_start|>").orElseThrow();
      int end = tokenizer.tokenToId("<|im_end|>").orElseThrow();
      long[] ids = prompt.encode(tokenizer);
      if (name.equals("default")) {
        assertEquals("<s>[INST] How do ships climb? [/INST]", prompt.toString());
        assertEquals(List.of(1L), control(tokenizer, ids));
      } else {
        assertEquals(
            "<|im_start|>user\nHow do ships climb?<|im_end|>\n<|im_start|>assistant\n",
            prompt.toString());
        assertEquals(List.of((long) begin, (long) end, (long) begin), control(tokenizer, ids));
      }
    }
  }

  private static final String CALLS =
      "{% for m in messages %}{% for c in m.tool_calls or [] %}X{% endfor %}{% endfor %}";

  /**
   * Each writes the arguments in its way, and fails or writes something else for the other form.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ c.function.arguments | tojson }}",
        "{{ '' + c.function.arguments }}",
        "{{ '' ~ c.function.arguments }}",
        "{{ c.function.arguments if c.function.arguments is string else c.function.arguments |"
            + " tojson }}",
        "{% if c.function.arguments is not mapping %}{{ raise_exception('no map') }}{% endif %}{{"
            + " c['function']['arguments'] | tojson }}",
        "{% if c.function.arguments is mapping %}{{ raise_exception('a map') }}{% endif %}{{"
            + " c.function.arguments }}"
      })
  void arguments_are_a_map_or_a_text(String way) {
    String text =
        "{\"city\": \"Colón\", \"days\": [2, 3.5, null, true], \"big\": 12345678901234567890}";
    ChatTemplate template = ChatTemplate.of(CALLS.replace("X", way), Map.of());
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("city", "Colón");
    map.put("days", Arrays.asList(2, 3.5, null, true));
    map.put("big", new BigInteger("12345678901234567890"));
    for (Object arguments : List.of(text, map)) {
      assertEquals(text, template.apply(calling(arguments)).toString());
    }
  }

  @Test
  void arguments_that_are_no_object_stay() {
    ChatTemplate template =
        ChatTemplate.of(CALLS.replace("X", "{{ c.function.arguments | tojson }}"), Map.of());
    for (String text : List.of("{'city': 1}", "[1]", "null", "", "{} {}")) {
      assertEquals("\"" + text + "\"", template.apply(calling(text)).toString());
    }
  }

  private static Conversation calling(Object arguments) {
    Map<String, Object> message = Conversation.message("assistant", null);
    message.put(
        "tool_calls",
        List.of(
            Map.of("type", "function", "function", Map.of("name", "f", "arguments", arguments))));
    return Conversation.of(List.of(Conversation.message("user", "a"), message));
  }

  @Test
  void a_directory_without_a_template_is_told(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    TokenizerException e =
        assertThrows(TokenizerException.class, () -> ChatTemplate.load(directory));
    assertTrue(e.getMessage().contains("no chat template"), e.getMessage());
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"chat_template\": 3}");
    e = assertThrows(TokenizerException.class, () -> ChatTemplate.load(directory));
    assertTrue(e.getMessage().contains("tokenizer_config.json: chat_template"), e.getMessage());
  }

  @Test
  void a_name_that_is_none_is_told() {
    ChatTemplate template = ChatTemplate.of("x", Map.of());
    Conversation conversation =
        Conversation.of(List.of(Conversation.message("user", "a"))).withTemplate("rag");
    Exception e = assertThrows(IllegalArgumentException.class, () -> template.apply(conversation));
    assertTrue(e.getMessage().contains("'rag', expected one of [default]"), e.getMessage());
  }

  /** The control tokens of ids, in order. */
  static List<Long> control(Tokenizer tokenizer, long[] ids) {
    Set<Integer> control = Set.copyOf(tokenizer.controlTokens().ids().values());
    return Arrays.stream(ids).filter(id -> control.contains((int) id)).boxed().toList();
  }

  private void compare(
      String name,
      ChatTemplate template,
      Conversation conversation,
      JsonNode test,
      Tokenizer tokenizer) {
    if (test.has("error")) {
      Class<? extends RuntimeException> kind =
          test.path("error").asText().equals("ValueError")
              ? IllegalArgumentException.class
              : TemplateException.class;
      assertThrows(kind, () -> template.apply(conversation, Limits.DEFAULT, () -> NOW), name);
      return;
    }
    Prompt prompt = template.apply(conversation, Limits.DEFAULT, () -> NOW);
    if (!prompt.toString().equals(test.path("output").textValue())) {
      wrong.add("%s\n  %s\n  %s".formatted(name, test.path("output").textValue(), prompt));
    } else if (tokenizer != null) {
      String expected = test.path("ids").toString();
      String ids = Arrays.toString(prompt.encode(tokenizer)).replace(" ", "");
      if (!ids.equals(expected)) {
        wrong.add("%s\n  %s\n  %s".formatted(name, expected, ids));
      }
    }
  }

  private void report(int count) {
    assertTrue(count > 10, () -> count + " cases");
    assertEquals("", String.join("\n", wrong), () -> wrong.size() + " of " + count + " differ");
  }

  static Conversation conversation(JsonNode chat) {
    Conversation conversation =
        Conversation.of(maps(chat.path("messages")))
            .withTools(maps(chat.path("tools")))
            .withDocuments(maps(chat.path("documents")))
            .withGenerationPrompt(chat.path("add_generation_prompt").asBoolean(false));
    for (Map.Entry<String, JsonNode> each : chat.properties()) {
      switch (each.getKey()) {
        case "messages", "tools", "documents", "add_generation_prompt" -> {}
        case "continue_final_message" ->
            conversation = conversation.continuing(each.getValue().textValue());
        default -> conversation = conversation.withVariable(each.getKey(), each.getValue());
      }
    }
    return conversation;
  }

  private static List<Map<String, Object>> maps(JsonNode node) {
    return node.isArray() ? JSON.convertValue(node, new TypeReference<>() {}) : null;
  }

  private static JsonNode read(String folder) throws IOException {
    return JSON.readTree(GOLDENS.resolve(folder).resolve("case.json").toFile());
  }
}
