package dev.gatun.test.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatRequest;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatSession;
import dev.gatun.chat.ChatStream;
import dev.gatun.chat.ContextLengthException;
import dev.gatun.chat.ToolCall;
import dev.gatun.chat.ToolCallDelta;
import dev.gatun.chat.ToolCallFormat;
import dev.gatun.generation.FinishReason;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.ScriptedModel;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import dev.gatun.text.chat.ChatTemplate;
import dev.gatun.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Conversations with a model whose answers are written beforehand. */
final class ChatTest {
  private static final Path GOLDENS = Path.of("goldens", "chats");
  private static final int MAX_LENGTH = 512;

  private static final String CHATML =
      "{% if tools %}<|im_start|>system\n"
          + "{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
          + "{% for d in documents or [] %}<|doc|>{{ d.title }}: {{ d.text }}\n{% endfor %}"
          + "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
          + "{% for c in m.tool_calls or [] %}<tool_call>"
          + "{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}"
          + "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
          + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

  private Chat chat;
  private ScriptedModel model;
  private Tokenizer tokenizer;

  /** A chat by a template, with the vocabulary of a directory or file of the goldens. */
  private void open(String vocabulary, ChatTemplate template, String end) throws IOException {
    tokenizer = Tokenizer.load(GOLDENS.resolve(vocabulary));
    model = ScriptedModel.of(tokenizer.vocabSize(), MAX_LENGTH, id(end));
    // What the files say is the end of a text, and no end of a turn.
    chat = Chat.of(model.generator(tokenizer, config(List.of(3))), template);
  }

  private static GenerationConfig config(List<Integer> ends) {
    return GenerationConfig.builder().eosTokenId(ends).build();
  }

  private void open(String template) throws IOException {
    open("single", ChatTemplate.of(template, Map.of()), "<|im_end|>");
  }

  @AfterEach
  void close() {
    if (chat != null) {
      chat.close();
    }
  }

  private int id(String token) {
    return tokenizer.tokenToId(token).orElseThrow();
  }

  /** Text of a model, whose words become control tokens. */
  private long[] ids(String text) {
    return tokenizer.encode(text, EncodeOptions.DEFAULT.withSpecialTokens(false)).ids();
  }

  private ChatRequest told(ChatRequest request, String answer) {
    model.answer(chat.countTokens(request), ids(answer));
    return request;
  }

  @Test
  void answersEndWhereTheTemplateEndsATurn() throws IOException {
    open(CHATML);
    answerOneQuestion("<|im_end|>");
  }

  @Test
  void answersOfGgufFilesDoToo() throws IOException {
    String file = "chat.vocab.gguf";
    open(file, ChatTemplate.load(GOLDENS.resolve(file)), "</s>");
    answerOneQuestion("</s>");
  }

  private void answerOneQuestion(String end) {
    ChatRequest request = ChatRequest.of(List.of(ChatMessage.user("Where is it?")));
    told(request, "In Panama.");
    ChatResult result = chat.answer("Where is it?");
    assertEquals("In Panama.", result.text());
    assertEquals(FinishReason.END_OF_TEXT, result.choices().getFirst().completion().reason());
    assertEquals(chat.countTokens(request), result.generation().promptTokens());
    assertTrue(chat.defaults().config().eosTokenId().containsAll(List.of(3, id(end))));
  }

  @Test
  void aSessionComputesWhatIsNewAlone() throws IOException {
    open(CHATML);
    ChatSession session = chat.session().system("Be brief.");
    List<ChatMessage> all = new ArrayList<>(session.messages());
    int before = 0;
    for (int turn = 0; turn < 4; turn++) {
      all.add(ChatMessage.user("Question " + turn));
      int prompt = chat.countTokens(ChatRequest.of(all));
      long[] answer = ids("Answer " + turn + " of the model.");
      model.answer(prompt, answer);
      int computed = model.computed();
      ChatResult result = session.answer("Question " + turn);
      assertEquals("Answer " + turn + " of the model.", result.text());
      all.add(result.message());
      assertEquals(all, session.messages());
      // Pages of 4 tokens: the last one of the turn before may be begun and is computed again.
      int least = Math.max(0, before - 4);
      assertTrue(result.generation().cachedTokens() >= least, "turn " + turn);
      assertEquals(
          prompt - result.generation().cachedTokens() + answer.length, model.computed() - computed);
      before = prompt + answer.length;
    }
    session.reset();
    assertEquals(List.of(ChatMessage.system("Be brief.")), session.messages());
  }

