package dev.gatun.generation;

import java.util.List;

/**
 * What a model's directory says about generation.
 *
 * @param config its settings
 * @param warnings the keys of {@code generation_config.json} that have no meaning here, a sentence
 *     each
 */
public record GenerationDefaults(GenerationConfig config, List<String> warnings) {
  /** Copies. */
  public GenerationDefaults {
    warnings = List.copyOf(warnings);
  }
}
