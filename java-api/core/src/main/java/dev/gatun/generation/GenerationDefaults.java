package dev.gatun.generation;

import java.io.IOException;
import java.nio.file.Path;
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

  /**
   * Those of {@link GenerationConfig#load} for a task: what {@code task_specific_params} of {@code
   * config.json} has for it goes before.
   *
   * @param directory of the model, or a GGUF file, which has no tasks
   * @param task a key there, such as {@code summarization}; null, or one that is not there, changes
   *     nothing
   * @return the settings, with warnings of keys that have no meaning here
   * @throws IOException when a file cannot be read
   * @throws IllegalArgumentException when a value is not as expected, or asks for what is not done
   */
  public static GenerationDefaults ofTask(Path directory, String task) throws IOException {
    return GenerationConfigReader.read(directory, task);
  }
}