  @Test
  void aMessageIsNeverAControlToken() throws IOException {
    open(CHATML);
    List<Integer> control = List.copyOf(tokenizer.controlTokens().ids().values());
    String all = String.join(" ", tokenizer.controlTokens().ids().keySet());
    ChatRequest harmless = request("x");
    ChatRequest forged = request("x" + all);
    assertEquals(count(harmless, control), count(forged, control));
    assertTrue(chat.prompt(forged).toString().contains(all));
  }

  private static ChatRequest request(String text) {
    return ChatRequest.builder()
        .system(text)
        .user(text)
        .message(ChatMessage.assistant(text, List.of(new ToolCall("1", text, "{}"))))
        .message(ChatMessage.tool("1", text, text))
        .tool("f", text, Map.of("type", text))
        .document(text, text)
        .build();
  }

  private long count(ChatRequest request, List<Integer> control) {
    return LongStream.of(chat.prompt(request).encode(tokenizer))
        .filter(id -> control.contains((int) id))
        .count();
  }

  @Test
  void aTextBeginsOnceWhereTheTemplateSaysSo() throws IOException {
    open(
        "single",
        ChatTemplate.of("{{ bos_token }}" + CHATML, Map.of("bos_token", "<|endoftext|>")),
        "<|im_end|>");
    long[] ids =
        chat.prompt(ChatRequest.of(List.of(ChatMessage.user("<|endoftext|>")))).encode(tokenizer);
    assertEquals(1, LongStream.of(ids).filter(id -> id == id("<|endoftext|>")).count());
    assertEquals(id("<|endoftext|>"), ids[0]);
  }

  @Test
  void toolsAreCalledAndTheirResultsRead() throws IOException {
    open(CHATML);
    ChatRequest request =
        ChatRequest.builder()
            .user("Weather?")
            .tool("weather", "Weather of a city", Map.of("type", "object"))
            .build();
    String call =
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Colón\"}}\n</tool_call>";
    told(request, "I look.\n" + call + "\n" + call);
    List<ChatDelta> deltas = new ArrayList<>();
    ChatResult result;
    try (ChatStream stream = chat.stream(request)) {
      stream.forEach(deltas::add);
      result = stream.result();
    }
    ChatMessage message = result.message();
    assertEquals("I look.", message.content());
    assertEquals(
        List.of(
            new ToolCall("call00000", "weather", "{\"city\": \"Colón\"}"),
            new ToolCall("call00001", "weather", "{\"city\": \"Colón\"}")),
        message.toolCalls());
    assertEquals(Map.of("city", "Colón"), message.toolCalls().getFirst().argumentMap());
    StringBuilder arguments = new StringBuilder();
    List<String> begun = new ArrayList<>();
    for (ChatDelta delta : deltas) {
      for (ToolCallDelta each : delta.toolCalls()) {
        if (each.name() != null) {
          begun.add(each.id());
        }
        arguments.append(each.arguments());
      }
    }
    assertEquals(List.of("call00000", "call00001"), begun);
    assertEquals("{\"city\": \"Colón\"}".repeat(2), arguments.toString());
    assertTrue(deltas.stream().filter(delta -> !delta.toolCalls().isEmpty()).count() > 4);
    int tokens = deltas.stream().mapToInt(delta -> delta.tokens().size()).sum();
    assertEquals(result.generation().generatedTokens(), tokens);

    ChatRequest next =
        request.toBuilder()
            .message(message)
            .message(ChatMessage.tool(message.toolCalls().getFirst(), "31 degrees"))
            .build();
    told(next, call);
    assertEquals("call00002", chat.answer(next).message().toolCalls().getFirst().id());
    // Without tools the same words are text.
    ChatRequest plain = ChatRequest.of(List.of(ChatMessage.user("Weather?")));
    told(plain, call);
    assertEquals(call, chat.answer(plain).text());
  }

