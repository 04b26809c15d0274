package dev.gatun.pipelines;

import dev.gatun.models.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code config_sentence_transformers.json} says.
 *
 * @param prompts by their names, in the order of the file
 * @param defaultPrompt what is put before a text where no other prompt is chosen
 * @param similarity how near two vectors are
 * @param truncateDim how many features of a vector are kept; null for all
 */
record SentenceConfig(
    Map<String, Prompt> prompts, Prompt defaultPrompt, Similarity similarity, Integer truncateDim) {
  static final String FILE = "config_sentence_transformers.json";

  static final SentenceConfig NONE =
      new SentenceConfig(Map.of(), Prompt.NONE, Similarity.COSINE, null);

  private static final List<String> QUERY = List.of("query");
  private static final List<String> DOCUMENT = List.of("document", "passage", "corpus");

  static SentenceConfig read(Path directory) throws IOException {
    Path path = directory.resolve(FILE);
    if (!Files.exists(path)) {
      return NONE;
    }
    Config file = Config.of(path);
    file.require("model_type", "SentenceTransformer");
    file.warnOfOthers(
        List.of(
            "__version__",
            "model_type",
            "prompts",
            "default_prompt_name",
            "similarity_fn_name",
            "truncate_dim"));
    Map<String, Prompt> prompts = new LinkedHashMap<>();
    if (file.has("prompts")) {
      Config texts = file.object("prompts");
      texts.keys().forEach(name -> prompts.put(name, new Prompt(texts.text(name, ""))));
    }
    Prompt byDefault = Prompt.NONE;
    String name = file.text("default_prompt_name", null);
    if (name != null) {
      byDefault = prompts.get(name);
      if (byDefault == null) {
        throw file.wrong("default_prompt_name", "one of the prompts " + prompts.keySet());
      }
    }
    Similarity similarity = Similarity.of(file.text("similarity_fn_name", "cosine"));
    if (similarity == null) {
      throw file.wrong("similarity_fn_name", "one of " + Similarity.names());
    }
    Integer truncateDim = file.has("truncate_dim") ? file.positive("truncate_dim") : null;
    return new SentenceConfig(
        Collections.unmodifiableMap(prompts), byDefault, similarity, truncateDim);
  }

  Prompt query() {
    return first(QUERY);
  }

  Prompt document() {
    return first(DOCUMENT);
  }

  private Prompt first(List<String> names) {
    return names.stream()
        .filter(prompts::containsKey)
        .findFirst()
        .map(prompts::get)
        .orElse(defaultPrompt);
  }
}
