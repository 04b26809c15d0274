package dev.gatun.cli;

import java.nio.file.Path;

/** Opens models. */
interface EmbedderLoader {
  /**
   * Opens the model of a directory, or the bundled one when that is null.
   *
   * @param prompts which of the model's are put before texts
   * @param device where it runs: {@code cpu}, {@code cuda}, {@code cuda:1}
   */
  Embedder load(Path directory, String device, SearchPrompts prompts);

  /** One line about what runs models on a device. */
  String backend(String device);
}
