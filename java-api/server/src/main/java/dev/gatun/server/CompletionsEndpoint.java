package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** {@code /v1/completions}: texts that go on from prompts. */
final class CompletionsEndpoint implements Endpoint {
  /** What OpenAI's protocol has where nothing is said. */
  private static final int USUAL_TOKENS = 16;

  private static final int MOST_LOGPROBS = 20;
  private static final int MOST_PROMPTS = 256;

  private final Models models;

  CompletionsEndpoint(Models models) {
    this.models = models;
  }

  /** A request whose parameters are all understood. */
  private record Request(
      GenerativeModel model,
      List<int[]> prompts,
      List<String> echoes,
      GenerationConfig.Builder settings,
      int texts,
      boolean logprobs,
      boolean stream,
      boolean usage) {}

  private Request read(Fields fields) {
    GenerativeModel model = models.of(fields, GenerativeModel.class, "completions");
    boolean echo = fields.flag("echo", false);
    OptionalInt logprobs = fields.integer("logprobs", 0, MOST_LOGPROBS);
    if (echo && logprobs.isPresent()) {
      throw Fields.unsupported("echo", "with logprobs, which are not computed of prompts");
    }
    fields.refuse("suffix", "text is written on from a prompt alone");
    boolean stream = fields.flag("stream", false);
    boolean usage = Answers.includeUsage(fields, stream);
    GenerationConfig defaults = model.generator().defaults().config();
    GenerationConfig.Builder settings =
        Sampling.read(fields, defaults, List.of("max_tokens"), USUAL_TOKENS);
    logprobs.ifPresent(settings::logprobs);
    int texts = Sampling.count(fields, model);
    fields.harmless("user");
    List<String> echoes = new ArrayList<>();
    List<int[]> prompts = prompts(fields, model.tokenizer(), echo ? echoes : new ArrayList<>());
    fields.finish();
    return new Request(
        model, prompts, echoes, settings, texts, logprobs.isPresent(), stream, usage);
  }

  private static List<int[]> prompts(Fields fields, Tokenizer tokenizer, List<String> texts) {
    JsonNode given = fields.any("prompt");
    if (given == null) {
      throw fields.missing("prompt");
    }
    List<int[]> prompts = new ArrayList<>();
    boolean many = given.isArray() && !given.isEmpty() && !given.get(0).isNumber();
    List<JsonNode> each = new ArrayList<>();
    (many ? given : Json.array().add(given)).forEach(each::add);
    if (each.size() > MOST_PROMPTS) {
      throw ApiException.wrong(
          "prompt", "%d prompts, expected up to %d".formatted(each.size(), MOST_PROMPTS));
    }
    for (JsonNode prompt : each) {
      String name = many ? "prompt[%d]".formatted(prompts.size()) : "prompt";
      int[] ids = TokenFields.ids(name, prompt, tokenizer);
      prompts.add(ids);
      texts.add(prompt.isTextual() ? prompt.textValue() : TokenFields.text(tokenizer, ids));
    }
    return prompts;
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Request request = read(call.body());
    try (Generation generation =
        Generation.start(request.model, call, request.prompts, request.settings, request.texts)) {
      if (request.stream) {
        stream(request, generation, call);
      } else {
        generation.await();
        call.answer(whole(request, generation));
      }
    }
  }

  private static Logprobs logprobs(Request request, int index) {
    int before = request.echoes.isEmpty() ? 0 : request.echoes.get(index / request.texts).length();
    return new Logprobs(request.model.tokenizer(), request.settings.build().eosTokenId(), before);
  }

  private static ObjectNode whole(Request request, Generation generation) {
    ObjectNode answer =
        Answers.head(Answers.id("cmpl-"), "text_completion", request.model.name(), Answers.now());
    ArrayNode choices = answer.putArray("choices");
    for (int i = 0; i < generation.texts(); i++) {
      Completion completion = generation.completion(i);
      ObjectNode choice = choices.addObject();
      choice.put("index", i).put("text", echo(request, i) + completion.text());
      choice.set(
          "logprobs",
          request.logprobs ? logprobs(request, i).ofCompletion(completion.tokens()) : null);
      choice.put("finish_reason", Answers.finish(completion.reason()));
    }
    answer.set("usage", generation.usage());
    answer.set("timings", generation.timings());
    return answer;
  }

  private static String echo(Request request, int index) {
    return request.echoes.isEmpty() ? "" : request.echoes.get(index / request.texts);
  }

  private static void stream(Request request, Generation generation, Call call) throws IOException {
    String id = Answers.id("cmpl-");
    long created = Answers.now();
    EventStream events = call.events();
    List<Logprobs> logprobs = new ArrayList<>();
    for (int i = 0; i < generation.texts(); i++) {
      logprobs.add(logprobs(request, i));
      if (!request.echoes.isEmpty()) {
        events.send(event(request, id, created, i, echo(request, i), null, null));
      }
    }
    generation.forEach(
        (index, chunk) -> {
          ObjectNode told =
              request.logprobs ? logprobs.get(index).ofCompletion(chunk.tokens()) : null;
          if (!chunk.text().isEmpty() || request.logprobs) {
            events.send(event(request, id, created, index, chunk.text(), told, null));
          }
        });
    for (int i = 0; i < generation.texts(); i++) {
      String reason = Answers.finish(generation.completion(i).reason());
      events.send(event(request, id, created, i, "", null, reason));
    }
    if (request.usage) {
      ObjectNode last = Answers.head(id, "text_completion", request.model.name(), created);
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
      String text,
      ObjectNode logprobs,
      String finish) {
    ObjectNode event = Answers.head(id, "text_completion", request.model.name(), created);
    ObjectNode choice = event.putArray("choices").addObject();
    choice.put("index", index).put("text", text);
    choice.set("logprobs", logprobs);
    choice.put("finish_reason", finish);
    return event;
  }
}
