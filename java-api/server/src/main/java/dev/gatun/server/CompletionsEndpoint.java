package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.Completion;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.server.Generation.Wanted;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** {@code /v1/completions}: texts that go on from prompts. */
final class CompletionsEndpoint implements Endpoint {
  private static final String OBJECT = "text_completion";

  /** What OpenAI's protocol has where nothing is said. */
  private static final int USUAL_TOKENS = 16;

  private static final int MOST_LOGPROBS = 20;
  private static final int MOST_PROMPTS = 256;

  private final Models models;

  CompletionsEndpoint(Models models) {
    this.models = models;
  }

  /**
   * A request whose parameters are all understood.
   *
   * @param echoes what stands before each prompt's texts
   */
  private record Request(
      GenerativeModel model,
      List<int[]> prompts,
      List<String> echoes,
      Wanted wanted,
      boolean stream,
      boolean usage) {

    boolean logprobs() {
      return wanted.config().logprobs().isPresent();
    }

    String echo(int index) {
      return echoes.get(index / wanted.texts());
    }

    Logprobs logprobs(int index) {
      return new Logprobs(model.tokenizer(), wanted.config().eosTokenId(), echo(index).length());
    }
  }

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
        Sampling.read(fields, model, defaults, List.of("max_tokens"), USUAL_TOKENS);
    logprobs.ifPresent(settings::logprobs);
    TextFormat format = TextFormat.read(fields);
    if (!format.isFree()) {
      settings.constraint(format.constraint());
    }
    Wanted wanted = Wanted.of(settings, Sampling.count(fields, model));
    fields.harmless("user");
    List<String> echoes = new ArrayList<>();
    List<int[]> prompts = prompts(fields, model.tokenizer(), echo, echoes);
    fields.finish();
    prompts.forEach(prompt -> CompletionTexts.requireRoom(model, prompt));
    return new Request(model, prompts, echoes, wanted, stream, usage);
  }

  private static List<int[]> prompts(
      Fields fields, Tokenizer tokenizer, boolean echo, List<String> echoes) {
    JsonNode given = fields.any("prompt");
    if (given == null) {
      throw fields.missing("prompt");
    }
    boolean many = given.isArray() && !given.isEmpty() && !given.get(0).isNumber();
    JsonNode each = many ? given : Json.array().add(given);
    if (each.size() > MOST_PROMPTS) {
      throw ApiException.wrong(
          "prompt", "%d prompts, expected up to %d".formatted(each.size(), MOST_PROMPTS));
    }
    List<int[]> prompts = new ArrayList<>();
    for (JsonNode prompt : each) {
      String name = many ? "prompt[%d]".formatted(prompts.size()) : "prompt";
      int[] ids = TokenFields.ids(name, prompt, tokenizer);
      prompts.add(ids);
      String text = prompt.isTextual() ? prompt.textValue() : TokenFields.text(tokenizer, ids);
      echoes.add(echo ? text : "");
    }
    return prompts;
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Request request = read(call.body());
    int prompts = request.prompts.size();
    try (Generation generation = new Generation(request.model, call, request.wanted, prompts);
        CompletionTexts texts =
            new CompletionTexts(request.model, generation, request.wanted, request.prompts)) {
      if (request.stream) {
        stream(request, generation, texts, call.events());
      } else {
        texts.await();
        call.answer(whole(request, generation, texts));
      }
    }
  }

  private static ObjectNode whole(Request request, Generation generation, CompletionTexts texts) {
    ObjectNode answer =
        Answers.head(Answers.id("cmpl-"), OBJECT, request.model.name(), Answers.now());
    ArrayNode choices = answer.putArray("choices");
    for (int i = 0; i < texts.count(); i++) {
      Completion completion = texts.get(i);
      ObjectNode logprobs =
          request.logprobs() ? request.logprobs(i).ofCompletion(completion.tokens()) : null;
      String reason = Answers.finish(completion.reason());
      choices.add(choice(i, request.echo(i) + completion.text(), logprobs, reason));
    }
    return Answers.withCounts(answer, generation);
  }

  private static ObjectNode choice(int index, String text, ObjectNode logprobs, String finish) {
    ObjectNode choice = Json.object().put("index", index).put("text", text);
    choice.set("logprobs", logprobs);
    return choice.put("finish_reason", finish);
  }

  private static void stream(
      Request request, Generation generation, CompletionTexts texts, EventStream events)
      throws IOException {
    ObjectNode head =
        Answers.head(Answers.id("cmpl-"), OBJECT, request.model.name(), Answers.now());
    List<Logprobs> logprobs = new ArrayList<>();
    for (int i = 0; i < texts.count(); i++) {
      logprobs.add(request.logprobs(i));
      if (!request.echo(i).isEmpty()) {
        events.send(Answers.event(head, choice(i, request.echo(i), null, null)));
      }
    }
    texts.forEach(
        (index, chunk) -> {
          if (request.logprobs()) {
            ObjectNode told = logprobs.get(index).ofCompletion(chunk.tokens());
            events.send(Answers.event(head, choice(index, chunk.text(), told, null)));
          } else if (!chunk.text().isEmpty()) {
            events.send(Answers.event(head, choice(index, chunk.text(), null, null)));
          }
        });
    for (int i = 0; i < texts.count(); i++) {
      String reason = Answers.finish(texts.get(i).reason());
      events.send(Answers.event(head, choice(i, "", null, reason)));
    }
    Answers.end(events, head, request.usage ? generation : null);
  }
}