  @ParameterizedTest
  @EnumSource
  void anAnswerIsHeldToACall(ToolCallFormat format) throws IOException {
    open(CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif"));
    Map<String, Object> schema =
        Map.of(
            "type", "object",
            "$defs", Map.of("unit", Map.of("enum", List.of("C", "F"))),
            "properties",
                Map.of(
                    "unit", Map.of("$ref", "#/$defs/unit"),
                    "days", Map.of("type", "integer", "minimum", 1, "maximum", 9)),
            "required", List.of("unit", "days"));
    for (List<String> required : List.of(List.of("weather"), List.of("weather", "clock"))) {
      ChatRequest request =
          ChatRequest.builder()
              .user("Weather?")
              .tool("weather", "Weather of a city", schema)
              .tool("clock", "The time", Map.of())
              .toolCallFormat(format)
              .requiredTools(required)
              .build();
      told(request, "I would rather not.");
      ChatResult result = chat.answer(request);
      assertEquals("", result.text());
      assertEquals("", result.message().reasoning());
      assertEquals(FinishReason.END_OF_TEXT, result.choices().getFirst().completion().reason());
      assertTrue(!result.message().toolCalls().isEmpty(), result.toString());
      for (ToolCall call : result.message().toolCalls()) {
        assertTrue(required.contains(call.name()), call.toString());
        Map<String, Object> arguments = call.argumentMap();
        if (call.name().equals("weather")) {
          assertEquals(Set.of("unit", "days"), arguments.keySet());
          assertTrue(List.of("C", "F").contains(arguments.get("unit")), call.toString());
        } else {
          assertEquals(Map.of(), arguments);
        }
      }
    }
  }

  @Test
  void reasoningIsApart() throws IOException {
    open(CHATML);
    ChatRequest request = ChatRequest.of(List.of(ChatMessage.user("Where?")));
    told(request, "<think>\nA map.\n</think>\n\nIn Panama.");
    ChatMessage message = chat.answer(request).message();
    assertEquals("A map.", message.reasoning());
    assertEquals("In Panama.", message.content());
    chat.close();
    open(CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif"));
    told(request, "A map.\n</think>\n\nIn Panama.");
    assertEquals(message, chat.answer(request).message());
  }

  @Test
  void anAssistantsMessageIsGoneOnWith() throws IOException {
    open(CHATML);
    ChatRequest request =
        ChatRequest.builder()
            .user("Where?")
            .message(ChatMessage.assistant("In Pan"))
            .continuing(true)
            .build();
    assertTrue(chat.prompt(request).toString().endsWith("<|im_start|>assistant\nIn Pan"));
    told(request, "ama, <think>");
    assertEquals("ama, <think>", chat.answer(request).text());
    ChatRequest.Builder user = ChatRequest.builder().user("Where?").continuing(true);
    assertEquals(
        "the last message is of the role 'user': only an assistant's is gone on with",
        assertThrows(IllegalArgumentException.class, user::build).getMessage());
  }

  @Test
  void stopStringsEndTheAnswerWhereverTheyAre() throws IOException {
    open(CHATML);
    GenerationConfig config =
        chat.defaults().config().toBuilder().stopStrings(List.of("ana", "\n\n")).build();
    ChatRequest request = ChatRequest.builder().user("Where?").config(config).build();
    told(request, "In Panama, it is said.");
    ChatResult result = chat.answer(request);
    assertEquals("In P", result.text());
    assertEquals(FinishReason.STOP_STRING, result.choices().getFirst().completion().reason());
  }

  @Test
  void manyAnswersAndBeamsComeApart() throws IOException {
    open(CHATML);
    GenerationConfig.Builder config = chat.defaults().config().toBuilder();
    for (GenerationConfig each :
        List.of(
            config.doSample(true).numReturnSequences(3).build(),
            config.doSample(false).numBeams(3).numReturnSequences(2).build())) {
      ChatRequest request = ChatRequest.builder().user("Where?").config(each).build();
      told(request, "In Panama.");
      try (ChatStream stream = chat.stream(request)) {
        StringBuilder first = new StringBuilder();
        for (ChatDelta delta : stream) {
          if (delta.index() == 0) {
            first.append(delta.content());
          }
        }
        assertEquals(each.numReturnSequences(), stream.result().choices().size());
        assertEquals("In Panama.", first.toString());
        assertEquals("In Panama.", stream.result().text());
      }
    }
  }

  @Test
  void badRequestsSayWhatIsWrong() throws IOException {
    assertTrue(
        assertThrows(TokenizerException.class, () -> Chat.load(GOLDENS.resolveSibling("minilm")))
            .getMessage()
            .contains("no chat template"));
    open(
        CHATML.replace(
            "{% for m in",
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif"
                + " %}{% for m in"));
    String refused =
        assertThrows(
                TemplateException.class,
                () -> chat.stream(ChatRequest.builder().system("x").user("y").build()))
            .getMessage();
    assertTrue(refused.startsWith("chat template, line "), refused);
    assertTrue(refused.endsWith(": no system role"), refused);
    ContextLengthException tooLong =
        assertThrows(ContextLengthException.class, () -> chat.answer("word ".repeat(600)));
    assertEquals(MAX_LENGTH, tooLong.maxLength());
    assertTrue(tooLong.tokens() > MAX_LENGTH);
    ChatRequest unknown = ChatRequest.builder().user("x").template("other").build();
    assertThrows(IllegalArgumentException.class, () -> chat.answer(unknown));
    ChatRequest.Builder nameless =
        ChatRequest.builder().user("x").tools(List.of(Map.of("type", "function")));
    assertTrue(
        assertThrows(IllegalArgumentException.class, nameless::build)
            .getMessage()
            .startsWith("tools[0] has no name"));
    assertThrows(IllegalArgumentException.class, () -> ChatRequest.of(List.of()));
    chat.close();
    open("{% for m in messages %}{{ m.content }}{% endfor %}");
    for (String what : List.of("tools", "documents")) {
      ChatRequest.Builder some = ChatRequest.builder().user("x");
      ChatRequest request =
          (what.equals("tools") ? some.tool("f", "", Map.of()) : some.document("a", "b")).build();
      assertEquals(
          "the model's chat template does not read %s: it knows none".formatted(what),
          assertThrows(IllegalArgumentException.class, () -> chat.answer(request)).getMessage());
    }
    assertEquals(
        "the arguments of the call of 'f' are no JSON object",
        assertThrows(
                IllegalArgumentException.class,
                () -> new ToolCall("1", "f", "{\"a\": ").argumentMap())
            .getMessage()
            .split(":")[0]);
  }

  @Test
  void aCancelledAnswerIsKeptAsFarAsItCame() throws IOException {
    open(CHATML);
    ChatSession session = chat.session();
    ChatRequest request = ChatRequest.of(List.of(ChatMessage.user("Count.")));
    told(request, "one two ".repeat(60));
    try (ChatStream stream = session.stream("Count.")) {
      stream.iterator().next();
      stream.cancel();
      ChatResult result = stream.result();
      assertEquals(FinishReason.CANCELLED, result.choices().getFirst().completion().reason());
      assertTrue("one two ".repeat(60).startsWith(result.text()));
      assertEquals(List.of(ChatMessage.user("Count."), result.message()), session.messages());
    }
  }
}
