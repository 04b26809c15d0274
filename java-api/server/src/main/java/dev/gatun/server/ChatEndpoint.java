package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.gatun.chat.ChatChoice;
import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ChatMessage;
import dev.gatun.chat.ChatRequest;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatStream;
import dev.gatun.chat.ContextLengthException;
import dev.gatun.chat.ToolCall;
import dev.gatun.chat.ToolCallDelta;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.server.Generation.Wanted;
import dev.gatun.text.jinja.TemplateException;
import java.io.IOException;
import java.util.List;

/** {@code /v1/chat/completions}: answers to conversations. */
final class ChatEndpoint implements Endpoint {
  private final Models models;

  ChatEndpoint(Models models) {
    this.models = models;
  }

  /** A request whose parameters are all understood. */
  private record Request(
      GenerativeModel model,
      ChatRequest chat,
      AnswerForm form,
      Wanted wanted,
      boolean stream,
      boolean usage) {

    Logprobs logprobs() {
      GenerationConfig config = wanted.config();
      return config.logprobs().isEmpty()
          ? null
          : new Logprobs(model.tokenizer(), config.eosTokenId(), 0);
    }
  }

  private Request read(Fields fields) {
    GenerativeModel model = models.of(fields, GenerativeModel.class, "chat");
    ChatRequest.Builder chat = ChatFields.read(fields, model);
    AnswerForm form = AnswerForm.read(fields, model);
    chat.tools(form.tools()).requiredTools(form.required()).toolCallFormat(form.format());
    boolean stream = fields.flag("stream", false);
    boolean usage = Answers.includeUsage(fields, stream);
    GenerationConfig.Builder settings =
        Sampling.read(
            fields,
            model,
            model.chat().defaults().config(),
            List.of("max_completion_tokens", "max_tokens"),
            model.generator().maxLength());
    int top = Sampling.topLogprobs(fields);
    if (top >= 0) {
      settings.logprobs(top);
    }
    if (form.constraint() != null) {
      settings.constraint(form.constraint());
    }
    Wanted wanted = Wanted.of(settings, Sampling.count(fields, model));
    fields.refuse("functions", "send tools");
    fields.refuse("function_call", "send tool_choice");
    fields.refuse("audio", "the model writes text");
    fields.refuse("prediction", "guesses come of the server's own settings");
    fields.refuse("web_search_options", "the server reads nothing but what it is sent");
    fields.refuse("verbosity", "tell the model in a message");
    fields.refuseUnless(
        "modalities", Json.array().add(TextNode.valueOf("text")), "the model writes text");
    fields.harmless(
        "user",
        "metadata",
        "store",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier");
    fields.finish();
    try {
      ChatRequest built = chat.config(wanted.config()).build();
      if (form.constraint() != null) {
        ChatFields.requireNoReasoning(built, model);
      }
      return new Request(model, built, form, wanted, stream, usage);
    } catch (TemplateException | IllegalArgumentException e) {
      throw ChatFields.refused(e);
    }
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Request request = read(call.body());
    try (Generation generation = new Generation(request.model, call, request.wanted, 1);
        ChatStream answers = begin(request)) {
      generation.begun(answers::cancel);
      if (request.stream) {
        stream(request, generation, answers, call.events());
      } else {
        ChatResult result = answers.result();
        generation.ended(result.generation());
        call.answer(whole(request, generation, result));
      }
    }
  }

  private static ChatStream begin(Request request) {
    try {
      return request.model.chat().stream(request.chat);
    } catch (TemplateException | ContextLengthException e) {
      throw ChatFields.refused(e);
    } catch (IllegalArgumentException e) {
      if (!request.form.required().isEmpty()) {
        throw ApiException.wrong("tools", e.getMessage());
      }
      throw ChatFields.refused(e);
    }
  }

  private static ObjectNode whole(Request request, Generation generation, ChatResult result) {
    ObjectNode answer =
        Answers.head(
            Answers.id("chatcmpl-"), "chat.completion", request.model.name(), Answers.now());
    ArrayNode choices = answer.putArray("choices");
    Logprobs logprobs = request.logprobs();
    for (int i = 0; i < request.wanted.texts(); i++) {
      ChatChoice from = result.choices().get(request.wanted.copies() > 1 ? 0 : i);
      ObjectNode choice = choices.addObject().put("index", i);
      choice.set("message", message(from.message(), request.form.oneCall()));
      choice.set("logprobs", logprobs == null ? null : logprobs.ofChat(from.completion().tokens()));
      choice.put("finish_reason", finish(from));
    }
    warn(answer, request);
    return Answers.withCounts(answer, generation);
  }

  /** Tells what of a request had no effect. */
  private static void warn(ObjectNode answer, Request request) {
    if (!request.form.warnings().isEmpty()) {
      ArrayNode warnings = answer.putArray("warnings");
      request.form.warnings().forEach(warnings::add);
    }
  }

  private static String finish(ChatChoice choice) {
    String reason = Answers.finish(choice.completion().reason());
    boolean calls = reason.equals("stop") && !choice.message().toolCalls().isEmpty();
    return calls ? "tool_calls" : reason;
  }

  private static ObjectNode message(ChatMessage message, boolean oneCall) {
    ObjectNode told = Json.object().put("role", "assistant");
    boolean none = message.content().isEmpty() && !message.toolCalls().isEmpty();
    told.put("content", none ? null : message.content()).putNull("refusal");
    if (!message.reasoning().isEmpty()) {
      told.put("reasoning_content", message.reasoning());
    }
    if (!message.toolCalls().isEmpty()) {
      ArrayNode calls = told.putArray("tool_calls");
      int most = oneCall ? 1 : message.toolCalls().size();
      for (ToolCall call : message.toolCalls().subList(0, most)) {
        ObjectNode each = calls.addObject().put("id", call.id()).put("type", "function");
        each.putObject("function").put("name", call.name()).put("arguments", call.arguments());
      }
    }
    return told;
  }

  private static void stream(
      Request request, Generation generation, ChatStream answers, EventStream events)
      throws IOException {
    ObjectNode head =
        Answers.head(
            Answers.id("chatcmpl-"), "chat.completion.chunk", request.model.name(), Answers.now());
    warn(head, request);
    Logprobs logprobs = request.logprobs();
    int copies = request.wanted.copies();
    for (int i = 0; i < request.wanted.texts(); i++) {
      ObjectNode first = Json.object().put("role", "assistant").put("content", "");
      events.send(Answers.event(head, choice(i, first, null, null)));
    }
    for (ChatDelta each : answers) {
      ChatDelta delta = request.form.oneCall() ? withOneCall(each) : each;
      if (delta.isEmpty() && logprobs == null) {
        continue;
      }
      for (int copy = 0; copy < copies; copy++) {
        ObjectNode told = logprobs == null ? null : logprobs.ofChat(delta.tokens());
        events.send(Answers.event(head, choice(delta.index() + copy, delta(delta), told, null)));
      }
    }
    ChatResult result = answers.result();
    generation.ended(result.generation());
    for (int i = 0; i < request.wanted.texts(); i++) {
      String reason = finish(result.choices().get(copies > 1 ? 0 : i));
      events.send(Answers.event(head, choice(i, Json.object(), null, reason)));
    }
    Answers.end(events, head, request.usage ? generation : null);
  }

  private static ChatDelta withOneCall(ChatDelta delta) {
    return new ChatDelta(
        delta.index(),
        delta.reasoning(),
        delta.content(),
        delta.toolCalls().stream().filter(call -> call.call() == 0).toList(),
        delta.tokens());
  }

  private static ObjectNode delta(ChatDelta delta) {
    ObjectNode told = Json.object();
    if (!delta.content().isEmpty()) {
      told.put("content", delta.content());
    }
    if (!delta.reasoning().isEmpty()) {
      told.put("reasoning_content", delta.reasoning());
    }
    if (!delta.toolCalls().isEmpty()) {
      ArrayNode calls = told.putArray("tool_calls");
      for (ToolCallDelta call : delta.toolCalls()) {
        ObjectNode each = calls.addObject().put("index", call.call());
        if (call.id() != null) {
          each.put("id", call.id()).put("type", "function");
        }
        ObjectNode function = each.putObject("function");
        if (call.name() != null) {
          function.put("name", call.name());
        }
        function.put("arguments", call.arguments());
      }
    }
    return told;
  }

  private static ObjectNode choice(
      int index, ObjectNode delta, ObjectNode logprobs, String finish) {
    ObjectNode choice = Json.object().put("index", index);
    choice.set("delta", delta);
    choice.set("logprobs", logprobs);
    return choice.put("finish_reason", finish);
  }
}
