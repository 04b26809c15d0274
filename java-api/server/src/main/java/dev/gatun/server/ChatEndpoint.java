package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.text.chat.Conversation;
import java.io.IOException;
import java.util.List;

/** {@code /v1/chat/completions}: answers to conversations. */
final class ChatEndpoint implements Endpoint {
  private static final String EVENT = "chat.completion.chunk";

  private final Models models;

  ChatEndpoint(Models models) {
    this.models = models;
  }

  /** A request whose parameters are all understood. */
  private record Request(
      GenerativeModel model,
      int[] prompt,
      GenerationConfig.Builder settings,
      int texts,
      boolean logprobs,
      boolean stream,
      boolean usage) {}

  private Request read(Fields fields) {
    GenerativeModel model = models.of(fields, GenerativeModel.class, "chat");
    model.template();
    Conversation conversation = ChatMessages.read(fields);
    boolean stream = fields.flag("stream", false);
    boolean usage = Answers.includeUsage(fields, stream);
    int top = Sampling.topLogprobs(fields);
    GenerationConfig defaults = model.generator().defaults().config();
    GenerationConfig.Builder settings =
        Sampling.read(
            fields,
            defaults,
            List.of("max_completion_tokens", "max_tokens"),
            model.generator().maxLength());
    if (top >= 0) {
      settings.logprobs(top);
    }
    int texts = Sampling.count(fields, model);
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
    int[] prompt = TokenFields.ints(ChatMessages.prompt(conversation, model));
    return new Request(model, prompt, settings, texts, top >= 0, stream, usage);
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Request request = read(call.body());
    try (Generation generation =
        Generation.start(
            request.model, call, List.of(request.prompt), request.settings, request.texts)) {
      if (request.stream) {
        stream(request, generation, call);
      } else {
        generation.await();
        call.answer(whole(request, generation));
      }
    }
  }

  private static Logprobs logprobs(Request request) {
    return new Logprobs(request.model.tokenizer(), request.settings.build().eosTokenId(), 0);
  }

  private static ObjectNode whole(Request request, Generation generation) {
    ObjectNode answer =
        Answers.head(
            Answers.id("chatcmpl-"), "chat.completion", request.model.name(), Answers.now());
    ArrayNode choices = answer.putArray("choices");
    for (int i = 0; i < generation.texts(); i++) {
      Completion completion = generation.completion(i);
      ObjectNode choice = choices.addObject();
      choice.put("index", i);
      choice
          .putObject("message")
          .put("role", "assistant")
          .put("content", completion.text())
          .putNull("refusal");
      choice.set(
          "logprobs", request.logprobs ? logprobs(request).ofChat(completion.tokens()) : null);
      choice.put("finish_reason", Answers.finish(completion.reason()));
    }
    answer.set("usage", generation.usage());
    answer.set("timings", generation.timings());
    return answer;
  }

  private static void stream(Request request, Generation generation, Call call) throws IOException {
    String id = Answers.id("chatcmpl-");
    long created = Answers.now();
    EventStream events = call.events();
    Logprobs logprobs = logprobs(request);
    for (int i = 0; i < generation.texts(); i++) {
      ObjectNode delta = Json.object().put("role", "assistant").put("content", "");
      events.send(event(request, id, created, i, delta, null, null));
    }
    generation.forEach(
        (index, chunk) -> {
          ObjectNode told = request.logprobs ? logprobs.ofChat(chunk.tokens()) : null;
          if (!chunk.text().isEmpty() || request.logprobs) {
            ObjectNode delta = Json.object().put("content", chunk.text());
            events.send(event(request, id, created, index, delta, told, null));
          }
        });
    for (int i = 0; i < generation.texts(); i++) {
      String reason = Answers.finish(generation.completion(i).reason());
      events.send(event(request, id, created, i, Json.object(), null, reason));
    }
    if (request.usage) {
      ObjectNode last = Answers.head(id, EVENT, request.model.name(), created);
      last.putArray("choices");
      last.set("usage", generation.usage());
      last.set("timings", generation.timings());
      events.send(last);
    }
    events.done();
  }

  private static ObjectNode event(
      Request request,
      String id,
      long created,
      int index,
      ObjectNode delta,
      ObjectNode logprobs,
      String finish) {
    ObjectNode event = Answers.head(id, EVENT, request.model.name(), created);
    ObjectNode choice = event.putArray("choices").addObject();
    choice.put("index", index);
    choice.set("delta", delta);
    choice.set("logprobs", logprobs);
    choice.put("finish_reason", finish);
    return event;
  }
}
