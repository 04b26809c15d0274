package dev.gatun.djl;

import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.nlp.TextPrompt;
import ai.djl.ndarray.BytesSupplier;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import ai.djl.util.JsonUtils;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Texts for a server's requests: plain text, or JSON with {@code inputs}, a text or a list of them,
 * and {@code parameters}. The prompts of all requests of a batch are computed together.
 */
final class TextServingTranslator implements Translator<Input, Output> {
  private static final String REQUESTS = "requests";

  /** Hugging Face's names of parameters, and those of the translator's arguments. */
  private static final Map<String, String> PARAMETERS =
      new TreeMap<>(
          Map.of(
              "max_new_tokens", "maxNewTokens",
              "temperature", "temperature",
              "top_k", "topK",
              "top_p", "topP",
              "seed", "seed"));

  private final TextGenerationTranslator texts;

  /**
   * What a request waits for.
   *
   * @param isBatch whether it asked with a list
   */
  private record Request(boolean isBatch, List<GenerationStream> streams) {}

  TextServingTranslator(TextGenerationTranslator texts) {
    this.texts = texts;
  }

  @Override
  public void prepare(TranslatorContext ctx) {
    texts.prepare(ctx);
  }

  @Override
  public Batchifier getBatchifier() {
    // Nothing is stacked: with one DJL gives all inputs of a batch at once.
    return Batchifier.STACK;
  }

  @Override
  public NDList batchProcessInput(TranslatorContext ctx, List<Input> inputs)
      throws TranslateException {
    List<Request> requests = new ArrayList<>();
    try {
      for (Input input : inputs) {
        requests.add(started(input));
      }
    } catch (RuntimeException | TranslateException e) {
      close(requests);
      throw e;
    }
    ctx.setAttachment(REQUESTS, requests);
    return new NDList();
  }

  private Request started(Input input) throws TranslateException {
    if (input.getContent().isEmpty()) {
      throw new TranslateException("text generation: the request is empty, expected a prompt");
    }
    TextPrompt prompt = TextPrompt.parseInput(input);
    GenerationConfig config = texts.configured(parameters(input));
    List<String> prompts = prompt.isBatch() ? prompt.getBatch() : List.of(prompt.getText());
    return new Request(prompt.isBatch(), texts.start(prompts, config));
  }

  /** A request's parameters by the names of the translator's arguments; none of a plain text. */
  private static Map<String, ?> parameters(Input input) {
    String type = input.getProperty("Content-Type", "");
    if (!type.split(";")[0].equals("application/json")) {
      return Map.of();
    }
    JsonElement whole = JsonUtils.GSON.fromJson(input.getData().getAsString(), JsonElement.class);
    JsonElement given = whole.isJsonObject() ? whole.getAsJsonObject().get("parameters") : null;
    if (given == null || given.isJsonNull()) {
      return Map.of();
    }
    if (!(given instanceof JsonObject fields)) {
      throw new IllegalArgumentException(
          "text generation: parameters is %s, expected an object".formatted(given));
    }
    Map<String, Object> parameters = new HashMap<>();
    for (Map.Entry<String, JsonElement> field : fields.entrySet()) {
      String name = PARAMETERS.get(field.getKey());
      if (name == null) {
        throw new IllegalArgumentException(
            "text generation: the parameter %s is not known, expected %s"
                .formatted(field.getKey(), String.join(", ", PARAMETERS.keySet())));
      }
      if (!field.getValue().isJsonNull()) {
        parameters.put(name, field.getValue());
      }
    }
    return parameters;
  }

  @Override
  @SuppressWarnings("unchecked")
  public List<Output> batchProcessOutput(TranslatorContext ctx, NDList list) {
    List<Request> requests = (List<Request>) ctx.getAttachment(REQUESTS);
    try {
      return requests.stream().map(TextServingTranslator::answer).toList();
    } finally {
      close(requests);
    }
  }

  private static Output answer(Request request) {
    List<Map<String, String>> written =
        request.streams().stream()
            .map(stream -> Map.of("generated_text", stream.result().text()))
            .toList();
    Output output = new Output();
    output.addProperty("Content-Type", "application/json");
    output.add(BytesSupplier.wrapAsJson(request.isBatch() ? written : written.getFirst()));
    return output;
  }

  private static void close(List<Request> requests) {
    requests.forEach(request -> request.streams().forEach(GenerationStream::close));
  }

  @Override
  public NDList processInput(TranslatorContext ctx, Input input) throws TranslateException {
    return batchProcessInput(ctx, List.of(input));
  }

  @Override
  public Output processOutput(TranslatorContext ctx, NDList list) {
    return batchProcessOutput(ctx, list).getFirst();
  }
}
