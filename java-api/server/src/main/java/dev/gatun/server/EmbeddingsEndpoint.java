package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Prompt;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;

/** {@code /v1/embeddings}: vectors of texts. */
final class EmbeddingsEndpoint implements Endpoint {
  private static final int MOST_TEXTS = 2048;

  private final Models models;

  EmbeddingsEndpoint(Models models) {
    this.models = models;
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Fields fields = call.body();
    EmbeddingModel model = models.of(fields, EmbeddingModel.class, "embeddings");
    EmbeddingPipeline pipeline = model.pipeline();
    boolean base64 = isBase64(fields);
    OptionalInt dimensions = fields.integer("dimensions", 1, pipeline.dimension());
    Prompt prompt = prompt(fields, pipeline);
    fields.harmless("user");
    List<long[]> inputs = inputs(fields, pipeline, prompt);
    fields.finish();
    long start = System.nanoTime();
    float[][] vectors;
    try (Slots.Lease _ = model.slots().acquire(1, call.limits())) {
      model.metrics().queue.add((System.nanoTime() - start) / 1e9);
      vectors = pipeline.embedTokens(inputs, prompt, _ -> call.check());
    } catch (IllegalArgumentException e) {
      throw ApiException.wrong("input", e.getMessage());
    }
    int tokens = inputs.stream().mapToInt(ids -> ids.length).sum();
    model.metrics().promptTokens.add(tokens);
    ObjectNode answer = Json.object().put("object", "list");
    ArrayNode data = answer.putArray("data");
    for (int i = 0; i < vectors.length; i++) {
      float[] vector = shortened(vectors[i], dimensions);
      ObjectNode each = data.addObject().put("object", "embedding").put("index", i);
      if (base64) {
        each.put("embedding", base64(vector));
      } else {
        ArrayNode numbers = each.putArray("embedding");
        for (float value : vector) {
          numbers.add(value);
        }
      }
    }
    answer.put("model", model.name());
    answer.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
    call.answer(answer);
  }

  private static boolean isBase64(Fields fields) {
    String format = fields.text("encoding_format").orElse("float");
    if (!format.equals("float") && !format.equals("base64")) {
      throw ApiException.wrong("encoding_format", format + ", expected float or base64");
    }
    return format.equals("base64");
  }

  /** What sentence-transformers calls a prompt, by its name. */
  private static Prompt prompt(Fields fields, EmbeddingPipeline pipeline) {
    String name = fields.text("prompt_name").orElse(null);
    if (name == null) {
      return pipeline.defaultPrompt();
    }
    try {
      return pipeline.prompt(name);
    } catch (IllegalArgumentException e) {
      throw ApiException.wrong("prompt_name", e.getMessage());
    }
  }

  private static List<long[]> inputs(Fields fields, EmbeddingPipeline pipeline, Prompt prompt) {
    JsonNode given = fields.any("input");
    if (given == null) {
      throw fields.missing("input");
    }
    boolean many = given.isArray() && (given.isEmpty() || !given.get(0).isNumber());
    JsonNode all = many ? given : Json.array().add(given);
    if (all.isEmpty() || all.size() > MOST_TEXTS) {
      throw ApiException.wrong(
          "input", "%d texts, expected 1 to %d".formatted(all.size(), MOST_TEXTS));
    }
    List<long[]> inputs = new ArrayList<>();
    for (JsonNode each : all) {
      String name = many ? "input[%d]".formatted(inputs.size()) : "input";
      long[] ids =
          each.isTextual()
              ? pipeline.inputIds(each.textValue(), prompt)
              : Arrays.stream(TokenFields.ids(name, each)).asLongStream().toArray();
      if (ids.length == 0 || ids.length > pipeline.maxLength()) {
        throw ApiException.badRequest(
            name,
            "context_length_exceeded",
            "%s has %d tokens, the model reads 1 to %d"
                .formatted(name, ids.length, pipeline.maxLength()));
      }
      inputs.add(ids);
    }
    return inputs;
  }

  /** The first features, with length one again. */
  private static float[] shortened(float[] vector, OptionalInt dimensions) {
    if (dimensions.isEmpty() || dimensions.getAsInt() == vector.length) {
      return vector;
    }
    float[] first = Arrays.copyOf(vector, dimensions.getAsInt());
    double squares = 0;
    for (float value : first) {
      squares += (double) value * value;
    }
    double length = Math.sqrt(squares);
    for (int i = 0; i < first.length && length > 0; i++) {
      first[i] = (float) (first[i] / length);
    }
    return first;
  }

  private static String base64(float... vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
