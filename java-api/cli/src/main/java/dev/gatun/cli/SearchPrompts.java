package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Prompt;

/**
 * The names of the model's prompts that are put before texts; null for those that it has for that.
 *
 * @param query before the query
 * @param passage before passages
 */
record SearchPrompts(String query, String passage) {
  /** As the model has them. */
  static final SearchPrompts OF_MODEL = new SearchPrompts(null, null);

  Prompt query(EmbeddingPipeline pipeline) {
    return query == null ? pipeline.queryPrompt() : prompt(pipeline, "--query-prompt", query);
  }

  Prompt passage(EmbeddingPipeline pipeline) {
    return passage == null
        ? pipeline.documentPrompt()
        : prompt(pipeline, "--passage-prompt", passage);
  }

  private static Prompt prompt(EmbeddingPipeline pipeline, String option, String name) {
    if (name.isEmpty()) {
      return Prompt.NONE;
    }
    try {
      return pipeline.prompt(name);
    } catch (IllegalArgumentException e) {
      throw new CliException(option + " " + name + ": " + e.getMessage(), e);
    }
  }
}
