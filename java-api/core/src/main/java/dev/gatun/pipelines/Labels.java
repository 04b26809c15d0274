package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.JsonNode;

/** The names of a classifier's outputs. */
final class Labels {
  private Labels() {}

  /** The name that {@code id2label} in {@code config.json} gives, else {@code LABEL_i}. */
  static String[] of(JsonNode config, int count) {
    String[] labels = new String[count];
    for (int i = 0; i < count; i++) {
      labels[i] = config.path("id2label").path(Integer.toString(i)).asText("LABEL_" + i);
    }
    return labels;
  }
}
