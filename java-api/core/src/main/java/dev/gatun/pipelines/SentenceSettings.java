package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a sentence-transformers directory says beside the model; null where it says nothing.
 *
 * @param pooling from {@code 1_Pooling/config.json}
 * @param normalize whether {@code modules.json} ends in a Normalize module
 * @param maxLength {@code max_seq_length} of {@code sentence_bert_config.json}
 */
record SentenceSettings(PoolingMode pooling, Boolean normalize, Integer maxLength) {

  static SentenceSettings read(Path directory) throws IOException {
    JsonNode modules = json(directory.resolve("modules.json"));
    Path bert = directory.resolve("sentence_bert_config.json");
    Path pooling = directory.resolve("1_Pooling").resolve("config.json");
    return new SentenceSettings(
        pooling(pooling, json(pooling)),
        modules == null ? null : hasNormalize(modules),
        maxLength(bert, json(bert)));
  }

  private static Integer maxLength(Path file, JsonNode config) {
    JsonNode length = config == null ? null : config.get("max_seq_length");
    if (length == null || length.isNull()) {
      return null;
    }
    if (!length.isInt() || length.intValue() < 1) {
      throw new IllegalArgumentException(
          "%s: 'max_seq_length' is %s, expected a number from 1".formatted(file, length));
    }
    return length.intValue();
  }

  private static JsonNode json(Path file) throws IOException {
    return Files.exists(file) ? TextFile.json(file, IllegalArgumentException::new) : null;
  }

  private static boolean hasNormalize(JsonNode modules) {
    for (JsonNode module : modules) {
      if (module.path("type").asText().endsWith(".Normalize")) {
        return true;
      }
    }
    return false;
  }

  private static PoolingMode pooling(Path file, JsonNode config) throws IOException {
    if (config == null) {
      return null;
    }
    List<String> modes = new ArrayList<>();
    for (var field : config.properties()) {
      if (field.getKey().startsWith("pooling_mode_") && field.getValue().asBoolean()) {
        modes.add(field.getKey().substring("pooling_mode_".length()));
      }
    }
    if (modes.isEmpty() && config.path("pooling_mode").isTextual()) {
      modes.add(config.path("pooling_mode").asText() + "_token");
    }
    return switch (modes.size() == 1 ? modes.getFirst() : "") {
      case "mean_tokens", "mean_token" -> PoolingMode.MEAN;
      case "cls_token" -> PoolingMode.FIRST;
      case "max_tokens", "max_token" -> PoolingMode.MAX;
      default ->
          throw new IOException(
              file
                  + ": pooling by "
                  + modes
                  + ", expected one of mean_tokens, cls_token, max_tokens");
    };
  }
}
